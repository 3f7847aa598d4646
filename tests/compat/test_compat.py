"""Tests of `tox -e compat` on a machine that lacks most interpreters and programs.

It runs the other environments, and lists the missing interpreters and programs.
"""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
from compat import COMMANDS, FREE_THREADED, chosen, interpreters, left_out, main
from interpreters import REQUIRED, missing
from table import ROOT


def test_report_on_an_empty_machine_lists_everything_missing(tmp_path: Path) -> None:
    assert interpreters(str(tmp_path)) == {}
    missing = left_out({}, str(tmp_path), tmp_path)
    assert set(COMMANDS.values()) < set(missing)
    assert {item.partition(" ")[0] for item in missing[len(COMMANDS) :]} == {"OpenSSL", "a", "npm", "java", "unshare"}
    for name in ("python3.9", FREE_THREADED[0], "npm", "java", "unshare"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).touch(mode=0o755)
    assert left_out(dict.fromkeys(COMMANDS, ""), str(tmp_path / "bin"), tmp_path) == []


@pytest.mark.parametrize("minor", [10, 11, 12, 13, 14])
def test_environments_on_a_machine_with_one_python_accept_it(minor: int, tmp_path: Path) -> None:
    """An environment whose `base_python` does not include the only installed version would fail."""
    file = configparser.ConfigParser(interpolation=None)
    file.read(ROOT / "tests" / "compat" / "tox.ini")
    sections = {"engines": "{engines,dask,spark}", "dask": "{engines,dask,spark}"}
    for name in chosen({f"py3{minor}": "python"}, tmp_path, some=False):
        section = "testenv:" + sections.get(name, name)
        asked = file.get(section, "base_python", fallback="") if section in file else ""
        lines = [line for line in asked.splitlines() if ":" not in line or line.startswith(f"{name}:")]
        assert not "".join(lines) or f"python3.{minor}" in "".join(lines), name


def test_compat_with_missing_interpreters_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert missing(str(tmp_path)) == list(REQUIRED)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["compat.py", "--pythons", str(tmp_path / "pythons"), "--some"])
    assert main() == 1
    assert "missing interpreters: python3.9," in capsys.readouterr().out


def test_compat_without_interpreters_lists_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(
        "sys.argv", ["compat.py", "--pythons", str(tmp_path / "pythons"), "--skip-missing", "--only", "none"]
    )
    assert main() != 0  # tox fails for an environment that is not declared
    assert "0 rows" in (printed := capsys.readouterr().out) and "python3.9," in printed
