"""Tests of reading batch files: lines split anywhere, invalid lines, and every kind of source."""

from __future__ import annotations

import gzip
import io
import json
import multiprocessing
import os
import pickle
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from corpus import DATA
from hypothesis import given, strategies as st
from loopback import serve_raw
from together_adapters.batch import BatchError, BatchResult, iter_results, read_line
from together_adapters.errors import APIConnectionError

CASES = [pytest.param(json.loads(path.read_text("utf-8")), id=path.stem) for path in sorted(DATA.glob("batch/*.json"))]
assert CASES
SHOWN = ("line", "custom_id", "text", "error", "status", "code", "type", "request_id")
LINE = '{"custom_id": "%s", "response": {"status_code": 200, "body": {"choices": [{"message": {"content": "%s"}}]}}}'


def shown(item: BatchResult | BatchError) -> dict[str, Any]:
    found: dict[str, Any] = {"text": item.response.text} if isinstance(item, BatchResult) else {"error": str(item)}
    found.update({name: value for name in SHOWN if (value := getattr(item, name, None)) is not None})
    return found


def check(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Compare the results. An expected error is a prefix of the one found, because the messages of JSON decoders differ."""
    assert len(found) == len(expected)
    for number, (item, wanted) in enumerate(zip(found, expected), 1):
        error = wanted.get("error", "")
        assert item.get("error", "").startswith(error) and bool(item.get("error")) == bool(error)
        assert {**item, "error": error} == {"line": number, "error": error, **wanted}


@pytest.mark.parametrize("case", CASES)
def test_lines_of_a_file_give_the_expected_results(case: dict[str, Any]) -> None:
    data = "\n".join(case["lines"]).encode("utf-8")
    for whole in (data, data + b"\n", b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")):
        items = list(iter_results(whole))
        check([shown(item) for item in items], case["expect"])
        for item in items:
            assert shown(pickle.loads(pickle.dumps(item))) == shown(item) and repr(item)
    for end in ("", "\n", "\r\n"):
        check(
            [shown(read_line(line + end, n)) for n, line in enumerate(case["lines"], 1) if line.strip()], case["expect"]
        )


@given(data=st.data(), number=st.integers(0, len(CASES) - 1))
def test_file_in_pieces_gives_the_same_results(data: st.DataObject, number: int) -> None:
    [case] = CASES[number].values
    whole = ("\n".join(case["lines"]) + "\r\n").encode("utf-8")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)])]
    check([shown(item) for item in iter_results(iter(pieces))], case["expect"])


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 50))
def test_any_bytes_give_one_item_for_each_line(pieces: list[bytes], limit: int) -> None:
    """Any bytes give one item for each line that is not blank or is too long, without an exception."""
    data = b"".join(pieces)
    items = list(iter_results(iter(pieces), max_line_bytes=limit))
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    too_long = [len(line.removesuffix(b"\r")) > limit for line in lines]  # a blank line of this length is an error too
    assert [item.line for item in items] == [n for n, line in enumerate(lines, 1) if line.strip() or too_long[n - 1]]
    assert all(("more than" in str(item)) == (len(lines[item.line - 1].removesuffix(b"\r")) > limit) for item in items)


def test_progress_of_a_file_ends_at_its_size(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    path.write_text("".join(LINE % (n, "x" * 100) + "\n" for n in range(1000)), "utf-8")
    steps: list[tuple[int, int | None]] = []
    for source in (path, str(path), path.read_bytes()):
        assert (
            sum(
                isinstance(item, BatchResult)
                for item in iter_results(source, progress=lambda *step: steps.append(step))
            )
            == 1000
        )
        size = path.stat().st_size
        assert len(steps) > 1 and steps == sorted(steps) and steps[-1] == (size, size)
        steps.clear()
    with path.open("rb") as file:  # reads from the file's position, and leaves the file open
        file.readline()
        list(iter_results(file, progress=lambda *step: steps.append(step)))
        assert steps[-1] == (file.tell() - len(LINE % (0, "x" * 100)) - 1,) * 2
    packed = gzip.compress(path.read_bytes())
    with gzip.open(io.BytesIO(packed)) as zipped:
        assert len(list(iter_results(zipped, progress=lambda *step: steps.append(step)))) == 1000
    assert steps[-1] == (size, None)
    with path.open(encoding="utf-8") as text, pytest.raises(TypeError, match="binary mode"):
        next(iter_results(text))  # type: ignore[arg-type]


def test_non_blocking_source_without_data_raises_type_error() -> None:
    """A non-blocking pipe without data returns None, which is not the end of the file. Earlier lines are returned."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with open(reading, "rb", buffering=0) as source, open(writing, "wb", buffering=0) as sink:
        sink.write((LINE % ("a", "one") + "\n").encode())
        results = iter_results(source)
        assert next(results).custom_id == "a"
        with pytest.raises(TypeError, match="blocking mode"):
            next(results)


def test_exception_of_progress_ends_reading() -> None:
    def enough(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    results = iter_results([b'{"half'], progress=enough)
    with pytest.raises(KeyboardInterrupt):
        next(results)


def test_broken_source_raises_after_the_received_lines() -> None:
    def source() -> Iterator[bytes]:
        yield (LINE % ("a", "one") + "\n" + (LINE % ("b", "two"))[:40]).encode()
        raise ConnectionResetError("gone")

    found = []
    with pytest.raises(ConnectionResetError, match="gone"):
        for item in iter_results(source()):
            found.append((type(item), item.custom_id))
    assert found == [(BatchResult, "a"), (BatchError, "b")]


@pytest.mark.parametrize(
    "head", [b"Content-Length: 9999\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n5000\r\n"], ids=["short", "chunked"]
)
def test_truncated_http_body_raises_after_the_received_lines(head: bytes) -> None:
    body = (LINE % ("a", "one") + "\n").encode()
    with serve_raw(b"HTTP/1.1 200 OK\r\n" + head + body) as url, urllib.request.urlopen(url, timeout=30) as answer:
        results = iter_results(answer)
        assert isinstance(next(results), BatchResult)
        with pytest.raises(Exception) as caught:
            next(results)
    assert isinstance(caught.value, APIConnectionError) or "IncompleteRead" in repr(caught.value)


def test_reading_keeps_one_line_in_memory() -> None:
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy has no tracemalloc")
    line = (LINE % ("a", "x" * 1000) + "\n").encode()

    def source() -> Iterator[bytes]:
        for _ in range(5000):
            yield line
        yield b'{"custom_id": "long", "text": "'
        for _ in range(300):
            yield b"x" * 65536
        yield b"\n" + line

    tracemalloc.start()
    try:
        errors = [item for item in iter_results(source(), max_line_bytes=100_000) if isinstance(item, BatchError)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [str(error) for error in errors] == [
        'line 5001 (custom_id "long"): the line has more than 100000 bytes: increase max_line_bytes to read it'
    ]
    assert peak < 1_000_000  # of 24 MB


def test_lines_read_in_spawned_processes_give_the_same_results() -> None:
    [case] = CASES[0].values
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        items = pool.map(read_line, case["lines"])
    assert [shown(item) for item in items] == [shown(read_line(line)) for line in case["lines"]]
