"""What the body of an error says, in every form that servers use.

It never raises, and gives one line of bounded length, whatever the body is.
"""

from __future__ import annotations

from ._json_data import is_dict, is_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["message_in", "text_of_page"]

_LONGEST = 500  # characters of a server's text in a message
_KEYS = ("message", "detail", "error", "errors", "error_description", "title", "msg")


def message_in(content: Any, depth: int = 0) -> str:
    """The message of a JSON error, or "" where it has none.

    The forms: `{"error": {"message"}}` (OpenAI, Together), `{"error": "text"}` (mlx-lm), flat `{"object": "error",
    "message"}` (SGLang), `{"detail": "text"}` and `{"detail": [{"loc", "msg"}]}` (FastAPI), `{"title"}` (RFC 9457), and
    any of them in a list (Gemini).
    """
    if isinstance(content, str):
        return _cleaned(content) if depth else ""
    if depth > 4:
        return ""
    if is_list(content):
        return _cleaned("; ".join([said for item in content[:5] if (said := message_in(item, depth + 1))]))
    if is_dict(content):
        said = next((said for key in _KEYS if (said := message_in(content.get(key), depth + 1))), "")
        place = content.get("loc")
        if said and is_list(place) and "msg" in content:
            return _cleaned(f"{'.'.join([str(part) for part in place[:10]])}: {said}")
        return said
    return ""


def text_of_page(text: str) -> str:
    """The beginning of a body that is no JSON; of an HTML page the title."""
    head = text[:4096]
    start = head.lower().find("<title>")
    if start >= 0:
        title = head[start + 7 :].partition("<")[0]
        if title.strip():
            return _cleaned(f"an HTML page, {title.strip()}")
    return _cleaned(head)


def _cleaned(text: str) -> str:
    """One line, without lone surrogates, which kill whoever prints them."""
    return " ".join(text[: 2 * _LONGEST].split())[:_LONGEST].encode("utf-8", "replace").decode("utf-8")
