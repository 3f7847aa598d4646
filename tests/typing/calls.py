"""The type that `create` returns for each `stream`, and the transports that are accepted.

Only type checkers read this file.
"""

from __future__ import annotations

import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Union

from together_adapters import AsyncTogether, Together
from together_adapters.http import urllib_request, urllib_transport
from together_adapters.stream import AsyncChunkStream, ChunkStream, iter_chunks
from typing_extensions import assert_type

from together_types import ChatCompletionMessage, ChatCompletionResponse, MessageRole

client, aclient = Together(), AsyncTogether()
messages = [ChatCompletionMessage(role=MessageRole.USER, content="hi")]


def sync(stream: bool) -> None:
    assert_type(client.chat.completions.create(model="m", messages=messages), ChatCompletionResponse)
    assert_type(client.chat.completions.create(model="m", messages=messages, stream=False), ChatCompletionResponse)
    assert_type(client.chat.completions.create(model="m", messages=messages, stream=True), ChunkStream)
    either = client.chat.completions.create(model="m", messages=messages, stream=stream)
    assert_type(either, Union[ChatCompletionResponse, ChunkStream])
    client.chat.completions.create(model="m", messages=messages, not_yet_known={"a": 1})
    client.chat.completions.create(
        model="m",
        messages=messages,
        max_retries=0,
        extra_headers={"X-A": "1"},
        extra_query={"a": 1},
        extra_body={"b": 1},
    )
    client.chat.completions.create(model="m", messages=messages, extra_headers={"X-A": 1})  # type: ignore[dict-item]
    client.chat.completions.create(model="m")  # type: ignore[call-overload]
    client.chat.completions.create(model="m", messages="hi")  # type: ignore[arg-type]
    client.chat.completions.create(model="m", messages=messages, max_tokens="5")  # type: ignore[call-overload]
    client.chat.completions.create(model="m", messages=messages, stream="yes")  # type: ignore[call-overload]


class Gateway(Together):
    team = "a"


def settings() -> None:
    assert_type(client.with_options(timeout=5, max_retries=0, deadline=1.0, api_key="k"), Together)
    assert_type(aclient.with_options(supplied_headers={"X-A": "1"}, split_thinking=True), AsyncTogether)
    assert_type(Gateway().with_options(max_event_bytes=1), Gateway)
    client.with_options(base_url="https://example.com")  # type: ignore[call-arg]
    Together(api_keyy="k")  # type: ignore[call-arg]
    Together("k")  # type: ignore[call-arg, misc, unused-ignore]


def read_key() -> str:
    return "k"


async def aread_key() -> str:
    return "k"


Together(api_key=read_key)
AsyncTogether(api_key=read_key)
AsyncTogether(api_key=aread_key).with_options(api_key=aread_key)
Together(api_key=aread_key)  # type: ignore[arg-type]


async def concurrent(stream: bool) -> None:
    assert_type(await aclient.chat.completions.create(model="m", messages=messages), ChatCompletionResponse)
    assert_type(
        await aclient.chat.completions.create(model="m", messages=messages, stream=False), ChatCompletionResponse
    )
    assert_type(await aclient.chat.completions.create(model="m", messages=messages, stream=True), AsyncChunkStream)
    either = await aclient.chat.completions.create(model="m", messages=messages, stream=stream)
    assert_type(either, Union[ChatCompletionResponse, AsyncChunkStream])


def transport(
    method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float | None
) -> tuple[int, dict[str, str], Iterator[bytes]]:
    return 200, {"content-type": "text/event-stream"}, iter([b"data: [DONE]\n\n"])


async def atransport(
    method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float | None
) -> tuple[int, list[tuple[str, str]], AsyncIterator[bytes]]:
    raise ConnectionError


def text_transport(
    method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float | None
) -> tuple[int, dict[str, str], Iterator[str]]:
    return 200, {}, iter([""])


def short_transport(method: str, url: str) -> tuple[int, dict[str, str], Iterator[bytes]]:
    return 200, {}, iter([b""])


Together(transport=transport)
AsyncTogether(transport=atransport)
Together(transport=text_transport)  # type: ignore[arg-type]
Together(transport=short_transport)  # type: ignore[arg-type]
Together(transport=atransport)  # type: ignore[arg-type]
AsyncTogether(transport=transport)  # type: ignore[arg-type]

Together(transport=urllib_transport())
Together(transport=urllib_transport(urllib.request.build_opener()))
AsyncTogether(transport=urllib_transport())  # type: ignore[arg-type]
urllib_transport(urllib.request.urlopen)  # type: ignore[arg-type]
assert_type(urllib_request(model="m", messages=messages, stream=True, top_k=5), urllib.request.Request)
urllib_request(model="m")  # type: ignore[call-arg]
urllib_request(model="m", messages="hi")  # type: ignore[arg-type]
with urllib.request.urlopen(urllib_request(model="m", messages=messages)) as answer:
    assert_type(iter_chunks(answer), ChunkStream)
