"""A model server that responds with recordings, and the events of an SQS queue."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus import DATA
from http_server import CHUNKED, Part, Received, in_chunks, reply

RECORDINGS = DATA / "recordings"
KEY = "hidden-upstream-key"
PROXY_KEY = "hidden-key-of-the-proxy"


def recording(model: str, streamed: bool = False) -> Path:
    """Return the path of the recording for a model with the name SERVER/CASE."""
    folder, _, case = model.partition("/")
    return sorted(RECORDINGS.glob(f"{folder}/{'stream_' if streamed else ''}{case}.*.*"))[0]


class Upstream:
    """A model server that responds with the recording for the model. A stream waits for `gate` after two frames."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, request: Received) -> Iterator[Part]:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        asked = request.json
        path = recording(asked["model"], bool(asked.get("stream")))
        status = path.name.split(".")[-2]
        if path.suffix == ".body":
            yield reply(path.read_bytes(), "Retry-After: 7", "x-should-retry: false", status=f"{status} X")
            return
        frames = path.read_bytes().split(b"\n\n")
        yield CHUNKED
        for number, frame in enumerate(frames[:-1]):
            if number == 2:
                self.gate.wait(20)
            yield in_chunks(frame + b"\n\n", end=False)
        yield b"0\r\n\r\n"


def sqs(*bodies: Any) -> dict[str, Any]:
    """Return an event of an SQS queue with these message bodies."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "handle",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:requests",
                "awsRegion": "eu-west-1",
            }
            for number, body in enumerate(bodies)
        ]
    }
