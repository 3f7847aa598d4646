"""Log probabilities in OpenAI's form, from Together's parallel arrays or its one number for a chunk's token.
What is given is never changed, and no figure is made up but OpenAI's -9999.0 for what is not known.
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
"""OpenAI requires a number, and has this one for a token that is too unlikely to have a figure."""


def with_openai_logprobs(choice: Mapping[str, Any]) -> dict[str, Any] | None:
    """The choice with its logprobs in OpenAI's form, and those it had as `native_logprobs`; None where they stay."""
    logprobs = _to_openai(choice)
    return None if logprobs is None else {**choice, "logprobs": logprobs, "native_logprobs": choice["logprobs"]}


def _to_openai(choice: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a choice's logprobs, as JSON, are in OpenAI's form; None where they have it already, or there are none.

    The choices of legacy completions, which have neither a message nor a delta, keep the arrays, which are OpenAI's there.
    """
    raw = choice.get("logprobs")
    if not (is_dict(choice.get("message")) or is_dict(choice.get("delta"))):
        return None
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        top: object = choice.get("top_logprobs")
        if is_list(top) and top:  # one object for each position, of which a number has one
            top = top[0]
        return {"content": [_entry(_token_of(choice), raw, top if is_dict(top) else {})], "refusal": None}
    if not is_dict(raw):
        return None
    if raw.get("top_logprobs") is None:  # Together declares them beside the arrays too
        raw = {**raw, "top_logprobs": choice.get("top_logprobs")}
    part = LogprobsPart.from_dict(raw)
    if part.content is not None or part.refusal is not None:
        return None
    if part.tokens is None and part.token_logprobs is None and part.token_ids is None:
        return None
    return {"content": _entries(part), "refusal": None}


def _token_of(choice: Mapping[str, Any]) -> str:
    """The text that a chunk's one number is about."""
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
    elif part.top_logprobs is not None and count == 1:  # one object for many positions belongs to none of them
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
    except UnicodeEncodeError:  # half of a surrogate pair, which has no bytes
        return None


def from_native_logprobs(choice: Mapping[str, Any]) -> dict[str, Any] | None:
    """The choice with the logprobs that its `native_logprobs` keeps; None where the two do not say the same."""
    if not is_dict(choice.get("logprobs")) or "native_logprobs" not in choice:
        return None
    native = {key: value for key, value in choice.items() if key != "native_logprobs"}
    native["logprobs"] = choice["native_logprobs"]
    return native if _to_openai(native) == choice["logprobs"] else None
