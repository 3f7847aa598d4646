"""One column of the comparison in README.md: how a client handles streams that servers send.

`comparison.py MODULE` prints a title with the version, and "yes" or "no" for each row, as JSON. MODULE is
`together_adapters` or an SDK (`together` or `openai`). All of them have `client.chat.completions.create`.
"""

from __future__ import annotations

import importlib
import json
import pickle
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from loopback import serve

FRAME = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}'
A, B = FRAME % (b"a", b"null"), FRAME % (b"b", b'"stop"')
GAP, DONE = b"\n\n", b"\n\ndata: [DONE]\n\n"
RESPONSE = b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"%s","message":{"role":"assistant","content":"ab"}}]}'

READS = {
    "a plain stream": A + GAP + B + DONE,
    "a byte order mark before the first event": b"\xef\xbb\xbf" + A + GAP + B + DONE,
    "a last event without the empty line after it": A + GAP + B,
    "events with a single line end between them": A + b"\n" + B + b"\n",
    "a block with only `retry:`": b"retry: 3000\n\n" + A + GAP + B + DONE,
    "an empty `data:`": A + GAP + b"data:\n\n" + B + DONE,
    "`event: message`": b"event: message\n" + A + GAP + b"event: message\n" + B + DONE,
    "invalid UTF-8 in a comment": A + GAP + b": \xff\n\n" + B + DONE,
}
RAISES = {
    '`{"error": {...}}` in a stream': A + GAP + b'data: {"error":{"message":"boom"}}\n\n',
    '`{"object": "error"}` in a stream': A + GAP + b'data: {"object":"error","message":"boom"}\n\n',
    "`event: error` in a stream": A + GAP + b'event: error\ndata: {"message":"boom"}\n\n',
    "a stream that ends without a finish reason": A + GAP,
}


def client_of(module: Any, base_url: str) -> Any:
    """Return a client of the SDK. together 3.x expects its base URL without the version."""
    cls = module.OpenAI if module.__name__ == "openai" else module.Together
    if module.__name__ == "together" and hasattr(module, "__version__"):
        base_url = base_url.removesuffix("/v1")
    return cls(api_key="k", base_url=base_url, max_retries=0)


def asked(module: Any, body: bytes, kind: bytes = b"text/event-stream", **more: Any) -> Any:
    with serve(body, kind=kind) as base_url:
        answer = client_of(module, base_url).chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hi"}], **more
        )
        return list(answer) if more.get("stream") else answer


def text_of(chunks: list[Any]) -> str:
    return "".join([choice.delta.content or "" for chunk in chunks for choice in chunk.choices or ()])


def tries(check: Callable[[], bool]) -> str:
    try:
        return "yes" if check() else "no"
    except Exception:
        return "no"


def raises(module: Any, body: bytes, **more: Any) -> Exception | None:
    try:
        asked(module, body, **more)
    except Exception as error:
        return error
    return None


def rows(module: Any) -> dict[str, str]:
    """Return the cell of each row of the comparison."""
    found = {
        f"reads {what}": tries(lambda body=body: text_of(asked(module, body, stream=True)) == "ab")
        for what, body in READS.items()
    }
    for what, body in RAISES.items():
        found[f"raises for {what}"] = tries(lambda body=body: raises(module, body, stream=True) is not None)
    error = raises(module, RAISES['`{"error": {...}}` in a stream'], stream=True)
    found["errors contain what was received"] = tries(lambda: text_of_response(error) == "a")
    found["errors survive pickle"] = tries(
        lambda: error is not None and str(pickle.loads(pickle.dumps(error))) == str(error)
    )
    found["raises for an HTML page sent with status 200"] = tries(
        lambda: raises(module, b"<html>a portal</html>", kind=b"text/html") is not None
    )
    found["accepts an unknown finish reason"] = tries(
        lambda: asked(module, RESPONSE % b"abort", kind=b"application/json").choices[0].finish_reason == "abort"
    )
    found["values can be hashed"] = tries(
        lambda: bool(hash(asked(module, RESPONSE % b"stop", kind=b"application/json")))
    )
    return found


def text_of_response(error: Any) -> str:
    text: str = error.completion.response.text
    return text


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    name = sys.argv[1]
    title = "together_types" if name == "together_adapters" else f"{name} {version(name)}"
    print(json.dumps([title, rows(importlib.import_module(name))]))
