"""Rows for the table of `tox -e compat`: what ran where, and what came of it. Without that environment nothing is kept."""

from __future__ import annotations

import json
import os
import time


def record(environment: str, suite: str, started: float, *, passed: int = 1, failed: int = 0, skipped: int = 0) -> None:
    """Add a row; `started` is what `time.perf_counter()` gave then."""
    path = os.environ.get("COMPAT_RESULTS")
    if path:
        row = {"environment": environment, "suite": suite, "passed": passed, "failed": failed, "skipped": skipped}
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({**row, "seconds": time.perf_counter() - started}) + "\n")
