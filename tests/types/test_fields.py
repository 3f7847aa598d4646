"""The other places that need a change when a field is added. Each has a test here, which fails without the change."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from corpus import DATA, TYPES

from together_types import (
    ChatCompletionChoicesChunk,
    ChatCompletionChoicesData,
    ChatCompletionChunk,
    ChatCompletionMessage,
    ChatCompletionResponse,
    DeltaContent,
)
from together_types._merge_rules import CONCATENATE, KEEP_FIRST, KEEP_LAST
from together_types._model import head_keys, merge_rules, reader_of

LISTED = json.loads((DATA / "fields.json").read_text("utf-8"))
CHANGELOG = (Path(__file__).parents[2] / "CHANGELOG.md").read_text("utf-8")
COUNTERPARTS: dict[Any, Any] = {
    ChatCompletionChunk: ChatCompletionResponse,
    ChatCompletionChoicesChunk: ChatCompletionChoicesData,
    DeltaContent: ChatCompletionMessage,
}


def annotations_of(cls: Any) -> dict[str, str]:
    return {field.name: str(field.type) for field in dataclasses.fields(cls)}


@pytest.mark.parametrize("cls", COUNTERPARTS, ids=lambda cls: cls.__name__)
def test_field_of_a_chunk_has_a_counterpart_in_the_response(cls: Any) -> None:
    """Without it the accumulated response has the value only in `extra`. `tests/data/fields.json` lists exceptions."""
    whole = annotations_of(COUNTERPARTS[cls])
    different = set()
    for name, annotation in annotations_of(cls).items():
        for part, counterpart in COUNTERPARTS.items():
            annotation = re.sub(rf"\b{part.__name__}\b", counterpart.__name__, annotation)
        if whole.get(name) != annotation:
            different.add(f"{cls.__name__}.{name}")
    assert different == {path for path in LISTED["only_in_chunks"] if path.startswith(f"{cls.__name__}.")}


def test_listed_exception_is_an_existing_field_with_a_reason() -> None:
    known = {f"{cls.__name__}.{name}" for cls in COUNTERPARTS for name in annotations_of(cls)}
    assert set(LISTED["only_in_chunks"]) <= known
    assert all(LISTED["only_in_chunks"].values())


def keys_of(cls: Any) -> list[str]:
    return list(cls._schema.keys.values())


def unannounced(cls: Any, changelog: str) -> list[str]:
    """Return the keys that 0.1.0 did not declare and that the changelog of later releases does not name."""
    later = changelog.partition("\n## 0.1.0 ")[0]
    name = cls.__name__
    if name not in LISTED["declared_in_0.1.0"]:
        return [] if f"`{name}`" in later else [name]
    new = set(keys_of(cls)) - set(LISTED["declared_in_0.1.0"][name].split())
    return sorted(f"{name}.{key}" for key in new if f"`{name}.{key}`" not in later)


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_changelog_names_every_new_field(cls: Any) -> None:
    """A new class is named as `Class`, a new field of another class as `Class.field`."""
    assert unannounced(cls, CHANGELOG) == []


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_field_of_0_1_0_is_still_declared(cls: Any) -> None:
    assert set(LISTED["declared_in_0.1.0"].get(cls.__name__, "").split()) <= set(keys_of(cls))


def test_new_field_that_the_changelog_does_not_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {**LISTED["declared_in_0.1.0"], "DeltaContent": "content role"}
    monkeypatch.setitem(LISTED, "declared_in_0.1.0", before)
    found = unannounced(
        DeltaContent, "# Changelog\n\n- `DeltaContent.refusal`.\n\n## 0.1.0 - 2026\n\n- `DeltaContent.token_id`"
    )
    assert "DeltaContent.token_id" in found and "DeltaContent.refusal" not in found
    monkeypatch.setitem(LISTED, "declared_in_0.1.0", {})
    assert unannounced(DeltaContent, "- `DeltaContent`") == []
    assert unannounced(DeltaContent, "") == ["DeltaContent"]


def test_field_that_every_chunk_repeats_keeps_the_first_value_or_has_a_rule() -> None:
    assert set(head_keys(ChatCompletionChunk)) == {
        "id", "object", "created", "model", "system_fingerprint", "service_tier"
    }  # fmt: skip
    assert head_keys(DeltaContent) == head_keys(ChatCompletionChoicesChunk) == ()


def test_field_that_chunks_split_is_concatenated() -> None:
    rules = merge_rules(DeltaContent)
    assert {key for key, rule in rules.items() if rule == CONCATENATE} == {"reasoning", "reasoning_content", "refusal"}
    assert rules["role"] == merge_rules(ChatCompletionChunk)["id"] == KEEP_FIRST
    assert merge_rules(ChatCompletionChoicesChunk)["finish_reason"] == KEEP_LAST


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_class_is_read_by_the_function_of_its_schema(cls: Any) -> None:
    data = {"id": "1", "undeclared": [1]}
    assert reader_of(cls)(dict(data), 1) == cls.from_dict(data)
