"""Comparison of our dataclasses with the stubs of the SDKs. `tests/upstream` compares the stubs with the SDKs."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from pathlib import Path

import pytest
import sdk_parity
from mutations import KINDS, seeded

ROOT = Path(__file__).parents[2]
LISTED = json.loads((ROOT / "tests" / "data" / "sdk_parity.json").read_text("utf-8"))


def unlisted(stubs: Path, package: str) -> dict[str, object]:
    """Return the differences that the data file does not list, and those that it lists but that do not exist."""
    together = sdk_parity.between_together_and_us(stubs, package)
    alone = {path: text for path, (theirs, text) in together.items() if theirs is None and text is not None}
    listed = {path: [theirs, ours] for path, (theirs, ours, _) in LISTED["together"].items()}
    found: dict[str, object] = {}
    found.update(_mismatches(listed, {path: sides for path, sides in together.items() if path not in alone}))
    listed = {path: [theirs, ours] for path, (theirs, ours, _) in LISTED["openai"].items()}
    found.update(_mismatches(listed, sdk_parity.between_openai_and_us(stubs, package, LISTED["pairs"])))
    found.update(undocumented(alone, package, fields_of_openai(stubs)))
    return found


def fields_of_openai(stubs: Path) -> set[str]:
    """Return `Class.key` for each key of OpenAI's SDK, with the name of our class."""
    paths = [path.rpartition(".") for path in sdk_parity.of_stubs(stubs, "openai.types")]
    return {f"{LISTED['pairs'].get(cls)}.{key}" for cls, _, key in paths}


def undocumented(alone: dict[str, str], package: str, openai: set[str]) -> dict[str, object]:
    """Return the fields in `alone` that have another default than None or whose source is not documented.

    `alone` contains the fields that the SDKs do not have. The docstring of the class must name them.
    """
    found: dict[str, object] = {}
    for path, text in alone.items():
        module, cls, *field = path.split(".")
        if field:
            doc = str(getattr(importlib.import_module(f"{package}.{module}"), cls).__doc__)
            documented = f"{cls}.{field[0]}".removesuffix("_") in openai or f"`{field[0]}`" in doc
            if not documented or " = None" not in text:
                found[path] = [None, text]
    return found


def _mismatches(listed: dict[str, list[str | None]], found: sdk_parity.Differences) -> dict[str, object]:
    return {path: found.get(path) for path in {*listed, *found} if listed.get(path) != found.get(path)}


def test_dataclasses_match_the_stubs_except_for_listed_differences() -> None:
    assert unlisted(ROOT / "stubs", "together_types") == {}


@pytest.fixture(scope="module")
def equal_before_mutation() -> None:
    """Skip a test of the comparison itself if the unchanged classes fail it, because it would repeat that failure."""
    if unlisted(ROOT / "stubs", "together_types"):
        pytest.skip("test_dataclasses_match_the_stubs_except_for_listed_differences fails")


def test_listed_difference_has_a_reason() -> None:
    assert all(reason for name in ("together", "openai") for _, _, reason in LISTED[name].values())


def test_field_that_no_sdk_has_without_a_documented_source_is_reported() -> None:
    undeclared = {"common.DeltaContent.mood": "str | None = None", "common.DeltaContent.token_id": "int | None = None"}
    assert list(undocumented(undeclared, "together_types", set())) == ["common.DeltaContent.mood"]
    assert undocumented(undeclared, "together_types", {"DeltaContent.mood"}) == {}
    assert undocumented({"common.DeltaContent.token_id": "int = 0"}, "together_types", set())


@pytest.mark.usefixtures("equal_before_mutation")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sdk", ["together", "openai"])
def test_any_change_to_a_stub_is_reported(sdk: str, kind: str, tmp_path: Path) -> None:
    before = sdk_parity.of_stubs(ROOT / "stubs", f"{sdk}.types")
    for path in (ROOT / "stubs").rglob("*.pyi"):
        target = tmp_path / path.relative_to(ROOT / "stubs")
        target.parent.mkdir(parents=True, exist_ok=True)
        source = path.read_text("utf-8")
        target.write_text(seeded(source, kind) if path.relative_to(ROOT / "stubs").parts[0] == sdk else source, "utf-8")
    noticed = {path.removesuffix("_seeded") for path in unlisted(tmp_path, "together_types")}
    compared = {path for path in changed_by(kind, before) if sdk == "together" or compared_with_us(path)}
    assert compared or (sdk, kind) == ("openai", "value")
    assert compared <= noticed


def compared_with_us(path: str) -> bool:
    """Return whether the class is paired with one of ours. A class that we read as plain JSON is not compared here."""
    return LISTED["pairs"][path.rpartition(".")[0]] in sdk_parity.defined_in("together_types")


@pytest.mark.usefixtures("equal_before_mutation")
@pytest.mark.parametrize("kind", KINDS)
def test_any_change_to_our_classes_is_reported(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = copy_of_ours(tmp_path, monkeypatch, kind)
    changed = {path.partition(".")[2] for path in changed_by(kind, sdk_parity.of_values("together_types"))}
    if kind == "annotation":  # test_wire compares the annotation of a field that no SDK has with its reader
        changed &= fields_of_the_sdks()
    # A class is both in `common` and in `chat_completions`. It is compared in the module where 1.x has it.
    noticed = set()
    for path in unlisted(ROOT / "stubs", package):
        cls, _, name = path.rpartition(".")
        mine = LISTED["pairs"].get(cls)
        noticed.add(f"{mine}.{name}" if mine else path.partition(".")[2].removesuffix("_seeded"))
    assert changed
    assert changed <= noticed


def fields_of_the_sdks() -> set[str]:
    stubs = ROOT / "stubs"
    return fields_of_openai(stubs) | {path.partition(".")[2] for path in sdk_parity.of_stubs(stubs, "together.types")}


@pytest.mark.usefixtures("equal_before_mutation")
@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("rename", "UsageData.prompt_tokens"),
        ("default", "ChatCompletionRequest.stream"),
        ("rename", "DeltaContent.token_id"),
        ("annotation", "ToolCalls.function"),
        ("value", "FinishReason.StopSequence"),
        ("value", "ToolChoiceEnum.Auto"),
    ],
)
def test_single_change_is_the_only_one_reported(
    kind: str, field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = copy_of_ours(tmp_path, monkeypatch, kind, field)
    noticed = unlisted(ROOT / "stubs", package)
    assert noticed and all(field.partition(".")[2] in path for path in noticed)


def copy_of_ours(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, only: str = "") -> str:
    """Create a copy of our package with changes, and return its name."""
    package = f"seeded_{kind}_{only.replace('.', '_')}".lower()
    shutil.copytree(Path(sdk_parity.__file__).parents[2] / "together_types", folder / package)
    for name in sdk_parity.MODULES:
        path = folder / package / f"{name}.py"
        path.write_text(seeded(path.read_text("utf-8"), kind, reader=True, only=only), "utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return package


def changed_by(kind: str, shape: sdk_parity.Shape) -> set[str]:
    """Return the paths that a kind of change affects: of all enum members for "value", else of all fields."""
    members = {path for path in shape if shape.get(path.rpartition(".")[0]) == "enum"}
    fields = {path for path, text in shape.items() if text not in sdk_parity.KINDS} - members
    return members if kind == "value" else fields
