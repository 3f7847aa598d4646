"""`sse.Decoder` at the end of a stream. The cases of the WHATWG standard are in tests/stream."""

from __future__ import annotations

import pytest
from together_adapters.sse import Decoder, ServerSentEvent


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"data: a\n\ndata: b", ServerSentEvent("message", "b", "", None)),
        (b"id: 7\nevent: e\ndata: b\ndata: c\r", ServerSentEvent("e", "b\nc", "7", None)),
        (b"data: a\n\n", None),
        (b"data: a\n\n: comment", None),
        (b"event: e\nid: 7\n", None),
        (b"", None),
    ],
)
def test_end_of_stream_returns_the_unfinished_event(data: bytes, expected: ServerSentEvent | None) -> None:
    decoder = Decoder()
    decoder.feed(data)
    assert decoder.finish() == expected


def test_end_of_stream_after_a_too_large_event_raises_value_error() -> None:
    decoder = Decoder(max_event_bytes=100)
    for _ in range(2):
        with pytest.raises(ValueError, match="100"):
            decoder.feed(b"data: " + b"x" * 200)
    with pytest.raises(ValueError, match="100"):
        decoder.finish()
