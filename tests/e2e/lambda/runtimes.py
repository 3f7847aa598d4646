"""Virtual environments with AWS's runtime client, awslambdaric, one for each installed Python that Lambda supports.

Interpreters are searched on PATH, in the folders of LAMBDA_PYTHONS, and in pyenv's. The environments are created with
virtualenv in the folder LAMBDA_ENVIRONMENTS, and are kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
_KNOW = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"


def pythons() -> dict[str, Path]:
    """Return the installed interpreters by version."""
    folders = [Path(folder) for folder in os.environ.get("LAMBDA_PYTHONS", "").split(os.pathsep) if folder]
    folders += [Path(folder) for folder in os.get_exec_path()]
    folders += sorted(Path.home().glob(".pyenv/versions/3.*/bin"))
    found: dict[str, Path] = {}
    for version in VERSIONS:
        for path in [folder / f"python{version}" for folder in folders]:
            if version not in found and path.is_file() and "shims" not in path.parts:
                known = subprocess.run([path, "-c", _KNOW], capture_output=True, text=True)
                if known.stdout.split() == [version, "cpython"]:
                    found[version] = path
    return found


def environment(version: str, python: Path, *packages: str, name: str = "awslambdaric") -> Path | None:
    """Return the Python of an environment with these packages, or None if they lack wheels for this version."""
    folder = Path(os.environ["LAMBDA_ENVIRONMENTS"]) / f"{name}-{version}"
    made = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "virtualenv", "-q", "-p", python, folder], check=True)
        pip = [made, "-m", "pip", "install", "-q", "--only-binary", ":all:", *(packages or (name,))]
        if subprocess.run([*map(str, pip)], capture_output=True).returncode:
            return None
        (folder / "complete").touch()
    return made
