"""Fuzz the reader of streams with arbitrary bytes, split into pieces at any position.

Checks that only the library's own errors occur, that memory and time are bounded, and that the result does not depend
on the pieces.

    tox -e fuzz                                            a million inputs
    python tests/fuzz/fuzz_streams.py -max_total_time=600  for 600 seconds (all options of libFuzzer are accepted)

The first byte of an input is the size of the pieces into which the rest is split. The initial inputs are the recorded
streams and the quirks of tests/data. libFuzzer inserts tokens of event streams and of JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["together_types", "together_adapters"]):
    # The library imports these modules on use, which is too late for the instrumentation.
    from together_adapters import _error_messages, _logprob_forms  # noqa: F401
    from together_adapters.accumulate import _logprobs, _tool_calls, accumulate  # noqa: F401
    from together_adapters.errors import IncompleteStreamError, StreamError
    from together_adapters.stream import ChunkReader

WATCHED = frozenset(sys.modules)
DATA = Path(__file__).parents[1] / "data"
LARGEST_EVENT = 1024
LARGEST_INPUT = 2048
TOKENS = [
    "data: ", "data:", "event: error", "id: 1", "retry: 1", ": ", "[DONE]", "\n\n", "\r", "\r\n", "\ufeff", "\u2028",
    '{"choices":[', '{"index":0,', '"delta":{', '"content":"', '"tool_calls":[', '"function":{', '"arguments":"', '"name":"f"',
    '"id":"c"', '"finish_reason":"stop"', '"logprobs":', '"usage":{', '"error":', '"message":', '"extra":', "null", "-0.5", "}]}",
]  # fmt: skip


def outcome(pieces: list[bytes]) -> tuple[object, ...]:
    """Return the result of reading these pieces. Raises AssertionError if it is invalid."""
    reader = ChunkReader(max_event_bytes=LARGEST_EVENT)
    chunks = [chunk for piece in pieces for chunk in reader.feed(piece)]
    chunks += reader.finish()
    completion = reader.completion
    if not (reader.error is None or isinstance(reader.error, (StreamError, IncompleteStreamError))):
        raise AssertionError(f"expected a StreamError or an IncompleteStreamError, got {reader.error!r}")
    if (reader.error is None) != (completion.state == "finished"):
        raise AssertionError(f"the state {completion.state} does not match the error {reader.error!r}")
    json.loads(completion.response.to_json())
    completion.issues()
    if accumulate(chunks).response != completion.response:
        raise AssertionError("accumulating the returned chunks has another result than reader.completion")
    return [chunk.to_json() for chunk in chunks], repr(reader.error), completion.state, completion.response.to_json()


def try_one(data: bytes) -> None:
    size, body = (data[0] or 1) if data else 1, data[1:]
    whole = outcome([body])
    if whole != outcome([body[start : start + size] for start in range(0, len(body), size)]):
        raise AssertionError(f"reading in pieces of {size} bytes has another result than reading all at once")


def seeds(folder: Path) -> None:
    """Write the initial inputs to a folder, from tests/data, and try each.

    Exits with an error if reading them imports a module that is not instrumented.
    """
    streams = [path.read_bytes() for path in DATA.glob("recordings/*/*.sse")]
    cases = [json.loads(path.read_text("utf-8")) for path in DATA.glob("quirks/*.json")]
    streams += ["".join(case["stream"]).encode() for case in cases if "stream" in case]
    if not streams:
        raise SystemExit(f"no streams under {DATA}")
    for number, stream in enumerate(streams):
        data = b"\x07" + stream[: LARGEST_INPUT - 1]
        (folder / str(number)).write_bytes(data)
        try_one(data)
    late = [name for name in sys.modules if name.startswith("together_") and name not in WATCHED]
    if late:
        raise SystemExit(f"import these modules at the top of this file, to instrument them: {', '.join(late)}")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "corpus").mkdir()
        seeds(folder / "corpus")
        (folder / "tokens").write_text("".join([f'"{escaped(token)}"\n' for token in TOKENS]), "ascii")
        options = [f"-dict={folder / 'tokens'}", f"-max_len={LARGEST_INPUT}", "-timeout=10", "-rss_limit_mb=512"]
        atheris.Setup([sys.argv[0], *options, *sys.argv[1:], str(folder / "corpus")], try_one)
        atheris.Fuzz()


def escaped(token: str) -> str:
    """Return the token in the notation of libFuzzer's dictionaries."""
    return "".join([f"\\x{byte:02x}" for byte in token.encode()])


if __name__ == "__main__":
    main()
