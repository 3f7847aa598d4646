"""Fixtures: the runtimes that run the deployed examples, and a model server that responds with recordings."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from http_server import serving
from lambda_emulator import RuntimeAPI
from layer import build
from model_server import KEY, PROXY_KEY, Upstream
from runtimes import VERSIONS, environment, pythons

OURS = "ours"
WITH_AWS = "LAMBDA_ENVIRONMENTS" in os.environ  # set by tox -e lambda, which can install AWS's runtime client


def _compiled_for() -> list[str | Path]:
    return [*pythons().values()] if WITH_AWS else [sys.executable]


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the zip files, and unpack them as Lambda does. Return the directory."""
    folder = tmp_path_factory.mktemp("deployed")
    for archive in build(folder / "zips", _compiled_for()):
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder / archive.stem)
    return folder


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "version" in metafunc.fixturenames and "version" not in chosen:
        metafunc.parametrize("version", [OURS, *(VERSIONS if WITH_AWS else ())], scope="session")


@pytest.fixture(scope="session")
def command(version: str) -> list[str | Path] | None:
    """Return the command that starts AWS's runtime, or None for the project's, which runs on this Python."""
    if version == OURS:
        return None
    python = pythons().get(version)
    made = None if python is None else environment(version, python)
    if made is None:
        pytest.skip(f"no Python {version}, or no wheel of awslambdaric for it")
    return [made, "-m", "awslambdaric"]


Start = Callable[..., Any]


@pytest.fixture
def start(version: str, command: list[str | Path] | None, deployed: Path) -> Start:
    """Return a context manager that runs an example, or a handler in another folder, with a model server."""

    @contextmanager
    def started(
        name: str, upstream: str = "", handler: str = "app.handler", folder: Path | None = None, **options: Any
    ) -> Iterator[RuntimeAPI]:
        variables = {
            "TOGETHER_API_KEY": KEY,
            "TOGETHER_BASE_URL": upstream,
            "PROXY_KEY": PROXY_KEY,
            "MODEL": "vllm-cpu/plain",
        }
        variables.update(options.pop("environment", {}))
        with RuntimeAPI() as api:
            api.start(
                handler,
                folder=folder or deployed / name,
                command=options.pop("isolated", None) or (command and [*command, handler]),
                paths=[deployed / "layer" / "python"],
                version="3.13" if version == OURS else version,
                environment=variables,
                **options,
            ).wait()
            yield api

    return started


@pytest.fixture
def upstream() -> Iterator[Any]:
    answers = Upstream()
    with serving(answers) as server:
        server.answers = answers  # type: ignore[attr-defined]
        yield server
        answers.gate.set()
