"""Any bytes, cut anywhere: no exception but our own, nothing unbounded, and every cut gives the same.

    tox -e fuzz                                            a million inputs
    python tests/fuzz/fuzz_streams.py -max_total_time=600  as long as you like; all of libFuzzer's options

The first byte of an input says how large the pieces are that the others arrive in. The first inputs are
the recorded streams and quirks of tests/data, and tokens of both formats are put in between.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["together_types", "together_adapters"]):
    # These are imported when they are first needed, too late to be watched.
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
    """What a reader of these pieces sees; checks on the way what must hold for any."""
    reader = ChunkReader(max_event_bytes=LARGEST_EVENT)
    chunks = [chunk for piece in pieces for chunk in reader.feed(piece)]
    chunks += reader.finish()
    completion = reader.completion
    if not (reader.error is None or isinstance(reader.error, (StreamError, IncompleteStreamError))):
        raise AssertionError(f"an error of another kind: {reader.error!r}")
    if (reader.error is None) != (completion.state == "finished"):
        raise AssertionError(f"{completion.state} with {reader.error!r}")
    json.loads(completion.response.to_json())
    completion.issues()
    if accumulate(chunks).response != completion.response:
        raise AssertionError("the chunks that were given amount to something else")
    return [chunk.to_json() for chunk in chunks], repr(reader.error), completion.state, completion.response.to_json()


def try_one(data: bytes) -> None:
    size, body = (data[0] or 1) if data else 1, data[1:]
    whole = outcome([body])
    if whole != outcome([body[start : start + size] for start in range(0, len(body), size)]):
        raise AssertionError(f"pieces of {size} bytes give something else")


def seeds(folder: Path) -> None:
    """Inputs to begin with: what the tests know. They show, too, which modules are imported while reading."""
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
        raise SystemExit(f"to be imported above, so that it is watched: {', '.join(late)}")


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
    """As libFuzzer's dictionaries spell bytes."""
    return "".join([f"\\x{byte:02x}" for byte in token.encode()])


if __name__ == "__main__":
    main()
