"""Packages of any Debian suite, unpacked into a separate folder.

This changes no part of the system and does not need root. apt keeps its state in the folder and checks the signatures.
The packages are unpacked without running their scripts. Requires apt-get and Debian's keys.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def run(*command: str | Path) -> str:
    """Return the output of a command. Raises SystemExit with the output if the command fails."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(str(part) for part in command[:3])} ...: {done.stdout[-2000:]}")
    return done.stdout


def unpacked(suite: str, packages: Sequence[str], folder: Path, not_needed: tuple[str, ...] = ()) -> Path:
    """Unpack packages and their dependencies into `folder / suite`, and return that folder.

    Archives whose file names begin with one of `not_needed` are left out. Raises SystemExit if
    apt-get or the keys are missing.
    """
    if not shutil.which("apt-get") or not Path(KEYS).exists():
        sys.exit(f"apt-get and {KEYS} are required: not a Debian system?")
    apt, root = folder / f"apt-{suite}", folder / suite
    _download(suite, packages, apt)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")
    for archive in sorted((apt / "cache/archives").glob("*.deb")):
        if not archive.name.startswith(not_needed):
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as packed:
                # Only root may create some of the content (devices, owners), which is not needed.
                tar = ["tar", "-x", "--keep-directory-symlink", "-C", str(root)]
                subprocess.run(tar, stdin=packed.stdout, stderr=subprocess.DEVNULL, check=False)
    shutil.rmtree(apt)
    return root


def _download(suite: str, packages: Sequence[str], apt: Path) -> None:
    for folder in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/apt.conf.d"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()  # declares no package as installed, so that all dependencies come from this suite
    sites = run("apt-get", "indextargets", "--format", "$(SITE)").split()
    mirror = next(site for site in sites if site.rstrip("/").endswith("/debian"))
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
        "Acquire::Check-Valid-Until": "false",  # the index of an old suite is no longer renewed
        "Debug::NoLocking": "true",
    }
    options = [f"-o{name}={value}" for name, value in settings.items()]
    run("apt-get", "-q", *options, "update")
    run("apt-get", "-q", "-y", "--download-only", *options, "install", *packages)
