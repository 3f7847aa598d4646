"""The same work done by other libraries: together-python 1.x and 3.x, openai, pydantic, msgspec and orjson.

Each library is measured if it is installed. All are optional.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = ["readers", "streams", "versions"]

_NAMES = ("together", "openai", "pydantic", "msgspec", "orjson")
Read = Callable[[bytes], object]


def _installed() -> dict[str, str]:
    found = {}
    for name in _NAMES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


INSTALLED = _installed()


def versions() -> list[str]:
    """Return the installed peers, with their versions."""
    return [f"{name} {number}" for name, number in INSTALLED.items()]


def readers(chunk: bool) -> dict[str, Read]:
    """Return, for the name of each library, a function that reads bytes into a chunk or a response."""
    found: dict[str, Read] = {}
    if "together" in INSTALLED:
        found[f"together {INSTALLED['together']}"] = _together(chunk)
    if "openai" in INSTALLED:
        found[f"openai {INSTALLED['openai']}"] = _constructing(
            "openai.types.chat", "ChatCompletionChunk" if chunk else "ChatCompletion"
        )
    if "pydantic" in INSTALLED:
        found[f"pydantic {INSTALLED['pydantic']}"] = _pydantic(chunk)
    if "msgspec" in INSTALLED:
        found[f"msgspec {INSTALLED['msgspec']}"] = _msgspec(chunk)
    if "orjson" in INSTALLED:
        found["orjson, to dicts"] = import_module("orjson").loads
    return found


def _together(chunk: bool) -> Read:
    if INSTALLED["together"].startswith("1."):
        name = "ChatCompletionChunk" if chunk else "ChatCompletionResponse"
        cls = getattr(import_module("together.types.chat_completions"), name)
        return lambda data: cls(**json.loads(data))
    return _constructing("together.types.chat", "ChatCompletionChunk" if chunk else "ChatCompletion")


def _constructing(module: str, name: str) -> Read:
    """Read like SDKs that Stainless generates, which construct values without validating them."""
    cls = getattr(import_module(module), name)
    construct = import_module(module.split(".")[0] + "._models").construct_type
    return lambda data: construct(type_=cls, value=json.loads(data))


def _fields(chunk: bool) -> dict[str, dict[str, Any]]:
    """Return the fields and types of the classes for pydantic and msgspec, innermost class first."""
    text, number = str | None, int | None
    function = {"name": text, "arguments": text}
    call = {"id": text, "type": text, "index": number, "function": "Function"}
    said = {"role": text, "content": text, "token_id": number, "tool_calls": "Calls"}
    choice = {
        "index": number,
        "text": text,
        "logprobs": float | None,
        "finish_reason": text,
        "seed": number,
        "delta" if chunk else "message": "Said",
    }
    usage = {"prompt_tokens": number, "completion_tokens": number, "total_tokens": number}
    root = {
        "id": text,
        "object": text,
        "created": number,
        "model": text,
        "choices": "Choices",
        "usage": "Usage",
        "prompt": list | None,
    }
    return {"Function": function, "Call": call, "Said": said, "Choice": choice, "Usage": usage, "Root": root}


def _build(chunk: bool, make: Callable[[str, dict[str, Any]], Any]) -> Any:
    made: dict[str, Any] = {}
    for name, fields in _fields(chunk).items():
        made[name] = make(
            name, {key: made.get(kind, kind) if isinstance(kind, str) else kind for key, kind in fields.items()}
        )
        made[name + "s"] = list[made[name]] | None  # type: ignore[misc]
        made[name] = made[name] if name == "Root" else made[name] | None
    return made["Root"]


def _pydantic(chunk: bool) -> Read:
    pydantic = import_module("pydantic")

    def make(name: str, fields: dict[str, Any]) -> Any:
        return pydantic.create_model(name, **{key: (kind, None) for key, kind in fields.items()})

    model = _build(chunk, make)
    read: Read = model.model_validate_json
    return read


def _msgspec(chunk: bool) -> Read:
    msgspec = import_module("msgspec")

    def make(name: str, fields: dict[str, Any]) -> Any:
        return msgspec.defstruct(name, [(key, kind, None) for key, kind in fields.items()])

    read: Read = msgspec.json.Decoder(_build(chunk, make)).decode
    return read


def streams() -> dict[str, Callable[[list[bytes]], object]]:
    """Return, for the name of each SDK, a function that iterates over the pieces of a stream."""
    found: dict[str, Callable[[list[bytes]], object]] = {}
    if "openai" in INSTALLED:
        found[f"openai {INSTALLED['openai']}"] = _stainless("openai", "OpenAI")
    if "together" in INSTALLED:
        is_1 = INSTALLED["together"].startswith("1.")
        found[f"together {INSTALLED['together']}"] = _together_1 if is_1 else _stainless("together", "Together")
    return found


def _stainless(module: str, client_class: str) -> Callable[[list[bytes]], object]:
    httpx = import_module("httpx")
    stream_class = import_module(module + "._streaming").Stream
    client = getattr(import_module(module), client_class)(api_key="none")
    chunk = import_module(module + ".types.chat").ChatCompletionChunk

    class Body(httpx.SyncByteStream):  # type: ignore[misc, name-defined]
        def __init__(self, pieces: list[bytes]) -> None:
            self.pieces = pieces

        def __iter__(self) -> Iterator[bytes]:
            return iter(self.pieces)

    def iterate(pieces: list[bytes]) -> None:
        request = httpx.Request("POST", "http://localhost")
        response = httpx.Response(200, stream=Body(pieces), request=request)
        for _ in stream_class(cast_to=chunk, response=response, client=client):
            pass

    return iterate


def _together_1(pieces: list[bytes]) -> None:
    """Read the lines of a stream like together-python 1.x."""
    requestor = import_module("together.abstract.api_requestor")
    chunk = import_module("together.types.chat_completions").ChatCompletionChunk
    lines = iter(b"".join(pieces).splitlines())
    for data in requestor.parse_stream(lines):
        chunk(**json.loads(data))
