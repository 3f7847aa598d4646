"""Both clients against a real llama-server with a scripted model. `tox -e live` installs the server and the model."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if "LIVE_FOLDER" not in os.environ:
    pytest.skip("needs a server: tox -e live", allow_module_level=True)

from client_calls import BOTH, seconds_to_cancel
from corpus import DATA
from llama_server import fetch, process_of, running
from processes import environment
from scripted_model import CALL, CHOICES, SCRIPTS, build
from together_adapters import (
    APIConnectionError,
    AsyncTogether,
    AuthenticationError,
    BadRequestError,
    IncompleteStreamError,
    NotFoundError,
    StreamTimeoutError,
    Timeout,
    Together,
)

from together_types import ChatCompletionResponse

EXAMPLES = sorted(DATA.glob("examples/*.py"))
HELLO, UNICODE = SCRIPTS["hello"][0], SCRIPTS["unicode"][0]
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}}},
}  # fmt: skip


@pytest.fixture(scope="session")
def command() -> Path:
    return fetch(Path(os.environ["LIVE_FOLDER"]).resolve())


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "scripted.gguf"
    build(path)
    return path


@pytest.fixture(scope="session")
def base_url(command: Path, model: Path) -> Iterator[str]:
    with running(command, model) as url:
        yield url


def ask(kind: str, base_url: str, text: str = "hi", **parameters: Any) -> ChatCompletionResponse:
    """Make one call with the client of this kind, and return the response, which may be accumulated from a stream."""
    parameters = {"model": "tiny", "messages": [{"role": "user", "content": text}], **parameters}
    options: dict[str, Any] = {name: parameters.pop(name) for name in ("api_key",) if name in parameters}
    options = {"api_key": "", "base_url": base_url, "max_retries": 0, **options}
    if kind == "async":
        return asyncio.run(_ask_async(options, parameters))
    with Together(**options) as client:
        answer = client.chat.completions.create(**parameters)
        if isinstance(answer, ChatCompletionResponse):
            return answer
        for _ in answer:
            pass
        assert answer.completion.state == "finished" and answer.completion.saw_done
        return answer.completion.response


async def _ask_async(options: dict[str, Any], parameters: dict[str, Any]) -> ChatCompletionResponse:
    async with AsyncTogether(**options) as client:
        answer = await client.chat.completions.create(**parameters)
        if isinstance(answer, ChatCompletionResponse):
            return answer
        async for _ in answer:
            pass
        assert answer.completion.state == "finished" and answer.completion.saw_done
        return answer.completion.response


STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


EXPECTED = {
    "completion": f"{HELLO}\nFinish reason: stop\nPrompt tokens: ",
    "stream": f"{HELLO}\nFinish reason: stop\n",
    "tools": "get_weather: {'city': 'Paris', 'unit': 'celsius'}\n",
    "choices": "".join(f"Choice {n} (seed None): {HELLO}\n" for n in range(3)),
    "async_stream": HELLO,
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_prints_the_scripted_response(path: Path, base_url: str) -> None:
    variables = environment(TOGETHER_API_KEY="not-asked-for", TOGETHER_BASE_URL=base_url)
    # [[tool]] selects the script of the model.
    code = path.read_text("utf-8").replace("the weather in Paris?", "the weather in Paris? [[tool]]")
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", code]
    done = subprocess.run(command, capture_output=True, timeout=60, env=variables)
    assert (done.stderr.decode(), done.returncode) == ("", 0)
    assert done.stdout.decode().startswith(EXPECTED[path.stem])


@BOTH
@STREAMED
def test_completion_has_text_usage_and_finish_reason(kind: str, stream: bool, base_url: str) -> None:
    asked: dict[str, Any] = {"stream_options": {"include_usage": True}} if stream else {}
    response = ask(kind, base_url, stream=stream, **asked)
    assert response.text == HELLO and response.issues() == []
    assert response.choices and str(response.choices[0].finish_reason) == "stop"
    assert response.id and response.model == "tiny" and abs((response.created or 0) - time.time()) < 100
    usage = response.usage
    assert usage and usage.prompt_tokens > 0 and usage.completion_tokens > 5
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    # The message of the response is sent back unchanged.
    again = [{"role": "user", "content": "hi"}, response.choices[0].message, {"role": "user", "content": "[[json]]"}]
    assert ask(kind, base_url, messages=again, stream=stream).text == SCRIPTS["json"][0]


@BOTH
@STREAMED
def test_completion_with_unicode_text_is_unchanged(kind: str, stream: bool, base_url: str) -> None:
    assert ask(kind, base_url, "[[unicode]]", stream=stream).text == UNICODE


@BOTH
@STREAMED
def test_tool_call_is_read_and_answered(kind: str, stream: bool, base_url: str) -> None:
    response = ask(kind, base_url, "[[tool]]", stream=stream, tools=[TOOL])
    assert response.choices and str(response.choices[0].finish_reason) == "tool_calls"
    message = response.choices[0].message
    assert message and message.tool_calls and len(message.tool_calls) == 1
    call = message.tool_calls[0]
    assert call.function and call.function.name == "get_weather"
    assert call.function.parsed_arguments() == json.loads(CALL)["arguments"]
    answered = [
        {"role": "user", "content": "[[tool]]"}, message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    ]  # fmt: skip
    assert ask(kind, base_url, messages=answered, tools=[TOOL], stream=stream).text == HELLO


@BOTH
@STREAMED
def test_request_for_three_choices_returns_three_choices(kind: str, stream: bool, base_url: str) -> None:
    response = ask(kind, base_url, stream=stream, n=3)
    assert [choice.index for choice in response.choices or ()] == [0, 1, 2]
    assert [choice.message and choice.message.text for choice in response.choices or ()] == [HELLO] * 3


@BOTH
@STREAMED
def test_logprobs_have_the_scripted_probabilities(kind: str, stream: bool, base_url: str) -> None:
    response = ask(kind, base_url, "[[mcq]]", stream=stream, logprobs=True, top_logprobs=4)
    assert response.choices and response.choices[0].logprobs and response.choices[0].logprobs.content
    first = response.choices[0].logprobs.content[0]
    found = {top.token: math.exp(top.logprob or 0) for top in first.top_logprobs or ()}
    assert found == pytest.approx(CHOICES, abs=0.005)


@BOTH
@STREAMED
def test_reasoning_is_separate_from_text(kind: str, stream: bool, base_url: str) -> None:
    response = ask(kind, base_url, "[[think]]", stream=stream)
    assert response.choices and response.choices[0].message
    assert response.choices[0].message.reasoning_text.strip() == SCRIPTS["think"][1].strip()
    assert response.text.strip() == SCRIPTS["think"][3].strip()


@BOTH
@STREAMED
def test_max_tokens_ends_with_length(kind: str, stream: bool, base_url: str) -> None:
    response = ask(kind, base_url, "[[endless]]", stream=stream, max_tokens=20)
    assert response.choices and str(response.choices[0].finish_reason) == "length"


# ---- cancellation


def settles(base_url: str) -> bool:
    """Return whether the server is idle within five seconds. It stops generating when its client disconnects."""
    for _ in range(100):
        with urllib.request.urlopen(base_url.replace("/v1", "/slots"), timeout=5) as answer:
            if not any(slot["is_processing"] for slot in json.load(answer)):
                return True
        time.sleep(0.05)
    return False


ENDLESS: dict[str, Any] = {
    "model": "tiny",
    "messages": [{"role": "user", "content": "[[endless]]"}],
    "stream": True,
    "max_tokens": -1,
}


def test_cancelled_stream_stops_the_server(command: Path, model: Path) -> None:
    with running(command, model, "--slots") as base_url, Together(api_key="", base_url=base_url) as client:
        for how in ("close", "thread", "drop"):
            stream: Any = client.chat.completions.create(**ENDLESS)
            assert next(stream) and next(stream)
            if how == "close":
                stream.close()
            elif how == "thread":
                threading.Timer(0.2, stream.close).start()
                assert [chunk.text for chunk in stream]
            assert stream.completion.state == ("open" if how == "drop" else "cancelled")
            del stream
            assert settles(base_url)

        async def cancelled() -> None:
            async with AsyncTogether(api_key="", base_url=base_url) as client:

                async def read() -> None:
                    async for _ in await client.chat.completions.create(**ENDLESS):
                        pass

                assert await seconds_to_cancel(read()) < 0.05

        asyncio.run(cancelled())
        assert settles(base_url)


def test_total_timeout_ends_stream_with_partial_text(base_url: str) -> None:
    with Together(api_key="", base_url=base_url, timeout=Timeout(total=0.3)) as client:
        stream: Any = client.chat.completions.create(**{**ENDLESS, "max_tokens": 100_000})
        with pytest.raises(StreamTimeoutError) as late:
            for _ in stream:
                pass
        assert late.value.completion.response.text.startswith("lorem ipsum dolor")


def test_twenty_concurrent_streams_are_complete(base_url: str) -> None:
    """There are more streams than the server has slots, so some of them wait."""

    async def one(client: AsyncTogether) -> str:
        stream = await client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "[[unicode]]"}], stream=True
        )
        return "".join([chunk.text async for chunk in stream])

    async def run() -> list[str]:
        async with AsyncTogether(api_key="", base_url=base_url) as client:
            return await asyncio.gather(*[one(client) for _ in range(20)])

    assert asyncio.run(run()) == [UNICODE] * 20


# ---- errors


@BOTH
@STREAMED
@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"messages": "x"}, "array"),
        ({"messages": [{"role": "user", "content": "x " * 9000}]}, "exceeds the available context size"),
        ({"response_format": {"type": "no such type"}}, "response_format"),
    ],
    ids=["messages", "context", "format"],
)
def test_invalid_request_raises_bad_request_error(
    kind: str, stream: bool, parameters: dict[str, Any], says: str, base_url: str
) -> None:
    with pytest.raises(BadRequestError, match=says) as refused:
        ask(kind, base_url, stream=stream, **parameters)
    assert refused.value.status == 400 and refused.value.body["error"]["code"] == 400


@BOTH
def test_unknown_path_raises_not_found_error(kind: str, base_url: str) -> None:
    with pytest.raises(NotFoundError):
        ask(kind, base_url.replace("/v1", "/nothing"))


@BOTH
def test_wrong_key_raises_authentication_error(kind: str, command: Path, model: Path) -> None:
    with running(command, model, "--api-key", "sk-right") as base_url:
        with pytest.raises(AuthenticationError, match="Invalid API Key"):
            ask(kind, base_url, api_key="sk-wrong")
        assert ask(kind, base_url, api_key="sk-right").text == HELLO


@BOTH
def test_killed_server_raises_incomplete_stream_error(kind: str, command: Path, model: Path) -> None:
    """The error contains the part of the stream that was received."""
    with process_of(command, model) as (process, base_url):
        killer = threading.Timer(0.5, process.kill)
        killer.start()
        with pytest.raises(IncompleteStreamError) as cut:
            ask(kind, base_url, "[[endless]]", stream=True, max_tokens=-1)
        killer.join()
    assert cut.value.completion.response.text.startswith("lorem ipsum dolor")
    with pytest.raises(APIConnectionError, match="refused"):
        ask(kind, base_url)
