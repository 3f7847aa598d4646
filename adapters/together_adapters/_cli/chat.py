"""`chat` and `replay`: streams shown as they arrive, from a server or from a recording.

Tools are never run, and TOGETHER_API_KEY is never sent in the clear beyond this machine.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError
from contextlib import contextmanager

from ..errors import APIError
from .arguments import base_url, finite, positive
from .printing import StreamPrinter
from .terminal import BadInput, on_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Generator, Iterator
    from typing import Any, BinaryIO

    from ..stream import ChunkStream

    Message = dict[str, Any]
    Ask = Callable[[list[Message]], ChunkStream]

__all__ = ["add_replay_and_chat"]

_CHAT_EXAMPLES = """\
examples:
  together-types chat "Why is the sky blue?"     of Together, with the key that
                                                 TOGETHER_API_KEY has
  together-types chat --base-url http://127.0.0.1:8080/v1 "Say hello"
  cat letter.txt | together-types chat -         a prompt from a pipe
  together-types chat -i                         a conversation; Ctrl-D ends it
  together-types chat --save it.sse "Say hello"; together-types parse it.sse

Ctrl-C stops an answer, and at the prompt of -i the conversation.
"""
_REPLAY_EXAMPLES = """\
examples:
  together-types replay                  a plain answer
  together-types replay thinking         an answer with the reasoning before it
  together-types replay tools --json     two tool calls, one chunk a line
"""


def add_replay_and_chat(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add both commands to the parser of the command line."""
    replaying = add_parser(
        "replay", help="stream a recording over loopback: needs no key and no network", epilog=_REPLAY_EXAMPLES
    )
    replaying.add_argument(
        "case", nargs="?", default="plain", type=_recording, help="plain, thinking, tools or unicode (default: plain)"
    )
    replaying.set_defaults(run=_replay)

    chatting = add_parser("chat", help="ask a model and stream its answer", epilog=_CHAT_EXAMPLES)
    chatting.add_argument("prompt", nargs="?", help="what to ask; - is standard input")
    chatting.add_argument("-i", "--interactive", action="store_true", help="keep a conversation")
    chatting.add_argument("--system", metavar="TEXT", help="what the model is to be told first")
    chatting.add_argument("--model", default="meta-llama/Llama-3.3-70B-Instruct-Turbo", help="(default: %(default)s)")
    chatting.add_argument("--max-tokens", type=positive, metavar="N", help="the longest answer, in tokens")
    chatting.add_argument("--temperature", type=finite, metavar="T", help="0 is the likeliest answer, 1 a varied one")
    chatting.add_argument(
        "--base-url", metavar="URL", type=base_url, help="any OpenAI-format server (default: Together)"
    )
    chatting.set_defaults(run=_chat, usage_error=chatting.error)
    for parser in (replaying, chatting):
        parser.add_argument("--json", action="store_true", help="print one chunk a line")
        parser.add_argument("--save", metavar="FILE", help="write the stream with its timing, for `parse`")


def _recording(name: str) -> str:
    from .._recordings import RECORDINGS

    if name not in RECORDINGS:
        raise ArgumentTypeError(f"no recording {name!r}: there are {', '.join(RECORDINGS)}")
    return name


def _key_for(base_url: str | None) -> str | None:
    """The key to use; None is the client's own, from TOGETHER_API_KEY, and "" is none.

    That key is of no use to a server in the local network, and is not sent there in the clear.
    """
    from ..http._url import endpoint_of

    if base_url is None:
        return None
    endpoint = endpoint_of(base_url)
    return None if endpoint.scheme == "https" or endpoint.is_loopback else ""


def _replay(args: argparse.Namespace) -> int:
    from ..client import Together
    from ..replay import serve_recording

    with serve_recording(args.case) as base_url, _saved(args.save) as file:
        with Together(api_key="", base_url=base_url) as client:
            StreamPrinter(args.json, file).show(
                client.chat.completions.create(model="recorded", messages=[], stream=True)
            )
    return 0


def _chat(args: argparse.Namespace) -> int:
    from ..client import Together

    if args.interactive and args.prompt == "-":
        args.usage_error("-i reads standard input itself: leave out the -")
    if args.interactive and sys.stdin is None:
        raise BadInput("-i reads standard input, which is closed")
    asks_nothing = args.prompt is None and not args.interactive
    if asks_nothing and (sys.stdin is None or sys.stdin.isatty()):
        args.usage_error("the following arguments are required: prompt, or -i")
    if not args.base_url and not os.environ.get("TOGETHER_API_KEY"):
        raise BadInput("set TOGETHER_API_KEY, or name another server with --base-url")
    settings: dict[str, Any] = {"model": args.model, "max_tokens": args.max_tokens, "temperature": args.temperature}
    settings["stream_options"] = {"include_usage": True}

    def ask(messages: list[Message]) -> ChunkStream:
        stream: ChunkStream = client.chat.completions.create(messages=messages, stream=True, **settings)
        return stream

    messages: list[Message] = [{"role": "system", "content": args.system}] if args.system else []
    with Together(api_key=_key_for(args.base_url), base_url=args.base_url) as client, _saved(args.save) as file:
        screen = StreamPrinter(args.json, file)
        if args.interactive:
            return _converse(ask, messages, args.prompt, screen)
        prompt = _prompt("-" if args.prompt is None else args.prompt)
        screen.show(ask([*messages, {"role": "user", "content": prompt}]))
    return 0


def _prompt(given: str) -> str:
    if given == "-":
        with open(0, "rb", closefd=False) as file:
            given = file.read().decode("utf-8", "replace").strip()
    if not given.strip():
        raise BadInput("the prompt is empty")
    return given


def _converse(ask: Ask, messages: list[Message], first: str | None, screen: StreamPrinter) -> int:
    """Ask until the input ends; gives the exit status, 1 where an answer failed. Every line goes to the model."""
    failed = [prompt for prompt in _typed(first) if not _exchange(ask, messages, prompt, screen)]
    return 1 if failed else 0


def _typed(first: str | None) -> Iterator[str]:
    """The prompts of a conversation, until its input ends."""
    try:
        import readline as _  # noqa: F401  lines can be edited, and the last ones called back
    except ImportError:
        pass
    if on_terminal(sys.stdin) and on_terminal(sys.stderr):
        leave = "Ctrl-Z and Enter end" if os.name == "nt" else "Ctrl-D ends"
        print(f"({leave} the conversation, Ctrl-C stops an answer)", file=sys.stderr)
    if first:
        yield first
    while True:
        try:
            prompt = input("> " if sys.stdin.isatty() else "").strip()
        except (EOFError, KeyboardInterrupt) as end:
            if on_terminal(sys.stdin):
                print(file=sys.stderr)  # what comes next begins on a line of its own
            if isinstance(end, EOFError):
                return
            raise
        if prompt:
            yield prompt


def _exchange(ask: Ask, messages: list[Message], prompt: str, screen: StreamPrinter) -> bool:
    """Ask one thing; an answer that failed (False) or was stopped leaves the conversation as it was before it."""
    question: Message = {"role": "user", "content": prompt}
    try:
        completion = screen.show(ask([*messages, question]))
    except KeyboardInterrupt:
        print("(stopped)", file=sys.stderr)
    except APIError as error:
        screen.print_error(str(error))
        return False
    else:
        answers: list[Message] = [
            {**choice.message.to_dict()} for choice in completion.response.choices or () if choice.message
        ]
        messages += [question, *answers[:1]]
    return True


@contextmanager
def _saved(path: str | None) -> Generator[BinaryIO | None]:
    if path is None:
        yield None
        return
    try:
        file = open(path, "wb")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    with file:
        yield file
