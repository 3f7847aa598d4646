"""The frames of a stream that this library encodes, and the rules of their structure."""

from __future__ import annotations

import json
from typing import Any


def frames_of(data: bytes) -> list[Any]:
    """Return the JSON of each frame.

    Checks that each frame is one line of ASCII, and that only the last one is `[DONE]`.
    """
    assert data.isascii() and data.endswith(b"\n\n")
    frames = data[:-2].split(b"\n\n")
    assert all(frame.startswith(b"data: ") and b"\n" not in frame for frame in frames)
    assert frames[-1] == b"data: [DONE]" and frames.count(b"data: [DONE]") == 1
    return [json.loads(frame[6:]) for frame in frames[:-1]]


def check_shape(frames: list[Any]) -> None:
    """Check the rules that all clients depend on."""
    opened: list[int] = []
    said: set[tuple[int, int, str]] = set()
    for number, frame in enumerate(frames):
        assert {"id", "object", "created", "model", "choices"} <= set(frame)
        if frame.get("usage") is not None:
            assert frame["choices"] == [] and number == len(frames) - 1
        for choice in frame["choices"]:
            assert "finish_reason" in choice
            if "delta" not in choice:  # a legacy completion
                assert frame["object"] == "text_completion"
                continue
            assert ("role" in choice["delta"]) == (choice["index"] not in opened)
            if choice["index"] not in opened:
                opened.append(choice["index"])
            calls = choice["delta"].get("tool_calls")
            for call in calls if isinstance(calls, list) and all(isinstance(call, dict) for call in calls) else ():
                for key, value in (
                    ("id", call.get("id")),
                    ("type", call.get("type")),
                    ("name", call.get("function", {}).get("name")),
                ):
                    if value is not None:
                        assert (choice["index"], call["index"], key) not in said
                        said.add((choice["index"], call["index"], key))
    counted = [index for index in opened if index >= 0]  # no server defines the place of a negative index
    assert counted == sorted(counted)
