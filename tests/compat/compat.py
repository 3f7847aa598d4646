"""Run every suite in every environment that is possible on this machine, and print one table of the results.

`tox -e compat` runs this. Missing interpreters are fetched (see interpreters.py). If one cannot be fetched, this fails
unless `--skip-missing` is given. `--some` runs a selection that takes a few minutes: all tests on the oldest Python,
the portable tests on all others, and the tests of hosts and copies on the newest one. The environments are declared in
tests/compat/tox.ini.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from interpreters import missing, search_path, without_shims
from table import ROOT, rendered, rows

COMMANDS = {**{f"py3{minor}": f"python3.{minor}" for minor in range(9, 16)}, "pypy311": "pypy3.11"}
FREE_THREADED = ("python3.13t", "python3.14t", "python3.15t")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--some", action="store_true", help="run only what takes a few minutes")
    parser.add_argument(
        "--pythons",
        type=Path,
        default=ROOT / ".tox" / "pythons",
        help="the folder for fetched interpreters (default: %(default)s)",
    )
    parser.add_argument("--skip-missing", action="store_true", help="run without the interpreters that are missing")
    parser.add_argument("--only", nargs="*", help="run only these tox environments")
    args = parser.parse_args()
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, ROOT / "tests" / "compat" / "interpreters.py", args.pythons], stdout=subprocess.DEVNULL
    )
    path = without_shims(search_path(args.pythons))
    lacking = [] if args.skip_missing else missing(path)
    if lacking:
        print("missing interpreters:", ", ".join(lacking))
        return 1
    found = interpreters(path)
    environments = args.only or chosen(found, args.pythons, args.some)
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        newest = max((name for name in found if name.startswith("py3")), key=lambda name: int(name[3:]), default="")
        few = [newest] if args.some else ["py39", newest, "pypy311"]
        set_here = {
            "PATH": path,
            "COMPAT_RESULTS": str(results),
            "COMPAT_PYTHONS": os.pathsep.join(found[name] for name in few if name in found),
            "COMPAT_ALL_PYTHONS": os.pathsep.join(found.values()),
            "COMPAT_OLD_PYTHON": str(args.pythons / "bin" / "python3.9"),
            "COMPAT_SOME": "1" if args.some else "",
            "HYPOTHESIS_PROFILE": "quick" if args.some else os.environ.get("HYPOTHESIS_PROFILE", "default"),
        }
        # Do not pass on the variables of the environment that this runs in.
        own = ("TOX_", "VIRTUAL_ENV", "PYTHON", "COMPAT_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        # Two processes per CPU, because many tests wait for a socket or a clock.
        command = [
            sys.executable,
            "-m",
            "tox",
            "run-parallel",
            "-c",
            str(ROOT / "tests" / "compat" / "tox.ini"),
            "-q",
            "-p",
            str(2 * (os.cpu_count() or 1)),
            "-e",
            ",".join(environments),
        ]
        try:
            done = subprocess.run(command, cwd=ROOT, env={**environment, **set_here})
        finally:  # after an interrupt, too, for the environments that have finished
            print(rendered(rows(results), time.perf_counter() - started))
    absent = left_out(found, path, args.pythons)
    if absent:
        print("not available here, so not in the table:", ", ".join(absent))
    return done.returncode


def interpreters(path: str) -> dict[str, str]:
    """Return the command of each interpreter, by the name of its tox environment."""
    found = {name: shutil.which(command, path=path) for name, command in COMMANDS.items()}
    return {
        name: command
        for name, command in found.items()
        if command and not subprocess.run([command, "-c", ""]).returncode
    }


def left_out(found: dict[str, str], path: str, pythons: Path) -> list[str]:
    """Return the names of the interpreters and programs that this machine lacks for the complete table."""
    absent = [command for name, command in COMMANDS.items() if name not in found]
    if not (pythons / "bin" / "python3.9").exists():
        absent.append("OpenSSL 1.1.1")
    if not any(shutil.which(command, path=path) for command in FREE_THREADED):
        absent.append("a free-threaded Python")
    for command, what in {"npm": "Pyodide", "java": "Spark", "unshare": "the read-only host"}.items():
        if not shutil.which(command, path=path):
            absent.append(f"{command} ({what})")
    return absent


def chosen(found: dict[str, str], pythons: Path, some: bool) -> list[str]:
    if some:
        return ["hosts", *[name for name in ("py39",) if name in found]]
    old = ["openssl111"] if (pythons / "bin" / "python3.9").exists() else []
    spark = ["spark"] if shutil.which("java") else []
    return ["hosts", *found, *old, "single-file", "engines", "dask", *spark]


if __name__ == "__main__":
    sys.exit(main())
