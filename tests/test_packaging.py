"""Tests of the contents of the wheel and the source archive, built and installed as by pip."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("build", reason="the archives are built with the package `build`")
ROOT = Path(__file__).parents[1]


def files_of(package: str, folder: Path) -> set[str]:
    return {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for path in folder.rglob("*")
        if path.suffix == ".py" or path.name in ("py.typed", "LICENSE")
    }


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with both archives.

    The wheel is built from the source archive, which shows that the source archive is complete.
    """
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True, capture_output=True)
    return folder


def test_wheel_contains_only_the_two_packages(archives: Path) -> None:
    [path] = archives.glob("*-py3-none-any.whl")
    with zipfile.ZipFile(path) as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
        info = {name for name in names if ".dist-info/" in name}
        [metadata] = [wheel.read(name).decode() for name in info if name.endswith("/METADATA")]
    expected = files_of("together_types", ROOT / "together_types")
    expected |= files_of("together_adapters", ROOT / "adapters" / "together_adapters")
    assert names - info == expected
    assert any(name.endswith("/LICENSE") for name in info)
    assert "Requires-Dist" not in metadata and "License-Expression: MIT" in metadata


def test_source_archive_contains_tests_and_stubs(archives: Path) -> None:
    [path] = archives.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    tracked = [
        str(path.relative_to(ROOT))
        for folder in ("tests", "stubs")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    ]
    assert not {name for name in tracked if "__pycache__" not in name} - names
    assert {
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "tox.ini",
        "setup.cfg",
        "pyproject.toml",
    } <= names


def test_installed_wheel_is_imported_and_runs_its_command(archives: Path, tmp_path: Path) -> None:
    [wheel] = archives.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--target", tmp_path, wheel]
    subprocess.run(pip, check=True, capture_output=True, cwd=tmp_path)

    def output(*command: str | Path) -> str:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(
            command, check=True, stdout=subprocess.PIPE, cwd=tmp_path, env=environment, text=True
        ).stdout

    code = "import together_adapters, together_types as t; print(t.__file__, together_adapters.__file__)"
    assert output(sys.executable, "-c", code).count(str(tmp_path)) == 2
    assert "The capital of France is Paris." in output(tmp_path / "bin" / "together-types", "replay")
