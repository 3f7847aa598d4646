"""Measure the speed of this library as ratios, which depend little on the machine.

Every figure is relative to a base that is measured in turns with it: `json.loads` of the same bodies, `split` and
`json.loads` of the same stream, or `import json, dataclasses, enum`. Other libraries are measured if they are
installed. together 3.x has the import name of 1.x, so it is measured in a second process, from the folder in the
environment variable TOGETHER_3. Use --json FILE and --against FILE to compare runs.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent)]
if find_spec("together_types") is None:
    sys.path[:0] = [str(ROOT), str(ROOT / "adapters")]

import peers  # noqa: E402
import together_adapters  # noqa: E402
from bodies import BODIES, CHUNKS, stream, stream_that_does_not_repeat  # noqa: E402
from measure import Ratio, in_turns, over, peak_of_process, processes_in_turns, table  # noqa: E402
from together_adapters.accumulate import accumulate  # noqa: E402
from together_adapters.stream import ChunkStream, iter_chunks  # noqa: E402
from together_adapters.stream._reader import ChunkReader  # noqa: E402

import together_types  # noqa: E402
from together_types import ChatCompletionChunk, ChatCompletionResponse  # noqa: E402

YARDSTICK = "import json, dataclasses, enum"  # the base for the figures of imports

Group = tuple[str, Callable[[int], dict[str, Ratio]]]


def parse(rounds: int) -> dict[str, Ratio]:
    rows: dict[str, Ratio] = {}
    for name, bodies in BODIES.items():
        cls = ChatCompletionChunk if name.endswith("chunk") else ChatCompletionResponse
        works = {name: over(cls.from_json, bodies)}
        for peer, read in peers.readers(chunk=cls is ChatCompletionChunk).items():
            works[f"{name}: {peer}"] = over(read, bodies)
        rows.update(in_turns(over(json.loads, bodies), works, rounds))
    return rows


def split_and_load(pieces: list[bytes]) -> None:
    rest = b""
    for piece in pieces:
        *blocks, rest = (rest + piece).split(b"\n\n")
        for block in blocks:
            if block != b"data: [DONE]":
                json.loads(block[6:])


def read(pieces: list[bytes]) -> None:
    chunks = ChunkStream(iter(pieces), ChunkReader(require_finish=False))
    for _ in chunks:
        pass
    assert chunks.completion.response.text


def streams(rounds: int) -> dict[str, Ratio]:
    events, rows = stream(), dict[str, Ratio]()
    whole = b"".join(events)
    for name, pieces in {
        "one event a piece": events,
        "4 KiB a piece": [whole[at : at + 4096] for at in range(0, len(whole), 4096)],
        "one piece": [whole],
    }.items():
        works: dict[str, Callable[[], object]] = {
            name: lambda pieces=pieces: read(pieces),  # type: ignore[misc]
        }
        for peer, iterate in peers.streams().items():
            works[f"{name}: {peer}"] = lambda pieces=pieces, iterate=iterate: iterate(pieces)  # type: ignore[misc]
        rows.update(in_turns(lambda pieces=pieces: split_and_load(pieces), works, rounds))  # type: ignore[misc]
    return rows


def in_the_stream(rounds: int) -> dict[str, Ratio]:
    """Measure a stream whose chunks do not repeat id and time, `accumulate`, and the growth with the length."""
    repeating, events = stream(), stream_that_does_not_repeat()
    rows = in_turns(
        lambda: read(repeating),
        {"a stream whose chunks do not repeat / one whose chunks do": lambda: read(events)},
        rounds,
    )
    chunks = list(iter_chunks(stream()))
    bodies = [event[6:] for event in stream()[:-1]]
    rows.update(
        in_turns(
            over(json.loads, bodies, 1), {"accumulate / json.loads, per chunk": lambda: accumulate(chunks)}, rounds
        )
    )
    few, many = stream(10_000), stream(100_000)
    rows.update(in_turns(lambda: read(few), {"100,000 / 10,000 chunks": lambda: read(many)}, min(rounds, 5)))
    return rows


def memory(rounds: int) -> dict[str, Ratio]:
    """Measure the bytes that values occupy. tracemalloc counts exactly, so the low and the high value are the same."""
    events = stream(100_000)
    bodies = [event[6:-2] for event in events[:-1]]
    loaded = _held(lambda: [json.loads(body) for body in bodies])
    rows = {
        "100,000 chunks from from_json / dicts from json.loads": _held(
            lambda: [ChatCompletionChunk.from_json(body) for body in bodies]
        )
        / loaded,
        "100,000 chunks from a stream / dicts from json.loads": _held(lambda: list(iter_chunks(events))) / loaded,
        "peak while iterating over 100,000 chunks, with their completion, MB": _peak(lambda: read(events)) / 1e6,
    }
    return {name: _exactly(value) for name, value in rows.items()} | _peaks_of_imports(rounds)


def _exactly(value: float) -> Ratio:
    return {"median": value, "low": value, "high": value}


def _peaks_of_imports(rounds: int) -> dict[str, Ratio]:
    """Measure what importing adds to the peak memory of a process.

    Returns the least value of the rounds, because other processes can only add to it. Returns no rows outside Linux.
    """
    if not sys.platform.startswith("linux"):
        return {}
    codes = [YARDSTICK, f"{YARDSTICK}, together_types", f"{YARDSTICK}, together_types, together_adapters.stream"]
    least, types, stream = [min([peak_of_process(code) for _ in range(rounds)]) for code in codes]
    return {
        f"importing together_types after `{YARDSTICK}`, peak, MB": _exactly(types - least),
        f"importing together_types and together_adapters.stream after `{YARDSTICK}`, peak, MB": _exactly(
            stream - least
        ),
    }


def _held(work: Callable[[], object]) -> float:
    import tracemalloc  # not in PyPy

    gc.collect()
    tracemalloc.start()
    kept = work()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del kept
    return held


def _peak(work: Callable[[], object]) -> float:
    import tracemalloc

    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def imports(rounds: int) -> dict[str, Ratio]:
    codes = {
        "json, enum and together_types": "import json, enum, together_types",
        "json, dataclasses, enum and together_types": f"{YARDSTICK}, together_types",
        "json, dataclasses, enum and together_adapters.stream": f"{YARDSTICK}, together_adapters.stream",
    }
    rows: dict[str, Ratio] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package in (together_types, together_adapters):
            source = Path(str(package.__file__)).parent
            shutil.copytree(source, Path(folder) / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        for name, begin, variables in (
            (", ours without .pyc", "import sys; sys.dont_write_bytecode = True; ", {}),
            (
                ", everything without .pyc",
                "import sys; sys.dont_write_bytecode = True; ",
                {"PYTHONPYCACHEPREFIX": folder + "/none"},
            ),
            ("", "import sys; ", {}),
        ):
            begin += f"sys.path.insert(0, {folder!r}); "
            works = {label + name: begin + code for label, code in codes.items()}
            rows.update(processes_in_turns(works, (begin, begin + YARDSTICK), rounds, **variables))
    return rows


def rows_of_together_3(group: str, rounds: int) -> dict[str, Ratio]:
    """Return the rows of together 3.x, measured in a process that imports it instead of 1.x."""
    folder = os.environ["TOGETHER_3"]
    with tempfile.TemporaryDirectory() as results:
        path = Path(results) / "results.json"
        environment = {**os.environ, "PYTHONPATH": folder, "TOGETHER_3": ""}
        command = [sys.executable, str(Path(__file__).parent), group, "--rounds", str(rounds), "--json", str(path)]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        rows: dict[str, Ratio] = json.loads(path.read_text("utf-8"))["groups"][group]
    return {name: ratio for name, ratio in rows.items() if ": together 3." in name}


GROUPS: dict[str, Group] = {
    "parse": ("reading bytes into values, relative to `json.loads` of the same bytes", parse),
    "stream": (f"reading a stream of {CHUNKS:,} chunks, relative to `split` and `json.loads`", streams),
    "scale": ("streams", in_the_stream),
    "memory": ("memory", memory),
    "import": (f"importing, relative to `{YARDSTICK}`", imports),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"any of {', '.join(GROUPS)} (default: all)")
    parser.add_argument(
        "--rounds", type=int, default=25, help="number of measurements of each figure (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to this file")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with the results in this file")
    options = parser.parse_args()
    unknown = set(options.groups) - set(GROUPS)
    if unknown:
        parser.error(f"unknown groups: {', '.join(sorted(unknown))}")
    earlier: dict[str, Any] = json.loads(options.against.read_text("utf-8"))["groups"] if options.against else {}
    machine = (
        f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()} {platform.system()}"
    )
    print(
        f"{datetime.date.today()}, {machine}: medians of {options.rounds} rounds. Peers: {', '.join(peers.versions()) or 'none'}\n"
    )
    results: dict[str, dict[str, Ratio]] = {}
    for name in options.groups or GROUPS:
        if name == "memory" and sys.implementation.name != "cpython":
            continue  # other implementations lack tracemalloc
        title, run = GROUPS[name]
        results[name] = run(options.rounds)
        if name in ("parse", "stream") and os.environ.get("TOGETHER_3"):
            results[name].update(rows_of_together_3(name, options.rounds))
        print(table(title, results[name], earlier.get(name, {})) + "\n", flush=True)
    if options.json:
        kept = {"date": str(datetime.date.today()), "machine": machine, "groups": results}
        options.json.write_text(json.dumps(kept, indent=1), "utf-8")


if __name__ == "__main__":
    main()
