"""Removing secrets from text that may leave the process."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["redact"]

_SHORTEST_SECRET = 6
_SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIALS")
_HIDDEN = "[hidden]"
# Compiled at the first use, by `re`, which keeps it: importing is to take little time.
# The forms that keys have wherever they are issued: by a scheme of the Authorization header, by a prefix
# (OpenAI, Together, Groq, Hugging Face, xAI), AWS's key ids, 64 hexadecimal digits (Together's older keys),
# and the part of a URL before its host.
_SECRETS = (
    r"(?P<before>\b(?:bearer|basic)\s+)[^\s\"',;]+"
    r"|\b(?:sk|tgp_v1)[-_][A-Za-z0-9_-]{4,}"
    r"|\b(?:gsk|hf|xai)[-_][A-Za-z0-9]{16,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|\b[0-9a-f]{64}\b"
    r"|(?<=://)[^/@\s]+(?=@)"
)


def redact(text: str, known: Iterable[str] = ()) -> str:
    """The text without what looks like a key, without the `known` secrets, and without those of the environment."""
    secrets = [value for name, value in os.environ.items() if name.upper().endswith(_SECRET_NAMES)]
    for secret in sorted([*secrets, *known], key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _HIDDEN)
    return re.sub(_SECRETS, lambda found: (found["before"] or "") + _HIDDEN, text, flags=re.IGNORECASE)
