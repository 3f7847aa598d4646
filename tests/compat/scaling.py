"""Measure the CPU time for each chunk and the memory for each open stream. SCALING.md contains the figures.

`python tests/compat/scaling.py [STREAMS]` needs both packages on the path. CPU is the CPU time of the process, which
other work on the machine affects little. The server is a separate process and sends a chunk to each stream every PACE
seconds.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time

CHUNK = {
    "id": "chatcmpl-9a", "object": "chat.completion.chunk", "created": 1757876416, "model": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": " word"}, "logprobs": None, "finish_reason": None}],
}  # fmt: skip
FRAME = b"data: " + json.dumps(CHUNK).encode() + b"\n\n"
LAST = FRAME.replace(b'"finish_reason": null', b'"finish_reason": "stop"') + b"data: [DONE]\n\n"
CHUNKS = 100
PACE = 0.02  # seconds


def rss() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def in_memory() -> float:
    """Return the CPU time for reading and accumulating a chunk without a network, in microseconds."""
    from together_adapters.stream import iter_chunks

    frames = [FRAME.replace(b" word", b" word %d" % number) for number in range(2000)]
    data = [b"".join(frames[start : start + 10]) for start in range(0, 2000, 10)] + [LAST]
    best = 1e9
    for _ in range(5):
        started = time.process_time()
        count = sum(1 for _ in iter_chunks(iter(data)))
        best = min(best, (time.process_time() - started) / count)
    return best * 1e6


def raise_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def serve() -> None:
    raise_limit()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        await reader.readexactly(length)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for _ in range(CHUNKS):
            await asyncio.sleep(PACE)
            writer.write(FRAME)
        writer.write(LAST)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def many(port: int, streams: int) -> tuple[float, float, float]:
    """Read many streams at once.

    Returns the CPU time for a chunk in microseconds, the memory for a stream in kB, and the elapsed time in seconds.
    """
    from together_adapters import AsyncTogether

    read = open_ = peak = 0
    before = rss()

    async def one(client: AsyncTogether) -> None:
        nonlocal read, open_, peak
        async with await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hi"}], stream=True
        ) as stream:
            open_ += 1
            async for _ in stream:
                read += 1
            if not peak and open_ == streams:
                peak = rss()
        assert stream.completion.state == "finished"

    started, cpu = time.perf_counter(), time.process_time()
    async with AsyncTogether(api_key="key", base_url=f"http://127.0.0.1:{port}/v1", max_retries=0) as client:
        await asyncio.gather(*[one(client) for _ in range(streams)])
    return (
        (time.process_time() - cpu) / read * 1e6,
        ((peak or rss()) - before) / streams / 1024,
        time.perf_counter() - started,
    )


def main(streams: int) -> None:
    raise_limit()
    print(f"Python {sys.version.split()[0]}")
    print(f"reading and accumulating in memory: {in_memory():.1f} us CPU a chunk")
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        try:
            for number in sorted({1, streams // 10, streams}):
                cpu, memory, seconds = asyncio.run(many(port, number))
                print(
                    f"{number} streams at once over loopback: {cpu:.0f} us CPU a chunk, {memory:.0f} kB a stream, {seconds:.1f} s for {CHUNKS * PACE:.0f} s of stream"
                )
        finally:
            server.terminate()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1000)
