"""JSON that is nested too deeply for the decoder of the standard library.

Elsewhere that is a RecursionError. In WebAssembly the stack of the host is used up first, which ends the whole process:
under node, Pyodide 0.29 to 315 reads 5,000 levels and dies of 20,000 (measured).
"""

from __future__ import annotations

import re
import sys

__all__ = ["check_nesting"]

_DEEPEST = 2000
_TEXT = r'"(?:[^"\\]|\\.)*"'
_DIES = sys.platform == "emscripten"


def check_nesting(text: str) -> None:
    """Raise RecursionError where decoding this would end the process."""
    if not _DIES or text.count("[") + text.count("{") <= _DEEPEST:
        return
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", re.sub(_TEXT, "", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > _DEEPEST:
            raise RecursionError("nested too deeply")
