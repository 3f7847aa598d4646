"""The recorded bytes in tests/data, and the types that they can be parsed as."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import together_types
from together_types._model import Value

# tests/data, or in a frozen program `data` next to this module
DATA = next(folder / "data" for folder in Path(__file__).parents if (folder / "data").is_dir())
TYPES = [item for item in vars(together_types).values() if isinstance(item, type) and issubclass(item, Value)]
BODIES = sorted(DATA.glob("recordings/*/*.body"))
STREAMS = sorted(DATA.glob("recordings/*/*.sse"))
# Undeclared keys whose value differs between chunks: the merged response has only one of the values.
SAID_OTHERWISE = {"llama-server/x_return_progress_stream.200.sse": ["prompt_progress.processed"]}
# Choices to which the server sends no finish reason, although it sends `[DONE]`.
UNFINISHED = {
    "litellm-proxy/stream_logprobs_n2.200.sse": ["choices[1].finish_reason"],
    "litellm-proxy/stream_via_vllm_n3.200.sse": ["choices[1].finish_reason", "choices[2].finish_reason"],
}
SSE_CASES = json.loads((DATA / "sse_cases.json").read_text("utf-8"))

# An empty corpus would pass every test.
assert TYPES and BODIES and STREAMS and SSE_CASES


def label(path: Path) -> str:
    """Return the name of a recording for the test's id."""
    return f"{path.parent.name}/{path.name}"


def case_bytes(case: dict[str, object]) -> bytes:
    """Return the bytes of an SSE case."""
    return base64.b64decode(str(case["bytes_base64"]))


def objects(path: Path) -> list[dict[str, object]]:
    """Return the JSON objects in a body or in the frames of a stream. Other content is skipped."""
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
