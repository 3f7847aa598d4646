"""Strategies for choices in Together's own format: seeds, arrays of log probabilities, Together's finish reasons."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from stream_strategies import TEXT

NUMBERS = st.floats(-20, 0) | st.sampled_from([float("-inf"), float("nan")])
TOP = st.dictionaries(TEXT, st.floats(-20, 0), max_size=3)


@st.composite
def together_logprobs(draw: st.DrawFn) -> Any:
    """Draw log probabilities as arrays of the same length."""
    count = draw(st.integers(0, 3))
    columns: dict[str, Any] = {
        "tokens": st.lists(TEXT | st.none() | st.just("\ud83d"), min_size=count, max_size=count),
        "token_logprobs": st.lists(NUMBERS | st.none(), min_size=count, max_size=count),
        "token_ids": st.lists(st.integers(0, 2**17) | st.none(), min_size=count, max_size=count),
        "top_logprobs": TOP | st.lists(TOP | st.none(), min_size=count, max_size=count),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(columns))))
    return {name: draw(columns[name]) for name in columns if name in chosen}


REASONS = st.sampled_from(["stop", "eos", "length", "tool_calls", "", "error", "abort"]) | st.none()


@st.composite
def together_choice(draw: st.DrawFn, in_stream: bool) -> Any:
    """Draw a choice of a response, or of a chunk if `in_stream`."""
    seed = st.integers(0, 2**64)
    logprobs = together_logprobs() | st.none()
    choice: dict[str, Any] = {"index": draw(st.integers(0, 3)), "finish_reason": draw(REASONS), "seed": draw(seed)}
    choice["logprobs"] = draw(logprobs | st.floats(-20, 0) if in_stream else logprobs)
    call = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "f", "arguments": draw(st.sampled_from(["{}", {}]))},
    }
    said = {
        "role": "assistant",
        "content": draw(TEXT | st.none()),
        "reasoning": draw(TEXT),
        "tool_calls": draw(st.sampled_from([[], [call], None])),
    }
    if in_stream:
        return {
            **choice,
            "text": "",
            "top_logprobs": draw(TOP | st.lists(TOP, max_size=2)),
            "delta": {**said, "token_id": draw(st.integers(0, 2**17))},
        }
    return {**choice, "message": said}


HEAD = {"id": "8b43-SJC", "created": 1723834621, "model": "meta-llama/Llama-3.3-70B-Instruct-Turbo"}
