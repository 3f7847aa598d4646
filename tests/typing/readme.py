"""Check the Python snippets of README.md as they are written, with `mypy --strict` and pyright.

`python tests/typing/readme.py` exits with 1 if a checker reports an error. The packages must be installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).parents[2] / "README.md"
# Sections whose snippets use values that may be None. A section without errors must be removed from this list.
WITH_ERRORS = {"Five examples", "Read a response", "OpenAI's format, both ways", "AWS Lambda"}


def snippets() -> dict[str, list[str]]:
    """Return the Python snippets of each section that has any."""
    sections = re.split(r"^## (.*)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    found = {
        title: re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for title, text in zip(sections[::2], sections[1::2])
    }
    return {title: codes for title, codes in found.items() if codes}


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def errors_of_mypy(folder: Path, names: list[str]) -> list[str]:
    """Return the messages of mypy, which begin with the names of the files. Each file is checked as a program."""
    lines: list[str] = []
    for name in names:
        command = [program("mypy"), "--strict", "--config-file=", "--no-error-summary", name]
        lines += subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout.splitlines()
    return lines


def errors_of_pyright(folder: Path) -> list[str]:
    command = [program("pyright"), "--pythonpath", sys.executable, "--outputjson", "."]
    report = json.loads(subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout)
    return [f"{Path(found['file']).name}: {found['message']}" for found in report["generalDiagnostics"]]


def main() -> int:
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        titles: dict[str, str] = {}
        for number, (title, codes) in enumerate(snippets().items()):
            for position, code in enumerate(codes):
                name = f"section{number}_{position}.py"
                titles[name] = title
                (folder / name).write_text(code, "utf-8")
        failed: set[str] = set()
        for line in [*errors_of_mypy(folder, list(titles)), *errors_of_pyright(folder)]:
            title = titles[line.partition(":")[0]]
            failed.add(title)
            if title not in WITH_ERRORS:
                wrong.append(f"{title}: {line}")
        wrong += [f"{title}: has no errors, so remove it from WITH_ERRORS" for title in sorted(WITH_ERRORS - failed)]
    print("\n".join([*wrong, f"{len(titles)} snippets, {len(wrong)} faults"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
