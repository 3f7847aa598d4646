"""The cases for the clients: a response for each, the stream in which Together sends it, and the expected result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from together_adapters.openai_format import to_openai
from together_adapters.sse import encode_chunks, response_to_chunks

from together_types import ChatCompletionResponse

HEAD: dict[str, Any] = {"id": "8b43-SJC", "created": 1723834621, "model": "m"}
USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
CALLS: list[dict[str, Any]] = [
    {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris é"}'}},
    {"id": "call_2", "type": "function", "function": {"name": "get_time", "arguments": '{"zone": "CET"}'}},
]
TOOLS = [
    {
        "type": "function",
        "function": {"name": call["function"]["name"], "parameters": {"type": "object", "properties": {}}},
    }
    for call in CALLS
]
TOKENS = [("Par", -0.25), ("is", -0.5), (" é", -1.5), ("😀", -2.0)]
FAILURE = "the engine died"


def _choice(index: int, content: str | None, finish_reason: str = "eos", **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, **message}
    return {"index": index, "finish_reason": finish_reason, "seed": 2039908639335532000 + index, "message": said}


RESPONSES: dict[str, dict[str, Any]] = {
    "text": {"choices": [_choice(0, "Hello! \u2028 é 😀 \x7f \x00 end")]},
    "n = 3": {"choices": [_choice(index, text) for index, text in enumerate(("first", "second", "third"))]},
    "tool calls": {"choices": [_choice(0, None, "tool_calls", tool_calls=CALLS)]},
    "reasoning": {"choices": [_choice(0, "Paris.", reasoning="The user asks for a capital.")]},
    "logprobs": {
        "choices": [
            {
                **_choice(0, "".join([token for token, _ in TOKENS])),
                "logprobs": {
                    "tokens": [token for token, _ in TOKENS],
                    "token_logprobs": [logprob for _, logprob in TOKENS],
                    "token_ids": [*range(len(TOKENS))],
                    "top_logprobs": [{token: logprob, "x": -7.0} for token, logprob in TOKENS],
                },
            }
        ]
    },
    "usage": {"choices": [_choice(0, "Paris.")], "usage": USAGE},
    "length": {"choices": [_choice(0, "Paris is", "length")]},
    "error": {"choices": [_choice(0, "Paris is")]},
}
ASKED: dict[str, dict[str, Any]] = {
    "n = 3": {"n": 3},
    "tool calls": {"tools": TOOLS},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
    "usage": {"stream_options": {"include_usage": True}},
}


def response(case: str) -> ChatCompletionResponse:
    return ChatCompletionResponse.from_dict({**HEAD, "object": "chat.completion", "prompt": [], **RESPONSES[case]})


def expected(case: str) -> dict[str, Any]:
    """Return the result that a client should have. The finish reasons are OpenAI's."""
    found = []
    for choice in RESPONSES[case]["choices"]:
        message = choice["message"]
        calls = [
            (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls", ())
        ]
        reason = "stop" if choice["finish_reason"] == "eos" else choice["finish_reason"]
        found.append(
            {
                "index": choice["index"], "content": message["content"] or "", "reasoning": message.get("reasoning", ""), "finish_reason": reason,
                "calls": calls, "logprobs": TOKENS if case == "logprobs" else [],
            }
        )  # fmt: skip
    usage = tuple(USAGE.values()) if case == "usage" else None
    return {"choices": found, "usage": usage}


# ---- on the wire


def together_frames(case: str) -> Iterator[bytes]:
    """Yield the response as Together streams it, with deviations of other servers.

    The role is in every frame, and the id and name of a tool call in every fragment. Choices are out of order, the log
    probability of a token is a number, and the frame of the last choice contains the usage.
    """
    choices = RESPONSES[case]["choices"]
    for index in [0, 2, 1] if len(choices) == 3 else [0]:
        choice = choices[index]
        pieces = list(_pieces(case, choice["message"]))
        for piece in pieces:
            delta = {"role": "assistant", "content": None, "tool_calls": None, **piece}
            logprobs = delta.pop("logprobs", None)
            top = {"top_logprobs": {delta["content"]: logprobs, "x": -7.0}} if logprobs is not None else {}
            yield _frame(
                [
                    {
                        "index": index,
                        "delta": delta,
                        "text": delta["content"] or "",
                        "logprobs": logprobs,
                        "finish_reason": None,
                        **top,
                    }
                ]
            )
        last = {
            "index": index,
            "delta": {"role": "assistant", "content": ""},
            "text": "",
            "seed": choice["seed"],
            "logprobs": None,
        }
        is_last = index == (1 if len(choices) == 3 else 0)
        usage = {"usage": RESPONSES[case].get("usage")} if is_last else {}
        if case != "error":
            yield _frame([{**last, "finish_reason": choice["finish_reason"]}], **usage)
    if case == "error":
        yield (
            b"data: "
            + json.dumps({"error": {"message": FAILURE, "type": "server_error", "param": None, "code": 500}}).encode()
            + b"\n\n"
        )
    yield b"data: [DONE]\n\n"


def _frame(choices: list[Any], **more: Any) -> bytes:
    return (
        b"data: "
        + json.dumps(
            {**HEAD, "object": "chat.completion.chunk", "choices": choices, **more}, ensure_ascii=False
        ).encode()
        + b"\n\n"
    )


def _pieces(case: str, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if case == "logprobs":
        yield from [
            {"content": token, "logprobs": logprob, "token_id": number}
            for number, (token, logprob) in enumerate(TOKENS)
        ]
        return
    for key in ("reasoning", "content"):
        yield from [{key: character} for character in message.get(key) or ""]
    for index, call in enumerate(message.get("tool_calls", ())):
        for character in call["function"]["arguments"]:
            function = {"name": call["function"]["name"], "arguments": character}
            yield {"tool_calls": [{"index": index, "id": call["id"], "type": "function", "function": function}]}


class EngineDied(Exception):
    """The exception that `encode_chunks` has to handle in the case "error"."""


def encoded(case: str) -> Iterator[bytes]:
    """Return the response as `to_openai` and `encode_chunks` write it."""

    def chunks() -> Iterator[dict[str, Any]]:
        for chunk in response_to_chunks(response(case)):
            if case == "error" and chunk.choices and chunk.choices[0].finish_reason is not None:
                raise EngineDied(FAILURE)
            yield {**to_openai(chunk)}

    return encode_chunks(chunks())
