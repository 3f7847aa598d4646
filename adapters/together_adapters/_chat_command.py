"""`chat` and `replay`: a stream shown as it arrives, from a server or from a recording."""

from __future__ import annotations

import os
import time

from ._terminal import BadInput, counts, visible
from ._types import ChatCompletionResponse
from .errors import APIError
from .stream import ChunkStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

__all__ = ["add_replay_and_chat"]


def add_replay_and_chat(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add both commands to the parser of the command line."""
    replaying = add_parser("replay", help="stream a recording over loopback: needs no key and no network")
    replaying.add_argument("case", nargs="?", default="plain", help="plain, thinking, tools or unicode (default: plain)")
    replaying.add_argument("--json", action="store_true", help="print one chunk a line")
    replaying.set_defaults(run=_replay)

    chatting = add_parser("chat", help="ask a model and stream its answer")
    chatting.add_argument("prompt")
    chatting.add_argument("--model", default="meta-llama/Llama-3.3-70B-Instruct-Turbo")
    chatting.add_argument("--base-url", help="any OpenAI-format server (default: Together; the key is TOGETHER_API_KEY)")
    chatting.add_argument("--json", action="store_true", help="print one chunk a line")
    chatting.set_defaults(run=_chat)


def _replay(args: argparse.Namespace) -> int:
    from ._recordings import RECORDINGS
    from .client import open_stream
    from .replay import serve_recording

    if args.case not in RECORDINGS:
        raise BadInput(f"no recording {args.case!r}: there are {', '.join(RECORDINGS)}")
    with serve_recording(args.case) as base_url:
        return _show(open_stream(base_url, {"model": "recorded", "messages": []}), args.json)


def _chat(args: argparse.Namespace) -> int:
    from .client import DEFAULT_BASE_URL, open_stream

    api_key = os.environ.get("TOGETHER_API_KEY")
    if not api_key and not args.base_url:
        raise BadInput("set TOGETHER_API_KEY, or name another server with --base-url")
    body: dict[str, Any] = {"model": args.model, "messages": [{"role": "user", "content": args.prompt}]}
    return _show(open_stream(args.base_url or DEFAULT_BASE_URL, body, api_key=api_key), args.json)


def _show(stream: ChunkStream, as_json: bool) -> int:
    """Print a stream as it arrives, then what it came to."""
    started, chunks = time.perf_counter(), 0
    try:
        with stream:
            for chunk in stream:
                chunks += 1
                # One write a line, so that an interrupt leaves no half of one.
                print(chunk.to_json() + "\n" if as_json else visible(chunk.text), end="", flush=True)
    except (KeyboardInterrupt, APIError):
        if not as_json:
            print(flush=True)
        raise
    if not as_json:
        _summarise(stream.completion.response, chunks, time.perf_counter() - started)
    return 0


def _summarise(response: ChatCompletionResponse, chunks: int, seconds: float) -> None:
    print()
    for choice in response.choices or ():
        for call in (choice.message.tool_calls if choice.message else None) or ():
            if call.function is not None:
                print(visible(f"tool call: {call.function.name}({call.function.arguments or ''})"))
    usage = response.usage
    rate = (usage.completion_tokens if usage else chunks) / max(seconds, 1e-9)
    print(f"usage: {counts(usage)}, {rate:.0f} tokens/s" if usage else f"no usage was sent: {chunks} chunks, {rate:.0f} chunks/s")
