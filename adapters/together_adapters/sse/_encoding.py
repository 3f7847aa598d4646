"""Encoding chunks as an event stream that every client can read, and converting responses to chunks.

Clients accept different subsets of the format. The output uses only the forms that all of them accept:

- Only the first delta of a choice has the role, because helpers of SDKs concatenate repeated roles.
- Choices begin in the order of their indexes, because helpers of SDKs keep them in a list. A choice that arrives too
  early is held back. If more than `_MOST_HELD` pieces are held, the choice with the lowest index among them begins.
- Every choice has a finish reason, which is null until the last chunk of the choice.
- Tool calls are numbered 0, 1, 2, ... in the order in which they begin. The id, type and name of a call are in one
  fragment only. Fragments are assigned to calls as in accumulation (see `_tool_calls`).
- Log probabilities have OpenAI's form. If the original has another form, it is kept in addition (see `openai_format`).
- The usage, wherever it was received, is sent in one chunk with `choices: []` before the end.
- Every chunk has `id`, `object`, `created` and `model`. An absent value is that of the previous chunk. In the first
  chunk it is `""` for `id` and `model`, and 0 for `created`.
- JSON is ASCII on one line, so that clients that split lines elsewhere, or do not decode UTF-8, read it correctly.

Does no I/O, except that it closes the iterable of chunks.
"""

from __future__ import annotations

import re

from .._byte_sources import aclose_source, close_source
from .._json_data import by_index, is_dict, json_of, message_as_delta
from .._logprob_forms import with_openai_logprobs
from .._redaction import redact
from .._types import CUMULATIVE, ChatCompletionChunk, DeltaContent, dumps, head_keys
from ..accumulate._merging import ItemCount, MergedField, index_key
from ..accumulate._tool_calls import ToolCallAccumulator
from ..errors import APIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Iterator, Mapping
    from typing import Any

    from .._types import (
        ChatCompletionChoicesChunk,
        ChatCompletionChoicesData,
        ChatCompletionMessage,
        ChatCompletionResponse,
        FunctionCall,
        ToolCalls,
    )
    from ..protocols import JSON

__all__ = ["ChunkEncoder", "aencode_chunks", "encode_chunks", "error_body", "json_bytes", "response_to_chunks"]

_DONE_FRAME = b"data: [DONE]\n\n"
_MOST_HELD = 256  # pieces (one choice of one chunk) that are held back
# The keys that every chunk of a stream has. The other keys of a response are in the first chunk.
_HEAD = head_keys(ChatCompletionChunk)
_TEXTS = ("reasoning", "reasoning_content", "content", "refusal")


def json_bytes(data: Mapping[str, Any]) -> bytes:
    """Return JSON as ASCII on one line. A number that JSON cannot represent becomes null."""
    return dumps(data).encode("ascii")


def _frame(data: Mapping[str, Any]) -> bytes:
    return b"data: " + json_bytes(data) + b"\n\n"


def error_body(error: BaseException) -> dict[str, Any]:
    """Return the error body of OpenAI's API for an exception: `message`, `type`, `param` and a string `code`.

    An APIError is reported with its message, in which secrets are redacted (see `_redaction`). For any other exception,
    only the name of the class is reported, because its message may contain private information.
    """
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(error).__name__).lower()
    if not isinstance(error, APIError):
        message = f"the server failed: {type(error).__name__}"
        return {"error": {"message": message, "type": "server_error", "param": None, "code": "internal_error"}}
    told = _error_fields(getattr(error, "body", None))
    kind: object = getattr(error, "type", None) or told.get("type")
    code: object = getattr(error, "code", None) or told.get("code") or getattr(error, "status", None) or name
    param = told.get("param")
    return {
        "error": {
            "message": redact(error.message),
            "type": kind if isinstance(kind, str) else "server_error",
            "param": param if isinstance(param, str) else None,
            "code": str(code),
        }
    }


def _error_fields(body: object) -> dict[str, Any]:
    """Return the fields of an error body, which OpenAI nests under `error`."""
    if not is_dict(body):
        return {}
    inner: object = body.get("error")
    return inner if is_dict(inner) else body


class _Once:
    """A filter for values that are sent once: `take` returns the first nonempty value of each key, and None later.

    The text "null", which some servers send, counts as empty.
    """

    def __init__(self) -> None:
        self._given: set[object] = set()

    def take(self, key: object, value: str | None) -> str | None:
        if not value or value == "null" or key in self._given:
            return None
        self._given.add(key)
        return value


class _Choice:
    """An encoder of one choice."""

    def __init__(self) -> None:
        self._calls = ToolCallAccumulator(ItemCount())
        self._once = _Once()
        self._opened = False

    def encoded(self, index: int, choice: ChatCompletionChoicesChunk, legacy: bool) -> dict[str, Any]:
        data = {"index": index, "finish_reason": None, **choice.to_dict()}
        data["index"] = index
        message = data.get("message")
        if is_dict(message) and data.get("delta") == message_as_delta(message):
            del data["message"]  # a choice of a non-streamed response: the delta has the same content
        if choice.delta is not None or not legacy:
            data["delta"] = self._delta(choice.delta or DeltaContent())
            data = with_openai_logprobs(data) or data
        return data

    def _delta(self, delta: DeltaContent) -> dict[str, Any]:
        data = json_of(delta)
        if delta.tool_calls is not None:
            data["tool_calls"] = [self._fragment(fragment) for fragment in delta.tool_calls]
        if delta.function_call is not None:
            data["function_call"] = self._function("function_call", delta.function_call)
        role = data.pop("role", None)
        if self._opened:
            return data
        self._opened = True
        return {"role": role or "assistant", **data}

    def _fragment(self, fragment: ToolCalls) -> dict[str, Any]:
        position = self._calls.place(fragment)
        data = json_of(fragment)
        for name in ("id", "type", "function", "custom", "index"):
            data.pop(name, None)
        call: dict[str, Any] = {"index": position}
        id = self._once.take((position, "id"), fragment.id)
        if id is not None:
            call["id"] = id
        kind = self._once.take(
            (position, "type"), fragment.type or ("function" if fragment.custom is None else "custom")
        )
        if kind is not None:
            call["type"] = kind
        if fragment.custom is not None:
            call["custom"] = self._named(position, json_of(fragment.custom), fragment.custom.name)
        if fragment.function is not None:
            call["function"] = self._function(position, fragment.function)
        return {**call, **data}

    def _function(self, key: object, function: FunctionCall) -> dict[str, Any]:
        data = self._named(key, json_of(function), function.name)
        if function.arguments is not None:  # JSON text, also if an object was received
            data["arguments"] = function.arguments
        elif "name" in data or "arguments" in data:
            data["arguments"] = ""
        return data

    def _named(self, key: object, data: dict[str, Any], name: str | None) -> dict[str, Any]:
        data.pop("name", None)
        name = self._once.take((key, "name"), name)
        return data if name is None else {"name": name, **data}


class ChunkEncoder:
    """An encoder of chunks: `add` returns the bytes to send for a chunk, `end` or `fail` the last bytes.

    Frames are the encoded events. `saw_usage` is True if a chunk had a usage.
    """

    def __init__(self) -> None:
        self._head: dict[str, Any] = {"id": "", "object": "chat.completion.chunk", "created": 0, "model": ""}
        self._choices: dict[int | str, _Choice] = {}
        self._next = 0  # the lowest index that has not begun
        self._held: list[tuple[int, ChatCompletionChoicesChunk]] = []
        self._usage = MergedField(CUMULATIVE)
        self._beside_usage: dict[str, Any] = {}
        self.saw_usage = False

    def add(self, chunk: ChatCompletionChunk | Mapping[str, Any]) -> bytes:
        """Return the frames for one more chunk, or b"" if no frame can be sent yet.

        The chunk may be a value, or a mapping with its JSON. Raises ParseError if it is neither.
        """
        if not isinstance(chunk, ChatCompletionChunk):
            chunk = ChatCompletionChunk.from_dict(chunk)
        rest = json_of(chunk)
        rest.pop("choices", None)
        for name in ("id", "created", "model"):
            value = rest.pop(name, None)
            if value:
                self._head[name] = value
        kind = rest.pop("object", None)
        # A legacy completion has texts and no deltas. Clients ignore a chunk with deltas if its `object` is
        # `text_completion`.
        if kind == "text_completion" and not any([choice.delta is not None for choice in chunk.choices or ()]):
            self._head["object"] = kind
        usage = rest.pop("usage", None)
        if usage is not None:
            self.saw_usage = True
            self._usage.add(usage)
        if chunk.choices:
            return self._with_choices(rest, chunk.choices)
        if usage is not None:
            self._beside_usage.update(rest)
        elif any([value is not None for value in rest.values()]):
            return _frame({**self._head, "choices": [], **rest})
        return b""

    def _with_choices(self, rest: dict[str, Any], choices: tuple[ChatCompletionChoicesChunk, ...]) -> bytes:
        ready: list[dict[str, Any]] = []
        for index, choice in by_index(choices):
            if self._has_turn(index):
                ready.append(self._encoded(index, choice))
            else:
                self._held.append((index, choice))
        frames = [_frame({**self._head, "choices": ready, **rest})] if ready or rest else []
        while len(self._held) > _MOST_HELD:
            frames += self._released(skip=True)
        return b"".join(frames + self._released())

    def _encoded(self, index: int, choice: ChatCompletionChoicesChunk) -> dict[str, Any]:
        return self._choices[index_key(index)].encoded(index, choice, self._head["object"] == "text_completion")

    def _has_turn(self, index: int) -> bool:
        key = index_key(index)
        if key not in self._choices:
            if index > self._next:
                return False
            self._choices[key] = _Choice()
            while index_key(self._next) in self._choices:
                self._next += 1
        return True

    def _released(self, skip: bool = False) -> list[bytes]:
        """Return the frames of the held pieces whose choices can begin.

        With `skip`, the choice with the lowest index can begin, even if an earlier one is missing.
        """
        held = sorted(self._held, key=lambda pair: pair[0])
        if skip and held:
            self._next = max(self._next, held[0][0])
        self._held = []
        frames: list[bytes] = []
        for index, choice in held:
            if self._has_turn(index):
                frames.append(_frame({**self._head, "choices": [self._encoded(index, choice)]}))
            else:
                self._held.append((index, choice))
        return frames

    def _flush(self) -> bytes:
        frames: list[bytes] = []
        while self._held:
            frames += self._released(skip=True)
        if self.saw_usage:
            frames.append(
                _frame({**self._head, "choices": [], "usage": self._usage.result("usage", []), **self._beside_usage})
            )
        return b"".join(frames)

    def end(self) -> bytes:
        """Return the last frames of a complete stream, including `[DONE]`."""
        return self._flush() + _DONE_FRAME

    def fail(self, error: BaseException) -> bytes:
        """Return the last frames of a failed stream: held choices, usage, the error (see `error_body`) and `[DONE]`."""
        return self._flush() + _frame(error_body(error)) + _DONE_FRAME


def encode_chunks(chunks: Iterable[ChatCompletionChunk | Mapping[str, JSON]]) -> Generator[bytes]:
    """Encode chunks frame by frame, as documented at `sse.encode_chunks`."""
    frames = _frames(chunks)
    next(frames)  # enters the `try`: closing a generator that has not started would not close the chunks
    return frames


def _frames(chunks: Iterable[ChatCompletionChunk | Mapping[str, JSON]]) -> Generator[bytes]:
    encoder = ChunkEncoder()
    try:
        yield b""
        try:
            for chunk in chunks:
                data = encoder.add(chunk)
                if data:
                    yield data
        except Exception as error:
            yield encoder.fail(error)
        else:
            yield encoder.end()
    finally:
        close_source(chunks)


async def aencode_chunks(chunks: AsyncIterable[ChatCompletionChunk | Mapping[str, JSON]]) -> AsyncGenerator[bytes]:
    """Encode an asynchronous iterable of chunks frame by frame, as documented at `sse.encode_chunks`."""
    encoder = ChunkEncoder()
    try:
        try:
            async for chunk in chunks:
                data = encoder.add(chunk)
                if data:
                    yield data
        except Exception as error:
            yield encoder.fail(error)
        else:
            yield encoder.end()
    finally:
        await aclose_source(chunks)


def response_to_chunks(response: ChatCompletionResponse) -> Iterator[ChatCompletionChunk]:
    """Convert a response to chunks, as documented at `sse.response_to_chunks`."""
    data = json_of(response)
    data.pop("choices", None)
    usage = data.pop("usage", None)
    head: dict[str, Any] = {key: data.pop(key) for key in _HEAD if key in data}
    if head.get("object") in (None, "", "chat.completion"):
        head["object"] = "chat.completion.chunk"
    choices = by_index(response.choices)
    opening = [{"index": index, **_opening(choice.message)} for index, choice in choices if choice.message is not None]
    if data and not opening:
        yield ChatCompletionChunk.from_dict({**head, "choices": [], **data})
    for number, choice in enumerate(opening):
        yield ChatCompletionChunk.from_dict({**head, "choices": [choice], **({} if number else data)})
    for index, value in choices:
        for part in _parts(value):
            yield ChatCompletionChunk.from_dict({**head, "choices": [{"index": index, **part}]})
    if usage is not None:
        yield ChatCompletionChunk.from_dict({**head, "choices": [], "usage": usage})


def _opening(message: ChatCompletionMessage) -> dict[str, Any]:
    delta: dict[str, Any] = {"role": message.role or "assistant"}
    if isinstance(message.content, str):
        delta["content"] = ""
    return {"delta": delta, "finish_reason": None}


def _parts(choice: ChatCompletionChoicesData) -> Iterator[dict[str, Any]]:
    """Yield the JSON of a choice for each of its chunks after the first one. The last one has the finish reason."""
    data = json_of(choice)
    data.pop("index", None)
    if choice.message is None:
        yield data if "text" in data else {**data, "delta": {}}
        return
    message: dict[str, Any] = data.pop("message")
    message.pop("role", None)
    for key in _TEXTS:
        text = message.pop(key, None)
        if text is not None:
            part: dict[str, Any] = {"delta": {key: text}, "finish_reason": None}
            if key == "content" and "logprobs" in data:
                part["logprobs"] = data.pop("logprobs")
            yield part
    if choice.message.tool_calls is not None:
        calls: list[dict[str, Any]] = message.pop("tool_calls")
        yield {
            "delta": {"tool_calls": [{**call, "index": index} for index, call in enumerate(calls)]},
            "finish_reason": None,
        }
    yield {"finish_reason": None, **data, "delta": message}
