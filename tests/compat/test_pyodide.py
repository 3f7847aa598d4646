"""The portable tests in CPython on WebAssembly, as in a browser: without sockets or threads, with a small stack."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from table import ROOT, portable

# Versions of pyodide on npm, with the Python version of each.
VERSIONS = {"0.29.3": "3.13", "314.0.7": "3.14", "315.0.0-alpha.2": "3.15"}
if os.environ.get("COMPAT_SOME"):
    VERSIONS = {"314.0.7": "3.14"}


@pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed")
@pytest.mark.parametrize("version", VERSIONS)
def test_portable_tests_pass_in_pyodide(version: str, tmp_path: Path) -> None:
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(tmp_path), f"pyodide@{version}"]
    subprocess.run(install, check=True, cwd=tmp_path, timeout=180)
    script = str(ROOT / "tests" / "compat" / "pyodide.mjs")
    output = portable(
        f"Pyodide {version} (Python {VERSIONS[version]})", ["node", script, str(ROOT)], of="/repository", cwd=tmp_path
    )
    assert re.search(rf"CPython {VERSIONS[version]}\S* emscripten", output)
