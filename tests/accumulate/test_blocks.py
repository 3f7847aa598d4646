"""Tests of the assembly of `reasoning_details` and `thinking_blocks`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st
from together_adapters.accumulate import Completion, accumulate

from together_types import ChatCompletionChunk

KEYS = ("reasoning_details", "thinking_blocks")
TYPES = {"reasoning.text": "text", "reasoning.summary": "summary", "thinking": "thinking"}


def completion_of(key: str, *deltas: list[Any]) -> Completion:
    chunks = [{"choices": [{"index": 0, "delta": {key: items}, "finish_reason": None}]} for items in deltas]
    return accumulate([ChatCompletionChunk.from_dict(chunk) for chunk in chunks])


def blocks_in(key: str, completion: Completion) -> Any:
    assert completion.issues() == []
    return (completion.response.to_dict().get("choices") or [{}])[0]["message"][key]  # type: ignore[literal-required]


@given(
    st.data(),
    st.sampled_from(KEYS),
    st.lists(st.tuples(st.sampled_from(sorted(TYPES)), st.text(min_size=1, max_size=9), st.booleans()), max_size=4),
)
def test_blocks_of_one_index_each_in_any_pieces_are_read_as_sent(
    data: st.DataObject, key: str, drawn: list[tuple[str, str, bool]]
) -> None:
    expected, queues = [], []
    for index, (kind, text, signed) in enumerate(drawn):
        own = {"type": kind, "index": index, "format": "f"}
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=3)))
        pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)])]
        queue = [{**own, TYPES[kind]: piece} for piece in pieces]
        queues.append([*queue, {**own, "signature": "s"}] if signed else queue)
        expected.append({**own, TYPES[kind]: text, **({"signature": "s"} if signed else {})})
    deltas: list[list[Any]] = []
    while any(queues):
        queue = data.draw(st.sampled_from([queue for queue in queues if queue]))
        if deltas and data.draw(st.booleans()):
            deltas[-1].append(queue.pop(0))
        else:
            deltas.append([queue.pop(0)])
    completion = completion_of(key, *deltas) if deltas else completion_of(key, [])
    assert blocks_in(key, completion) == expected


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("index", [{"index": 0}, {}], ids=["index", "no index"])
@pytest.mark.parametrize(
    ("second", "count"),
    [
        ({"type": "t", "text": "b"}, 1),
        ({"type": "u", "text": "b"}, 2),
        ({"type": "t", "id": "2", "text": "b"}, 2),
        ({"type": "t", "id": "1", "text": "b"}, 1),
        ({"type": "t", "signature": "s"}, 1),
        ({"type": "t", "data": "B"}, 2),
        ({"type": "t", "data": "A"}, 1),
    ],
)
def test_fragment_continues_a_block_of_its_type_id_and_data(
    key: str, index: dict[str, int], second: dict[str, Any], count: int
) -> None:
    first = {"type": "t", "id": "1", "text": "a", "data": "A", **index}
    assert len(blocks_in(key, completion_of(key, [first], [{**second, **index}]))) == count


def test_second_signature_starts_a_block() -> None:
    deltas = [[{"type": "thinking", "index": 0, "thinking": text, "signature": text}] for text in ("a", "b", "b")]
    read = blocks_in("thinking_blocks", completion_of("thinking_blocks", *deltas))
    assert [(block["thinking"], block["signature"]) for block in read] == [("a", "a"), ("bb", "b")]


ODD = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=2) | st.lists(st.integers(), max_size=1)
)


@given(st.lists(st.lists(st.dictionaries(st.sampled_from(["index", "type", "id", "text", "x"]), ODD), max_size=3)))
def test_blocks_with_invalid_fields_raise_no_exception(deltas: Any) -> None:
    completion_of("reasoning_details", *deltas).issues()
