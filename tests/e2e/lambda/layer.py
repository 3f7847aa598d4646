"""Build the zip files that the examples deploy: `layer.zip` with the two packages, and one for each example.

    python tests/e2e/lambda/layer.py DESTINATION [--python PYTHON]...

Lambda mounts layers and functions read-only, so a module without bytecode is compiled in every cold start. Bytecode is
compiled for the Python that runs this script and for those named with `--python`. It is of the unchecked-hash kind,
because the times of files in a zip differ from those of the source. The source is included too, for other versions of
Python.

Builds are reproducible: the same source and the same Pythons result in the same bytes. Times, order and modes are
fixed, and hash randomisation is off.
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
TIME = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can represent
COMPILE = """
import importlib.util, pathlib, py_compile, sys
root, shown = pathlib.Path(sys.argv[1]), sys.argv[2]
for path in sorted(root.rglob("*.py")):
    name = str(path.relative_to(root).as_posix())
    py_compile.compile(str(path), importlib.util.cache_from_source(str(path)), f"{shown}/{name}", True,
                       invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""


def build(destination: Path, pythons: Sequence[str | Path] = (sys.executable,)) -> list[Path]:
    """Build all zip files and return their paths."""
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
    """Compile the modules in a folder, with the paths that they have in Lambda, and write the zip file."""
    shown = "/opt" if archive.stem == "layer" else "/var/task"
    for python in pythons:
        command = [python, "-s", "-S", "-c", COMPILE, folder, shown]
        subprocess.run(
            [*map(str, command)], check=True, cwd=folder, env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
        )
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), TIME)
            entry.create_system = 3  # Unix: Lambda reads the file modes
            entry.external_attr = (0o755 if path.suffix == ".sh" else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, path.read_bytes())
    return archive


def digests(paths: Sequence[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("destination", type=Path)
    parser.add_argument("--python", action="append", default=[], help="also compile for this Python interpreter")
    arguments = parser.parse_args()
    pythons = [sys.executable, *arguments.python]
    built = build(arguments.destination, pythons)
    with tempfile.TemporaryDirectory() as again:
        second = digests(build(Path(again), pythons))
    for path, digest in zip(built, digests(built).values()):
        same = "reproduced" if second[path.name] == digest else "NOT REPRODUCED"
        print(f"{digest}  {path}  {path.stat().st_size} bytes  {same}")
    if digests(built) != second:
        raise SystemExit("the build is not reproducible: two builds of the same source differ")


if __name__ == "__main__":
    main()
