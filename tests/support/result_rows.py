"""Rows for the table of `tox -e compat`: the environment, the suite and its result.

Without the variable COMPAT_RESULTS, which `tox -e compat` sets, no rows are written.
"""

from __future__ import annotations

import json
import os
import time


def record(environment: str, suite: str, started: float, *, passed: int = 1, failed: int = 0, skipped: int = 0) -> None:
    """Add a row. `started` is the value of `time.perf_counter()` at the start of the suite."""
    path = os.environ.get("COMPAT_RESULTS")
    if path:
        row = {"environment": environment, "suite": suite, "passed": passed, "failed": failed, "skipped": skipped}
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({**row, "seconds": time.perf_counter() - started}) + "\n")
