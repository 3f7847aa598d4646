"""Settings that all tests share, and a way to skip files whose imports are not available."""

from __future__ import annotations

import gc
import os
import platform
import re
import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from result_rows import record

pytest.register_assert_rewrite("encoded_streams")

if TYPE_CHECKING:
    from collections.abc import Iterator

if find_spec("hypothesis"):
    from hypothesis import HealthCheck, settings

    settings.register_profile("default", max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=20_000)
    settings.register_profile("quick", parent=settings.get_profile("default"), max_examples=5)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # inherited from a shell that started a background job
    signal.signal(signal.SIGINT, signal.default_int_handler)

_STARTED = time.perf_counter()
# Some interpreters cannot have these modules. Test files that import a missing one are skipped and listed at the end.
_MAY_BE_MISSING = [name for name in ("hypothesis", "asyncio", "ssl") if not find_spec(name)]
_passed_over: set[str] = set()


@pytest.fixture(scope="session", autouse=True)
def _elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Change to an empty folder, so that interpreters that tests start do not import modules from the current one."""
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    yield
    os.chdir(before)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    if collection_path.suffix == ".py" and _MAY_BE_MISSING:
        imported = set(re.findall(r"^(?:import|from) (\w+)", collection_path.read_text("utf-8"), re.MULTILINE))
        if imported & set(_MAY_BE_MISSING):
            _passed_over.add(collection_path.name)
            return True
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Reject ids that contain a memory address, because pytest-xdist needs the same ids in every process."""
    changing = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if changing:
        raise pytest.UsageError(f"test ids must not contain a memory address, set `ids=`: {', '.join(changing)}")


def pytest_collection_finish() -> None:
    """Exclude the collected tests from garbage collection, because each `gc.collect()` takes 0.1 s with them."""
    gc.collect()
    getattr(gc, "freeze", gc.collect)()  # PyPy lacks `freeze`


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _passed_over:
        terminalreporter.write_line(
            f"not installed: {', '.join(_MAY_BE_MISSING)}. Skipped files: {', '.join(sorted(_passed_over))}"
        )
    suite = os.environ.get("COMPAT_SUITE")
    if suite:
        passed, failed, error, skipped = [
            len(terminalreporter.stats.get(name, ())) for name in ("passed", "failed", "error", "skipped")
        ]
        name = f"{platform.python_implementation()} {platform.python_version()}"
        record(name, suite, _STARTED, passed=passed, failed=failed + error, skipped=skipped)
