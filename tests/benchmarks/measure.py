"""Ratios of CPU time, measured in turns, so that what else the machine does counts on both sides."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["Ratio", "in_turns", "over", "peak_of_process", "processes_in_turns", "table"]

Ratio = dict[str, float]  # of all rounds: "median", "low" and "high"


def _time_of(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turns(base: Callable[[], object], works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Ratio]:
    """How many times as long as `base` each of the works takes."""
    for work in (base, *works.values()):
        work()
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        unit = _time_of(base)
        for name, work in works.items():
            found[name].append(_time_of(work) / unit)
    return {name: _summary(values) for name, values in found.items()}


def _summary(values: Iterable[float]) -> Ratio:
    ordered = sorted(values)
    return {"median": statistics.median(ordered), "low": ordered[0], "high": ordered[-1]}


def over(read: Callable[[bytes], object], bodies: list[bytes], times: int = 4) -> Callable[[], object]:
    """The work of reading all the bodies, some times."""

    def work() -> None:
        for _ in range(times):
            for body in bodies:
                read(body)

    return work


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _cpu_of_process(code: str, **variables: str) -> float:
    """The CPU seconds of a fresh interpreter that runs the code."""
    environment = _environment() | variables
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-S", "-c", code], check=True, env=environment, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peak_of_process(code: str) -> float:
    """The most memory, in MB, that a fresh interpreter takes to run the code; Linux alone counts from its own start."""
    paths = f"import sys; sys.path[:] = {sys.path!r}; "
    last = "; print(*[line for line in open('/proc/self/status') if line.startswith('VmHWM:')])"
    command = [sys.executable, "-S", "-c", paths + code + last]
    done = subprocess.run(command, check=True, env=_environment(), stdout=subprocess.PIPE)
    return int(done.stdout.split()[1]) / 1024


def processes_in_turns(
    codes: Mapping[str, str], unit: tuple[str, str], rounds: int, **variables: str
) -> dict[str, Ratio]:
    """What each code costs above nothing, in units of what `unit[1]` costs above `unit[0]`."""
    found: dict[str, list[float]] = {name: [] for name in codes}
    units: list[float] = []
    for code in codes.values():
        _cpu_of_process(code, **variables)
    for _ in range(rounds):
        nothing = _cpu_of_process(unit[0], **variables)
        units.append(_cpu_of_process(unit[1], **variables) - nothing)
        for name, code in codes.items():
            found[name].append(_cpu_of_process(code, **variables) - nothing)
    one = statistics.median(units)
    return {name: _summary([value / one for value in values]) for name, values in found.items()}


def table(title: str, rows: Mapping[str, Ratio], earlier: Mapping[str, Any]) -> str:
    """A Markdown table of one group of rows; with an earlier run's medians where there is one."""
    lines = [
        f"| {title} | median | range |" + (" before |" if earlier else ""),
        "|---|---|---|" + ("---|" if earlier else ""),
    ]
    for name, ratio in rows.items():
        line = f"| {name} | **{ratio['median']:.2f}** | {ratio['low']:.2f} .. {ratio['high']:.2f} |"
        if earlier:
            before = earlier.get(name)
            line += f" {before['median']:.2f} |" if before else " |"
        lines.append(line)
    return "\n".join(lines)
