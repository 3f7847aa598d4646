"""Real SDKs read the responses of `serve` and `encode_chunks`. Each has a tox environment, such as `clients-openai`.

The environment variable CLIENT names the module of the SDK, such as with_openai. Each mode of the SDK requests each
case twice: from `serve`, which has a stream in Together's form, and from a minimal server that sends the output of
`encode_chunks` and `to_openai`.

The results must be equal to those in `results/`, in both directions: a deviation that an SDK no longer has also fails,
because the table would be out of date. UPDATE_RESULTS=1 writes the results.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cases
import pytest
from loopback import running
from together_adapters.accumulate import accumulate
from together_adapters.openai_format import from_openai, to_openai
from together_adapters.serve import Server
from together_adapters.serve._backends import Recordings

from together_types import ChatCompletionChunk, ChatCompletionResponse

if "CLIENT" not in os.environ:
    pytest.skip("runs in the environments clients-*, which have an SDK", allow_module_level=True)
CLIENT: Any = importlib.import_module(os.environ["CLIENT"])
RESULTS = Path(__file__).parent / "results" / (CLIENT.NAME.replace(" ", "-") + ".json")
KNOWN: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
UPDATE = bool(os.environ.get("UPDATE_RESULTS"))
STREAMING = ("stream", "astream")

pytestmark = pytest.mark.filterwarnings("default")  # an SDK's warnings are not tested


class _Bare(BaseHTTPRequestHandler):
    """A server that sends the library's output without `serve`. The model in the request is the name of the case."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        case = asked["model"]
        if asked.get("stream"):
            pieces, kind, status = cases.encoded(case), "text/event-stream", 200
        else:
            value: Any = cases.response(case)
            status = 200
            if case == "error":
                status, value = 500, {"error": {"message": cases.FAILURE, "type": "server_error", "code": 500}}
            pieces, kind = iter([json.dumps(to_openai(value, only_openai=True)).encode()]), "application/json"
            if case == "reasoning":  # OpenAI's schema lacks a key for it
                pieces = iter([json.dumps(to_openai(value)).encode()])
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:
        """Do not log requests."""


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    recordings = {case: [(0.0, frame) for frame in cases.together_frames(case)] for case in cases.RESPONSES}
    with (
        running(Server(Recordings(recordings))) as serve,
        running(ThreadingHTTPServer(("127.0.0.1", 0), _Bare)) as bare,
    ):
        yield {"serve": serve.url, "encode_chunks": f"http://127.0.0.1:{bare.server_port}/v1"}


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {}
    yield found
    if UPDATE:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(
            json.dumps({"name": CLIENT.NAME, "version": CLIENT.VERSION, "modes": found}, indent=1) + "\n", "utf-8"
        )


def _asked(case: str, mode: str) -> dict[str, Any]:
    asked = {
        "model": case,
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
        **cases.ASKED.get(case, {}),
    }
    if "stream" in mode:
        return {**asked, "stream": True}
    asked.pop("stream_options", None)
    return asked


def _outcome(mode: str, case: str, url: str) -> tuple[str, list[Any]]:
    """Return "read" or a description of the deviation, and the SDK's own objects."""
    try:
        found, objects = CLIENT.MODES[mode](url, _asked(case, mode))
    except CLIENT.FAILURES as error:
        if case != "error":
            return f"raises {type(error).__name__}", []
        return (
            "read"
            if cases.FAILURE in str(error) or "EngineDied" in str(error)
            else f"raises {type(error).__name__} without the message"
        ), []
    except Exception as error:
        return f"raises {type(error).__name__}", []
    if case == "error":
        return "does not raise", objects
    return _difference(found, cases.expected(case), case), objects


def _difference(found: dict[str, Any], expected: dict[str, Any], case: str) -> str:
    if len(found["choices"]) != len(expected["choices"]):
        return f"gives {len(found['choices'])} of {len(expected['choices'])} choices"
    if expected["usage"] and found["usage"] != expected["usage"]:
        return "gives no usage" if found["usage"] is None else "gives another usage"
    wrong = []
    for choice, right in zip(found["choices"], expected["choices"]):
        for key, value in right.items():
            # Log probabilities and reasoning are compared only in the cases that test them.
            if choice[key] != value and (key not in ("reasoning", "logprobs") or value):
                wrong.append(f"{'drops' if not choice[key] else 'changes'} {key.replace('_', ' ')}")
    return ", ".join(dict.fromkeys(wrong)) or "read"


@pytest.mark.parametrize("mode", CLIENT.MODES)
@pytest.mark.parametrize("case", cases.RESPONSES)  # "error" is last: together 1.x reads nothing after it
def test_client_reads_each_case_as_recorded(
    mode: str, case: str, urls: dict[str, str], outcomes: dict[str, Any]
) -> None:
    found = {name: _outcome(mode, case, url) for name, url in urls.items()}
    said = list(dict.fromkeys([outcome for outcome, _ in found.values()]))
    outcome = said[0] if len(said) == 1 else ", ".join(f"{outcome} ({name})" for name, (outcome, _) in found.items())
    outcomes.setdefault(mode, {})[case] = outcome
    for name, (read, objects) in found.items():
        if read == "read" and objects:
            _check_objects(objects, case, name)
    if not UPDATE:
        assert (CLIENT.VERSION, outcome) == (KNOWN["version"], KNOWN["modes"][mode][case])


def _check_objects(objects: list[Any], case: str, server: str) -> None:
    """Assert that `from_openai` reads the data of the case in the SDK's own objects."""
    values = [from_openai(item) for item in objects]
    if isinstance(values[0], ChatCompletionChunk):
        response = accumulate([value for value in values if isinstance(value, ChatCompletionChunk)]).response
    else:
        assert len(values) == 1 and isinstance(values[0], ChatCompletionResponse)
        response = values[0]
    right = cases.expected(case)
    assert [choice.index for choice in response.choices or ()] == [choice["index"] for choice in right["choices"]]
    for choice, expected in zip(response.choices or (), right["choices"]):
        message = choice.message
        assert message is not None and (message.text, choice.finish_reason or "") in (
            (expected["content"], expected["finish_reason"]),
            (expected["content"], "eos"),
        )
        calls = [
            (call.id, call.function.name, call.function.parsed_arguments())
            for call in message.tool_calls or ()
            if call.function
        ]
        assert calls == expected["calls"]
        assert message.reasoning_text == expected["reasoning"] or case == "reasoning"
    if right["usage"]:
        usage = response.usage
        assert (
            usage is not None and (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == right["usage"]
        )
