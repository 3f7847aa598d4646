"""Hypothesis strategies for non-streamed responses, which tests split into chunks, and for their text."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from('\r\n\u2028\u0085\ufeff:{}[]"\\ é😀'), max_size=20
)
NAMES = st.sampled_from(["get_weather", "f", "g", "null-ish"])
LOGPROB = st.sampled_from([0.0, -0.25, -1.5, -12.0])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner, max_size=3), max_leaves=4
)
ARGUMENTS = st.dictionaries(TEXT, JSON, max_size=3).map(json.dumps) | st.just("")


@st.composite
def responses(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a response as a server sends it without streaming."""
    choices = [draw(choice(index)) for index in sorted(draw(st.sets(st.integers(0, 9), min_size=1, max_size=3)))]
    head = {
        "id": draw(TEXT.filter(bool)),
        "object": "chat.completion",
        "created": draw(st.integers(1, 2**40)),
        "model": draw(TEXT.filter(bool)),
    }
    rest: dict[str, Any] = {}
    if draw(st.booleans()):
        rest["system_fingerprint"] = draw(TEXT.filter(bool))
    if draw(st.booleans()):
        rest["x_unknown"] = draw(st.integers() | st.lists(TEXT, min_size=1))
    if draw(st.booleans()):
        prompt, completion = draw(st.tuples(st.integers(0, 99), st.integers(0, 99)))
        rest["usage"] = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {**head, "choices": choices, **rest}


@st.composite
def choice(draw: st.DrawFn, index: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": draw(st.none() | TEXT)}
    message.update(
        {key: draw(TEXT) for key in draw(st.sets(st.sampled_from(["reasoning", "reasoning_content", "refusal"])))}
    )
    calls = draw(st.lists(st.tuples(NAMES, ARGUMENTS), max_size=3))
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{position}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for position, (name, arguments) in enumerate(calls)
        ]
    data = {
        "index": index,
        "finish_reason": draw(st.sampled_from(["stop", "length", "eos", "tool_calls", "odd"])),
        "message": message,
    }
    form = draw(st.sampled_from(["none", "number", "arrays", "entries"]))
    if form == "entries":
        tokens = draw(st.lists(st.tuples(TEXT, LOGPROB), min_size=1, max_size=3))
        data["logprobs"] = {
            "content": [{"token": token, "logprob": logprob, "bytes": [*token.encode()]} for token, logprob in tokens]
        }
    elif form != "none":
        tokens = draw(st.lists(st.tuples(TEXT, LOGPROB), min_size=1, max_size=3))
        data["logprobs"] = {
            "tokens": [token for token, _ in tokens],
            "token_logprobs": [logprob for _, logprob in tokens],
        }
        if form == "number":  # each number belongs to the token of one delta, so the content is those tokens
            message["content"] = "".join([token for token, _ in tokens])
            for key in ("reasoning", "reasoning_content"):
                message.pop(key, None)
    return data | {"_form": form} if form == "number" else data
