"""How a field of a chunk merges over the chunks of a stream: the rules that the fields of the classes name.

`together_adapters.accumulate` applies them.
"""

from __future__ import annotations

__all__ = ["COLLECT", "CONCATENATE", "CUMULATIVE", "CUSTOM", "KEEP_FIRST", "KEEP_LAST", "PER_CHUNK"]

KEEP_FIRST = "keep first"
"""Keep the first value that is not empty: for values that every chunk repeats (id, model)."""
KEEP_LAST = "keep last"
"""Keep the last value that is not "": for values that are sent once or may change."""
CUMULATIVE = "cumulative"
"""Keep the last value: for values that include the earlier ones (token counts)."""
CONCATENATE = "concatenate"
"""Join all values in order: for fragments of text and parts of an array."""
COLLECT = "collect"
"""Collect the items of all arrays, without duplicates."""
PER_CHUNK = "per chunk"
"""Keep no value: it describes one chunk and not the response."""
CUSTOM = "custom"
"""Merge by a rule specific to this field, in `accumulate`."""
