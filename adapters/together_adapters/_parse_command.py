"""`parse`: an account of a JSON response or of a recorded stream."""

from __future__ import annotations

import json

from ._terminal import BadInput, counts, visible
from ._types import ChatCompletionResponse, Issue, ParseError
from .errors import APIError
from .stream import iter_chunks

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

__all__ = ["add_parse"]


def add_parse(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser of the command line."""
    parsing = add_parser("parse", help="account for a response or a recorded stream")
    parsing.add_argument("file", metavar="FILE", help="a JSON response or an event stream; - is standard input")
    parsing.add_argument("--json", action="store_true", help="print JSON")
    parsing.add_argument("--strict", action="store_true", help="fail on the first thing a field cannot hold")
    parsing.set_defaults(run=_parse)


def _parse(args: argparse.Namespace) -> int:
    try:
        return _account_for(_read(args.file), args)
    except (ParseError, APIError) as error:
        raise BadInput(f"{args.file}: {error}") from None


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
        print(visible("\n".join([*_account(response), *[f"issue: {path}: {problem}" for path, problem in issues]])))
    if error is not None:
        raise error
    if response.error is not None:
        raise BadInput(f"an error: {response.error if isinstance(response.error, str) else response.error.message}")
    return 0


def _read(path: str) -> bytes:
    try:
        if path == "-":
            with open(0, "rb", closefd=False) as file:
                return file.read()
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None


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
        yield f"usage: {counts(response.usage)}"
