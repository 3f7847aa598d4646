"""The manifest of a copy: its version, its day, its form (the options of `vendor`), and the SHA-256 of each file.

A manifest is untrusted input. It is validated before use, so that no file outside the copy is read or removed.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

from .._named_tuple import NamedTuple
from .._types import __version__
from ._parts import ALL, known_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["FILE_NAME", "Form", "Manifest", "day_of", "now", "read_manifest", "recorded_form", "write_manifest"]

FILE_NAME = "together_types.vendored.json"
"""The name of the file that records which files were copied, when and from which version."""

# The values of absent keys. Version 0.1.0 wrote `types_only`, and neither `only` nor `typing`.
_ABSENT = {
    "version": "",
    "made": "1970-01-01",
    "only": [ALL],
    "types_only": False,
    "single_file": False,
    "absolute": False,
    "typing": True,
}


class Form(NamedTuple):
    """The options that a copy was made with: see the parameters of `vendor`."""

    only: tuple[str, ...] = (ALL,)
    single_file: bool = False
    absolute: bool = False
    typing: bool = True


class Manifest(NamedTuple):
    """The `version` of a copy, the day it was `made` (in UTC), its `form`, and the SHA-256 of its `files` by path."""

    version: str
    made: str
    form: Form
    files: Mapping[str, str]


def recorded_form(folder: Path) -> Form | None:
    """Return the form of the copy in a folder, or None if the folder does not contain a copy.

    Raises ValueError if the manifest is invalid.
    """
    return read_manifest(folder).form if (folder / FILE_NAME).exists() else None


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the copy in a folder.

    Raises FileNotFoundError if the folder does not exist, and ValueError if its manifest is absent or invalid.
    """
    path = folder / FILE_NAME
    if folder.exists() and not path.exists():
        raise ValueError(f"{folder} does not contain {FILE_NAME}: it is not a copy made by vendor")
    try:
        data: dict[str, Any] = {**_ABSENT, **json.loads(path.read_text("utf-8"))}
        if any(type(data[name]) is not type(value) for name, value in _ABSENT.items()):
            raise TypeError
        if not all(isinstance(name, str) for name in data["only"]):
            raise TypeError
        for name, value in data["files"].items():
            if not re.fullmatch(r"(?:together_types|together_adapters)(?:(?:/\w[\w.]*)+|\.py)", name):
                raise ValueError
            if not isinstance(value, str):
                raise TypeError
        day_of(data["made"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{path} is not a valid manifest of vendor") from None
    try:
        only = ("types",) if data["types_only"] else known_parts(data["only"])
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{path} was written by version {data['version']}, and version {__version__} cannot read it: {error}"
        ) from None
    form = Form(only, data["single_file"], data["absolute"], data["typing"])
    return Manifest(data["version"], data["made"], form, data["files"])


def write_manifest(folder: Path, form: Form, files: Mapping[str, str]) -> None:
    """Write the manifest of a copy that was made today by this version."""
    data = {
        "name": "together-types",
        "version": __version__,
        "made": time.strftime("%Y-%m-%d", time.gmtime(now())),
        **form._asdict(),
        "files": dict(sorted(files.items())),
    }
    (folder / FILE_NAME).write_text(json.dumps(data, indent=2) + "\n", "utf-8")


def day_of(text: str) -> time.struct_time:
    """Parse a day like `2026-11-25`. Raises ValueError if it is invalid."""
    return time.strptime(text, "%Y-%m-%d")


def now() -> float:
    """Return SOURCE_DATE_EPOCH if it is set, or else the current time, in seconds since the epoch.

    Raises ValueError if SOURCE_DATE_EPOCH is not a number.
    """
    return float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
