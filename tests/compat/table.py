"""Run the portable tests, and render the table of `tox -e compat`, which has a row for each environment and suite."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from result_rows import record

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "together_types", ROOT / "adapters" / "together_adapters")
SOURCES = [str(package.parent) for package in PACKAGES]
RUN = str(ROOT / "tests" / "portable" / "run.py")
_LAST = re.compile(r"^portable: (\d+) passed, (\d+) failed, (\d+) skipped in", re.MULTILINE)


def portable(
    environment: str,
    command: list[str],
    *,
    suite: str = "portable",
    of: str = "",
    timeout: float = 300,
    **options: object,
) -> str:
    """Run the portable tests with a command, record a row, and return the output.

    The command must print the output of `run.py`. The output must contain `of`, which is a part of the path that the
    packages are imported from. Raises AssertionError if a test failed.
    """
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, **options)  # type: ignore[call-overload]
    output: str = done.stdout.decode("utf-8", "replace")
    found = _LAST.search(output)
    passed, failed, skipped = map(int, found.groups()) if found else (0, 1, 0)
    record(environment, suite, started, passed=passed, failed=failed, skipped=skipped)
    assert done.returncode == 0 and passed > 1000 and not failed, output[-3000:]
    assert of in output, output[-300:]
    return output


def with_sources() -> dict[str, str]:
    """Return environment variables with which an interpreter imports the packages from the source tree."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(SOURCES)}


@cache
def interpreters(variable: str = "COMPAT_PYTHONS") -> dict[str, str]:
    """Return the commands of the interpreters to test, by their names in the table.

    Without the environment variable, this is the interpreter that runs the tests.
    """
    commands = os.environ.get(variable, sys.executable).split(os.pathsep)
    code = "import platform as p; print(p.python_implementation(), p.python_version())"
    return {
        subprocess.run([command, "-c", code], capture_output=True, text=True, check=True).stdout.strip(): command
        for command in commands
    }


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def rendered(found: list[dict[str, object]], seconds: float) -> str:
    """Return the table as text."""
    head = ("environment", "suite", "passed", "failed", "skipped", "seconds")
    lines = [head]
    for row in sorted(found, key=lambda row: (str(row["suite"]), _natural(str(row["environment"])))):
        lines.append(
            (
                str(row["environment"]),
                str(row["suite"]),
                str(row["passed"]),
                str(row["failed"]),
                str(row["skipped"]),
                f"{row['seconds']:.1f}",
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    ]
    text.insert(1, "  ".join("-" * width for width in widths))
    total = sum(int(str(row["passed"])) for row in found)
    return "\n".join([*text, "", f"{len(found)} rows, {total} tests passed, {seconds / 60:.1f} minutes"])


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", text)]
