"""The responses that are accepted as sources of bytes, and those that are not. Only type checkers read this file."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import io
import urllib.request

import aiohttp
import httpx
import requests
from botocore.response import StreamingBody
from together_adapters.aws_lambda import deadline_from
from together_adapters.batch import BatchError, BatchResult, iter_results
from together_adapters.passthrough import PassThrough
from together_adapters.protocols import AsyncByteSource, ByteSource, LambdaContext
from together_adapters.stream import AsyncChunkStream, ChunkStream, aiter_chunks, iter_chunks
from typing_extensions import assert_type


def sync(
    connection: http.client.HTTPConnection,
    of_httpx: httpx.Response,
    of_requests: requests.Response,
    of_botocore: StreamingBody,
    of_aiohttp: aiohttp.ClientResponse,
) -> None:
    with urllib.request.urlopen("https://example.invalid") as of_urllib:
        assert_type(iter_chunks(of_urllib), ChunkStream)
    iter_chunks(connection.getresponse())
    iter_chunks(of_httpx.iter_bytes())
    iter_chunks(of_httpx.iter_raw())
    iter_chunks(of_requests)
    iter_chunks(of_requests.iter_content(None))
    iter_chunks(of_botocore)
    iter_chunks(open("recording.sse", "rb"))
    iter_chunks(open("recording.sse", "rb", buffering=0))
    iter_chunks(gzip.open("recording.sse.gz"))
    iter_chunks(io.BytesIO())
    iter_chunks(b"data: {}")
    iter_chunks([b"data: ", bytearray(b"{}"), memoryview(b"\n\n")])
    PassThrough().over(of_requests)

    iter_chunks(of_httpx)  # type: ignore[arg-type]
    iter_chunks(of_httpx.iter_text())  # type: ignore[arg-type]
    iter_chunks(of_httpx.aiter_bytes())  # type: ignore[arg-type]
    iter_chunks(of_requests.iter_lines)  # type: ignore[arg-type]
    iter_chunks(of_aiohttp)  # type: ignore[arg-type]
    iter_chunks(of_aiohttp.content)  # type: ignore[arg-type]
    iter_chunks(open("recording.sse"))  # type: ignore[arg-type]
    iter_chunks(io.StringIO())  # type: ignore[arg-type]
    iter_chunks("recording.sse")  # type: ignore[arg-type]
    iter_chunks(None)  # type: ignore[arg-type]


async def concurrent(
    of_httpx: httpx.Response, of_aiohttp: aiohttp.ClientResponse, reader: asyncio.StreamReader
) -> None:
    assert_type(aiter_chunks(of_httpx.aiter_bytes()), AsyncChunkStream)
    aiter_chunks(of_httpx.aiter_raw())
    aiter_chunks(of_aiohttp.content)
    aiter_chunks(of_aiohttp.content.iter_any())
    aiter_chunks(reader)

    aiter_chunks(of_httpx)  # type: ignore[arg-type]
    aiter_chunks(of_httpx.iter_bytes())  # type: ignore[arg-type]
    aiter_chunks(of_httpx.aiter_text())  # type: ignore[arg-type]
    aiter_chunks(of_aiohttp)  # type: ignore[arg-type]


def batches(source: ByteSource) -> None:
    for result in iter_results(source):
        if isinstance(result, BatchError):
            assert_type(result.custom_id, "str | None")
        else:
            assert_type(result, BatchResult)
    iter_results("output.jsonl")
    iter_results(b"{}\n")
    iter_results(7)  # type: ignore[arg-type]


class OfPowertools:
    function_name = "f"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 1000


class OfSomethingElse:
    def get_remaining_time_in_millis(self) -> str:
        return "1000"


def fits(context: LambdaContext, source: AsyncByteSource) -> None:
    assert_type(deadline_from(context), float)
    assert_type(deadline_from(OfPowertools()), float)
    deadline_from(OfSomethingElse())  # type: ignore[arg-type]
    deadline_from({})  # type: ignore[arg-type]
    aiter_chunks(source)
