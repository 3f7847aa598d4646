"""The rules for merging a field over the chunks of a stream.

The declaration of a field names its rule. `together_adapters.accumulate` applies the rules.
"""

from __future__ import annotations

__all__ = ["COLLECT", "CONCATENATE", "CUMULATIVE", "CUSTOM", "INCREASING", "KEEP_FIRST", "KEEP_LAST", "PER_CHUNK"]

KEEP_FIRST = "keep first"
"""Keep the first value that is not empty. Used for values that every chunk repeats (id, model)."""
INCREASING = "increasing"
"""Keep the first number. Later chunks may have larger ones (created)."""
KEEP_LAST = "keep last"
"""Keep the last value that is not "". Used for values that are sent once or may change."""
CUMULATIVE = "cumulative"
"""Keep the last value. Used for values that include the earlier ones (token counts)."""
CONCATENATE = "concatenate"
"""Join all values in order. Used for fragments of text and parts of an array."""
COLLECT = "collect"
"""Collect the items of all arrays, without duplicates."""
PER_CHUNK = "per chunk"
"""Discard the value, because it describes one chunk and not the response."""
CUSTOM = "custom"
"""Merge by a rule that `accumulate` defines for this field."""
