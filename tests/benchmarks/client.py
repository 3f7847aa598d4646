"""Measure the CPU time that a call and a chunk take in our clients and in the SDKs.

    python tests/benchmarks/client.py [--rounds N]

All clients call the same loopback server, which runs in a separate process. Each client also runs in a process of its
own, and the clients take turns. The result is the best round in CPU seconds, so that neither the server nor other work
on the machine is counted. Ratios are relative to our synchronous client. Peers that are not installed are omitted. The
environment variable TOGETHER_3 is the folder of an installed together 3.x, which is omitted without it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from http_server import CHUNKED, Part, Received, in_chunks, reply, serving

CHUNKS, CALLS = 2000, 100
STREAMS = 20
PAUSE = 0.0003  # seconds between chunks that are sent one at a time
MEASURES = ("a call", "a chunk, all at once", "a chunk, one at a time", f"a chunk of {STREAMS} streams")
FRAME = (
    b'data: {"id":"cmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,'
    b'"delta":{"role":"assistant","content":" token"},"logprobs":null,"finish_reason":%s}],"usage":null}\n\n'
)
RESPONSE = (
    b'{"id":"cmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hi"},"logprobs":null,"finish_reason":"stop"}],"usage":'
    b'{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
)


def respond(request: Received) -> list[Part]:
    asked = request.json
    if not asked.get("stream"):
        return [reply(RESPONSE)]
    frames = [FRAME % b"null"] * (CHUNKS - 1) + [FRAME % b'"stop"', b"data: [DONE]\n\n"]
    if asked["messages"][0]["content"] == MEASURES[1]:
        return [CHUNKED + in_chunks(*frames)]
    parts: list[Part] = [CHUNKED]
    for frame in frames:
        parts += [in_chunks(frame, end=False), PAUSE]
    return [*parts, b"0\r\n\r\n"]


def messages(text: str) -> Any:
    return [{"role": "user", "content": text}]


def sync_rounds(client: Any, rounds: int) -> dict[str, float]:
    create = client.chat.completions.create

    def calls(_: str) -> int:
        for _ in range(CALLS):
            create(model="m", messages=messages("hi"))
        return CALLS

    def chunks(measure: str) -> int:
        return sum(1 for _ in create(model="m", messages=messages(measure), stream=True))

    def many_chunks(measure: str) -> int:
        threads = [threading.Thread(target=chunks, args=(measure,)) for _ in range(STREAMS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return STREAMS * CHUNKS

    found = dict.fromkeys(MEASURES, float("inf"))
    for _ in range(rounds):
        for measure, work in zip(MEASURES, (calls, chunks, chunks, many_chunks)):
            started = time.process_time()
            count = work(measure)
            found[measure] = min(found[measure], (time.process_time() - started) / count)
    return found


async def async_rounds(client: Any, rounds: int) -> dict[str, float]:
    create = client.chat.completions.create

    async def calls(_: str) -> int:
        for _ in range(CALLS):
            await create(model="m", messages=messages("hi"))
        return CALLS

    async def chunks(measure: str) -> int:
        count = 0
        async for _ in await create(model="m", messages=messages(measure), stream=True):
            count += 1
        return count

    async def many_chunks(measure: str) -> int:
        return sum(await asyncio.gather(*[chunks(measure) for _ in range(STREAMS)]))

    found = dict.fromkeys(MEASURES, float("inf"))
    for _ in range(rounds):
        for measure, work in zip(MEASURES, (calls, chunks, chunks, many_chunks)):
            started = time.process_time()
            count = await work(measure)
            found[measure] = min(found[measure], (time.process_time() - started) / count)
    return found


def ours(base_url: str, rounds: int) -> dict[str, float]:
    from together_adapters import Together

    return sync_rounds(Together(api_key="key", base_url=base_url), rounds)


def ours_async(base_url: str, rounds: int) -> dict[str, float]:
    from together_adapters import AsyncTogether

    return asyncio.run(async_rounds(AsyncTogether(api_key="key", base_url=base_url), rounds))


def openai(base_url: str, rounds: int) -> dict[str, float]:
    from openai import OpenAI

    return sync_rounds(OpenAI(api_key="key", base_url=base_url), rounds)


def openai_async(base_url: str, rounds: int) -> dict[str, float]:
    from openai import AsyncOpenAI

    return asyncio.run(async_rounds(AsyncOpenAI(api_key="key", base_url=base_url), rounds))


def together_1(base_url: str, rounds: int) -> dict[str, float]:
    from together import Together

    return sync_rounds(Together(api_key="key", base_url=base_url), rounds)


def together_3(base_url: str, rounds: int) -> dict[str, float]:
    sys.path.insert(0, os.environ["TOGETHER_3"])
    from together import Together

    return sync_rounds(Together(api_key="key", base_url=base_url.removesuffix("/v1")), rounds)


CLIENTS: dict[str, Callable[[str, int], dict[str, float]]] = {
    "ours": ours,
    "ours, async": ours_async,
    "openai": openai,
    "openai, async": openai_async,
    "together 1.x": together_1,
    "together 3.x": together_3,
}


@contextmanager
def server_process() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
    finally:
        process.communicate()


def serve() -> None:
    with serving(respond) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()


def measured(name: str, base_url: str, rounds: int) -> dict[str, float] | None:
    command = [sys.executable, __file__, "--client", name, "--base-url", base_url, "--rounds", str(rounds)]
    environment = {**os.environ, "TOGETHER_NO_BANNER": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    if done.returncode:
        print(f"{name}: omitted ({done.stderr.strip().splitlines()[-1]})")
        return None
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="number of runs of each client (default: %(default)s)")
    # This file starts its own processes with these options.
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--client", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--base-url", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve()
        return
    if args.client:
        print(json.dumps(CLIENTS[args.client](args.base_url, args.rounds)))
        return
    best: dict[str, dict[str, float]] = {}
    with server_process() as base_url:
        for _ in range(args.rounds):
            for name in list(best or CLIENTS):
                found = measured(name, base_url, 2)
                if found is not None:
                    known = best.setdefault(name, found)
                    best[name] = {measure: min(known[measure], found[measure]) for measure in MEASURES}
    report(best)


def report(best: dict[str, dict[str, float]]) -> None:
    own = best["ours"]
    print(f"CPU time of the client, relative to ours (Python {sys.version.split()[0]})")
    print(f"{'':16}" + "".join(f"{measure:>26}" for measure in MEASURES))
    for name, found in best.items():
        print(f"{name:16}" + "".join(f"{found[m] / own[m]:>13.2f} ({found[m] * 1e6:7.1f} us)" for m in MEASURES))


if __name__ == "__main__":
    main()
