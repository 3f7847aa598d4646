"""The results of a batch job: a JSONL file or stream of bytes in, one typed result or typed error a line out.
No line's content is ever raised or ends the reading, and no server is asked.

Together writes one file of `{"custom_id", "response": {"status_code", "body"}}` and one of
`{"custom_id", "error": {"message", "code"}}`. OpenAI and `vllm run-batch` use the same lines with both keys,
a null for the one that does not apply, and a `request_id`; OpenAI reports a refused request as a response whose
status is not 2xx and whose body is the error. The order of the lines is not the order of the requests.

Only LF ends a line: it cannot stand inside JSON, where U+2028 and a lone CR can stand between tokens. Memory is
one line and one read, however long the file and however long a line that is too long.
"""

from __future__ import annotations

import json
import os
import re
from io import BytesIO

from ._byte_sources import as_bytes, iterator_of, partial_data, truncation_error
from ._json_data import is_dict, with_jsonable_asdict
from ._named_tuple import NamedTuple
from ._types import ChatCompletionResponse, ParseError, TogetherErrorResponse, loads
from .errors import APIConnectionError, APIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Union

    from .protocols import JSON, ByteSource

    Source = Union[str, os.PathLike[str], bytes, bytearray, memoryview, ByteSource]
    Progress = Callable[[int, Union[int, None]], object]

__all__ = ["MAX_LINE_BYTES", "BatchError", "BatchResult", "iter_results", "read_line"]

MAX_LINE_BYTES = 16 * 2**20
"""What one line of a batch's file may take unless the caller says otherwise."""

_BOM = b"\xef\xbb\xbf"
_SHOWN = 80  # bytes of a line that was not understood, in a message
_HEAD = 4096  # bytes of such a line in which its custom_id is looked for

# The members of one line up to its custom_id, where those before it are scalars: what a broken line still tells.
_TEXT = rb'"(?:[^"\\]|\\.)*"'
_CUSTOM_ID = re.compile(
    rb"\s*\{\s*(?:(?!\"custom_id\")"
    + _TEXT
    + rb"\s*:\s*(?:"
    + _TEXT
    + rb"|[\w.+-]+)\s*,\s*)*\"custom_id\"\s*:\s*("
    + _TEXT
    + rb")"
)


@with_jsonable_asdict
class BatchResult(NamedTuple):
    """The response to one request of a batch.

    `line` counts from 1, blank lines included. `custom_id` is the request's own, and `response` the completion.
    `status` is the HTTP status and `request_id` the server's name of the request; each is None if the line lacks it.
    """

    line: int
    custom_id: str | None
    response: ChatCompletionResponse
    status: int | None = None
    request_id: str | None = None


class BatchError(APIError):
    """One line of a batch that holds no completion; it is given in the line's place, not raised.

    `line` counts from 1 and `custom_id` is the request's, None where the line does not tell. A request that
    failed has the server's `status`, `code`, `type` and `request_id`, each None where the line gives none, and
    its error in `body`; where the line itself could not be read, all of these are None.
    """

    def __init__(
        self,
        message: str,
        *,
        line: int = 0,
        custom_id: str | None = None,
        status: int | None = None,
        code: str | int | None = None,
        type: str | None = None,
        request_id: str | None = None,
        body: JSON = None,
    ) -> None:
        super().__init__(message)
        self.line = line
        self.custom_id = custom_id
        self.status = status
        self.code = code
        self.type = type
        self.request_id = request_id
        self.body = body

    def __str__(self) -> str:
        named = "" if self.custom_id is None else f" (custom_id {json.dumps(self.custom_id)})"
        return f"line {self.line}{named}: {self.message}"


def iter_results(
    source: Source, *, progress: Progress | None = None, max_line_bytes: int = MAX_LINE_BYTES
) -> Iterator[BatchResult | BatchError]:
    """The results in a batch's output or error file, line by line as they are read.

    `source` is a path, or a binary file, a urllib or http.client response or any iterable of bytes, which stays
    the caller's to close; of a compressed file, what `gzip.open` gives. A line that cannot be read or takes more than
    `max_line_bytes` gives a BatchError and reading goes on; blank lines give nothing. `progress` is called after each
    read with the bytes done and the total, None where that is not known beforehand; what it raises ends the reading.
    What the source raises is raised after the lines that had arrived, and a body that is shorter than it said as
    APIConnectionError.
    """
    opened: Any = source
    if isinstance(source, (str, os.PathLike)):
        with open(opened, "rb") as file:
            yield from iter_results(file, progress=progress, max_line_bytes=max_line_bytes)
        return
    if isinstance(source, (bytes, bytearray, memoryview)):
        opened = BytesIO(opened)
    for number, line, too_long in _lines(_pieces(opened, progress), max_line_bytes):
        if too_long:
            problem = f"more than {max_line_bytes} bytes: see max_line_bytes"
            yield BatchError(problem, line=number, custom_id=_custom_id_in(line))
        elif line.strip():
            yield read_line(line, number)


def _pieces(source: Any, progress: Progress | None) -> Iterator[bytes | Exception]:
    """What the source gives, and at the end the exception that it raised."""
    total, done, pieces = _size(source), 0, iterator_of(source)
    while True:
        try:
            piece = next(pieces)
        except StopIteration:
            break
        except Exception as error:
            yield partial_data(error)
            yield error
            return
        data = as_bytes(piece)
        yield data
        done += len(data)
        if progress is not None:
            progress(done, total)
    short = truncation_error(source)
    if short is not None:
        yield APIConnectionError(f"the connection broke before the file was complete: {short}")


def _size(source: Any) -> int | None:
    """The bytes still to come, where the source says so; of a compressed file nothing does."""
    if hasattr(source, "chunked"):
        length: int | None = getattr(source, "length", None)
        return length
    try:
        if hasattr(source, "getbuffer"):
            return int(source.getbuffer().nbytes) - int(source.tell())
        # gzip and its kin have the file number of the compressed file, and no `raw`.
        raw = getattr(source, "raw", source)
        if raw.__class__.__name__ != "FileIO":
            return None
        end, here = os.fstat(raw.fileno()).st_size, int(source.tell())
    except (OSError, ValueError):
        return None
    return max(end - here, 0) or None


def _lines(pieces: Iterable[bytes | Exception], limit: int) -> Iterator[tuple[int, bytes, bool]]:
    """Each line with its number and whether it was too long, of which only the beginning is given."""
    number, held, too_long, at_start = 1, bytearray(), False, True
    broken: Exception | None = None
    for piece in pieces:
        if isinstance(piece, Exception):
            broken = piece
            break
        start = 0
        while start < len(piece):
            end = piece.find(b"\n", start)
            stop = len(piece) if end < 0 else end
            room = (
                limit + len(_BOM) + 1 - len(held)
            )  # bytes more, so that a mark does not count and CRLF may end the line
            held += piece[start : min(stop, start + room)]
            too_long = too_long or stop - start > room
            if end < 0:
                break
            yield (number, *_bounded(held, limit, too_long, at_start))
            number, too_long, at_start, start = number + 1, False, False, end + 1
            held.clear()
    if held:
        yield (number, *_bounded(held, limit, too_long, at_start))
    if broken is not None:
        raise broken


def _bounded(held: bytearray, limit: int, too_long: bool, at_start: bool) -> tuple[bytes, bool]:
    line = bytes(held).removesuffix(b"\r")
    if at_start:
        line = line.removeprefix(_BOM)
    too_long = too_long or len(line) > limit
    return (line[:_HEAD] if too_long else line), too_long


def _custom_id_in(line: bytes) -> str | None:
    """The request's id in a line that is no JSON or was not read to its end."""
    found = _CUSTOM_ID.match(line[:_HEAD])
    try:
        return None if found is None else str(json.loads(found.group(1)))
    except ValueError:
        return None


def read_line(line: bytes | str, number: int = 1) -> BatchResult | BatchError:
    """One line of a batch's output or error file; never raises for what stands in it.

    For engines that cut a file into lines themselves, like Spark and Dask; a line may come with its end.
    """
    data = (line.encode("utf-8", "surrogatepass") if isinstance(line, str) else bytes(line)).rstrip(b"\r\n")
    try:
        entry: object = loads(data)
        if is_dict(entry):
            return _result(entry, number)
        problem = f"expected an object, got {data[:_SHOWN]!r}"
    except ParseError as error:
        problem = str(error)
    return BatchError(problem, line=number, custom_id=_custom_id_in(data))


def _result(entry: dict[str, Any], number: int) -> BatchResult | BatchError:
    custom_id = _text(entry.get("custom_id"))
    response, error = entry.get("response"), entry.get("error")
    answer: dict[str, Any] = response if is_dict(response) else {}
    status, request_id, body = _status(answer.get("status_code")), _text(answer.get("request_id")), answer.get("body")
    failed = status is not None and not 200 <= status < 300
    if error is None and is_dict(body) and body.get("error") is not None and (failed or not body.get("choices")):
        error = body["error"]
    if error is None and not failed and is_dict(body):
        try:
            return BatchResult(number, custom_id, ChatCompletionResponse.from_dict(body), status, request_id)
        except ParseError as problem:
            return BatchError(
                f"response.body: {problem}", line=number, custom_id=custom_id, status=status, request_id=request_id
            )
    return _failure(error, body, number, custom_id=custom_id, status=status, request_id=request_id)


def _failure(
    error: Any, body: Any, number: int, *, custom_id: str | None, status: int | None, request_id: str | None
) -> BatchError:
    said = TogetherErrorResponse()
    if is_dict(error):
        inner = error.get("error")  # vLLM puts its whole error body here
        said = TogetherErrorResponse.from_dict(inner if is_dict(inner) else error)
    elif error is not None:
        said = TogetherErrorResponse(message=error if isinstance(error, str) else json.dumps(error))
    elif isinstance(body, str):
        said = TogetherErrorResponse(message=body[:_SHOWN])
    message = said.message or (said.to_json() if said.to_dict() else "neither a completion nor an error in it")
    return BatchError(
        message if status is None else f"status {status}: {message}",
        line=number,
        custom_id=custom_id,
        status=status,
        code=said.code,
        type=said.type_,
        request_id=request_id,
        body=body if error is None else error,
    )


def _text(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _status(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) == 3:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
