"""The environment of an interpreter that a test starts.

With it, the interpreter imports the same packages as the test, whether they are a tree, a wheel or a single file.
"""

from __future__ import annotations

import os
import sys


def import_path() -> list[str]:
    """Return the folders that this process imports from, except the current folder."""
    return [path for path in sys.path if path]


def environment(**more: str) -> dict[str, str]:
    """Return the environment variables of this process with its import path and with `more` variables."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(import_path()), **more}
