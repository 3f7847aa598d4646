"""Converting log probabilities to OpenAI's form, from Together's parallel arrays or its single number in a chunk.

An unknown log probability becomes -9999.0, the number that OpenAI uses. All other numbers are taken from the argument.
Changes no argument.
"""

from __future__ import annotations

from ._json_data import is_dict, is_list
from ._types import DeltaContent, LogprobsPart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

__all__ = ["NO_LOGPROB", "from_native_logprobs", "with_openai_logprobs"]

NO_LOGPROB = -9999.0
"""The number for an unknown log probability. OpenAI requires a number, and sends this one for very unlikely tokens."""


def with_openai_logprobs(choice: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the choice with its logprobs in OpenAI's form, and the original ones as `native_logprobs`.

    Returns None if the logprobs do not need a conversion.
    """
    logprobs = _to_openai(choice)
    return None if logprobs is None else {**choice, "logprobs": logprobs, "native_logprobs": choice["logprobs"]}


def _to_openai(choice: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the logprobs of a choice, as JSON, in OpenAI's form. Return None if they are absent or already in this form.

    The choices of legacy completions, which have neither a message nor a delta, keep the arrays, because OpenAI uses
    arrays for them too.
    """
    raw = choice.get("logprobs")
    if not (is_dict(choice.get("message")) or is_dict(choice.get("delta"))):
        return None
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        top: object = choice.get("top_logprobs")
        if is_list(top) and top:  # one object for each position, and a single number is one position
            top = top[0]
        return {"content": [_entry(_token_of(choice), raw, top if is_dict(top) else {})], "refusal": None}
    if not is_dict(raw):
        return None
    if raw.get("top_logprobs") is None:  # Together declares them in the choice too
        raw = {**raw, "top_logprobs": choice.get("top_logprobs")}
    part = LogprobsPart.from_dict(raw)
    if part.content is not None or part.refusal is not None:
        return None
    if part.tokens is None and part.token_logprobs is None and part.token_ids is None:
        return None
    return {"content": _entries(part), "refusal": None}


def _token_of(choice: Mapping[str, Any]) -> str:
    """Return the text of the token to which a chunk's single number belongs."""
    raw = choice.get("delta")
    delta = DeltaContent.from_dict(raw) if is_dict(raw) else DeltaContent()
    text: object = delta.text or delta.reasoning_text or choice.get("text")
    return text if isinstance(text, str) else ""


def _entries(part: LogprobsPart) -> list[dict[str, Any]]:
    tokens, logprobs, ids = part.tokens or (), part.token_logprobs or (), part.token_ids or ()
    count = max(len(tokens), len(logprobs), len(ids))
    tops: Sequence[Mapping[str, float] | None] = ()
    if isinstance(part.top_logprobs, tuple):
        tops = part.top_logprobs
    elif part.top_logprobs is not None and count == 1:  # one object for several positions cannot be assigned to one
        tops = (part.top_logprobs,)
    return [_entry(_at(tokens, index) or "", _at(logprobs, index), _at(tops, index) or {}) for index in range(count)]


def _at(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _entry(token: str, logprob: float | None, top: Mapping[str, float]) -> dict[str, Any]:
    likeliest = [_of_token(name, value) for name, value in top.items()]
    likeliest.sort(key=lambda entry: -entry["logprob"])
    return {**_of_token(token, logprob), "top_logprobs": likeliest}


def _of_token(token: str, logprob: Any) -> dict[str, Any]:
    is_number = isinstance(logprob, (int, float)) and logprob - logprob == 0
    return {"token": token, "logprob": logprob if is_number else NO_LOGPROB, "bytes": _bytes_of(token)}


def _bytes_of(token: str) -> list[int] | None:
    try:
        return list(token.encode("utf-8"))
    except UnicodeEncodeError:  # half of a surrogate pair, which UTF-8 cannot encode
        return None


def from_native_logprobs(choice: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the choice with its `native_logprobs` as logprobs again.

    Returns None if `native_logprobs` is absent, or if it does not convert to the logprobs of the choice.
    """
    if not is_dict(choice.get("logprobs")) or "native_logprobs" not in choice:
        return None
    native = {key: value for key, value in choice.items() if key != "native_logprobs"}
    native["logprobs"] = choice["native_logprobs"]
    return native if _to_openai(native) == choice["logprobs"] else None
