"""The README's comparison with the SDKs is what they do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def column(module: str, *paths: str) -> tuple[str, dict[str, str]]:
    """The column's title, and its cells by the names of their rows."""
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


@pytest.mark.skipif("TOGETHER_3" not in os.environ, reason="tox -e upstream has the SDKs")
def test_readme_compares_as_they_are() -> None:
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
    assert plain == {"yes"}  # otherwise the SDK is not installed as it should be
    assert table(found) in (ROOT / "README.md").read_text("utf-8"), table(found)
