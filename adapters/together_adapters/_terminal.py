"""What the commands print: text made safe for a terminal."""

from __future__ import annotations

from ._types import UsageData

__all__ = ["BadInput", "counts", "visible"]


class BadInput(Exception):
    """What the user gave cannot be used; the text is the whole message."""


# All control characters but tab and line feed: a model, or whoever it quotes, must not steer the terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}


def visible(text: str) -> str:
    return text.translate(_CONTROLS)


def counts(usage: UsageData) -> str:
    return f"{usage.prompt_tokens} prompt + {usage.completion_tokens} completion = {usage.total_tokens} tokens"
