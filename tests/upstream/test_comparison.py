"""Test of the comparison with the SDKs in README.md, against the SDKs themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def column(module: str, *paths: str) -> tuple[str, dict[str, str]]:
    """Return the title of a module's column, and its cells by the names of the rows."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *[path for path in sys.path if path]])}
    command = [sys.executable, str(Path(__file__).with_name("comparison.py")), module]
    done = subprocess.run(command, capture_output=True, timeout=120, env=environment, check=True)
    title, cells = json.loads(done.stdout)
    return title, cells


def table(columns: dict[str, dict[str, str]]) -> str:
    first, *_ = columns.values()
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    lines += ["| " + " | ".join([name, *[cells[name] for cells in columns.values()]]) + " |" for name in first]
    return "\n".join(lines) + "\n"


@pytest.mark.skipif("TOGETHER_3" not in os.environ, reason="the SDKs are not installed: tox -e upstream installs them")
def test_comparison_in_readme_matches_the_sdks() -> None:
    found = dict(
        [
            column("together_adapters"),
            column("together"),
            column("together", os.environ["TOGETHER_3"]),
            column("openai"),
        ]
    )
    assert len(found) == 4
    plain = {cells.pop("reads a plain stream") for cells in found.values()}
    assert plain == {"yes"}  # otherwise an SDK is not installed correctly
    assert table(found) in (ROOT / "README.md").read_text("utf-8"), table(found)
