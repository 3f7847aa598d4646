"""Copying the packages into a project, as folders or as a single file, and telling later what became of the copy. A file that
was edited is never overwritten unasked, and nothing outside of the folder is touched. Line ends are no edits: git turns them.

The copy carries its licence, and a manifest beside it says which version it is of, when it was made and the SHA-256
of each file. The sources are read through `importlib.resources`, so this works from a zip, too.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import os
import re
import time
from collections import namedtuple
from importlib import resources
from pathlib import Path, PurePosixPath
from shutil import rmtree

from .._types import ChatCompletionResponse, __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NamedTuple

    from ._single_file import SingleFile

    class _CheckReportFields(NamedTuple):
        version: str
        made: str
        days: int
        modified: list[str]
        missing: list[str]
        added: list[str]
        outdated: list[str]

else:
    _CheckReportFields = namedtuple(
        "CheckReport", ("version", "made", "days", "modified", "missing", "added", "outdated")
    )

__all__ = ["MANIFEST", "CheckReport", "check", "single_file", "vendor"]

MANIFEST = "together_types.vendored.json"
"""The name of the file that says what was copied, when and from which version."""

_SINGLE = "together_types.py"
_PACKAGE = "together_types/__init__.py"
_MOST_LISTED = 10  # files in a message
# What a manifest says that does not say it.
_ABSENT = {"version": "", "made": "1970-01-01", "single_file": False, "types_only": False, "absolute": False}
_DATA = ("LICENSE", "py.typed")
_FOR_TYPE_CHECKERS = ("wire", "protocols")
_NOT_IN_A_SINGLE_FILE = ("__main__", "replay", "serve", "vendor")
_ADAPTERS = __name__.rpartition(".")[0]
_IMPORT = re.compile(r"^( *)from \S*?together_types((?:\.\w+)?) import", re.MULTILINE)


class CheckReport(_CheckReportFields):
    """What became of a copy.

    `version` is what it was made from, `made` the day and `days` how long ago. `modified`, `missing` and `added` are
    the files that differ from what was written; `outdated` those that this version would write otherwise.
    """

    __slots__ = ()


def vendor(
    dest: str | os.PathLike[str],
    *,
    single_file: bool = False,
    types_only: bool = False,
    absolute: bool = False,
    force: bool = False,
) -> list[str]:
    """Write `together_types` and `together_adapters` into a folder, or into `together_types.py` there; give the paths.

    With `types_only` the adapters are left out. The adapters import the types from beside them; `absolute` leaves
    that import as it is, for a folder that is itself on `sys.path`. A folder that is new, in a package, becomes one, too:
    builders of wheels and zips pass over others. A file that was edited since, or that is not
    a copy's, is overwritten with `force` only: otherwise FileExistsError, and nothing is written. That is also raised
    for links, and where a package that is not a copy's would hide the single file. Raises ValueError where the sources
    are not there to be copied.
    """
    files = _planned(single_file, types_only, absolute)
    folder = Path(dest)
    old: dict[str, str] = _manifest(folder)["files"] if (folder / MANIFEST).exists() else {}
    _check_place(folder, {MANIFEST, *old, *files})
    if single_file and _PACKAGE not in old and (folder / _PACKAGE).exists():
        raise FileExistsError(f"{_PACKAGE} is there and would be imported instead of {_SINGLE}: remove that folder")
    new = {name: _hash(data) for name, data in files.items()}
    edited = [
        name for name in sorted({*old, *new}) if _hash_at(folder / name) not in (None, old.get(name), new.get(name))
    ]
    if edited and not force:
        raise FileExistsError(f"edited, or not written by this: {_listed(edited)}; --force overwrites")
    made = [] if absolute or not _is_new_in_package(folder) else ["__init__.py"]
    _remove(folder, set(old) - set(files))
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    for name in made:  # from now on the project's own, so the manifest does not say it
        (folder / name).touch()
    manifest = {
        "name": "together-types",
        "version": __version__,
        "made": time.strftime("%Y-%m-%d", time.gmtime(_now())),
        "single_file": single_file,
        "types_only": types_only,
        "absolute": absolute,
        "files": dict(sorted(new.items())),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    return [*sorted(files), MANIFEST, *made]


def _is_new_in_package(folder: Path) -> bool:
    return (folder.parent / "__init__.py").exists() and not (folder.exists() and any(folder.iterdir()))


def _check_place(folder: Path, names: set[str]) -> None:
    """Raise FileExistsError where writing would follow a link, perhaps to the original."""
    paths = {path for name in names for path in (PurePosixPath(name), *PurePosixPath(name).parents)}
    links = sorted(str(path) for path in paths if path.name and (folder / path).is_symlink())
    if links:
        raise FileExistsError(f"links, which may lead out of the folder: {_listed(links)}; remove them")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + more


def _remove(folder: Path, names: set[str]) -> None:
    """Remove files of an older copy, and packages that hold nothing else but what Python made of them."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
    folders = {parent for name in names for parent in PurePosixPath(name).parents if parent.name}
    for package in sorted([folder / parent for parent in folders], key=lambda path: -len(path.parts)):
        if package.is_dir() and all(path.name == "__pycache__" for path in package.iterdir()):
            rmtree(package)


def check(dest: str | os.PathLike[str]) -> CheckReport:
    """Compare a copy with its manifest, and with this version.

    Raises FileNotFoundError where there is no such folder, ValueError where it has no manifest or one that is not ours.
    """
    folder = Path(dest)
    manifest = _manifest(folder)
    written: dict[str, str] = manifest["files"]
    here = {name: found for name in written if (found := _hash_at(folder / name)) is not None}
    packages = {name.partition("/")[0].removesuffix(".py") for name in written}
    present = {
        path.relative_to(folder).as_posix()
        for package in packages
        for path in (folder / package).rglob("*")
        if path.is_file()
    }
    planned = _planned(manifest["single_file"], manifest["types_only"], manifest["absolute"])
    current = {name: _hash(data) for name, data in planned.items()}
    return CheckReport(
        version=manifest["version"],
        made=manifest["made"],
        days=int(_now() - calendar.timegm(_day(manifest["made"]))) // 86400,
        modified=sorted(name for name, value in here.items() if value != written[name]),
        missing=sorted(set(written) - set(here)),
        added=sorted(name for name in present - set(written) if "__pycache__" not in name),
        outdated=sorted(name for name in {*written, *current} if written.get(name) != current.get(name)),
    )


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if folder.exists() and not path.exists():
        raise ValueError(f"{folder} has no {MANIFEST}: `vendor` has not made this copy")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
        manifest = {**_ABSENT, **manifest}
        for name, value in manifest["files"].items():
            # A manifest may come from anywhere: it must not make us read or remove what is not below it.
            if not re.fullmatch(r"(?:together_types|together_adapters)(?:(?:/\w[\w.]*)+|\.py)", name):
                raise ValueError
            if not isinstance(value, str):
                raise TypeError
        if any(type(manifest[name]) is not type(value) for name, value in _ABSENT.items()):
            raise TypeError
        _day(manifest["made"])
        return manifest
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{path} is not a manifest of this command") from None


def _planned(as_one: bool, types_only: bool, absolute: bool) -> dict[str, bytes]:
    """What to write, by path."""
    if as_one:
        return {_SINGLE: single_file(types_only=types_only).text.encode("utf-8")}
    types = _sources(ChatCompletionResponse.__module__.rpartition(".")[0])
    adapters = {} if types_only else _sources(_ADAPTERS)
    if adapters:
        target = rf"\1from {'' if absolute else '..'}together_types\2 import"
        seam, found = _IMPORT.subn(target, adapters["_types.py"].decode("utf-8"))
        if not found:
            raise ValueError("together_adapters/_types.py has no imports that are to be rewritten")
        adapters["_types.py"] = seam.encode("utf-8")
    files = {f"together_types/{name}": data for name, data in types.items()}
    return {**files, **{f"together_adapters/{name}": data for name, data in adapters.items()}}


def _sources(package: str) -> dict[str, bytes]:
    found = dict(_files_in(resources.files(package), ""))
    if "__init__.py" not in found or "LICENSE" not in found:
        raise ValueError(f"the sources of {package} are not here, only what was made from them")
    return found


def _files_in(folder: Any, path: str) -> Iterator[tuple[str, bytes]]:
    for file in folder.iterdir():
        if file.is_dir() and file.name != "__pycache__":
            yield from _files_in(file, f"{path}{file.name}/")
        elif file.is_file() and (file.name.endswith(".py") or file.name in _DATA):
            yield path + file.name, _bytes_of(file)


def single_file(*, types_only: bool = False) -> SingleFile:
    """The packages as the text of one module, with what each module's names are called in it."""
    from ._single_file import flatten

    types = _sources(ChatCompletionResponse.__module__.rpartition(".")[0])
    packages = {"together_types": types, "together_adapters": {} if types_only else _sources(_ADAPTERS)}
    sources = {
        package: {
            name[:-3].replace("/", "."): data.decode("utf-8")
            for name, data in sorted(files.items())
            if name.endswith(".py")
        }
        for package, files in packages.items()
    }
    what = "typed, frozen values" if types_only else "typed, frozen values and honest streams"
    lines = [
        f'"""together_types {__version__} in one file: {what} of Together and OpenAI-format chat completions.',
        "",
        "Generated by `python -m together_adapters vendor`; edit the packages it was made from instead of this.",
        '"""',
        "",
        *[f"# {line}".rstrip() for line in types["LICENSE"].decode("utf-8").strip().splitlines()],
    ]
    return flatten(sources, "\n".join(lines), __version__, _NOT_IN_A_SINGLE_FILE, _FOR_TYPE_CHECKERS)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hash_at(path: Path) -> str | None:
    return _hash(_bytes_of(path)) if path.is_file() else None


def _bytes_of(file: Any) -> bytes:
    """What a file says, of the packages or of a copy: a checkout of either may have turned the line ends."""
    data: bytes = file.read_bytes()
    return data.replace(b"\r\n", b"\n")


def _day(text: str) -> time.struct_time:
    return time.strptime(text, "%Y-%m-%d")


def _now() -> float:
    return float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
