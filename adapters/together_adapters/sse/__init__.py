"""Decoding and encoding of server-sent events, by section 9.2.6 of the WHATWG HTML standard.

A line of an event stream ends with LF, CR or CRLF only. Bytes are therefore split into lines before they are decoded:
`bytes.splitlines` splits at exactly these three, but `str.splitlines` also splits at U+2028, U+0085 and others, which
servers send unescaped inside JSON. A CR ends its line at once, so that no event is delayed. If an LF arrives directly
after it, the LF is ignored. Pieces of an unfinished line are appended to one buffer, so that decoding a line
of many pieces takes linear time.

Does no I/O and does not parse the data of an event.
"""

from __future__ import annotations

from ._decoding import BlockDecoder, ServerSentEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Iterator, Mapping

    from .._types import ChatCompletionChunk, ChatCompletionResponse
    from ..protocols import JSON

__all__ = ["Decoder", "ServerSentEvent", "aencode_chunks", "encode", "encode_chunks", "response_to_chunks"]

ServerSentEvent.__module__ = __name__  # pickles contain the name of the public module

# A vendored copy may lack `_encoding`, because decoding does not need the modules that the encoder imports.
_NO_ENCODER = (
    "the encoder of sse cannot be imported: {}. If this is a vendored copy of only some parts,"
    " copy it again with `--only openai` added to the options of `vendor`"
)


class Decoder(BlockDecoder):
    """A decoder that takes bytes, split anywhere, and returns each event when its last byte arrives.

    `last_event_id` and `retry` (milliseconds) are the last event ID and the last reconnection time of the stream.
    Invalid UTF-8 is replaced by U+FFFD, as the standard requires. An event or a line larger than `max_event_bytes`
    raises ValueError, after the events before it were returned.

    >>> from together_adapters.sse import Decoder
    >>> decoder = Decoder()
    >>> decoder.feed(b"data: a\\n\\ndata: ")
    [ServerSentEvent(event='message', data='a', id='', retry=None)]
    >>> [event.data for event in decoder.feed(b"b\\n\\n")]
    ['b']
    """

    keeps_unknown = False

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Take the next bytes and return the events that they complete.

        Raises ValueError if an event is too large.
        """
        return [item for item in self.decode(data) if isinstance(item, ServerSentEvent)]

    def finish(self) -> ServerSentEvent | None:
        """End the stream and return its unfinished last event, or None if no event is unfinished.

        The standard discards this event, but here the caller decides whether to use it. Raises ValueError if an event
        of the stream was too large.
        """
        return next((item for item in self.decode_end() if isinstance(item, ServerSentEvent)), None)


def encode(event: ServerSentEvent) -> bytes:
    """Return the bytes of one event: `Decoder().feed(encode(event)) == [event]`.

    An empty `id` is not written, so the id of an earlier event remains in effect. A lone surrogate in `data`, which
    UTF-8 cannot encode, is written as a JSON escape (`\\ud800`).

    Raises ValueError for an event that the format cannot represent:

    - The data must not contain a CR.
    - The type must not be empty, and must not contain a line end or a lone surrogate.
    - The id must not contain a line end, a NUL or a lone surrogate.
    - The retry time must be from 0 to 2**63 - 1 milliseconds.

    >>> from together_adapters.sse import ServerSentEvent, encode
    >>> encode(ServerSentEvent(event="add", data="two\\nlines"))
    b'event: add\\ndata: two\\ndata: lines\\n\\n'
    """
    if "\r" in event.data:
        raise ValueError(
            "data: expected LF line ends, got a carriage return, which ends a line: escape it as JSON does"
        )
    lines: list[bytes] = []
    if not event.event:
        raise ValueError("event: expected a type, got an empty one, which would be decoded as 'message'")
    if event.event != "message":
        lines.append(b"event: " + _one_line("event", event.event))
    if event.id:
        if "\0" in event.id:
            raise ValueError("id: a NUL is not allowed, because decoders ignore an id that contains one")
        lines.append(b"id: " + _one_line("id", event.id))
    if event.retry is not None:
        if not 0 <= event.retry < 2**63:
            raise ValueError(f"retry: expected milliseconds from 0 to 2**63 - 1, got {event.retry}")
        lines.append(b"retry: %d" % event.retry)
    lines += [b"data: " + line.encode("utf-8", "backslashreplace") for line in event.data.split("\n")]
    return b"\n".join(lines) + b"\n\n"


def _one_line(name: str, text: str) -> bytes:
    if "\n" in text or "\r" in text:
        raise ValueError(f"{name}: a line end is not allowed: {text!r}")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"{name}: a lone surrogate is not allowed: {text!r}") from None


def encode_chunks(chunks: Iterable[ChatCompletionChunk | Mapping[str, JSON]]) -> Generator[bytes]:
    """Encode the chunks of a completion as an event stream that every client can read, with `[DONE]` at the end.

    A chunk may be a ChatCompletionChunk, or a mapping like those that `to_openai` returns. Each yielded item contains
    complete events in valid UTF-8.

    - Choices begin in the order of their indexes, each with its role.
    - Every choice has a `finish_reason`, which may be null.
    - The id and the name of a tool call are sent once.
    - Log probabilities have OpenAI's form, which every client except together-python 1.x can read in a stream.
      `from_openai` restores the original form of a chunk.
    - The usage is in the last chunk.

    An exception that `chunks` raises, such as StreamError, becomes an error event, followed by `[DONE]`. An APIError is
    sent with its message, type and code. For any other exception, only the name of its class is sent. `chunks` is
    closed when the iteration ends or is abandoned.

    >>> from together_adapters.sse import encode_chunks
    >>> frames = list(encode_chunks([{"choices": [{"index": 0, "delta": {"content": "Hi"}}]}]))
    >>> len(frames), frames[-1]
    (2, b'data: [DONE]\\n\\n')
    """
    try:
        from ._encoding import encode_chunks
    except ImportError as error:
        raise ImportError(_NO_ENCODER.format(error)) from error
    return encode_chunks(chunks)


def aencode_chunks(chunks: AsyncIterable[ChatCompletionChunk | Mapping[str, JSON]]) -> AsyncGenerator[bytes]:
    """Encode an asynchronous iterable of chunks as `encode_chunks` does."""
    try:
        from ._encoding import aencode_chunks
    except ImportError as error:
        raise ImportError(_NO_ENCODER.format(error)) from error
    return aencode_chunks(chunks)


def response_to_chunks(response: ChatCompletionResponse) -> Iterator[ChatCompletionChunk]:
    """Convert a response to the chunks of a stream: `accumulate(response_to_chunks(response)).response == response`.

    The first chunks begin all choices, in the order of their indexes. The content of each choice follows, and the usage
    is last. A stream cannot represent some details. In the accumulated response, an absent role is `assistant`, choices
    are sorted by index, and tool calls have no `index`.

    >>> from together_adapters.sse import response_to_chunks
    >>> from together_types import ChatCompletionResponse
    >>> response = ChatCompletionResponse.from_dict({"choices": [{"index": 0, "message": {"content": "Hi"}}]})
    >>> [chunk.text for chunk in response_to_chunks(response)]
    ['', 'Hi', '']
    """
    try:
        from ._encoding import response_to_chunks
    except ImportError as error:
        raise ImportError(_NO_ENCODER.format(error)) from error
    return response_to_chunks(response)
