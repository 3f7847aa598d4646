"""Tests of the assembly of tool calls from fragments. tests/data/quirks has the forms that servers send."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st
from together_adapters.accumulate import Accumulator, Completion, accumulate
from together_adapters.openai_format import to_openai

from together_types import ChatCompletionChunk, ChatCompletionResponse, ToolCalls

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a"\\{}[]: ,é', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(st.text(alphabet='a"\\{}', max_size=4), JSON, max_size=3).map(json.dumps)


def chunk(*fragments: dict[str, Any], finish: str | None = None) -> ChatCompletionChunk:
    choice = {"index": 0, "delta": {"tool_calls": list(fragments)}, "finish_reason": finish}
    return ChatCompletionChunk.from_dict({"id": "c", "choices": [choice]})


def fragment(arguments: str | None = None, name: str | None = None, **rest: Any) -> dict[str, Any]:
    return {"index": 0, **rest, "function": {"name": name, "arguments": arguments}}


def completion_of(*fragments: dict[str, Any]) -> Completion:
    return accumulate([*[chunk(item) for item in fragments], chunk(finish="tool_calls")])


def calls_in(completion: Completion) -> list[tuple[str | None, str | None, str | None]]:
    message = (completion.response.choices or ())[0].message
    calls = (message.tool_calls or ()) if message else ()
    assert all(call.function for call in calls)
    return [(call.id, call.function.name, call.function.arguments) for call in calls if call.function]


@st.composite
def pieces(draw: st.DrawFn, text: str) -> list[str]:
    """Draw a division of a text into pieces, some of them empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)])]


@st.composite
def interleaved(draw: st.DrawFn, first: list[Any], second: list[Any]) -> list[Any]:
    """Draw a merge of two lists that keeps the order of each."""
    merged, queues = [], [list(first), list(second)]
    while any(queues):
        queue = queues[draw(st.integers(0, 1))] or queues[0] or queues[1]
        merged.append(queue.pop(0))
    return merged


@given(st.data(), ARGUMENTS, ARGUMENTS, st.booleans())
def test_calls_by_index_in_any_pieces_are_read_as_sent(data: st.DataObject, one: str, two: str, repeated: bool) -> None:
    assume(not (one == "{}" or two == "{}"))
    calls = []
    for index, text in enumerate((one, two)):
        parts = data.draw(pieces(text))
        head = {"id": f"id{index}", "type": "function"}
        rest = head if repeated else {}
        name = f"f{index}" if repeated else None
        calls.append(
            [fragment(parts[0], f"f{index}", **{**head, "index": index})]
            + [fragment(part, name, **{**rest, "index": index}) for part in parts[1:]]
        )
    completion = completion_of(*data.draw(interleaved(*calls)))
    assert calls_in(completion) == [("id0", "f0", one), ("id1", "f1", two)]
    assert completion.issues() == []


@given(st.data(), st.lists(st.tuples(st.sampled_from(["f", "g"]), ARGUMENTS), min_size=1, max_size=4))
def test_calls_by_id_at_one_index_are_read_as_sent(data: st.DataObject, calls: list[tuple[str, str]]) -> None:
    sent = []
    for number, (name, arguments) in enumerate(calls):
        parts = data.draw(pieces(arguments))
        sent += [fragment(part, None if place else name, id=number) for place, part in enumerate(parts)]
    completion = completion_of(*sent)
    assert calls_in(completion) == [(str(number), *call) for number, call in enumerate(calls)]
    assert completion.issues() == []


@given(st.data(), ARGUMENTS)
def test_empty_object_first_is_replaced(data: st.DataObject, arguments: str) -> None:
    first = data.draw(st.sampled_from(["{}", " { } ", "{}{}"]))
    parts = data.draw(pieces(first + arguments))
    completion = completion_of(fragment(parts[0], "f", id="a"), *[fragment(part) for part in parts[1:]])
    [(_, _, read)] = calls_in(completion)
    assert json.loads(read or "") == json.loads(arguments)
    assert completion.issues() == []


@given(st.data(), ARGUMENTS, st.sampled_from(["get_weather", "a", "日本"]))
def test_changed_ids_and_split_names_are_joined_and_listed(data: st.DataObject, arguments: str, name: str) -> None:
    """The last piece of the arguments follows the name, so the arguments are incomplete before it."""
    assume(arguments != "{}")
    cut = data.draw(st.integers(1, len(arguments) - 1))
    names = [piece for piece in data.draw(pieces(name)) if piece]
    assume(len(set(names)) == len(names))
    sent = [fragment(arguments[:cut], names[0], id="a"), *[fragment("", piece) for piece in names[1:]]]
    completion = completion_of(*sent, fragment(arguments[cut:], id="b"))
    assert calls_in(completion) == [("a", name, arguments)]
    path = "choices[0].message.tool_calls[0]"
    expected = [(f"{path}.id", "b"), *[(f"{path}.function.name", piece) for piece in names[1:]]]
    assert [(item.path, item.value) for item in completion.unmerged] == expected
    assert len(completion.issues()) == len(expected)


@given(st.data(), st.lists(st.tuples(st.sampled_from([0, 1, None]), st.sampled_from(["a", "b", None]), ARGUMENTS)))
def test_arguments_in_more_fragments_give_the_same(data: st.DataObject, calls: list[tuple[Any, Any, str]]) -> None:
    """A fragment without an id and a name continues the call before it, as the rest of the same fragment does."""
    whole, torn = [], []
    for index, id, arguments in calls:
        head = {key: value for key, value in (("index", index), ("id", id)) if value is not None}
        parts = data.draw(pieces(arguments))
        start = {"id": id, "function": {"name": "f", "arguments": parts[0]}}
        whole.append({**head, "function": {"name": "f", "arguments": arguments}})
        torn.append({**start, **head})
        torn += [{**head, "id": None, "function": {"arguments": part}} for part in parts[1:]]
    # The same name starts a call only with the start of an object, which an empty first piece does not have.
    assume(all([item["function"]["arguments"] for item in torn if "name" in item["function"]]))
    assert calls_in(completion_of(*torn)) == calls_in(completion_of(*whole))


def test_ids_of_numbers_are_text_in_strict_openai_format() -> None:
    response = completion_of(fragment("{}", "f", id=1), fragment("{}", "f", id=2.5)).response
    calls: Any = to_openai(response, only_openai=True)
    assert [call["id"] for call in calls["choices"][0]["message"]["tool_calls"]] == ["1", "2.5"]
    delta: Any = to_openai(chunk(fragment("{}", "f", id=1)), only_openai=True)
    assert delta["choices"][0]["delta"]["tool_calls"][0]["id"] == "1"


@pytest.mark.parametrize(
    ("raw", "text"), [(1, "1"), (-7, "-7"), (2.0, "2.0"), ("1", "1"), (True, None), (float("nan"), None), ([1], None)]
)
def test_id_of_call_is_read_as_text(raw: Any, text: str | None) -> None:
    call = ToolCalls.from_dict({"id": raw})
    assert call.id == text
    assert [issue.path for issue in call.issues()] == ([] if text else ["id"])
    assert repr(call.to_dict()) == repr({"id": raw})


@pytest.mark.parametrize("arguments", ["", " ", "null", "{}", None])
def test_empty_arguments_are_not_an_issue(arguments: str | None) -> None:
    assert completion_of(fragment(arguments, "f")).issues() == []


@pytest.mark.parametrize(("finish", "count"), [("stop", 1), ("tool_calls", 1), ("odd", 1), ("length", 0), (None, 0)])
def test_invalid_arguments_are_listed_after_a_finish_reason(finish: str | None, count: int) -> None:
    completion = accumulate([chunk(fragment("{", "f"), finish=finish)])
    assert len(completion.issues()) == count


def test_issues_of_a_complete_response_include_its_calls() -> None:
    message = {"role": "assistant", "tool_calls": [{"id": "a", "function": {"arguments": "x"}}]}
    response = ChatCompletionResponse.from_dict({"choices": [{"message": message, "finish_reason": "stop"}]})
    paths = [issue.path for issue in Completion(response, "finished").issues()]
    assert paths == [f"choices[0].message.tool_calls[0].function.{key}" for key in ("name", "arguments")]


@pytest.mark.parametrize("place", [lambda n: {"index": n * (2**61 - 1)}, lambda n: {"index": -n}, lambda n: {"id": n}])
def test_calls_are_distinguished_by_any_number(place: Callable[[int], dict[str, Any]]) -> None:
    accumulator = Accumulator()
    for number in range(5000):
        accumulator.add(chunk({**fragment("{", str(number)), **place(number)}))
    calls = calls_in(accumulator.completion())
    assert sorted([int(name or "") for _, name, _ in calls]) == list(range(5000))
