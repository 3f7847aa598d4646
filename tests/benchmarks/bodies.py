"""Data for the benchmarks: responses and chunks as Together sends them, all different from each other."""

from __future__ import annotations

import json
import random
from typing import Any

__all__ = ["BODIES", "CHUNKS", "stream", "stream_that_does_not_repeat"]

_COUNT = 64
CHUNKS = 2000  # in a stream
_MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"
_WORDS = [
    " the",
    " of",
    " capital",
    " Paris",
    ".",
    " is",
    " language",
    "\n",
    " model",
    ",",
    " and",
    " a",
    " that",
    "ing",
    " can",
    ' "so"',
    " for",
    " café",
    " —",
    ":",
    "\n\n",
    " on",
    " with",
    " as",
]


def _write(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _id(source: random.Random) -> str:
    return f"{source.getrandbits(64):016x}-SJC"


def _chunk(
    source: random.Random,
    *,
    id: str = "",
    created: int = 0,
    finish: str | None = None,
    calls: Any = None,
    usage: Any = None,
) -> bytes:
    text = "" if finish or calls else source.choice(_WORDS)
    delta = {"token_id": source.randrange(128_000), "role": "assistant", "content": text, "tool_calls": calls}
    choice = {
        "index": 0,
        "text": text,
        "logprobs": None,
        "finish_reason": finish,
        "seed": 2039908639335532000 if finish else None,
    }
    head = {
        "id": id or _id(source),
        "object": "chat.completion.chunk",
        "created": created or 1723834621 + source.randrange(9999),
    }
    return _write({**head, "choices": [{**choice, "delta": delta}], "model": _MODEL, "usage": usage})


def _usage(completion: int) -> dict[str, int]:
    return {"prompt_tokens": 20, "completion_tokens": completion, "total_tokens": 20 + completion}


def _call(number: int, name: str, arguments: str) -> dict[str, Any]:
    return {
        "index": number,
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _response(source: random.Random, content: str | None, calls: list[Any], finish: str) -> bytes:
    message = {"role": "assistant", "content": content, "tool_calls": calls}
    choice = {
        "finish_reason": finish,
        "seed": source.randrange(2**60),
        "logprobs": None,
        "index": 0,
        "message": message,
    }
    head = {"id": _id(source), "object": "chat.completion", "created": 1723834621, "model": _MODEL, "prompt": []}
    return _write({**head, "choices": [choice], "usage": _usage(500)})


def _bodies() -> dict[str, list[bytes]]:
    source = random.Random(8)
    names = ("get_weather", "get_time", "get_news")
    arguments = ['{"city": "Paris", "unit": "celsius", "day": %d}' % number for number in range(_COUNT)]
    return {
        "content chunk": [_chunk(source) for _ in range(_COUNT)],
        "tool-call chunk": [_chunk(source, calls=[_call(0, names[0], text[:20])]) for text in arguments],
        "final chunk": [_chunk(source, finish="stop", usage=_usage(number)) for number in range(_COUNT)],
        "response, 12 tokens": [
            _response(source, "".join(source.choices(_WORDS, k=12)), [], "eos") for _ in range(_COUNT)
        ],
        "response, 500 tokens": [
            _response(source, "".join(source.choices(_WORDS, k=500)), [], "eos") for _ in range(_COUNT)
        ],
        "response, three tool calls": [
            _response(source, None, [_call(number, name, text) for number, name in enumerate(names)], "tool_calls")
            for text in arguments
        ],
    }


BODIES = _bodies()


def stream(chunks: int = CHUNKS) -> list[bytes]:
    """Return the events of a stream of content chunks, which differ only in their text and token id."""
    source = random.Random(9)
    events = [_chunk(source, id="8b43f0e1a2c3d4e5-SJC", created=1723834621) for _ in range(chunks - 1)]
    events.append(_chunk(source, id="8b43f0e1a2c3d4e5-SJC", created=1723834621, finish="stop", usage=_usage(chunks)))
    return [b"data: " + event + b"\n\n" for event in events] + [b"data: [DONE]\n\n"]


def stream_that_does_not_repeat(chunks: int = CHUNKS) -> list[bytes]:
    """Return the events of a stream in which each chunk has a different id and time."""
    source = random.Random(10)
    return [b"data: " + _chunk(source) + b"\n\n" for _ in range(chunks)] + [b"data: [DONE]\n\n"]
