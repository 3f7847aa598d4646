"""The command line: `python -m together_adapters` parse, replay and chat."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time

from ._types import ChatCompletionResponse, Issue, ParseError, UsageData
from .errors import APIError
from .stream import ChunkStream, iter_chunks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, NoReturn

__all__ = ["main"]


class _BadInput(Exception):
    """What the user gave cannot be used; the text is the whole message."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 1 for bad input, 130 for Ctrl-C (usage errors exit with 2)."""
    for output in (sys.stdout, sys.stderr):  # None where the shell has closed them
        # Text of a model may hold what the terminal's encoding cannot: show it escaped rather than fail.
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="backslashreplace")
    args = _parser().parse_args(argv)
    try:
        status: int = args.run(args)
        print(end="", flush=True)
        return status
    except BrokenPipeError:  # the reader, like `head`, has enough
        _abandon_output()
        return 0
    except KeyboardInterrupt:
        return 130
    except (_BadInput, APIError, ParseError, ValueError) as error:
        message = _visible(str(error).strip()).replace("\n", "\\n")
        print(f"together-types: {message}", file=sys.stderr)
        return 1
    except OSError as error:  # the disk is full, the terminal has gone
        _abandon_output()
        print(f"together-types: cannot write: {error.strerror}", file=sys.stderr)
        return 1


def _abandon_output() -> None:
    """What is still buffered must not be written at exit, where it would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# All control characters but tab and line feed: a model, or whoever it quotes, must not steer the terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}


def _visible(text: str) -> str:
    return text.translate(_CONTROLS)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="together-types", description="Read, replay and hold chat completions.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    parse = commands.add_parser("parse", help="account for a response or a recorded stream")
    parse.add_argument("file", metavar="FILE", help="a JSON response or an event stream; - is standard input")
    parse.add_argument("--json", action="store_true", help="print JSON")
    parse.add_argument("--strict", action="store_true", help="fail on the first thing a field cannot hold")
    parse.set_defaults(run=_parse)

    replay = commands.add_parser("replay", help="stream a recording over loopback: needs no key and no network")
    replay.add_argument("case", nargs="?", default="plain", help="plain, thinking, tools or unicode (default: plain)")
    replay.add_argument("--json", action="store_true", help="print one chunk a line")
    replay.set_defaults(run=_replay)

    chat = commands.add_parser("chat", help="ask a model and stream its answer")
    chat.add_argument("prompt")
    chat.add_argument("--model", default="meta-llama/Llama-3.3-70B-Instruct-Turbo")
    chat.add_argument("--base-url", help="any OpenAI-format server (default: Together; the key is TOGETHER_API_KEY)")
    chat.add_argument("--json", action="store_true", help="print one chunk a line")
    chat.set_defaults(run=_chat)
    return parser


def _parse(args: argparse.Namespace) -> int:
    try:
        return _account_for(_read(args.file), args)
    except (ParseError, APIError) as error:
        raise _BadInput(f"{args.file}: {error}") from None


def _account_for(data: bytes, args: argparse.Namespace) -> int:
    error: APIError | None = None
    issues: list[Issue]
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        response, state = ChatCompletionResponse.from_json(data, strict=args.strict), "finished"
        issues = response.issues()
    else:
        stream = iter_chunks(iter([data]))
        issues = []
        try:
            for number, chunk in enumerate(stream):
                issues += [issue._replace(path=f"chunk[{number}].{issue.path}") for issue in chunk.issues()]
        except APIError as failed:
            error = failed
        response, state = stream.completion.response, stream.completion.state
        if args.strict and issues:
            raise ParseError(*issues[0])
    if args.json:
        listed = [issue._asdict() for issue in issues]
        failure = None if error is None else str(error)
        print(json.dumps({"state": state, "response": json.loads(response.to_json()), "issues": listed, "error": failure}))
    else:
        print(_visible("\n".join([*_account(response), *[f"issue: {path}: {problem}" for path, problem in issues]])))
    if error is not None:
        raise error
    if response.error is not None:
        raise _BadInput(f"an error: {response.error if isinstance(response.error, str) else response.error.message}")
    return 0


def _read(path: str) -> bytes:
    try:
        if path == "-":
            with open(0, "rb", closefd=False) as file:
                return file.read()
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise _BadInput(f"{path}: {error.strerror}") from None


def _account(response: ChatCompletionResponse) -> Iterator[str]:
    yield f"model: {response.model or '(none)'}"
    for choice in response.choices or ():
        yield f"choice {choice.index}: finish reason {choice.finish_reason or '(none)'}"
        message = choice.message
        if message is None:
            yield f"  text: {choice.text or ''}"
            continue
        if message.reasoning_text:
            yield f"  reasoning: {message.reasoning_text}"
        if message.text:
            yield f"  text: {message.text}"
        for call in message.tool_calls or ():
            if call.function is not None:
                yield f"  tool call: {call.function.name}({call.function.arguments or ''})"
    if response.usage is not None:
        yield f"usage: {_counts(response.usage)}"


def _counts(usage: UsageData) -> str:
    return f"{usage.prompt_tokens} prompt + {usage.completion_tokens} completion = {usage.total_tokens} tokens"


def _replay(args: argparse.Namespace) -> int:
    from ._recordings import RECORDINGS
    from .client import open_stream
    from .replay import serve_recording

    if args.case not in RECORDINGS:
        raise _BadInput(f"no recording {args.case!r}: there are {', '.join(RECORDINGS)}")
    with serve_recording(args.case) as base_url:
        return _show(open_stream(base_url, {"model": "recorded", "messages": []}), args.json)


def _chat(args: argparse.Namespace) -> int:
    from .client import DEFAULT_BASE_URL, open_stream

    api_key = os.environ.get("TOGETHER_API_KEY")
    if not api_key and not args.base_url:
        raise _BadInput("set TOGETHER_API_KEY, or name another server with --base-url")
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
                print(chunk.to_json() + "\n" if as_json else _visible(chunk.text), end="", flush=True)
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
                print(_visible(f"tool call: {call.function.name}({call.function.arguments or ''})"))
    usage = response.usage
    rate = (usage.completion_tokens if usage else chunks) / max(seconds, 1e-9)
    print(f"usage: {_counts(usage)}, {rate:.0f} tokens/s" if usage else f"no usage was sent: {chunks} chunks, {rate:.0f} chunks/s")


if __name__ == "__main__":
    sys.exit(main())
