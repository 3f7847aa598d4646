"""The recorded bytes under tests/data, and every type they can be read as. Nothing here writes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import together_types
from together_types._model import Value

# tests/data; in a frozen program `data` is beside this module
DATA = next(folder / "data" for folder in Path(__file__).parents if (folder / "data").is_dir())
TYPES = [item for item in vars(together_types).values() if isinstance(item, type) and issubclass(item, Value)]
BODIES = sorted(DATA.glob("recordings/*/*.body"))
STREAMS = sorted(DATA.glob("recordings/*/*.sse"))
# Undeclared keys of chunks that say something else in each, which the response can show once.
SAID_OTHERWISE = {"llama-server/x_return_progress_stream.200.sse": ["prompt_progress.processed"]}
SSE_CASES = json.loads((DATA / "sse_cases.json").read_text("utf-8"))

# An empty corpus would pass every test.
assert TYPES and BODIES and STREAMS and SSE_CASES


def label(path: Path) -> str:
    """A recording's name in the test's id."""
    return f"{path.parent.name}/{path.name}"


def case_bytes(case: dict[str, object]) -> bytes:
    """The bytes of an SSE case."""
    return base64.b64decode(str(case["bytes_base64"]))


def objects(path: Path) -> list[dict[str, object]]:
    """The JSON objects of a body or of a stream's frames; none where it holds none."""
    data = path.read_bytes()
    texts = [data]
    if path.suffix == ".sse":
        texts = [frame.partition(b"data:")[2] for frame in data.split(b"\n\n")]
    found = []
    for text in texts:
        try:
            value = json.loads(text)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found
