"""Test that `extra_headers`, `extra_query` and `extra_body` have the effect that they have in the SDKs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def sent(module: str, *paths: str) -> Any:
    """Return the request that the client of a module sends."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *[path for path in sys.path if path]])}
    command = [sys.executable, str(Path(__file__).with_name("extra_parameters.py")), module]
    done = subprocess.run(command, capture_output=True, timeout=120, env=environment, check=True)
    return json.loads(done.stdout)


@pytest.mark.skipif("TOGETHER_3" not in os.environ, reason="the SDKs are not installed: tox -e upstream installs them")
def test_extra_parameters_are_sent_as_by_the_sdks() -> None:
    path, query, headers, body = sent("together_adapters")
    *plain, first, second = query
    assert [first, second] == [["list", "1"], ["list", "2"]]
    # The SDKs disagree about lists. Both forms can be written: {"list[]": [...]} and {"list": "1,2"}.
    openai = [*plain, ["list[]", "1"], ["list[]", "2"]]
    together = [*plain, ["list", "1,2"]]
    assert sent("openai") == [path, openai, headers, body]
    assert sent("together", os.environ["TOGETHER_3"]) == [path, together, headers, body]
