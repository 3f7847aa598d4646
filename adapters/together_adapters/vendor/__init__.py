"""Copying the packages, or parts of them, into a project, as folders or as a single file, and checking such a copy.

A copy contains its licence and a manifest. An edited file is overwritten only with `force`. A difference in line ends
(CRLF or LF) does not count as an edit, because git may convert them.

Does not change files outside the folder of the copy.
"""

from __future__ import annotations

import calendar
import hashlib
from pathlib import Path, PurePosixPath
from shutil import rmtree

from .._named_tuple import NamedTuple
from ._files import SINGLE, as_one, bytes_of, planned
from ._manifest import FILE_NAME, Form, day_of, now, read_manifest, write_manifest
from ._parts import ALL, known_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from ._single_file import SingleFile

__all__ = ["MANIFEST", "CheckReport", "check", "single_file", "vendor"]

MANIFEST = FILE_NAME
"""The name of the file that records which files were copied, when and from which version."""

_PACKAGE = "together_types/__init__.py"
_MOST_LISTED = 10  # files in a message


class CheckReport(NamedTuple):
    """The state of a copy.

    - `version`: the version that the copy was made from.
    - `made`: the day on which the copy was made, like `2026-11-25`.
    - `days`: the age of the copy in days.
    - `modified`, `missing`, `added`: the files that differ from the manifest.
    - `outdated`: the files that would change if this version updated the copy.

    Files are listed by their paths relative to the folder.
    """

    version: str
    made: str
    days: int
    modified: list[str]
    missing: list[str]
    added: list[str]
    outdated: list[str]


def vendor(
    dest: str | os.PathLike[str],
    *,
    only: Iterable[str] | None = None,
    single_file: bool | None = None,
    absolute: bool | None = None,
    typing: bool | None = None,
    types_only: bool | None = None,
    force: bool = False,
) -> list[str]:
    """Write `together_types` and `together_adapters` into a folder, and return the files' paths relative to it.

    `only`, `single_file`, `absolute`, `typing` and `types_only` set the form of the copy. If none of them is given, an
    existing copy keeps its form, and a new copy contains everything. If any is given, the others have their defaults:

    - `only` names parts: `types`, `streams`, `openai`, `client`, `lambda`. The copy contains them, the modules that
      they import, and `together_types`. `all` means everything. A function whose module was not copied raises
      ImportError, which names the part to add.
    - `single_file=True` writes one module, `together_types.py`.
    - The adapters import the types with a relative import. `absolute=True` writes an absolute import instead, for a
      folder that is itself on `sys.path`.
    - `typing=False` leaves out the modules and imports that only type checkers read.
    - `types_only=True` is an older spelling of `only=["types"]`.

    A new folder inside a package becomes a package (unless `absolute` is true), because tools that build wheels and zip
    archives skip other folders.

    Raises FileExistsError, and writes nothing, if a file was edited or is not part of the copy (`force` overwrites it),
    if a file would be written through a symbolic link, or if a package in the folder would hide the single file. Raises
    ValueError for an unknown part, for an invalid manifest, and if the packages are installed without their sources.

    >>> import tempfile
    >>> from together_adapters.vendor import check, vendor
    >>> with tempfile.TemporaryDirectory() as project:
    ...     written = vendor(f"{project}/_vendor", only=["streams"])
    ...     check(f"{project}/_vendor").modified
    []
    """
    folder = Path(dest)
    recorded = read_manifest(folder) if (folder / MANIFEST).exists() else None
    old: Mapping[str, str] = recorded.files if recorded else {}
    given = _form(only, single_file, absolute, typing, types_only)
    form = given or (recorded.form if recorded else Form())
    files = planned(form)
    _check_place(folder, {MANIFEST, *old, *files})
    if form.single_file and _PACKAGE not in old and (folder / _PACKAGE).exists():
        raise FileExistsError(f"{_PACKAGE} exists and would be imported instead of {SINGLE}: remove the folder")
    new = {name: _hash(data) for name, data in files.items()}
    edited = [
        name for name in sorted({*old, *new}) if _hash_at(folder / name) not in (None, old.get(name), new.get(name))
    ]
    if edited and not force:
        raise FileExistsError(
            f"files were edited, or not created by vendor: {_listed(edited)} (use --force to overwrite them)"
        )
    made = [] if form.absolute or not _is_new_in_package(folder) else ["__init__.py"]
    _remove(folder, set(old) - set(files))
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    for name in made:  # not in the manifest, because it belongs to the project from now on
        (folder / name).touch()
    write_manifest(folder, form, new)
    return [*sorted(files), MANIFEST, *made]


def _form(
    only: Iterable[str] | None,
    single_file: bool | None,
    absolute: bool | None,
    typing: bool | None,
    types_only: bool | None,
) -> Form | None:
    """Return the form that these arguments of `vendor` describe, or None if all of them are absent."""
    if only is None and {single_file, absolute, typing, types_only} == {None}:
        return None
    names = [] if only is None else [only] if isinstance(only, str) else [*only]
    if types_only:
        names.append("types")
    if only is None and not names:
        names.append(ALL)
    return Form(known_parts(names), bool(single_file), bool(absolute), typing is not False)


def _is_new_in_package(folder: Path) -> bool:
    return (folder.parent / "__init__.py").exists() and not (folder.exists() and any(folder.iterdir()))


def _check_place(folder: Path, names: set[str]) -> None:
    """Raise FileExistsError if writing would follow a symbolic link, which may lead out of the folder."""
    paths = {path for name in names for path in (PurePosixPath(name), *PurePosixPath(name).parents)}
    links = sorted(str(path) for path in paths if path.name and (folder / path).is_symlink())
    if links:
        raise FileExistsError(
            f"cannot write through symbolic links, which may lead out of the folder: {_listed(links)} (remove them)"
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + more


def _remove(folder: Path, names: set[str]) -> None:
    """Remove files of an older copy, and packages that then contain only `__pycache__`."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
    folders = {parent for name in names for parent in PurePosixPath(name).parents if parent.name}
    for package in sorted([folder / parent for parent in folders], key=lambda path: -len(path.parts)):
        if package.is_dir() and all(path.name == "__pycache__" for path in package.iterdir()):
            rmtree(package)


def check(dest: str | os.PathLike[str]) -> CheckReport:
    """Compare a copy with its manifest, and with the copy that this version would write in the same form.

    Raises FileNotFoundError if the folder does not exist, and ValueError if its manifest is absent or invalid.
    """
    folder = Path(dest)
    manifest = read_manifest(folder)
    written = manifest.files
    here = {name: found for name in written if (found := _hash_at(folder / name)) is not None}
    packages = {name.partition("/")[0].removesuffix(".py") for name in written}
    present = {
        path.relative_to(folder).as_posix()
        for package in packages
        for path in (folder / package).rglob("*")
        if path.is_file()
    }
    current = {name: _hash(data) for name, data in planned(manifest.form).items()}
    return CheckReport(
        version=manifest.version,
        made=manifest.made,
        days=int(now() - calendar.timegm(day_of(manifest.made))) // 86400,
        modified=sorted(name for name, value in here.items() if value != written[name]),
        missing=sorted(set(written) - set(here)),
        added=sorted(name for name in present - set(written) if "__pycache__" not in name),
        outdated=sorted(name for name in {*written, *current} if written.get(name) != current.get(name)),
    )


def single_file(*, only: Iterable[str] | None = None, typing: bool = True, types_only: bool = False) -> SingleFile:
    """Return the text of the single file, and for each module the names that its globals have in that file.

    `only`, `typing` and `types_only` are parameters of `vendor`. Raises ValueError as `vendor` does.
    """
    form = _form(only, True, None, typing, types_only) or Form(single_file=True)
    return as_one(form)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hash_at(path: Path) -> str | None:
    return _hash(bytes_of(path)) if path.is_file() else None
