"""A bound on the memory of one event.

The result of `json.loads` takes up to 27 bytes for each byte of its text. A value of together_types takes up to 700
bytes for an object of two bytes, `{}`. The number of JSON objects and arrays in an event is therefore limited in
proportion to the size of the event. With this limit, and those for lists and for keys, an event takes at most 40 bytes
of memory for each of its bytes. The densest events that servers send, log probabilities, have 24 bytes for each object
or array.

Does no I/O.
"""

from __future__ import annotations

from .._json_data import is_dict, is_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["check_weight"]

_MOST_ITEMS = 4096  # of choices, tool calls or content parts in one list, and of keys in one object
_BYTES_EACH = 18  # bytes of an event for each object or array that it may contain
_ALWAYS_ALLOWED = 1000  # objects and arrays in an event of any size
# Bytes of an event for each number that its `token_logprobs` may contain. An integer there takes 150 bytes of memory
# even if it has one digit, because it is kept both as a float and as the JSON that was received.
_BYTES_EACH_NUMBER = 7


def check_weight(data: Any, size: int) -> None:
    """Raise ValueError if converting the JSON of an event to values of together_types would take too much memory.

    `data` is the decoded JSON, and `size` the length of its text.
    """
    limit = _ALWAYS_ALLOWED + size // _BYTES_EACH
    found = 0
    pending = [data]
    while pending:
        item = pending.pop()
        if is_dict(item):
            _check_object(item, size)
            item = item.values()
        inner = [value for value in item if is_dict(value) or is_list(value)]
        found += len(inner)
        if found > limit:
            raise ValueError(f"an event of {size} bytes may contain at most {limit} JSON objects and arrays, got more")
        pending += inner


def _check_object(item: dict[str, Any], size: int) -> None:
    if len(item) > _MOST_ITEMS:
        raise ValueError(f"a JSON object in an event may have at most {_MOST_ITEMS} keys, got {len(item)}")
    for name in ("choices", "tool_calls", "content", "reasoning_details", "thinking_blocks"):
        value = item.get(name)
        # The `content` of log probabilities has an entry for each token, and each entry has the key `token`.
        if is_list(value) and len(value) > _MOST_ITEMS and not (name == "content" and _is_logprobs(value)):
            raise ValueError(f"{name} may have at most {_MOST_ITEMS} items in an event, got {len(value)}")
    numbers, most = item.get("token_logprobs"), size // _BYTES_EACH_NUMBER
    if is_list(numbers) and len(numbers) > most:
        raise ValueError(
            f"token_logprobs in an event of {size} bytes may have at most {most} items, got {len(numbers)}"
        )


def _is_logprobs(entries: list[Any]) -> bool:
    return all([is_dict(entry) and "token" in entry for entry in entries])
