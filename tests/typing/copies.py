"""Check vendored copies of each part, inside another package, with mypy and pyright in strict mode.

`tox -e types` runs this.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from together_adapters.vendor import vendor
from together_adapters.vendor._parts import PARTS

SETTINGS = '{"include": ["app"], "typeCheckingMode": "strict", "pythonVersion": "3.9"}'
FORMS: list[tuple[list[str], bool]] = [
    *(([part], False) for part in PARTS),
    (["streams", "openai", "lambda"], False),
    (["streams", "openai"], True),
]


def check(only: list[str], single_file: bool) -> int:
    """Return the number of type checkers that report errors in a copy of these parts."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, "app")
        package.mkdir()
        (package / "__init__.py").touch()
        Path(folder, "pyrightconfig.json").write_text(SETTINGS, "utf-8")
        vendor(package / "_vendor", only=only, single_file=single_file)
        commands = (["mypy", "--strict", "--no-incremental", "app"], ["pyright", "-p", "."])
        failed = [
            command[0]
            for command in commands
            if subprocess.run(
                [Path(sys.executable).with_name(command[0]), *command[1:]], check=False, cwd=folder
            ).returncode
        ]
    print(f"a copy of {', '.join(only)}{' in one file' if single_file else ''}: {failed or 'clean'}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(sum(check(only, single_file) for only, single_file in FORMS) > 0)
