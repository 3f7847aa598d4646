"""Printing a stream: its reasoning (dimmed) and its text as they arrive, then its tool calls, token counts and speed.

Does not start requests.
"""

from __future__ import annotations

import json
import sys
import time

from .._json_data import is_dict
from ..errors import APIError
from ..sse import ServerSentEvent, encode
from .terminal import calls_in, counts, dim_codes, on_one_line, on_terminal, visible
from .timeline import stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from .._types import ChatCompletionChunk, ChatCompletionResponse
    from ..accumulate import Completion
    from ..stream import ChunkStream

__all__ = ["StreamPrinter"]


class StreamPrinter:
    """A printer of streams to standard output, as text or as one line of JSON for each chunk.

    If `file` is given, each stream is also saved there with its timing. In text form, the reasoning is printed only if
    standard output is a terminal.
    """

    def __init__(self, as_json: bool, file: BinaryIO | None) -> None:
        self._as_json = as_json
        self._file = file
        self._dim, self._plain = dim_codes(sys.stdout)
        self._reasons = on_terminal(sys.stdout)

    def show(self, stream: ChunkStream) -> Completion:
        """Print a stream as it arrives, and return the completion. In text form, a summary follows the stream.

        Raises the errors of the stream and KeyboardInterrupt, after printing the text that had arrived.
        """
        clock, written = _Clock(), False
        with stream:
            try:
                for text in self._pieces(stream, clock):
                    print(end=text, flush=True)
                    written = written or text != ""
            except (KeyboardInterrupt, APIError):
                print(end="" if self._as_json else self._plain + "\n", flush=True)
                raise
        if self._file is not None:
            self._file.write(encode(ServerSentEvent(data="[DONE]")))
        if not self._as_json:
            lines = [visible(line) for line in _account(stream.completion.response, clock)]
            print(("\n" if written else "") + "\n".join(lines), flush=True)
        return stream.completion

    def print_error(self, problem: str) -> None:
        """Print an error of a request to standard error, on one line."""
        print("together-types: " + on_one_line(problem.strip()), file=sys.stderr)

    def _pieces(self, stream: ChunkStream, clock: _Clock) -> Iterator[str]:
        """Yield the text to print for each chunk. A line of JSON is one piece, so an interrupt does not split it."""
        reasoning, begun = False, not self._reasons
        for chunk in stream:
            gap = clock.tick(chunk)
            if self._file is not None:
                self._file.write(stamp(gap) + encode(ServerSentEvent(data=chunk.to_json())))
            if self._as_json:
                yield chunk.to_json() + "\n"
                continue
            thought, said = chunk.reasoning_text if self._reasons else "", chunk.text
            if not begun:  # models often begin reasoning and text with line ends
                thought, said = (thought if reasoning else thought.lstrip("\n")), said.lstrip("\n")
            if thought:
                yield ("" if reasoning else self._dim or "(reasoning) ") + visible(thought)
                reasoning = True
            if said:
                yield (self._plain + "\n" if reasoning else "") + visible(said)
                reasoning, begun = False, True
        if reasoning:
            yield self._plain


class _Clock:
    """Times of a stream in seconds. `waited` is the time until the first chunk with text or reasoning."""

    def __init__(self) -> None:
        self.started = self._last = time.perf_counter()
        self.waited: float | None = None
        self.chunks = 0

    def tick(self, chunk: ChatCompletionChunk) -> float:
        """Record a chunk, and return the time since the one before it."""
        now = time.perf_counter()
        gap, self._last = now - self._last, now
        self.chunks += 1
        if self.waited is None and (chunk.text or chunk.reasoning_text):
            self.waited = now - self.started
        return gap

    @property
    def seconds(self) -> float:
        return max(self._last - self.started, 1e-9)


def _account(response: ChatCompletionResponse, clock: _Clock) -> Iterator[str]:
    for choice in response.choices or ():
        if choice.message is not None:
            yield from [f"tool call: {name}({_spread(said)})" for name, said in calls_in(choice.message)]
            if choice.message.refusal:
                yield f"refusal: {choice.message.refusal}"
        if choice.finish_reason == "length":
            yield "(cut off: the answer reached the maximum number of tokens)"
    usage = response.usage
    wait = "" if clock.waited is None else f", first after {1000 * clock.waited:.0f} ms"
    if usage is None:
        yield f"no usage received: {clock.chunks} chunks, {clock.chunks / clock.seconds:.0f} chunks/s{wait}"
    else:
        yield f"usage: {counts(usage)}, {usage.completion_tokens / clock.seconds:.0f} tokens/s{wait}"


def _spread(said: str) -> str:
    """Return the arguments of a call, on several lines if they are a JSON object of more than 60 characters."""
    try:
        arguments = json.loads(said)
    except (ValueError, RecursionError):
        return said
    return json.dumps(arguments, ensure_ascii=False, indent=2) if is_dict(arguments) and len(said) > 60 else said
