"""The five examples that code written for together-python 1.x is made of, from the README, against a real socket."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpus import DATA
from http_server import CHUNKED, Part, Received, in_chunks, reply_json, serving
from processes import environment

EXAMPLES = sorted(DATA.glob("examples/*.py"))
assert len(EXAMPLES) == 5
USAGE = {"prompt_tokens": 12, "completion_tokens": 8, "total_tokens": 20}
CALL = {"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
EXPECTED = {
    "completion": (
        "The capital of France is Paris.\nFinish reason: stop\nPrompt tokens: 12\nCompletion tokens: 8\n"
        "Total tokens: 20\nID: cmpl-1, model: recorded, created: 1700000000\n"
    ),
    "stream": "The capital of France is Paris.\nFinish reason: stop\n",
    "tools": "get_weather: {'city': 'Paris'}\n",
    "choices": "".join(f"Choice {n} (seed {n + 7}): The capital of France is Paris.\n" for n in range(3)),
    "async_stream": "The capital of France is Paris.",
}


def respond(request: Received) -> Iterator[Part]:
    asked = request.json
    assert request.line == "POST /v1/chat/completions HTTP/1.1"
    assert request.headers["authorization"] == "Bearer test-key" and "python-urllib" not in str(request.headers).lower()
    head = {"id": "cmpl-1", "model": "recorded", "created": 1700000000}
    if asked.get("stream"):
        chunks = []
        for text, reason in (("The capital of France", None), (" is Paris.", None), ("", "stop")):
            choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
            chunks.append({**head, "object": "chat.completion.chunk", "choices": [choice]})
        yield CHUNKED
        yield in_chunks(*[f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks], b"data: [DONE]\n\n")
        return
    message = {"role": "assistant", "content": "The capital of France is Paris."}
    reason = "stop"
    if "tools" in asked:
        message, reason = {"role": "assistant", "content": None, "tool_calls": [CALL]}, "tool_calls"
    choices = [
        {"index": index, "message": message, "finish_reason": reason, "seed": index + 7}
        for index in range(asked.get("n", 1))
    ]
    yield reply_json({**head, "object": "chat.completion", "choices": choices, "usage": USAGE})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path: Path) -> None:
    with serving(respond) as server:
        variables = environment(TOGETHER_API_KEY="test-key", TOGETHER_BASE_URL=server.base_url)
        command = [sys.executable, "-W", "error", "-X", "dev", str(path)]
        done = subprocess.run(command, capture_output=True, timeout=60, env=variables)
    assert (done.stderr.decode(), done.returncode) == ("", 0)
    assert done.stdout.decode() == EXPECTED[path.stem]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_readme_has_it(path: Path) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    assert f"```python\n{path.read_text('utf-8')}```" in readme
