"""Tests that no value of a chunk is lost, and that accumulating costs no more than the size of the chunks."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from itertools import count
from types import FrameType
from typing import Any

import pytest
from corpus import BODIES, label, objects
from hypothesis import given, strategies as st
from together_adapters.accumulate import Accumulator, Completion, accumulate
from together_adapters.openai_format import to_openai_with_loss
from together_adapters.stream import iter_chunks

from together_types import ChatCompletionChunk

# Placeholders for a text and a number that appear once in all chunks. `numbered` replaces them.
TEXT, NUMBER = "<text>", 10**9
UNIQUE = st.just(TEXT)
EMPTY = st.sampled_from([None, "", "null"])
ANYTHING = st.recursive(
    UNIQUE | st.just(NUMBER) | st.sampled_from([None, "", True, 0.5, [], {}]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "type", "text", "a", TEXT]), inner, max_size=2)
    ),
    max_leaves=4,
)


def sometimes(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw an object with some of the keys, each with a usual value or with any value."""
    usual = [(key, value) for key, value in keys.items() for value in (value, value, EMPTY, ANYTHING)]
    pairs = st.sampled_from(usual).flatmap(lambda pair: st.tuples(st.just(pair[0]), pair[1]))
    return st.lists(pairs, max_size=4).map(dict)


def one_or_more(item: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(item, min_size=1, max_size=2)


INDEX = st.sampled_from([0, 0, 0, 1, 2, "0", 1.0])
NAME = st.sampled_from(["f", "g", TEXT])
ARGUMENTS = UNIQUE | st.sampled_from(["{}", '{"a":', "}"]) | st.fixed_dictionaries({"a": UNIQUE})
FUNCTION = sometimes(name=NAME, arguments=ARGUMENTS, x=UNIQUE)
KIND = st.sampled_from(["function", "custom"])
CUSTOM = sometimes(name=NAME, input=UNIQUE)
CALL = sometimes(
    index=INDEX,
    id=st.sampled_from(["1", "2", TEXT]),
    type=KIND,
    function=FUNCTION,
    custom=CUSTOM,
    extra_content=ANYTHING,
)
PIECES = one_or_more(sometimes(type=st.just("text"), text=UNIQUE))
PART = sometimes(
    type=st.sampled_from(["text", "thinking"]),
    text=UNIQUE,
    thinking=UNIQUE | PIECES,
    refusal=UNIQUE,
    image_url=st.fixed_dictionaries({"url": UNIQUE}),
)
CONTENT = UNIQUE | one_or_more(PART)
CALLS = one_or_more(CALL)
DELTA = sometimes(
    content=CONTENT, reasoning=UNIQUE, reasoning_content=UNIQUE, refusal=UNIQUE, role=st.sampled_from(["assistant", TEXT]), tool_calls=CALLS,
    function_call=FUNCTION, token_id=st.just(NUMBER), audio=ANYTHING, unknown=ANYTHING,
)  # fmt: skip
TOP = st.fixed_dictionaries({TEXT: st.just(-1.5)})
ENTRIES = one_or_more(st.fixed_dictionaries({"token": UNIQUE, "logprob": st.just(-1.5)}))
LOGPROBS = sometimes(
    tokens=one_or_more(UNIQUE),
    token_ids=one_or_more(st.just(NUMBER)),
    top_logprobs=TOP | one_or_more(TOP),
    content=ENTRIES,
    refusal=ENTRIES,
)
CHOICE = sometimes(
    index=INDEX, delta=DELTA, message=DELTA, text=UNIQUE, logprobs=st.just(-0.5) | LOGPROBS, top_logprobs=TOP | one_or_more(TOP), seed=st.just(NUMBER),
    finish_reason=st.sampled_from(["stop", TEXT]), stop_reason=UNIQUE | st.just(NUMBER), token_ids=one_or_more(st.just(NUMBER)), unknown=ANYTHING,
)  # fmt: skip
CHUNK = sometimes(
    id=UNIQUE, model=UNIQUE, system_fingerprint=UNIQUE, warnings=one_or_more(st.fixed_dictionaries({"message": UNIQUE})),
    metadata=ANYTHING, moderation=ANYTHING, error=st.fixed_dictionaries({"message": UNIQUE}), choices=one_or_more(CHOICE), unknown=ANYTHING,
)  # fmt: skip
CHUNKS = st.lists(
    st.builds(lambda chunk, choices: {"choices": choices, **chunk}, CHUNK, one_or_more(CHOICE)), max_size=5
)


def numbered(value: Any, numbers: Iterator[int]) -> Any:
    if isinstance(value, dict):
        return {f"<{next(numbers)}>" if key == TEXT else key: numbered(item, numbers) for key, item in value.items()}
    if isinstance(value, list):
        return [numbered(item, numbers) for item in value]
    return f"<{next(numbers)}>" if value == TEXT else next(numbers) if value == NUMBER else value


def unique_in(value: Any) -> Iterator[str]:
    """Yield the texts and numbers that appear once."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from unique_in(key)
            yield from unique_in(without_empty_members(item) if key == "message" else item)
    elif isinstance(value, list):
        for item in value:
            yield from unique_in(item)
    elif isinstance(value, str) and value.startswith("<"):
        yield value
    elif isinstance(value, int) and value > NUMBER:
        yield str(value)


def without_empty_members(message: Any) -> Any:
    """Return a complete message without the members that a repetition may have."""
    return {key: item for key, item in message.items() if item} if isinstance(message, dict) else message


@given(CHUNKS)
def test_values_of_chunks_are_all_kept_or_listed(drawn: list[dict[str, Any]]) -> None:
    sent = numbered(drawn, count(NUMBER + 1))
    chunks = [ChatCompletionChunk.from_dict(chunk) for chunk in sent]
    completion = accumulate(chunks)
    kept = json.dumps([completion.response.to_dict(), completion.unmerged])
    assert [text for text in unique_in(sent) if text not in kept] == []
    assert len(completion.issues()) >= len(completion.unmerged)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda taken: pickle.loads(pickle.dumps(taken))], ids=["copy", "pickle"]
)
def test_copy_of_accumulator_is_independent(copied: Callable[[Accumulator], Accumulator]) -> None:
    chunk = ChatCompletionChunk.from_dict({"choices": [{"index": 0, "delta": {"content": "a"}}]})
    accumulator = Accumulator()
    for _ in range(4):
        accumulator.add(chunk)
    other = copied(accumulator)
    other.add(chunk)
    assert (accumulator.completion().response.text, other.completion().response.text) == ("aaaa", "aaaaa")


@given(CHUNKS)
def test_completion_in_between_changes_no_later_completion(drawn: list[dict[str, Any]]) -> None:
    """A completion remains unchanged, and making one does not change the following ones."""
    chunks = [ChatCompletionChunk.from_dict(chunk) for chunk in numbered(drawn, count(NUMBER + 1))]
    accumulator, taken = Accumulator(), list[tuple[Completion, str]]()
    for chunk in chunks:
        accumulator.add(chunk)
        completion = accumulator.completion()
        taken.append((completion, json.dumps([completion.response.to_dict(), completion.unmerged])))
    for number, (completion, text) in enumerate(taken, 1):
        fresh = Accumulator()
        for chunk in chunks[:number]:
            fresh.add(chunk)
        assert json.dumps([completion.response.to_dict(), completion.unmerged]) == text
        assert fresh.completion() == completion


@pytest.mark.parametrize(
    "path", [path for path in BODIES if any(["choices" in data for data in objects(path)])], ids=label
)
def test_response_without_streaming_is_returned_unchanged(path: Any) -> None:
    """Some servers answer a request for a stream with a complete response."""
    [data] = objects(path)
    stream = iter_chunks([path.read_bytes()], require_finish=False)
    list(stream)
    assert json.dumps(stream.completion.response.to_dict(), sort_keys=True) == json.dumps(data, sort_keys=True)


def delta(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def call(number: int, **fields: Any) -> dict[str, Any]:
    return delta(number, tool_calls=[{"index": 0, **fields}])


# Chunks by their number. Their cost could grow with the number of chunks before them.
GROWING: dict[str, Callable[[int], dict[str, Any]]] = {
    "distinct warnings": lambda n: {"choices": [], "warnings": [{"message": f"w{n}"}]},
    "warnings of one message": lambda n: {"choices": [], "warnings": [{"message": "w", "n": n}]},
    "a repeated name inside a string": lambda n: call(n, function={"name": "f", "arguments": "{}" if n else '{"a":"}'}),
    "a repeated name after a word": lambda n: call(n, function={"name": "f", "arguments": "{}" if n else "x{}"}),
    "new ids": lambda n: call(n, id=str(n), function={"name": "f", "arguments": "{}"}),
    "new indexes": lambda n: call(n, index=n, function={"name": "f", "arguments": "{}"}),
    "no indexes": lambda n: delta(n, tool_calls=[{"id": str(n), "function": {"name": "f"}}]),
    "names of one id": lambda n: call(n, id="1", function={"name": f"f{n}"}),
    "new parts": lambda n: delta(n, content=[{"type": "text", "text": "a", "n": n}]),
    "parts that are continued": lambda n: delta(n, content=[{"type": "text", "text": "a"}]),
    "models": lambda n: {"model": f"m{n}", "choices": []},
    "unknown keys of several types": lambda n: delta(n, unknown=[n, "a", {str(n): 1}, ["a"]][n % 4]),
    "unknown keys": lambda n: {**delta(n, **{f"u{n}": "a"}), f"v{n}": 1},
    "choices": lambda n: {"choices": [{"index": n, "delta": {"content": "a"}}]},
}


def work_for(make: Callable[[int], dict[str, Any]], chunks: int) -> int:
    """Count the calls and the characters that they return. Other processes do not change these counts."""
    work = 0

    def count_work(frame: FrameType, event: str, returned: Any) -> None:
        nonlocal work
        work += 1 + (len(returned) if event == "return" and isinstance(returned, str) else 0)

    values = [ChatCompletionChunk.from_dict(make(number)) for number in range(chunks)]
    accumulator = Accumulator()
    sys.setprofile(count_work)
    try:
        for value in values:
            accumulator.add(value)
        accumulator.completion()
    finally:
        sys.setprofile(None)
    return work


@pytest.mark.parametrize("kind", GROWING)
def test_four_times_the_chunks_take_about_four_times_the_work(kind: str) -> None:
    assert work_for(GROWING[kind], 400) <= 4.4 * work_for(GROWING[kind], 100)


def test_text_takes_the_memory_of_its_characters() -> None:
    """Without `readline`, `io.StringIO` keeps each fragment, which takes 62 bytes."""
    tracemalloc = pytest.importorskip("tracemalloc")
    accumulator, made = Accumulator(), 20_000
    tracemalloc.start()
    try:
        for number in range(made):
            accumulator.add(ChatCompletionChunk.from_dict(delta(number, content=f"{number % 10_000:04}")))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < made * 4 * 6
    assert len(accumulator.completion().response.text) == made * 4


def test_completion_cannot_be_changed() -> None:
    """The hash of a completion depends on its state."""
    completion: Any = accumulate([])
    with pytest.raises(AttributeError, match="state.*cannot be changed"):
        completion.state = "errored"
    assert completion.state == "cut_off" and "cut_off" in repr(completion)


def test_completion_has_the_keys_in_the_order_of_their_declaration() -> None:
    chunk = {
        "usage": {"total_tokens": 1},
        "choices": [{"finish_reason": "stop", "delta": {"content": "a", "role": "assistant"}, "index": 0}],
        "x": 1,
        "model": "m",
        "id": "o1",
    }
    response = accumulate([ChatCompletionChunk.from_dict(chunk)]).response.to_dict()
    assert list(response) == ["id", "object", "model", "choices", "usage", "x"]
    assert list(response["choices"][0]) == ["index", "finish_reason", "message"]
    assert list(response["choices"][0]["message"]) == ["role", "content"]


def test_contradictions_are_listed_in_the_order_of_the_response() -> None:
    chunks = [
        {"usage": {"note": note}, "id": note, "choices": [{"index": 0, "seed": seed, "delta": {}}]}
        for seed, note in enumerate("ab")
    ]
    unmerged = accumulate([ChatCompletionChunk.from_dict(chunk) for chunk in chunks]).unmerged
    assert [item.path for item in unmerged] == ["id", "choices[0].seed", "usage.note"]


def test_path_of_key_with_a_space_has_the_form_of_other_issues() -> None:
    """A path has the form that `issues()` of a value uses, so that one reader of paths is sufficient for both."""
    sent = [{"choices": [{"index": 0, "a key": {"1": value}}]} for value in (True, 2)]
    completion = accumulate([ChatCompletionChunk.from_dict(data) for data in sent])
    assert [item.path for item in completion.unmerged] == ['choices[0]["a key"]["1"]']
    _, losses = to_openai_with_loss(completion.response, only_openai=True)
    assert 'choices[0]["a key"]' in [loss.path for loss in losses]
