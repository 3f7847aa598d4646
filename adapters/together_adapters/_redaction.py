"""Removing secrets from text before the text leaves the process."""

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
# The common forms of credentials. To keep the import fast, the pattern is compiled at the first use. `re` caches it.
_SECRETS = (
    r"(?P<before>\b(?:bearer|basic)\s+)[^\s\"',;]+"  # after a scheme of the Authorization header
    r"|\b(?:sk|tgp_v1)[-_][A-Za-z0-9_-]{4,}"  # OpenAI, Together
    r"|\b(?:gsk|hf|xai)[-_][A-Za-z0-9]{16,}"  # Groq, Hugging Face, xAI
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"  # AWS's key ids
    r"|\b[0-9a-f]{64}\b"  # Together's older keys
    r"|(?<=://)[^/@\s]+(?=@)"  # the userinfo of a URL (RFC 3986, section 3.2.1)
)


def redact(text: str, known: Iterable[str] = ()) -> str:
    """Return the text with every secret replaced by `[hidden]`.

    Three kinds of text are secrets: the `known` ones, the values of environment variables with a name such as
    `..._KEY`, and text in a common form of credentials. Those of the first two kinds are replaced only if they have at
    least 6 characters.
    """
    secrets = [value for name, value in os.environ.items() if name.upper().endswith(_SECRET_NAMES)]
    for secret in sorted([*secrets, *known], key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _HIDDEN)
    return re.sub(_SECRETS, lambda found: (found["before"] or "") + _HIDDEN, text, flags=re.IGNORECASE)
