"""`parse`: an account of what a file holds: a JSON response, a stream, the lines of a batch job or of `--json`.

It never changes the file, and asks no server.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from itertools import chain

from .._json_data import is_dict
from .._types import ChatCompletionChunk, ChatCompletionResponse, Issue, ParseError, at, is_array
from ..accumulate import Completion, CompletionState
from ..errors import APIError, StreamError
from ..stream import iter_chunks
from ..stream._event_data import find_error, message_of
from .terminal import BadInput, Progress, calls_in, clipped, counts, on_one_line, plural, visible
from .timeline import rows, timed_pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Generator, Iterator
    from io import BufferedReader
    from typing import Any

    from ..batch import BatchError, BatchResult

__all__ = ["Undeclared", "add_parse"]

_MOST = 100  # paths that are kept: a key may be made up anew for each chunk
_VALUE = 40
_EXAMPLES = """\
examples:
  together-types parse answer.json       a response, or an error, as it was sent
  together-types parse stream.sse        a stream; with a timeline where
                                         `chat --save` has written it
  together-types parse results.jsonl     the results of a batch job
  curl ... | together-types parse -      any of them, from a pipe
  together-types parse --json -          the same for programs

What the fields of a response cannot hold is listed as issues, keys that no
field declares as extra: where each was first, and how many more had it.
--json gives an object with state, response, issues, extra, error, error_type
and error_code; of a batch, a line each with line, custom_id, status, response
and error.
"""


def add_parse(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser of the command line."""
    parsing = add_parser("parse", help="account for a response, a stream or the results of a batch", epilog=_EXAMPLES)
    parsing.add_argument(
        "file", metavar="FILE", help="what a server sent, told apart by its content; - is standard input"
    )
    parsing.add_argument("--json", action="store_true", help="print JSON, for a batch one object a line")
    parsing.add_argument("--strict", action="store_true", help="fail on the first thing a field cannot hold")
    parsing.set_defaults(run=_parse)


def _parse(args: argparse.Namespace) -> int:
    try:
        with _opened(args.file) as file:
            return _account_for(file, args)
    except (ParseError, APIError) as error:
        raise BadInput(f"{args.file}: {error}{_labels(error)}") from None
    except BrokenPipeError:  # of the output
        raise
    except OSError as error:
        if error.filename is None and args.file != "-":  # of the output
            raise
        raise BadInput(f"{args.file}: {error.strerror}") from None


@contextmanager
def _opened(path: str) -> Generator[BufferedReader]:
    with open(0, "rb", closefd=False) if path == "-" else open(path, "rb") as file:
        yield file


def _account_for(file: BufferedReader, args: argparse.Namespace) -> int:
    head = _first_line(file)
    if not head.strip():
        return _account_for_stream(head, args)  # not read again: a terminal would want its Ctrl-D twice
    if head.startswith(b"\x1f\x8b"):
        raise BadInput(f"{args.file}: compressed; gunzip -c FILE | together-types parse -")
    if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
        return _account_for_stream(head + file.read(), args)
    first = _object_in(head)
    if first is None:
        return _account_for_response(head + file.read(), args)
    if "custom_id" in first:
        return _account_for_batch(head, file, args)
    if any([choice.delta for choice in ChatCompletionChunk.from_dict(first).choices or ()]):
        lines = (head + file.read()).split(b"\n")
        return _account_for_stream(b"".join([b"data: " + line + b"\n\n" for line in lines]), args)
    more = _first_line(file)
    return _account_for_batch(head + more, file, args) if more.strip() else _account_for_response(head, args)


def _first_line(file: BufferedReader) -> bytes:
    """The next line that is not blank, with those before it."""
    lines = b""
    while not lines.strip():
        line = file.readline()
        if not line:
            break
        lines += line
    return lines


def _object_in(line: bytes) -> dict[str, Any] | None:
    """The object on a line; None where the line is none, or not a whole one."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if is_dict(value) else None


def _account_for_response(data: bytes, args: argparse.Namespace) -> int:
    failure = find_error("message", ChatCompletionChunk.from_json(data))
    response = ChatCompletionResponse.from_json(data, strict=args.strict)
    found = _Found()
    found.extra.add(response)
    found.issues = response.issues()
    error = None
    if failure is not None:
        completion = Completion(response, CompletionState.ERRORED)
        message = f"an error: {message_of(failure)}"
        error = StreamError(message, completion, type=failure.type_, code=failure.code)
    _print_account(response, CompletionState.FINISHED if error is None else CompletionState.ERRORED, found, error, args)
    if error is not None:
        raise error
    return 0


def _account_for_stream(data: bytes, args: argparse.Namespace) -> int:
    found = _Found()
    stream = iter_chunks(found.pieces(data))
    error: APIError | None = None
    try:
        for number, chunk in enumerate(stream):
            found.take(chunk.reasoning_text or chunk.text)
            found.issues += [issue._replace(path=f"chunk[{number}].{issue.path}") for issue in chunk.issues()]
            found.extra.add(chunk, f"chunk[{number}].")
    except APIError as failed:
        error = failed
    completion: Completion = stream.completion
    if args.strict and found.issues:
        raise ParseError(*found.issues[0])
    found.issues += [issue for issue in completion.issues() if issue not in found.issues]
    _print_account(completion.response, completion.state, found, error, args)
    if error is not None:
        raise error
    return 0


class _Found:
    """What is noticed on the way: issues, undeclared keys, and when each chunk of a stream came."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.extra = Undeclared()
        self.arrivals: list[tuple[float, str]] = []
        self._gap: float | None = None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        for gap, piece in timed_pieces(data):
            self._gap = gap
            yield piece

    def take(self, text: str) -> None:
        if self._gap is not None:
            self.arrivals.append((self._gap, text))
            self._gap = 0.0  # a further chunk of the same piece came with it


def _print_account(
    response: ChatCompletionResponse,
    state: str,
    found: _Found,
    error: APIError | None,
    args: argparse.Namespace,
) -> None:
    if args.json:
        account = {
            "state": state,
            "response": json.loads(response.to_json()),
            "issues": [issue._asdict() for issue in found.issues],
            "extra": found.extra.as_json(),
            "error": None if error is None else str(error),
            "error_type": getattr(error, "type", None),
            "error_code": getattr(error, "code", None),
        }
        print(json.dumps(account))
        return
    lines = [*_account(response), *[f"issue: {path}: {problem}" for path, problem in found.issues]]
    print("\n".join([*map(visible, [*lines, *found.extra.lines()]), *rows(found.arrivals)]))


def _labels(error: Exception) -> str:
    """An error's type and code, where the server gave any."""
    said = [(name, getattr(error, name, None)) for name in ("type", "code")]
    labels = ", ".join([f"{name} {clipped(str(value), 80)}" for name, value in said if value is not None])
    return f" ({labels})" if labels else ""


def _account(response: ChatCompletionResponse) -> Iterator[str]:
    yield f"model: {on_one_line(response.model or '(none)')}"
    for choice in response.choices or ():
        yield f"choice {choice.index}: finish reason {on_one_line(choice.finish_reason or '(none)')}"
        message = choice.message
        if message is None:
            yield f"  text: {choice.text or ''}"
            continue
        if message.reasoning_text:
            yield f"  reasoning: {message.reasoning_text}"
        if message.text:
            yield f"  text: {message.text}"
        if message.refusal:
            yield f"  refusal: {message.refusal}"
        for name, said in calls_in(message):
            yield f"  tool call: {on_one_line(name)}({on_one_line(said)})"
    if response.usage is not None:
        yield f"usage: {counts(response.usage)}"


def _account_for_batch(head: bytes, file: BufferedReader, args: argparse.Namespace) -> int:
    from ..batch import BatchError, iter_results

    progress = Progress()
    completions = failures = tokens = 0
    extra = Undeclared()
    try:
        for result in iter_results(_from_the_start(head, file), progress=progress):
            if isinstance(result, BatchError):
                failures += 1
                problem = clipped(str(result), 500) + _labels(result)
            else:
                completions += 1
                tokens += result.response.usage.total_tokens if result.response.usage else 0
                problem = ""
                extra.add(result.response, f"line {result.line}: ")
                if args.strict:
                    _refuse_issues(result)
            if args.json:
                print(json.dumps(_as_json(result)))
            elif problem:
                progress.clear()
                print(problem, flush=True)
    finally:
        progress.clear()
    if not args.json:
        for line in extra.lines():
            print(visible(line))
        print(f"batch: {plural(completions, 'completion')} of {plural(tokens, 'token')}, {plural(failures, 'failure')}")
    return 1 if failures else 0


def _refuse_issues(result: BatchResult) -> None:
    for path, problem in result.response.issues():
        raise ParseError(f"line {result.line}: {path}", problem)


def _as_json(result: BatchResult | BatchError) -> dict[str, object]:
    known = {"line": result.line, "custom_id": result.custom_id, "status": result.status}
    if isinstance(result, tuple):
        return {**known, "response": json.loads(result.response.to_json()), "error": None}
    return {**known, "response": None, "error": {"message": result.message, "type": result.type, "code": result.code}}


def _from_the_start(head: bytes, file: BufferedReader) -> BufferedReader | Iterator[bytes]:
    """A file of which the head was read already; a pipe has no size, so its progress has no total."""
    if file.seekable():
        file.seek(-len(head), os.SEEK_CUR)
        return file
    return chain([head], iter(lambda: file.read1(65536), b""))


class Undeclared:
    """Collects undeclared keys of many values; the same path in several of them is listed once, and counted."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, Any, int]] = {}
        self._left_out = 0

    def add(self, value: Any, where: str = "") -> None:
        """Note the keys of a value; `where` goes before the path of the first: `chunk[7].`."""
        for path, raw in _undeclared(value, ""):
            if path in self._found:
                first, shown, times = self._found[path]
                self._found[path] = first, shown, times + 1
            elif len(self._found) < _MOST:
                self._found[path] = where + path, raw, 1
            else:
                self._left_out += 1

    def lines(self) -> Iterator[str]:
        """A line for each path, with what stood there first."""
        for path, raw, times in self._found.values():
            again = f" (and {times - 1} more)" if times > 1 else ""
            yield f"extra: {on_one_line(path)}: {clipped(json.dumps(raw, ensure_ascii=False), _VALUE)}{again}"
        if self._left_out:
            yield f"extra: {plural(self._left_out, 'more key')}"

    def as_json(self) -> list[dict[str, object]]:
        """The same for programs; `times` is how many had the path, `value` what the first had there."""
        return [{"path": path, "value": raw, "times": times} for path, raw, times in self._found.values()]


def _undeclared(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    declared = {name.rstrip("_") for name in value.__match_args__[:-1]}  # `type_` is the key `type`
    for key, raw in value.extra.items():
        if key not in declared:
            yield at(path, key), raw
    for name, item in value.__dict__.items():
        if name != "extra":
            yield from _below(item, at(path, name))


def _below(item: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The same for what a field holds: a value, a tuple of them, or raw JSON, of which nothing is undeclared."""
    if is_array(item):
        for index, one in enumerate(item):
            yield from _below(one, at(path, index))
    elif hasattr(item, "issues"):
        yield from _undeclared(item, path)
