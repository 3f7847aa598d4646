"""The command `parse`: shows the content of a saved response, stream or batch result.

The format is detected by the content: a JSON response, an event stream, the results of a batch job, or the chunks that
`chat --json` prints. Does not change the file and sends no requests.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from itertools import chain

from .._json_data import is_dict
from .._types import ChatCompletionChunk, ChatCompletionResponse, Issue, ParseError, UsageData, at, is_array
from ..accumulate import Completion, CompletionState
from ..accumulate._checks import call_issues
from ..errors import APIError, StreamError
from ..stream import iter_chunks
from ..stream._event_data import find_error, message_of
from .terminal import BadInput, Progress, calls_in, clipped, counts, on_one_line, plural, visible
from .timeline import rows, timed_pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Generator, Iterator, Sequence
    from io import BufferedReader
    from typing import Any

    from ..batch import BatchError, BatchResult

__all__ = ["Undeclared", "add_parse"]

_MOST = 100  # paths that are listed: a server may use a new key in each chunk
_VALUE = 40  # columns of a value
_PIECE = 262144  # bytes between two drawings of the progress
_PLAIN = (str, int, float, bool, type(None))
_EXAMPLES = """\
examples:
  together-types parse answer.json       the JSON of a response or an error
  together-types parse stream.sse        a stream, with a timeline if it was
                                         saved by `chat --save`
  together-types parse results.jsonl     the results of a batch job
  curl ... | together-types parse -      any of them, from a pipe
  curl ... | together-types parse --json -
                                         print JSON for programs

Values that do not match the type of their field are listed as `issue`. Keys
that no field declares are listed as `extra`: where a key first occurs, its
value there, and how often it occurs again.

--json prints an object with the keys state, response, issues, extra, error,
error_type and error_code. For a batch it prints a line for each result, with
the keys line, custom_id, status, response and error.
"""


def add_parse(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser of the command line."""
    parsing = add_parser("parse", help="show what is in a saved response, stream or batch result", epilog=_EXAMPLES)
    parsing.add_argument(
        "file", metavar="FILE", help="the file, or - for standard input (its format is detected automatically)"
    )
    parsing.add_argument("--json", action="store_true", help="print JSON: one object, or one per line for a batch")
    parsing.add_argument(
        "--strict", action="store_true", help="fail on the first value that does not match the type of its field"
    )
    parsing.set_defaults(run=_parse)


def _parse(args: argparse.Namespace) -> int:
    try:
        with _opened(args.file) as file:
            return _account_for(file, args)
    except (ParseError, APIError) as error:
        raise BadInput(f"{args.file}: {error}{_labels(error)}") from None
    except BrokenPipeError:  # from writing the output
        raise
    except OSError as error:
        if error.filename is None and args.file != "-":  # from writing the output
            raise
        raise BadInput(f"{args.file}: {error.strerror}") from None


@contextmanager
def _opened(path: str) -> Generator[BufferedReader]:
    with open(0, "rb", closefd=False) if path == "-" else open(path, "rb") as file:
        yield file


def _account_for(file: BufferedReader, args: argparse.Namespace) -> int:
    head = _first_line(file)
    if not head.strip():
        return _account_for_stream(head, args)  # do not read again: a terminal would need a second Ctrl-D
    if head.startswith(b"\x1f\x8b"):
        raise BadInput(f"{args.file}: expected plain data, got gzip: use `gunzip -c FILE | together-types parse -`")
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
    """Read up to the end of the next line that is not blank, and return what was read."""
    lines = bytearray()  # a list of blank lines takes 60 bytes for each
    for line in iter(file.readline, b""):
        lines += line
        if line.strip():
            break
    return bytes(lines)


def _object_in(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object on a line, or None if the line is not a complete object."""
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
    found.issues = Completion(response, CompletionState.FINISHED).issues()
    error = None
    if failure is not None:
        completion = Completion(response, CompletionState.ERRORED)
        message = f"error response: {message_of(failure)}"
        error = StreamError(message, completion, type=failure.type_, code=failure.code)
    _print_account(response, CompletionState.FINISHED if error is None else CompletionState.ERRORED, found, error, args)
    if error is not None:
        raise error
    return _status_of(response)


def _account_for_stream(data: bytes, args: argparse.Namespace) -> int:
    found = _Found()
    stream = iter_chunks(found.pieces(data))
    error: APIError | None = None
    try:
        for number, chunk in enumerate(stream):
            found.take(chunk)
            if _may_have_issues(chunk):  # most chunks have neither issues nor undeclared keys
                found.issues += [issue._replace(path=f"chunk[{number}].{issue.path}") for issue in chunk.issues()]
                found.extra.add(chunk, f"chunk[{number}].")
    except APIError as failed:
        error = failed
    finally:
        found.progress.clear()
    completion: Completion = stream.completion
    if args.strict and found.issues:
        raise ParseError(*found.issues[0])
    listed = set(found.issues)
    found.issues += [issue for issue in completion.issues() if issue not in listed]
    _print_account(completion.response, completion.state, found, error, args)
    if error is not None:
        raise error
    return _status_of(completion.response)


def _status_of(response: ChatCompletionResponse) -> int:
    """Return 1 if a tool call of a finished choice cannot be executed, else 0."""
    return 1 if any([True for _ in call_issues(response)]) else 0


class _Found:
    """The issues and undeclared keys that were found, and the arrival times of the chunks of a stream."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.extra = Undeclared()
        self.arrivals: list[tuple[float, str]] = []
        self.progress = Progress()
        self._gap: float | None = None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        done = 0
        for gap, piece in timed_pieces(data):
            self._gap = gap
            for start in range(0, len(piece), _PIECE):
                part = piece[start : start + _PIECE]
                yield part
                done += len(part)
                self.progress(done, len(data))

    def take(self, chunk: ChatCompletionChunk) -> None:
        if self._gap is not None:
            self.arrivals.append((self._gap, chunk.reasoning_text or chunk.text))
            self._gap = 0.0  # another chunk of the same piece arrived at the same time


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
    """Return an error's type and code in parentheses, or "" if the server sent neither."""
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
        print(f"batch: {plural(completions, 'completion')}, {plural(tokens, 'token')}, {plural(failures, 'failure')}")
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
    """Return the whole content of a file whose first bytes, `head`, were already read.

    A seekable file is rewound, so that its size is the total of the progress. The size of a pipe is unknown.
    """
    if file.seekable():
        file.seek(-len(head), os.SEEK_CUR)
        return file
    return chain([head], iter(lambda: file.read1(65536), b""))


class Undeclared:
    """A collection of the undeclared keys of many values.

    A path that occurs in several values is kept once, with the number of its occurrences. At most 100 are kept.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, Any, int]] = {}
        self._left_out = 0

    def add(self, value: Any, where: str = "") -> None:
        """Add the undeclared keys of a value. `where`, such as `chunk[7].`, is put before each new path."""
        for path, raw in _undeclared(value, ""):
            if path in self._found:
                first, shown, times = self._found[path]
                self._found[path] = first, shown, times + 1
            elif len(self._found) < _MOST:
                self._found[path] = where + path, raw, 1
            else:
                self._left_out += 1

    def lines(self) -> Iterator[str]:
        """Yield a line for each path, with the first value at that path."""
        for path, raw, times in self._found.values():
            again = f" (and {times - 1} more)" if times > 1 else ""
            yield f"extra: {on_one_line(path)}: {clipped(json.dumps(raw, ensure_ascii=False), _VALUE)}{again}"
        if self._left_out:
            yield f"extra: {plural(self._left_out, 'more key')}"

    def as_json(self) -> list[dict[str, object]]:
        """Return an object for each path: `value` is the first value there, and `times` the number of values."""
        return [{"path": path, "value": raw, "times": times} for path, raw, times in self._found.values()]


def _may_have_issues(value: Any) -> bool:
    """Return whether a value may have issues or undeclared keys, without looking at each of its fields.

    A value with either has an `extra`. The exception is a usage: each absent token count is an issue.
    """
    fields: dict[str, Any] = value.__dict__
    if "extra" in fields or isinstance(value, UsageData):
        return True
    for item in fields.values():
        if type(item) in _PLAIN:
            continue
        inner: Sequence[Any] = item if is_array(item) else (item,)
        if any([hasattr(one, "issues") and _may_have_issues(one) for one in inner]):
            return True
    return False


def _undeclared(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    declared = {name.rstrip("_") for name in value.__match_args__[:-1]}  # `type_` is the key `type`
    for key, raw in value.extra.items():
        if key not in declared:
            yield at(path, key), raw
    for name, item in value.__dict__.items():
        if name != "extra":
            yield from _below(item, at(path, name))


def _below(item: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the undeclared keys in a field: in a value or a tuple of values. Keys in raw JSON are not listed."""
    if is_array(item):
        for index, one in enumerate(item):
            yield from _below(one, at(path, index))
    elif hasattr(item, "issues"):
        yield from _undeclared(item, path)
