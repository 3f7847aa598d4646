"""The table of tests/e2e/clients/README.md says what its `results/` say."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "e2e" / "clients"))

from results_table import README, written


def test_table_is_true() -> None:
    text = README.read_text("utf-8")
    assert written(text) == text
