"""The folders of both packages, and a function that runs a module from a copy of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import together_adapters

import together_types

PACKAGES = [Path(str(package.__file__)).parent for package in (together_types, together_adapters)]


def run(*args: str, path: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run `python -m` with these arguments. `path` contains the folders to import from, separated by colons."""
    paths = path or ":".join(str(package.parent) for package in PACKAGES)
    code = f"import sys, runpy; sys.path[:0] = {paths!r}.split(':'); runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
    return subprocess.run([sys.executable, "-I", "-c", code, *args], capture_output=True, timeout=60, cwd=cwd)
