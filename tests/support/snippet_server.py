"""The responses for the snippets of the documentation and the examples: a capital, several choices, a tool call."""

from __future__ import annotations

import json
from collections.abc import Iterator

from http_server import CHUNKED, Part, Received, in_chunks, reply_json

USAGE = {"prompt_tokens": 12, "completion_tokens": 8, "total_tokens": 20}
CALL = {"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}


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
