"""Tests of unusual data that servers send.

Each file in data/quirks contains one case: its source, its bytes and the expected result. The bytes are in one of three
keys:

- `body`: a response without streaming.
- `stream`: the pieces of an event stream.
- `wire`: the bytes that a server sends over HTTP. A number is a pause in seconds.

The last two have the final `state` of the stream and the class of its `error`. `says` lists texts that the message of
the error contains. `expect` maps paths to values. A path begins with `response`, `chunks`, `error`, `completion`,
`issues` or `saw_done`. `n` is the number of choices that the request asked for. `repeat` is a piece of the stream and
the number of times that it is repeated.
"""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import pytest
from corpus import DATA, TYPES
from loopback import serve_raw
from together_adapters.errors import APIError
from together_adapters.stream import ChunkStream, aiter_chunks, iter_chunks

from together_types import ChatCompletionResponse

QUIRKS = sorted(DATA.glob("quirks/*.json"))
assert QUIRKS


def quirks(kind: str) -> pytest.MarkDecorator:
    found = [(path, json.loads(path.read_text("utf-8"))) for path in QUIRKS]
    cases = [pytest.param(case, id=path.stem) for path, case in found if kind in case]
    assert cases
    return pytest.mark.parametrize("case", cases)


def test_every_quirk_has_one_kind_of_data_a_source_and_expectations() -> None:
    for path in QUIRKS:
        case = json.loads(path.read_text("utf-8"))
        assert len({"body", "stream", "wire"} & set(case)) == 1, path.name
        assert case["source"] and case["expect"], path.name


def plain(value: Any) -> Any:
    """Return a value as plain JSON data."""
    if isinstance(value, tuple(TYPES)):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (tuple, list)) else value


def value_at(path: str, found: dict[str, Any]) -> Any:
    value: Any = None
    for position, step in enumerate(re.findall(r"\w+(?:\(\))?|\[\d+\]", path)):
        if step[0] == "[":
            value = value[int(step[1:-1])]
        elif position == 0:
            value = found[step]
        else:
            value = getattr(value, step[:-2])() if step.endswith("()") else getattr(value, step)
    return plain(value)


def as_text(value: object) -> str:
    """Return a value as JSON text for a comparison in which 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)


def check(case: dict[str, Any], found: dict[str, Any]) -> None:
    expected = {path: value_at(path, found) for path in case["expect"]}
    assert as_text(expected) == as_text(case["expect"])


@quirks("body")
def test_body_gives_the_expected_response(case: dict[str, Any]) -> None:
    body = case["body"] if isinstance(case["body"], str) else json.dumps(case["body"])
    response = ChatCompletionResponse.from_json(body)
    assert as_text(response.to_dict()) == as_text(json.loads(body))
    check(case, {"response": response, "issues": [issue.path for issue in response.issues()]})


def found_in(stream: ChunkStream) -> dict[str, Any]:
    chunks = []
    error: APIError | None = None
    try:
        for chunk in stream:
            chunks.append(chunk)
    except APIError as raised:
        error = raised
    return found_at_end(stream.completion, chunks, error)


def found_at_end(completion: Any, chunks: list[Any], error: APIError | None) -> dict[str, Any]:
    issues = [issue.path for issue in completion.issues()]
    names = {"response": completion.response, "completion": completion, "saw_done": completion.saw_done}
    return {**names, "issues": issues, "chunks": chunks, "error": error}


def check_stream(case: dict[str, Any], found: dict[str, Any]) -> None:
    error = found["error"]
    assert (found["completion"].state, type(error).__name__) == (case["state"], case.get("error", "NoneType"))
    if error is not None:
        assert error.completion == found["completion"]
        assert all(text in str(error) for text in case.get("says", ()))
    check(case, found)
    json.loads(found["response"].to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not valid JSON"))


def stream_bytes(case: dict[str, Any]) -> bytes:
    text = "".join(case["stream"])
    if "repeat" in case:
        piece, times = case["repeat"]
        text = text.replace(piece, piece * times)
    return text.encode("utf-8")


@quirks("stream")
def test_stream_in_any_pieces_gives_the_expected_result(case: dict[str, Any]) -> None:
    data = stream_bytes(case)
    ways: list[Iterable[bytes]] = [[data], [data[i : i + 1] for i in range(len(data))]]
    if len(data) < 1000:
        ways += [[data[:cut], data[cut:]] for cut in range(1, len(data))]
    for pieces in ways:
        check_stream(case, found_in(iter_chunks(iter(pieces), n=case.get("n"))))


@quirks("stream")
def test_async_stream_gives_the_expected_result(case: dict[str, Any]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in case["stream"]:
            yield stream_bytes({**case, "stream": [piece]})

    async def read() -> dict[str, Any]:
        stream = aiter_chunks(pieces(), n=case.get("n"))
        chunks = []
        error = None
        try:
            async for chunk in stream:
                chunks.append(chunk)
        except APIError as raised:
            error = raised
        return found_at_end(stream.completion, chunks, error)

    check_stream(case, asyncio.run(read()))


@quirks("wire")
def test_http_response_gives_the_expected_result(case: dict[str, Any]) -> None:
    parts = [part.encode("latin-1") if isinstance(part, str) else part for part in case["wire"]]
    with serve_raw(*parts) as url, urllib.request.urlopen(url, timeout=30) as answer:
        check_stream(case, found_in(iter_chunks(answer)))
