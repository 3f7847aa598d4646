"""The commands `chat` and `replay`: print a stream as it arrives, from a server or from a recording.

Tool calls are printed, not run. Does not send TOGETHER_API_KEY to another machine unencrypted.
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
  together-types chat "Why is the sky blue?"     ask Together, with the API key
                                                 in TOGETHER_API_KEY
  together-types chat --base-url http://127.0.0.1:8080/v1 "Hello"
                                                 ask another server
  cat letter.txt | together-types chat -         read the prompt from a pipe
  together-types chat -i                         converse until Ctrl-D
  together-types chat --save it.sse "Hello"      save the stream and its timing
  together-types parse it.sse                    show what was saved

Ctrl-C stops an answer. At the prompt of -i it ends the conversation.
The server of --base-url also receives TOGETHER_API_KEY, except over plain http
to another machine.
"""
_REPLAY_EXAMPLES = """\
examples:
  together-types replay                  a plain answer
  together-types replay thinking         reasoning, then an answer
  together-types replay tools --json     two tool calls, one JSON chunk per line
"""


def add_replay_and_chat(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add both commands to the parser of the command line."""
    replaying = add_parser(
        "replay", help="stream a recording from a local server, without a key or a network", epilog=_REPLAY_EXAMPLES
    )
    replaying.add_argument(
        "case",
        nargs="?",
        default="plain",
        type=_recording,
        help="the recording: plain, thinking, tools or unicode (default: plain)",
    )
    replaying.set_defaults(run=_replay)

    chatting = add_parser("chat", help="send a prompt to a model and stream its answer", epilog=_CHAT_EXAMPLES)
    chatting.add_argument("prompt", nargs="?", help="the prompt, or - to read it from standard input")
    chatting.add_argument(
        "-i", "--interactive", action="store_true", help="hold a conversation, with one prompt per line"
    )
    chatting.add_argument("--system", metavar="TEXT", help="the system prompt")
    chatting.add_argument(
        "--model", default="meta-llama/Llama-3.3-70B-Instruct-Turbo", help="the model (default: %(default)s)"
    )
    chatting.add_argument("--max-tokens", type=positive, metavar="N", help="the maximum length of an answer, in tokens")
    chatting.add_argument(
        "--temperature",
        type=finite,
        metavar="T",
        help="the sampling temperature: 0 selects the likeliest tokens, higher values vary more",
    )
    chatting.add_argument(
        "--base-url",
        metavar="URL",
        type=base_url,
        help="the base URL of any OpenAI-compatible server (default: TOGETHER_BASE_URL, or else Together's)",
    )
    chatting.set_defaults(run=_chat, usage_error=chatting.error)
    for parser in (replaying, chatting):
        parser.add_argument("--json", action="store_true", help="print each chunk as one line of JSON")
        parser.add_argument("--save", metavar="FILE", help="write the stream and its timing to FILE, for `parse`")


def _recording(name: str) -> str:
    from .._recordings import RECORDINGS

    if name not in RECORDINGS:
        raise ArgumentTypeError(f"expected one of {', '.join(RECORDINGS)}, got {name!r}")
    return name


def _key_for(base_url: str | None) -> str | None:
    """Return the client's `api_key` for a server: None to use TOGETHER_API_KEY, or "" to send no key.

    No key is sent over plain HTTP to another machine, because others on the network could read it. Such a server,
    usually in the local network, does not need Together's key.
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
        args.usage_error("the prompt - cannot be used with -i, because both read standard input")
    if args.interactive and sys.stdin is None:
        raise BadInput("-i reads the prompts from standard input, which is closed")
    asks_nothing = args.prompt is None and not args.interactive
    if asks_nothing and (sys.stdin is None or sys.stdin.isatty()):
        args.usage_error("the following arguments are required: prompt, or -i")
    if not args.base_url and not os.environ.get("TOGETHER_API_KEY"):
        raise BadInput("no API key: set TOGETHER_API_KEY, or select another server with --base-url")
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
    """Send each prompt to the model until the input ends, and return the exit status, which is 1 if an answer failed.

    Every line is sent to the model: there are no commands.
    """
    failed = [prompt for prompt in _typed(first) if not _exchange(ask, messages, prompt, screen)]
    return 1 if failed else 0


def _typed(first: str | None) -> Iterator[str]:
    """Yield the prompts of a conversation until its input ends."""
    try:
        import readline as _  # noqa: F401  adds line editing and a history to input()
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
                print(file=sys.stderr)  # end the line of the prompt
            if isinstance(end, EOFError):
                return
            raise
        if prompt:
            yield prompt


def _exchange(ask: Ask, messages: list[Message], prompt: str, screen: StreamPrinter) -> bool:
    """Send one prompt, and add it and its answer to the conversation. Return False if the answer failed.

    If the answer failed or was stopped by Ctrl-C, the conversation remains unchanged.
    """
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
    """Yield the open file to save the stream to, or None without a path. Raises BadInput if it cannot be opened."""
    if path is None:
        yield None
        return
    try:
        file = open(path, "wb")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    with file:
        yield file
