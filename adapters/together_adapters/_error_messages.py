"""Extracting the message from the body of an error response, in every form that servers use.

The result is one line of bounded length. The functions accept any body and raise no exceptions.
"""

from __future__ import annotations

from ._json_data import is_dict, is_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["message_in", "text_of_page"]

_LONGEST = 500  # the maximum number of characters of a server's text in a message
_KEYS = ("message", "detail", "error", "errors", "error_description", "error_msg", "title", "msg")


def message_in(content: Any, depth: int = 0) -> str:
    """Return the message of a JSON error, or "" if it does not contain one.

    The supported forms:

    - `{"error": {"message"}}` (OpenAI, Together)
    - `{"error": "text"}` (mlx-lm)
    - flat `{"object": "error", "message"}` (SGLang)
    - `{"detail": "text"}` and `{"detail": [{"loc", "msg"}]}` (FastAPI)
    - `{"title"}` (RFC 9457)
    - any of these in a list (Gemini)

    `depth` is the nesting level of `content` in the body.
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
    """Return the beginning of a body that is not JSON, or the title if the body is an HTML page."""
    head = text[:4096]
    start = head.lower().find("<title>")
    if start >= 0:
        title = head[start + 7 :].partition("<")[0]
        if title.strip():
            return _cleaned(f"an HTML page, {title.strip()}")
    return _cleaned(head)


def _cleaned(text: str) -> str:
    """Return the text as one line of bounded length, without lone surrogates, which UTF-8 cannot encode."""
    return " ".join(text[: 2 * _LONGEST].split())[:_LONGEST].encode("utf-8", "replace").decode("utf-8")
