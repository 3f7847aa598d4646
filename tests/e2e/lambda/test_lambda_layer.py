"""The deployed zip files are reproducible, and their bytecode is used."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from layer import EXAMPLES, PACKAGES, build, digests


def test_two_builds_are_equal_and_complete(tmp_path: Path) -> None:
    built = build(tmp_path / "one")
    os.utime(PACKAGES[0] / "common.py")  # a file with another time in the second build
    assert digests(built) == digests(build(tmp_path / "two"))
    with zipfile.ZipFile(built[0]) as layer:
        sources = {name for name in layer.namelist() if name.endswith(".py")}
        bytecode = {name for name in layer.namelist() if name.endswith(".pyc")}
    roots = [(package, path) for package in PACKAGES for path in package.rglob("*.py")]
    assert sources == {f"python/{path.relative_to(package.parent).as_posix()}" for package, path in roots}
    assert len(bytecode) == len(sources)
    for archive, _ in zip(built[1:], EXAMPLES):
        with zipfile.ZipFile(archive) as example:
            assert "app.py" in example.namelist() and "template.yaml" not in example.namelist()
            modes = {info.filename: info.external_attr >> 16 & 0o777 for info in example.infolist()}
        assert modes.get("stream.sh", 0o755) == 0o755 and modes["app.py"] == 0o644


def test_layer_runs_from_bytecode(tmp_path: Path) -> None:
    with zipfile.ZipFile(build(tmp_path)[0]) as layer:
        layer.extractall(tmp_path / "opt")
    for source in (tmp_path / "opt").rglob("*.py"):
        source.write_text("this is not read")
    code = "from together_adapters import aws_lambda, client; print(aws_lambda.respond(1)['body'])"
    environment = {"PYTHONPATH": str(tmp_path / "opt" / "python"), "PATH": os.defpath}
    done = subprocess.run(
        [sys.executable, "-s", "-c", code], env=environment, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout == "1\n", done.stderr
