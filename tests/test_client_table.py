"""The table of what clients read is what was found."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "e2e" / "clients"))

from table import README, written


def test_table_is_true() -> None:
    text = README.read_text("utf-8")
    assert written(text) == text
