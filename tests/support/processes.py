"""What another interpreter of a test needs, so that it imports what is tested here, be it a tree, a wheel or a file."""

from __future__ import annotations

import os
import sys


def import_path() -> list[str]:
    """The folders that this process imports from, but for the current one."""
    return [path for path in sys.path if path]


def environment(**more: str) -> dict[str, str]:
    """This process's environment variables, with its import path, and more."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(import_path()), **more}
