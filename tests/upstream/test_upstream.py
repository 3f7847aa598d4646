"""Tests that the stubs equal the types of the real SDKs. Other tests compare the stubs with our dataclasses.

`tox -e upstream` installs the SDKs. together 3.x has the import name of 1.x, so it is installed in a separate folder,
which the environment variable TOGETHER_3 names.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

import pytest
import sdk_parity
from mutations import seeded

TESTS = Path(__file__).parents[1]
STUBS = TESTS.parent / "stubs"
LISTED = json.loads((TESTS / "data" / "upstream.json").read_text("utf-8"))
TOGETHER_3 = os.environ.get("TOGETHER_3", "")


def installed(package: str) -> pytest.MarkDecorator:
    found = find_spec(package) is not None
    return pytest.mark.skipif(not found, reason=f"{package} is not installed: tox -e upstream installs it")


def modules_of(package: str) -> list[str]:
    """Return the modules of the stubs that define classes."""
    return sorted(
        {
            path.rpartition(".")[0]
            for path, kind in sdk_parity.of_stubs(STUBS, package).items()
            if kind in sdk_parity.KINDS
        }
    )


def of_sdk(package: str, modules: list[str], *first: str | Path) -> sdk_parity.Shape:
    """Return the types of an installed SDK. The folders `first` precede the installed packages on the path."""
    path = os.pathsep.join(map(str, first))
    command = [sys.executable, TESTS / "upstream" / "read_sdk.py", package, *modules]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    shape: sdk_parity.Shape = json.loads(done.stdout)
    return shape


def is_left_out(path: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in LISTED["left_out_of_the_openai_stubs"])


def between(package: str, sdk: sdk_parity.Shape) -> sdk_parity.Differences:
    """Return the differences between an SDK and its stubs, except for the types that the stubs omit on purpose."""
    stubs = sdk_parity.of_stubs(STUBS, package)
    found = sdk_parity.differences(stubs, sdk)
    return {path: sides for path, sides in found.items() if sides[0] is not None or not is_left_out(path)}


@pytest.mark.parametrize(
    "package",
    [pytest.param(name, marks=installed(name.partition(".")[0])) for name in ("together.types", "openai.types")],
)
def test_stubs_equal_the_sdk(package: str) -> None:
    sdk = of_sdk(package, modules_of(package))
    assert between(package, sdk) == {}
    if package == "openai.types":
        patterns = LISTED["left_out_of_the_openai_stubs"]
        assert not [pattern for pattern in patterns if not any(fnmatch(path, pattern) for path in sdk)]


# Changes in a copy of the SDK, and the path that must be reported for each.
SEEDS = [
    ("together", "common", "rename", "UsageData.prompt_tokens"),
    ("together", "common", "default", "TogetherRequest.override_headers"),
    ("together", "common", "annotation", "LogprobsPart.tokens"),
    ("together", "common", "value", "FinishReason.StopSequence"),
    ("together", "chat_completions", "rename", "ToolCalls.function"),
    ("together", "chat_completions", "default", "ChatCompletionRequest.stream"),
    ("together", "chat_completions", "value", "MessageRole.TOOL"),
    ("together", "error", "rename", "TogetherErrorResponse.param"),
    ("openai", "completion_usage", "rename", "CompletionUsage.total_tokens"),
    ("openai", "chat.chat_completion_chunk", "default", "ChoiceDelta.content"),
    ("openai", "chat.chat_completion", "annotation", "Choice.finish_reason"),
    ("openai", "chat.chat_completion_message_function_tool_call_param", "rename", "Function.arguments"),
]


@pytest.mark.parametrize(
    ("sdk", "module", "kind", "field"),
    [pytest.param(*seed, marks=installed(seed[0]), id=":".join(seed)) for seed in SEEDS],
)
def test_change_in_the_sdk_is_reported(sdk: str, module: str, kind: str, field: str, tmp_path: Path) -> None:
    spec = find_spec(sdk)
    assert spec is not None and spec.origin is not None
    shutil.copytree(Path(spec.origin).parent, tmp_path / sdk)
    path = (tmp_path / sdk / "types").joinpath(*module.split(".")).with_suffix(".py")
    path.write_text(seeded(path.read_text("utf-8"), kind, only=field), "utf-8")
    package = f"{sdk}.types"
    noticed = between(package, of_sdk(package, modules_of(package), tmp_path))
    assert noticed and all(name.removesuffix("_seeded") == f"{module}.{field}" for name in noticed)


@pytest.mark.skipif(not TOGETHER_3, reason="together 3.x is not installed: tox -e upstream installs it")
def test_our_types_differ_from_the_current_sdk_as_listed() -> None:
    pairs = LISTED["together_3_pairs"]
    sdk = of_sdk("together.types", sorted({path.rpartition(".")[0] for path in pairs}), TOGETHER_3)
    assert set(pairs) == {path for path, text in sdk.items() if text in sdk_parity.KINDS}
    found = sdk_parity.between_pairs(
        sdk_parity.translated(sdk, sdk_parity.in_our_terms(pairs)), "together_types", pairs
    )
    assert found == {path: [theirs, ours] for path, (theirs, ours, _) in LISTED["together_3"].items()}
