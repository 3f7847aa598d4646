"""Writes `tests/data/pickles`, which every Python must read: run it with a Python whose pickles are not there yet."""

from __future__ import annotations

import pickle
import platform
from pathlib import Path

from together_types import ChatCompletionResponse


def pickle_sample() -> object:
    """Every kind of thing a value holds: nulls, nested values, enums, unknown keys, what fields could not hold."""
    return ChatCompletionResponse.from_dict(
        {
            "id": None,
            "created": 1757876416.5,
            "object": "chat.completion",
            "choices": [
                {"finish_reason": "eos", "message": {"role": "model", "content": [{"type": "text", "text": "ü"}]}}
            ],
            "usage": {"total_tokens": "many", "prompt_tokens": 3},
            "prompt": [None, {"logprobs": {"token_logprobs": [None, -0.5], "top_logprobs": {"a": -1.0}}}],
            "metadata": {"deep": [{"er": 1}]},
            "to_dict": {"extra": [1]},
        }
    )


if __name__ == "__main__":
    folder = Path(__file__).parent / "data" / "pickles"
    name = f"{platform.python_implementation().lower()}-{platform.python_version()}"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        (folder / f"{name}-protocol{protocol}.pickle").write_bytes(pickle.dumps(pickle_sample(), protocol))
