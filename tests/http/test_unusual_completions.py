"""Successful answers that are not what the request asked for: streams, JSON with `[DONE]`, fewer choices than `n`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from client_calls import EACH, Outcome, ask
from http_server import reply, serving
from together_adapters import APIStatusError, IncompleteStreamError, StreamError, Together

MESSAGE = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
COMPLETION = json.dumps(
    {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [MESSAGE]}
).encode()
FRAME = b'data: {"choices":[{"index":%d,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
TYPES = ("application/json", "text/event-stream", "text/plain")


def answer(kind: str, body: bytes, media_type: str, **options: Any) -> Outcome:
    with serving(lambda _: [reply(body, kind=media_type)]) as server:
        return ask(kind, base_url=server.base_url, max_retries=0, **options)


@EACH
@pytest.mark.parametrize("media_type", TYPES)
@pytest.mark.parametrize(
    "body",
    [COMPLETION + b"\n" + DONE, COMPLETION + DONE, b": ping\n\n" + COMPLETION, FRAME % 0 + DONE, FRAME % 0],
    ids=["line, [DONE]", "[DONE]", "comment", "stream", "stream without [DONE]"],
)
def test_call_without_stream_returns_the_completion_in_any_body(kind: str, media_type: str, body: bytes) -> None:
    assert answer(kind, body, media_type) == (["hi"], None, "")


@EACH
@pytest.mark.parametrize("media_type", TYPES)
def test_call_without_stream_raises_the_error_in_any_body(kind: str, media_type: str) -> None:
    failed = answer(kind, b'error: {"code":500,"message":"no memory"}\n\n' + DONE, media_type).error
    assert isinstance(failed, StreamError) and (failed.message, failed.code) == ("no memory", 500)
    cut = answer(kind, (FRAME % 0).replace(b'"stop"', b"null"), media_type).error
    assert isinstance(cut, IncompleteStreamError) and cut.completion.response.text == "hi"
    page = answer(kind, b"<html>", media_type).error
    assert isinstance(page, (APIStatusError, StreamError)) and "<html>" in page.message


@EACH
def test_stream_with_fewer_choices_than_n_is_incomplete(kind: str) -> None:
    found = answer(kind, FRAME % 0, "text/event-stream", stream=True, parameters={"n": 3})
    assert isinstance(found.error, IncompleteStreamError) and "1 of 3 choices" in found.error.message
    whole = answer(kind, FRAME % 0 + FRAME % 1, "text/event-stream", stream=True, parameters={"n": 2})
    assert whole.error is None and whole.state == "finished"


@EACH
def test_event_above_the_limit_of_the_client_names_the_argument_that_raises_it(kind: str) -> None:
    event = (FRAME % 0).replace(b"hi", b"hi" * 100)
    failed = answer(kind, event, "text/event-stream", stream=True, max_event_bytes=100).error
    assert isinstance(failed, StreamError) and "more than 100 bytes: increase max_event_bytes" in failed.message
    whole = answer(kind, event, "text/event-stream", stream=True, max_event_bytes=1000)
    assert whole.error is None and whole.texts == ["hi" * 100]


@pytest.mark.parametrize("size", [0, -1, 1.5, "1000", True, None], ids=repr)
def test_client_with_an_invalid_event_size_raises_value_error(size: Any) -> None:
    with pytest.raises(ValueError, match="max_event_bytes must be a positive number of bytes"):
        Together(api_key="k", max_event_bytes=size)


@EACH
@pytest.mark.parametrize("stream", [False, True])
def test_client_that_splits_thinking_returns_the_text_outside_of_the_blocks(kind: str, stream: bool) -> None:
    text = "<think>Hm.</think>hi"
    body = (FRAME % 0 + DONE if stream else COMPLETION).replace(b"hi", text.encode())
    assert "".join(answer(kind, body, TYPES[stream], stream=stream).texts) == text
    assert "".join(answer(kind, body, TYPES[stream], stream=stream, split_thinking=True).texts) == "hi"


def test_response_that_is_split_has_the_reasoning() -> None:
    body = COMPLETION.replace(b"hi", b"<think>Hm.</think>hi")
    client = Together(api_key="k", transport=lambda *_: (200, {}, body), split_thinking=True)
    response = client.chat.completions.create(model="m", messages=[])
    assert (response.choices[0].message.text, response.choices[0].message.reasoning_text) == ("hi", "Hm.")
