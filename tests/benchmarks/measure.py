"""Ratios of CPU time. Both sides are measured in turns, so that other work on the machine affects both."""

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

Ratio = dict[str, float]  # the keys are "median", "low" and "high", of all rounds


def _time_of(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turns(base: Callable[[], object], works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Ratio]:
    """Return the CPU time of each of `works` as a multiple of that of `base`."""
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
    """Return a function that reads all the bodies, `times` times."""

    def work() -> None:
        for _ in range(times):
            for body in bodies:
                read(body)

    return work


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _cpu_of_process(code: str, **variables: str) -> float:
    """Return the CPU seconds of a new interpreter that runs the code."""
    environment = _environment() | variables
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-S", "-c", code], check=True, env=environment, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peak_of_process(code: str) -> float:
    """Return the peak memory, in MB, of a new interpreter that runs the code.

    Works only on Linux, where the peak is counted from the start of the program.
    """
    paths = f"import sys; sys.path[:] = {sys.path!r}; "
    last = "; print(*[line for line in open('/proc/self/status') if line.startswith('VmHWM:')])"
    command = [sys.executable, "-S", "-c", paths + code + last]
    done = subprocess.run(command, check=True, env=_environment(), stdout=subprocess.PIPE)
    return int(done.stdout.split()[1]) / 1024


def processes_in_turns(
    codes: Mapping[str, str], unit: tuple[str, str], rounds: int, **variables: str
) -> dict[str, Ratio]:
    """Return the CPU time of each code, relative to that of `unit[1]`.

    The CPU time of `unit[0]`, which does nothing, is subtracted from both.
    """
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
    """Return one group of rows as a Markdown table, with the medians of an earlier run if there is one."""
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
