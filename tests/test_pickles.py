"""Tests that pickles of earlier releases load, although modules have moved and some strings are enums now."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from corpus import DATA
from pickling import release_samples
from together_adapters.accumulate import CompletionState
from together_adapters.aws_lambda import EventKind


@pytest.mark.parametrize("path", sorted((DATA / "release_pickles").iterdir()), ids=lambda path: path.name)
def test_pickle_of_an_earlier_release_loads_as_the_current_object(path: Path) -> None:
    loaded, today = pickle.loads(path.read_bytes()), release_samples()[path.name.split("-")[1]]
    assert type(loaded) is type(today)
    assert repr(loaded) == repr(today)
    if isinstance(loaded, Exception):
        assert {name: repr(value) for name, value in vars(loaded).items()} == {
            name: repr(value) for name, value in vars(today).items()
        }
    elif not isinstance(loaded, list):  # results of a batch have no ==
        assert loaded == today


@pytest.mark.parametrize("name", ["finished", "cut_off", "errored"])
def test_completion_state_of_an_earlier_release_is_an_enum(name: str) -> None:
    [*paths] = (DATA / "release_pickles").glob(f"*-{name}-*")
    assert paths
    for path in paths:
        assert pickle.loads(path.read_bytes()).state is CompletionState(name)


def test_event_kind_of_an_earlier_release_is_an_enum() -> None:
    [*paths] = (DATA / "release_pickles").glob("*-http_event-*")
    assert paths
    for path in paths:
        assert pickle.loads(path.read_bytes()).kind is EventKind.HTTP_V2
