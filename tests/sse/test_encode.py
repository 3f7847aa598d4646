"""Events and chunks encoded as bytes: decoding them returns the originals, and the frames suit every client."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from corpus import BODIES, SAID_OTHERWISE, STREAMS, label, objects
from encoded_streams import check_shape, frames_of
from hypothesis import given, strategies as st
from strategies import shaped
from stream_strategies import TEXT, responses
from together_adapters.accumulate import accumulate
from together_adapters.errors import APIError, IncompleteStreamError, RateLimitError, StreamError
from together_adapters.sse import Decoder, ServerSentEvent, aencode_chunks, encode, encode_chunks, response_to_chunks
from together_adapters.sse._encoding import ChunkEncoder
from together_adapters.stream import iter_chunks

from together_types import ChatCompletionChunk, ChatCompletionResponse

LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=20) | st.sampled_from(
    [" ", "\ufeff", ":", " x", "7"]
)
DATA = st.lists(LINE | st.just("\0")).map("\n".join)
EVENTS = st.builds(
    ServerSentEvent, event=LINE.filter(bool), data=DATA, id=LINE, retry=st.none() | st.integers(0, 2**63 - 1)
)


# ---- one event


@given(EVENTS)
def test_encoded_event_is_decoded_equal(event: ServerSentEvent) -> None:
    assert Decoder().feed(encode(event)) == [event]
    decoder = Decoder()
    assert [event for byte in encode(event) for event in decoder.feed(bytes([byte]))] == [event]


@given(st.lists(st.builds(ServerSentEvent, event=LINE.filter(bool), data=DATA)))
def test_consecutive_events_are_decoded_equal(events: list[ServerSentEvent]) -> None:
    assert Decoder().feed(b"".join(map(encode, events))) == events


@pytest.mark.parametrize(
    "event",
    [
        ServerSentEvent(data="a\rb"),
        ServerSentEvent(event=""),
        ServerSentEvent(event="a\nb"),
        ServerSentEvent(event="a\rb"),
        ServerSentEvent(event="\ud800"),
        ServerSentEvent(id="a\nb"),
        ServerSentEvent(id="a\0b"),
        ServerSentEvent(retry=-1),
        ServerSentEvent(retry=2**63),
    ],
)
def test_unencodable_event_is_refused(event: ServerSentEvent) -> None:
    with pytest.raises(ValueError, match="^(data|event|id|retry): "):
        encode(event)


def test_lone_surrogate_in_data_is_escaped_as_in_json() -> None:
    (event,) = Decoder().feed(encode(ServerSentEvent(data='{"text": "\ud83d"}')))
    assert json.loads(event.data) == {"text": "\ud83d"}


# ---- chunks


def sent_and_read(chunks: list[ChatCompletionChunk], said_otherwise: Sequence[str] = ()) -> ChatCompletionResponse:
    data = b"".join(encode_chunks(chunks))
    check_shape(frames_of(data))
    stream = iter_chunks(iter([data]))
    list(stream)
    listed = [issue.path for issue in stream.completion.issues() if not issue.path.endswith("].finish_reason")]
    assert stream.completion.saw_done and listed == [*said_otherwise]
    return stream.completion.response


@pytest.mark.parametrize("path", STREAMS, ids=label)
def test_recorded_stream_is_encoded_and_decoded_equal(path: Any) -> None:
    stream = iter_chunks(iter([path.read_bytes()]), require_finish=False)
    chunks = []
    try:
        for chunk in stream:
            chunks.append(chunk)
    except StreamError:
        pass
    if stream.completion.response.choices:
        assert sent_and_read(chunks, SAID_OTHERWISE.get(label(path), ())) == stream.completion.response


def without_call_indexes(data: dict[str, Any]) -> dict[str, Any]:
    for choice in data.get("choices") or ():
        for call in (choice.get("message") or {}).get("tool_calls") or ():
            call.pop("index", None)
    return data


@pytest.mark.parametrize("path", BODIES, ids=label)
def test_recorded_body_becomes_chunks_and_is_decoded_equal(path: Any) -> None:
    for data in objects(path):
        if "choices" in data:
            response = ChatCompletionResponse.from_dict(without_call_indexes(data))
            chunks = list(response_to_chunks(response))
            assert accumulate(chunks).response == response
            assert sent_and_read(chunks) == response


@given(
    responses(),
    st.sampled_from([{}, {"prompt": [{"text": "<s>"}], "warnings": [{"message": "w"}]}, {"service_tier": "default"}]),
)
def test_any_response_is_encoded_and_decoded_equal(data: dict[str, Any], more: dict[str, Any]) -> None:
    for choice in data["choices"]:
        choice.pop("_form", None)
    response = ChatCompletionResponse.from_dict({**data, **more})
    completion = accumulate(response_to_chunks(response))
    assert (completion.response, completion.state, completion.issues()) == (response, "finished", [])
    assert sent_and_read(list(response_to_chunks(response))) == response


def chunk(index: int, content: str, **more: Any) -> dict[str, Any]:
    return {"id": "c", "created": 1, "model": "m", "choices": [{"index": index, "delta": {"content": content}, **more}]}


@given(st.lists(st.tuples(st.integers(0, 4), TEXT), min_size=1))
def test_choices_in_any_order_are_encoded_and_decoded_equal(said: list[tuple[int, str]]) -> None:
    chunks = [ChatCompletionChunk.from_dict(chunk(index, text)) for index, text in said]
    response = sent_and_read(chunks)
    assert response == accumulate(chunks).response


def test_endless_choice_out_of_order_is_sent_eventually() -> None:
    sent = encode_chunks(ChatCompletionChunk.from_dict(chunk(1, "x")) for _ in iter(int, 1))  # endless
    assert b'"index":1' in next(sent)


def test_mappings_are_encoded_and_empty_chunks_are_not_sent() -> None:
    frames = frames_of(
        b"".join(
            encode_chunks([{"choices": []}, {"choices": [], "x": 1}, {"usage": {"total_tokens": 1}}, chunk(0, "a")])
        )
    )
    assert [frame.get("x") for frame in frames] == [1, None, None]
    assert frames[1]["choices"][0]["delta"] == {"role": "assistant", "content": "a"}
    assert frames[-1]["usage"] == {"total_tokens": 1}


def test_non_finite_numbers_are_sent_as_null_or_minus_9999() -> None:
    (frame,) = frames_of(b"".join(encode_chunks([chunk(0, "a", logprobs=float("-inf"), x=float("nan"))])))
    assert frame["choices"][0]["logprobs"]["content"][0]["logprob"] == -9999.0
    assert frame["choices"][0]["x"] is None


@given(st.lists(st.tuples(TEXT, st.floats(-9, 0)), min_size=1))
def test_logprobs_as_numbers_become_token_entries(said: list[tuple[str, float]]) -> None:
    chunks = [ChatCompletionChunk.from_dict(chunk(0, text, logprobs=number)) for text, number in said]
    entries = [
        entry
        for frame in frames_of(b"".join(encode_chunks(chunks)))
        for entry in frame["choices"][0]["logprobs"]["content"]
    ]
    assert [(entry["token"], entry["logprob"], bytes(entry["bytes"]).decode()) for entry in entries] == [
        (*pair, pair[0]) for pair in said
    ]
    assert sent_and_read(chunks) == accumulate(chunks).response


def test_arguments_as_an_object_are_sent_as_text() -> None:
    calls = [{"function": {"name": "f", "arguments": {"a": 1}}}, {"function": {"name": "g"}}]
    frames = frames_of(b"".join(encode_chunks([{"choices": [{"delta": {"tool_calls": calls}}]}])))
    assert frames[0]["choices"][0]["delta"]["tool_calls"] == [
        {"index": 0, "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"index": 1, "type": "function", "function": {"name": "g", "arguments": ""}},
    ]


def test_custom_call_is_sent_with_its_type_and_name_once() -> None:
    calls = [
        [{"id": "c", "custom": {"name": "sql", "input": "select"}}],
        [{"id": "c", "custom": {"name": "sql", "input": " 1"}}],
    ]
    frames = frames_of(b"".join(encode_chunks([{"choices": [{"delta": {"tool_calls": call}}]} for call in calls])))
    assert [frame["choices"][0]["delta"]["tool_calls"] for frame in frames] == [
        [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "sql", "input": "select"}}],
        [{"index": 0, "custom": {"input": " 1"}}],
    ]


# ---- failures


SECRET = "postgres://user:password@host"
OPEN = ChatCompletionChunk.from_dict(chunk(0, "hi"))


class Odd(Exception):
    """An exception that is not an APIError."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (APIError("m"), {"message": "m", "type": "server_error", "code": "api_error"}),
        (
            RateLimitError("slow", status=429, body={"error": {"type": "t", "param": "p", "code": 7}}),
            {"type": "t", "param": "p", "code": "7"},
        ),
        (RateLimitError("slow", status=429, body="text"), {"message": "slow", "code": "429"}),
        (StreamError("m", accumulate([]), type="t", code=500), {"message": "m", "type": "t", "code": "500"}),
        (IncompleteStreamError("cut", accumulate([])), {"message": "cut", "code": "incomplete_stream_error"}),
        (Odd(SECRET), {"message": "the server failed: Odd", "type": "server_error", "code": "internal_error"}),
    ],
)
def test_failure_of_the_source_becomes_error_frame(error: Exception, expected: dict[str, Any]) -> None:
    def failing() -> Iterator[ChatCompletionChunk]:
        yield OPEN
        raise error

    data = b"".join(encode_chunks(failing()))
    *chunks, last = frames_of(data)
    assert [frame["choices"][0]["delta"]["content"] for frame in chunks] == ["hi"]
    assert list(last) == ["error"] and set(last["error"]) == {"message", "type", "param", "code"}
    assert {key: last["error"][key] for key in expected} == expected
    assert SECRET.encode() not in data
    stream = iter_chunks(iter([data]))
    assert next(stream).text == "hi"
    with pytest.raises(StreamError, match=last["error"]["message"]) as caught:
        next(stream)
    assert (caught.value.type, caught.value.code) == (last["error"]["type"], last["error"]["code"])


def test_closing_the_encoder_closes_the_chunks() -> None:
    closed = []

    def endless() -> Iterator[ChatCompletionChunk]:
        try:
            while True:
                yield OPEN
        finally:
            closed.append(True)

    sent = encode_chunks(endless())
    next(sent)
    sent.close()
    assert closed == [True]


def test_closing_an_encoder_that_was_not_read_closes_the_chunks() -> None:
    stream = iter_chunks(iter([b""]))
    encode_chunks(stream).close()
    assert stream.completion.state == "cancelled"


def test_async_encoding_equals_sync() -> None:
    async def chunks() -> AsyncIterator[ChatCompletionChunk]:
        yield OPEN
        raise Odd(SECRET)

    async def read() -> list[bytes]:
        return [data async for data in aencode_chunks(chunks())]

    def same() -> Iterator[ChatCompletionChunk]:
        yield OPEN
        raise Odd(SECRET)

    assert asyncio.run(read()) == list(encode_chunks(same()))


def test_async_encoding_of_a_complete_stream_skips_empty_chunks() -> None:
    sent = [chunk(0, "a"), {"choices": []}, chunk(0, "b", finish_reason="stop")]

    async def chunks() -> AsyncIterator[dict[str, Any]]:
        for item in sent:
            yield item

    async def read() -> list[bytes]:
        return [data async for data in aencode_chunks(chunks())]

    received = asyncio.run(read())
    assert received == list(encode_chunks(sent)) and b"" not in received and received[-1].endswith(b"data: [DONE]\n\n")


def test_chunk_of_a_response_without_streaming_is_encoded_without_its_message() -> None:
    """Such a chunk has a message and an equal delta. Other clients do not expect the message."""
    calls = [{"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}} for name in "ab"]
    message = {"role": "assistant", "content": "hi", "tool_calls": calls}
    body = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
    }
    [chunk] = iter_chunks(iter([json.dumps(body).encode()]))
    assert sent_and_read([chunk]).to_dict() == body
    assert all(
        "message" not in choice for frame in frames_of(b"".join(encode_chunks([chunk]))) for choice in frame["choices"]
    )


# ---- arbitrary chunks and responses


@pytest.mark.skipif(sys.version_info < (3, 10), reason="annotations resolve on 3.10 and newer")
@given(st.lists(shaped(ChatCompletionChunk), max_size=4) if sys.version_info >= (3, 10) else st.just([]))
def test_any_chunks_become_frames(chunks: list[dict[str, Any]]) -> None:
    encoder = ChunkEncoder()
    sent = b"".join([encoder.add(chunk) for chunk in chunks]) + encoder.end()
    check_shape(frames_of(sent))


@pytest.mark.skipif(sys.version_info < (3, 10), reason="annotations resolve on 3.10 and newer")
@given(shaped(ChatCompletionResponse) if sys.version_info >= (3, 10) else st.just({}))
def test_any_response_becomes_chunks(data: dict[str, Any]) -> None:
    chunks = list(response_to_chunks(ChatCompletionResponse.from_dict(data)))
    frames_of(b"".join(encode_chunks(chunks)))
    accumulate(chunks)


def test_time_grows_with_the_choices_if_their_indexes_have_one_hash() -> None:
    """Integers that are equal modulo 2**61 - 1 have the same hash. A dict of them takes quadratic time."""

    def seconds(step: int, count: int) -> float:
        chunks = [{"choices": [{"index": -number * step, "delta": {"content": "a"}}]} for number in range(count)]
        started = time.process_time()
        for _ in encode_chunks(chunks):
            pass
        return time.process_time() - started

    assert min(seconds(2**61 - 1, 8000) for _ in range(2)) < 4 * min(seconds(1, 8000) for _ in range(2))


@pytest.mark.parametrize("function", [encode_chunks, aencode_chunks, response_to_chunks])
def test_encoder_that_is_not_in_a_copy_raises_an_error_that_names_the_option(
    function: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "together_adapters.sse._encoding", None)
    with pytest.raises(ImportError, match="`--only openai`"):
        function([])
