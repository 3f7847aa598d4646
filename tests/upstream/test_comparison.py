"""The README's comparison with the SDKs is what they do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COLUMNS = ["together_types", "together 1.6.0", "together 3.1.1", "openai 3.54.0"]


def column(module: str, *paths: str) -> dict[str, str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *[path for path in sys.path if path]])}
    command = [sys.executable, str(Path(__file__).with_name("comparison.py")), module]
    done = subprocess.run(command, capture_output=True, timeout=120, env=environment, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def table(columns: list[dict[str, str]]) -> str:
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join([name, *[found[name] for found in columns]]) + " |" for name in columns[0]]
    return "\n".join(lines) + "\n"


@pytest.mark.skipif("UPSTREAM_TOGETHER_3" not in os.environ, reason="tox -e upstream has the SDKs")
def test_readme_compares_as_they_are() -> None:
    found = [
        column("together_adapters"),
        column("together"),
        column("together", os.environ["UPSTREAM_TOGETHER_3"]),
        column("openai"),
    ]
    plain = [each.pop("reads a plain stream") for each in found]
    assert plain == ["yes"] * len(COLUMNS)  # otherwise the SDK is not installed as it should be
    assert table(found) in (ROOT / "README.md").read_text("utf-8"), table(found)
