"""Reading the results of a batch job: from a JSONL file or a stream of bytes, one typed result or error for each line.

Together writes one file with lines of `{"custom_id", "response": {"status_code", "body"}}` and one with lines of
`{"custom_id", "error": {"message", "code"}}`. OpenAI and `vllm run-batch` write lines with both keys, one of which is
null, and with a `request_id`. OpenAI reports a rejected request as a response whose status is not 2xx and whose body is
the error. The order of the lines is not the order of the requests.

Only LF ends a line, because an unescaped LF cannot occur inside a JSON string. U+2028 can occur inside one, and a lone
CR can occur between tokens.

Memory use is bounded by the limit for one line and the size of one read, even if a line exceeds the limit.

Every line that is not blank becomes a result or an error. An invalid line does not end the reading. Opens no
connections.
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
"""The default limit for the length of one line, in bytes."""

_BOM = b"\xef\xbb\xbf"
_SHOWN = 80  # the maximum number of bytes of an invalid line in an error message
_HEAD = 4096  # the number of bytes at the start of an invalid line that are searched for its custom_id

# Matches the members of an invalid line up to its custom_id, if those before it are scalars.
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

    - `line`: the number of the line, from 1, counting blank lines.
    - `custom_id`: the identifier that the batch's author gave to the request.
    - `response`: the completion.
    - `status`: the HTTP status of the response.
    - `request_id`: the server's identifier of the request.

    `custom_id`, `status` and `request_id` default to None if the line does not contain them.
    """

    line: int
    custom_id: str | None
    response: ChatCompletionResponse
    status: int | None = None
    request_id: str | None = None


class BatchError(APIError):
    """A line of a batch that does not contain a completion. It is returned in place of a result, not raised.

    - `line`: the number of the line, from 1, counting blank lines.
    - `custom_id`: the identifier that the batch's author gave to the request.
    - `status`, `code`, `type`, `request_id`: the HTTP status, the details of the server's error, and the server's
      identifier of the request.
    - `body`: the server's error, as JSON.

    Attributes that the line does not contain default to None. For a line that is too long or not a JSON object,
    only `line` is set, and `custom_id` if it was found.
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
    """Yield the results in a batch's output or error file, line by line as they are read.

    `source` is a path, a binary file, a response of urllib or http.client, or an iterable of bytes. Only a file that
    this function opens from a path is closed. For a compressed file, pass the result of `gzip.open`.

    A line that cannot be read, or is longer than `max_line_bytes`, yields a BatchError, and reading continues. Blank
    lines up to that length are skipped.

    `progress` is called after each read with the number of bytes read and the total, or None if the total is unknown.
    An exception that it raises ends the reading.

    Raises OSError if the path cannot be opened. An exception of the source is raised after the lines that had arrived
    were yielded. Raises APIConnectionError for a response whose body is shorter than its Content-Length.

        >>> from together_adapters.batch import iter_results
        >>> data = b'''{"custom_id": "1", "response": {"status_code": 200, "body": {"choices": [{"text": "Paris"}]}}}
        ... {"custom_id": "2", "error": {"message": "no credit"}}'''
        >>> for result in iter_results(data):
        ...     print(result.response.text if hasattr(result, "response") else result)
        Paris
        line 2 (custom_id "2"): no credit
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
            problem = f"the line has more than {max_line_bytes} bytes: increase max_line_bytes to read it"
            yield BatchError(problem, line=number, custom_id=_custom_id_in(line))
        elif line.strip():
            yield read_line(line, number)


def _pieces(source: Any, progress: Progress | None) -> Iterator[bytes | Exception]:
    """Yield the bytes of the source, and at the end the exception that the source raised, if any."""
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
        yield APIConnectionError(f"the connection was closed before the file was complete: {short}")


def _size(source: Any) -> int | None:
    """Return the number of bytes that are still to be read, or None if the source does not provide it.

    The number is unknown for a compressed file.
    """
    if hasattr(source, "chunked"):
        length: int | None = getattr(source, "length", None)
        return length
    try:
        if hasattr(source, "getbuffer"):
            return int(source.getbuffer().nbytes) - int(source.tell())
        # The files of gzip, bz2 and lzma have the descriptor of the compressed file, and no attribute `raw`.
        raw = getattr(source, "raw", source)
        if raw.__class__.__name__ != "FileIO":
            return None
        end, here = os.fstat(raw.fileno()).st_size, int(source.tell())
    except (OSError, ValueError):
        return None
    return max(end - here, 0) or None


def _lines(pieces: Iterable[bytes | Exception], limit: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yield the number of each line, the line, and whether it is too long. Such a line is cut to its first bytes."""
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
            # A byte order mark and the CR of a CRLF do not count toward the limit.
            room = limit + len(_BOM) + 1 - len(held)
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
    """Return the custom_id at the beginning of an invalid or too long line, or None if it is not found."""
    found = _CUSTOM_ID.match(line[:_HEAD])
    try:
        return None if found is None else str(json.loads(found.group(1)))
    except ValueError:
        return None


def read_line(line: bytes | str, number: int = 1) -> BatchResult | BatchError:
    """Return the result in one line of a batch's output or error file.

    For engines that split a file into lines themselves, such as Spark and Dask. The line may include its line ending.
    Returns a BatchError for content that cannot be read. `number` becomes the `line` of the result.
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
        inner = error.get("error")  # vLLM puts a whole error body under the line's `error`
        said = TogetherErrorResponse.from_dict(inner if is_dict(inner) else error)
    elif error is not None:
        said = TogetherErrorResponse(message=error if isinstance(error, str) else json.dumps(error))
    elif isinstance(body, str):
        said = TogetherErrorResponse(message=body[:_SHOWN])
    message = said.message or (
        said.to_json() if said.to_dict() else "the line contains neither a completion nor an error"
    )
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
