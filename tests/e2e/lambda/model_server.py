"""A model server that answers from recordings, and the events of a queue."""

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
    """The recording that a model's name, SERVER/CASE, stands for."""
    folder, _, case = model.partition("/")
    return sorted(RECORDINGS.glob(f"{folder}/{'stream_' if streamed else ''}{case}.*.*"))[0]


class Upstream:
    """Answers with the recording that the model's name names; `gate` holds a stream back after its first part."""

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
    """The event of an SQS queue."""
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
