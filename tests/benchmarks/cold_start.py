"""Measure cold starts: the time from the start of AWS's runtime client until it requests its first event.

    python tests/benchmarks/cold_start.py --sdk openai=DIR --sdk together-1=DIR --sdk together-3=DIR [--rounds 15]

Each DIR contains an SDK as `pip install --target` installs it. awslambdaric must be installed in the environment that
runs this script. Our packages come from the built layer.

The handlers differ in their imports and take turns within one run. The result is the least time of each handler, which
other work on the machine disturbs least, minus that of an empty handler. It is shown as a ratio, because milliseconds
of one machine do not apply to another.

The client of an SDK creates its TLS settings in its constructor, ours at its first connection, so both cases of ours
are shown. Every handler is measured with the bytecode that the packages were built with, and without bytecode. A zip
that contains only sources starts without bytecode on Lambda's read-only file system.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "e2e" / "lambda")]

from lambda_emulator import RuntimeAPI  # noqa: E402
from layer import build  # noqa: E402

HANDLER = "\ndef handler(event, context):\n    return {}\n"
OURS = {
    "types": "import together_types",
    "types + client": "import together_types\nfrom together_adapters.client import Together\nclient = Together(api_key='k')",
    "types + client + TLS": "import ssl\nimport together_types\nfrom together_adapters.client import Together\n"
    "client = Together(api_key='k', ssl_context=ssl.create_default_context())",
    "types + client + aws_lambda": "from together_adapters import aws_lambda\nfrom together_adapters.client import Together\nclient = Together(api_key='k')",
}
SDKS = {"openai": "OpenAI", "together-1": "Together", "together-3": "Together"}


def handlers_of(sdks: Mapping[str, Path], layer: Path) -> dict[str, tuple[str, Path | None]]:
    """Return the code of each handler, with the folder that it imports from."""
    handlers: dict[str, tuple[str, Path | None]] = {"empty": ("", None)}
    handlers.update({name: (code, layer) for name, code in OURS.items()})
    for name, folder in sdks.items():
        module = name.partition("-")[0]
        handlers[name] = f"import {module}", folder
        handlers[f"{name} + client"] = f"import {module}\nclient = {module}.{SDKS[name]}(api_key='k')", folder
    return handlers


def without_bytecode(folder: Path, copy: Path) -> Path:
    return Path(shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__")))


def start(code: str, folder: Path | None) -> float:
    """Return the duration of one cold start, in milliseconds."""
    with tempfile.TemporaryDirectory() as task, RuntimeAPI() as api:
        (Path(task) / "app.py").write_text(code + HANDLER)
        command = [sys.executable, "-m", "awslambdaric", "app.handler"]
        # Otherwise the next start would find the bytecode that this one writes.
        environment = {"PYTHONDONTWRITEBYTECODE": "1", "HOME": task}
        api.start(
            "app.handler", folder=Path(task), command=command, paths=[folder] if folder else [], environment=environment
        )
        waited = api.wait()
        if api.failed is not None:
            raise SystemExit(f"{code}: {api.failed[2]['errorMessage']}")
        return waited


def measure(handlers: Mapping[str, tuple[str, Path | None]], rounds: int) -> dict[str, list[float]]:
    """Return the times of each handler, in milliseconds.

    The handlers take turns, so that other work on the machine affects all of them.
    """
    times: dict[str, list[float]] = {name: [] for name in handlers}
    for _ in range(rounds + 1):  # the first round warms the file system's cache
        for name, (code, folder) in handlers.items():
            times[name].append(start(code, folder))
    return {name: taken[1:] for name, taken in times.items()}


def report(title: str, times: Mapping[str, list[float]]) -> None:
    added = {name: min(taken) - min(times["empty"]) for name, taken in times.items()}
    best = min(added[name] for name in added if name in SDKS)
    best_client = min(added[name] for name in added if name.endswith(" + client") and name not in OURS)
    print(
        f"\n{title}\n\n| handler imports | least ms | median ms | added ms | share of the best SDK |\n|---|---|---|---|---|"
    )
    for name, taken in times.items():
        against = best_client if "client" in name else best
        share = "" if name == "empty" else f"1/{against / max(added[name], 0.01):.1f}"
        print(f"| {name} | {min(taken):.1f} | {statistics.median(taken):.1f} | {added[name]:.1f} | {share} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--sdk", action="append", required=True, metavar="NAME=DIR", help=f"NAME is one of {', '.join(SDKS)}"
    )
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    sdks = {name: Path(folder).resolve() for name, _, folder in (text.partition("=") for text in arguments.sdk)}
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {arguments.rounds} cold starts of each")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with zipfile.ZipFile(build(folder / "zips")[0]) as layer:
            layer.extractall(folder / "layer")
        ours = folder / "layer" / "python"
        report("With bytecode", measure(handlers_of(sdks, ours), arguments.rounds))
        bare = {name: without_bytecode(path, folder / "bare" / name) for name, path in sdks.items()}
        report(
            "Without bytecode",
            measure(handlers_of(bare, without_bytecode(ours, folder / "bare" / "ours")), arguments.rounds),
        )


if __name__ == "__main__":
    main()
