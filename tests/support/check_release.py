"""Build the archives for publication twice and check them: `tox -e release`. Does not publish them."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Archives contain times. This one, or SOURCE_DATE_EPOCH, replaces the time of the build. ZIP files cannot store times
# before 1980.
BUILD_TIME = os.environ.get("SOURCE_DATE_EPOCH", "315619200")


def build(folder: Path) -> dict[str, str]:
    """Build the source archive and, from it, the wheel, and return the SHA-256 of each by its name."""
    command = [sys.executable, "-W", "error", "-m", "build", "--outdir", str(folder), str(ROOT)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": BUILD_TIME}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stdout)
    for path in folder.glob("*.tar.gz"):
        settle(path)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def settle(path: Path) -> None:
    """Rewrite a source archive with fixed times and owners. setuptools writes those of the machine."""
    with tarfile.open(path) as old:
        members = [
            (member, old.extractfile(member)) for member in sorted(old.getmembers(), key=lambda member: member.name)
        ]
        with (
            open(path.with_suffix(".new"), "wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=int(BUILD_TIME)) as packed,
        ):
            with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as new:
                for member, content in members:
                    settled = tarfile.TarInfo(member.name)
                    settled.size, settled.mode, settled.type = member.size, member.mode, member.type
                    settled.mtime = int(BUILD_TIME)
                    new.addfile(settled, content)
    path.with_suffix(".new").replace(path)


def main(destination: Path) -> None:
    with tempfile.TemporaryDirectory() as again:
        first, second = build(destination), build(Path(again))
    for name, digest in first.items():
        size = (destination / name).stat().st_size
        print(f"{digest}  {name}  {size} bytes  {'reproduced' if second.get(name) == digest else 'NOT REPRODUCED'}")
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *map(str, destination.iterdir())], check=True)
    if first != second:
        raise SystemExit("two builds of the same source tree differ")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
