"""Test of the table in tests/e2e/clients/README.md, which is generated from the files in `results/`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "e2e" / "clients"))

from results_table import README, written


def test_table_of_clients_matches_the_results() -> None:
    text = README.read_text("utf-8")
    assert written(text) == text
