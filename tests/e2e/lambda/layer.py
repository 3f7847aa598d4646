"""Builds what the examples deploy: `layer.zip` with the two packages, and a zip of each example.

    python tests/e2e/lambda/layer.py DESTINATION [--python PYTHON]...

Lambda mounts both read-only, so what is not compiled here is compiled again in every cold start. Bytecode is made for
the Python that runs this, and for each other one that is named. It is of the unchecked-hash kind, because times in a
zip are not those of the source, and lies beside the source, so that other versions of Python use that. The same
source and the same Pythons give the same bytes: times, order and modes are fixed, and hashing is not random.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PACKAGES = (ROOT / "together_types", ROOT / "adapters" / "together_adapters")
EXAMPLES = ("chat_proxy", "summariser", "batch_worker")
TIME = (1980, 1, 1, 0, 0, 0)  # when zip's calendar begins
COMPILE = """
import importlib.util, pathlib, py_compile, sys
root, shown = pathlib.Path(sys.argv[1]), sys.argv[2]
for path in sorted(root.rglob("*.py")):
    name = str(path.relative_to(root).as_posix())
    py_compile.compile(str(path), importlib.util.cache_from_source(str(path)), f"{shown}/{name}", True,
                       invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""


def build(destination: Path, pythons: Sequence[str | Path] = (sys.executable,)) -> list[Path]:
    """Build all the zips; gives their paths."""
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        staged = Path(folder)
        for package in PACKAGES:
            copied = staged / "layer" / "python" / package.name
            shutil.copytree(package, copied, ignore=shutil.ignore_patterns("__pycache__"))
        for name in EXAMPLES:
            shutil.copytree(HERE / name, staged / name, ignore=shutil.ignore_patterns("__pycache__", "template.yaml"))
        return [zipped(staged / name, destination / f"{name}.zip", pythons) for name in ("layer", *EXAMPLES)]


def zipped(folder: Path, archive: Path, pythons: Sequence[str | Path]) -> Path:
    """Compile a folder as Lambda will see it, and put it into a zip."""
    shown = "/opt" if archive.stem == "layer" else "/var/task"
    for python in pythons:
        command = [python, "-s", "-S", "-c", COMPILE, folder, shown]
        subprocess.run(
            [*map(str, command)], check=True, cwd=folder, env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
        )
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), TIME)
            entry.create_system = 3  # whose modes Lambda reads
            entry.external_attr = (0o755 if path.suffix == ".sh" else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, path.read_bytes())
    return archive


def digests(paths: Sequence[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("destination", type=Path)
    parser.add_argument("--python", action="append", default=[], help="compile for this Python, too")
    arguments = parser.parse_args()
    pythons = [sys.executable, *arguments.python]
    built = build(arguments.destination, pythons)
    with tempfile.TemporaryDirectory() as again:
        second = digests(build(Path(again), pythons))
    for path, digest in zip(built, digests(built).values()):
        same = "same again" if second[path.name] == digest else "NOT REPRODUCED"
        print(f"{digest}  {path}  {path.stat().st_size} bytes  {same}")
    if digests(built) != second:
        raise SystemExit("two builds of the same tree differ")


if __name__ == "__main__":
    main()
