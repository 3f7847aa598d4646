"""Both paths of reading a stream give the same chunks, error and completion.

The expected result is that of the decoder. The decoder reads a stream whose lines arrive one by one, because no piece
then contains a complete event.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from comparisons import exactly
from corpus import STREAMS, label
from hypothesis import example, given, settings, strategies as st
from together_adapters.accumulate import Accumulator
from together_adapters.stream._reader import ChunkReader

TOGETHER = (
    '{"id":"1-SJC","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"text":%s,"logprobs":%s,'
    '"finish_reason":%s,"seed":null,"delta":{"token_id":%s,"role":"assistant","content":%s,"tool_calls":null}}],"model":"m","usage":null}'
)
OPENAI = '{"id": "1", "object": "chat.completion.chunk", "model": "m", "created": 1, "choices": [{"index": 0, "finish_reason": null, "delta": {"content": %s}}]}'
REASONING = (
    '{"choices":[{"finish_reason":null,"index":0,"delta":{"reasoning_content":%s}}],"created":1,"id":"1","model":"m"}'
)
# Two values that change: a second text, OpenAI's padding, log probabilities, a number after or before the text.
PAIRS = (
    '{"id":"1","choices":[{"index":0,"delta":{"content":%s,"reasoning":%s}}],"model":"m"}',
    '{"id":"1","choices":[{"index":0,"delta":{"content":%s}}],"usage":null,"obfuscation":%s}',
    '{"id":"1","choices":[{"index":0,"delta":{"content":%s},"logprobs":%s}],"model":"m"}',
    '{"id":"1","choices":[{"index":0,"text":%s,"delta":{"content":%s}}],"model":"m"}',
    '{"id":"1","choices":[{"index":0,"delta":{"content":%s,"role":"assistant","token_id":%s}}],"model":"m"}',
    '{"id":"1","choices":[{"index":0,"delta":{"role":"assistant","token_id":%s,"content":%s}}],"model":"m"}',
)

# Valid and invalid values, and changes to a whole event.
WORDS = [
    '"a"', '"b"', '" the"', '""', '"\\n"', '"\\u00e9"', '"\\ud83d\\ude00"', '"\\ud83d"', '"é"', '"é\\n"', '"😀"', '"\x7f"', '"\u2028"',
    '"\\""', '"\\\\"', '"\\\\\\""', '"\\"text\\":\\"a\\""', '"}}]}"', '"a","content":"b"', '"a\\q"', '"a\tb"', '"a', 'a"', "null", "true",
    "1", "1.0", "[]", '["a"]', "{}", '[{"type":"text","text":"a"}]', '"a","x":1', '"data: {"', '"Ã©"', '"\x00"', '"[DONE]"',
]  # fmt: skip
NUMBERS = [
    "1",
    "279",
    "null",
    "-1",
    "0",
    "-0",
    "007",
    "1.5",
    "1e3",
    "1.0",
    "true",
    '"1"',
    "NaN",
    "Infinity",
    "-",
    "9" * 30,
    "9" * 5000,
    "[" * 300,
    "",
]
ACTIONS = st.sampled_from(
    [
        "",
        "",
        "",
        "",
        "",
        "twice",
        "crlf",
        "comment",
        "named",
        "id",
        "two lines",
        "spaces",
        "latin-1",
        "done",
        "cut",
        "extra",
        "object",
        "no space",
        "mark",
        "error",
        "cr",
    ]
)


def frame(body: str, action: str) -> bytes:
    """Return the bytes of an event. `action` is a change that makes it different from other events."""
    line = "data: " + body
    if action == "twice":
        line = line.replace('"choices":', '"choices":[],"choices":', 1).replace(
            '"content":', '"content":"z","content":', 1
        )
    elif action == "comment":
        line = ": hi\n" + line
    elif action == "named":
        line = "event: message\n" + line
    elif action == "id":
        line += "\nid: 7"
    elif action == "two lines":
        line = line.replace(',"model"', ',\ndata: "model"')
    elif action == "spaces":
        line = line.replace(":", " : ")
    elif action == "no space":
        line = line.replace("data: ", "data:")
    elif action == "extra":
        line = line.replace('"index"', '"x":1,"index"')
    elif action == "object":
        line = line.replace('"index"', '"x":{"a":[1]},"index"')
    elif action == "error":
        line = line.replace('"index"', '"index","error":1,"index"')
    elif action == "done":
        line += "\ndata: [DONE]"
    elif action == "cr":
        line += "\r"
    text = ("\ufeff" if action == "mark" else "") + line + "\n\n"
    if action == "crlf":
        text = text.replace("\n", "\r\n")
    data = text.encode("utf-8", "surrogatepass")
    return data.replace("é".encode(), b"\xe9") if action == "latin-1" else data[:-1] if action == "cut" else data


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Draw a stream of similar events that differ in their values, as servers send them, with unusual events among them."""
    words = (
        st.sampled_from(WORDS[:8])
        | st.sampled_from(WORDS)
        | st.text(max_size=6).map(lambda text: json.dumps(text, ensure_ascii=False))
    )
    numbers = st.sampled_from(NUMBERS[:3]) | st.sampled_from(NUMBERS)
    parts = []
    pairs = draw(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=2))
    for _ in range(draw(st.integers(1, 12))):
        form = draw(st.sampled_from([TOGETHER, TOGETHER, OPENAI, REASONING]) | st.sampled_from(pairs))
        word = draw(words)
        if form is TOGETHER:
            logprob = draw(st.sampled_from(["null", "null", "-0.5", "-1", "NaN", '{"tokens":["a"]}']))
            text = word if draw(st.integers(0, 5)) else draw(words)
            body = form % (text, logprob, draw(st.sampled_from(["null", "null", '"stop"'])), draw(numbers), word)
        elif form in PAIRS:
            second = (
                numbers if "token_id" in form else st.sampled_from(["null", "-0.5"]) if "logprobs" in form else words
            )
            pair = (word, draw(st.just(word) | second))
            body = form % (pair[::-1] if form is PAIRS[-1] else pair)
        else:
            body = form % word
        parts.append(frame(body, draw(ACTIONS)))
    return b"".join(parts)


def outcome(pieces: list[bytes], limit: int) -> object:
    reader, chunks = ChunkReader(max_event_bytes=limit), []
    for piece in pieces:
        chunks += reader.feed(piece)
    chunks += reader.finish()
    completion = reader.completion
    return (
        [exactly(chunk) for chunk in chunks],
        repr(reader.error),
        completion,
        exactly(completion.response),
        completion.saw_done,
    )


def check(data: bytes, sizes: list[int], limit: int = 2**20) -> None:
    expected = outcome(data.splitlines(keepends=True), limit)
    cuts = sorted({size % (len(data) + 1) for size in sizes})
    events = re.findall(rb"(?s).+?\n\n|.+", data)
    for pieces in ([data], events, [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]):
        assert outcome(pieces, limit) == expected


@given(streams(), st.lists(st.integers(0, 2**16), max_size=8), st.sampled_from([300, 1000, 6000]))
@settings(max_examples=settings().max_examples * 4)
@example(b"".join([frame(OPENAI % word, "") for word in WORDS[:8] * 3]), [], 6000)
def test_any_stream_in_any_pieces_gives_the_same_result(data: bytes, sizes: list[int], limit: int) -> None:
    check(data, sizes, limit)


@given(streams())
@settings(max_examples=settings().max_examples * 4)
def test_fast_path_of_accumulation_gives_the_same_completion(data: bytes) -> None:
    """Accumulation skips values that repeat those of the chunk before. The completion is the same without skipping."""
    reader = ChunkReader()
    chunks = reader.feed(data) + reader.finish()
    fast, regular = Accumulator(), Accumulator()
    for chunk in chunks:
        fast.add(chunk)
        regular.add(chunk)
        regular._before.clear()
        for choice in regular._choices.values():
            choice._before.clear()
            if choice._message is not None:
                choice._message._before.clear()
    assert fast.completion() == regular.completion()
    assert exactly(fast.completion().response) == exactly(regular.completion().response)


@pytest.mark.parametrize("word", WORDS + NUMBERS[3:])
@pytest.mark.parametrize("place", range(5))
def test_event_with_an_unusual_value_gives_the_same_result(place: int, word: str) -> None:
    usual = ['"a"', "null", "null", "279", '"a"']
    odd = [*usual[:place], word, *usual[place + 1 :]]
    both = ['"%s"' % word.strip('"'), "null", "null", "279", '"%s"' % word.strip('"')]
    frames = [frame(TOGETHER % tuple(values), "") for values in (usual, usual, usual, odd, usual, both, usual)]
    check(b"".join(frames), [])


def test_event_with_a_duplicate_key_gives_the_same_result() -> None:
    """The first of two `delta` keys contains a `content` key, but JSON parsers keep only the second `delta`."""
    body = '{"choices":[{"index":0,"text" : "a","delta":{"text":{"content":"c"}},"delta":{"content" : "b"}}]}'
    check(frame(body, "") * 6, [])


@pytest.mark.parametrize("path", STREAMS, ids=label)
def test_recorded_stream_in_any_pieces_gives_the_same_result(path: Path) -> None:
    data = path.read_bytes()
    check(data, [100, 1000, 1001])


def test_events_of_one_line_need_no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the form of each server, all events after the first bypass the decoder, also if a piece ends inside a line."""
    for form in (TOGETHER.replace("%s", '"a"', 1), OPENAI, REASONING):
        words = [tuple([f'"w{number}"', "null", "null", str(number)][-form.count("%s") :]) for number in range(100)]
        events = [frame(form % values, "") for values in words]
        for pieces in (
            events[1:],
            [b"".join(events[1:])],
            [part for event in events[1:] for part in (event[:99], event[99:])],
        ):
            reader = ChunkReader()
            reader.feed(events[0])
            with monkeypatch.context() as patch:
                patch.setattr(reader, "_decode", lambda: pytest.fail("decoded"))
                chunks = [chunk for piece in pieces for chunk in reader.feed(piece)]
            assert len(chunks) == 99
