"""The command `vendor`: copies the packages, or parts of them, into a project, and checks such a copy.

The package `vendor` reads and writes the files.
"""

from __future__ import annotations

import argparse
from itertools import takewhile
from pathlib import Path

from .terminal import BadInput, plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..vendor._manifest import Form

__all__ = ["add_vendor"]

_EXAMPLES = """\
parts for --only:
  streams   read and accumulate event streams, proxy streams
  openai    convert to and from OpenAI's format, write streams
  client    Together and AsyncTogether
  lambda    AWS Lambda events and responses, streaming runtime
  types     together_types
  all       everything, including this command

examples:
  together-types vendor app/_vendor                  copy both packages
  together-types vendor app/_vendor --only streams   copy what streams need
  together-types vendor app/_vendor --single-file    write one module
  together-types vendor app/_vendor --check          report edits and age

A copy includes its licence and a manifest. Import the copy from the package
that contains it, for example as app._vendor.together_types. With --absolute,
DEST itself must be on sys.path. Without it, a new DEST inside a package becomes
a package.

Without options for the form (--only, --single-file, --absolute, --no-typing),
an existing copy keeps its form. If any of them is given, the others have their
defaults.
"""


def add_vendor(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser of the command line."""
    vendoring = add_parser("vendor", help="copy the packages into a project, or check such a copy", epilog=_EXAMPLES)
    # The options of the form default to None, because any given option replaces the form of an existing copy.
    vendoring.add_argument("dest", metavar="DEST", help="the folder of the copy, like app/_vendor")
    vendoring.add_argument(
        "--only", metavar="PART", action="append", type=_part, help="copy only this part (can be repeated)"
    )
    vendoring.add_argument(
        "--single-file", action="store_const", const=True, help="write one module, together_types.py"
    )
    vendoring.add_argument("--types-only", action="store_const", const=True, help="older spelling of --only types")
    vendoring.add_argument(
        "--absolute",
        action="store_const",
        const=True,
        help="write absolute imports, for a DEST that is itself on sys.path",
    )
    vendoring.add_argument(
        "--no-typing", dest="typing", action="store_const", const=False, help="omit code that only type checkers read"
    )
    vendoring.add_argument(
        "--force", action="store_true", help="overwrite files that were edited, or not created by vendor"
    )
    vendoring.add_argument(
        "--check",
        action="store_true",
        help="report the age, local edits and outdated files (exit status 1 if there are edits or outdated files)",
    )
    vendoring.add_argument(
        "-v", "--verbose", action="store_true", help="list the copied files, or the outdated ones with --check"
    )
    vendoring.set_defaults(run=_vendor)


def _part(text: str) -> str:
    """Return the name of a part. Raises ArgumentTypeError, which argparse reports as a usage error, for other text."""
    from ..vendor._parts import known_parts

    try:
        known_parts([text])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _vendor(args: argparse.Namespace) -> int:
    if not args.dest:
        raise BadInput("DEST is empty: use . for the current folder")
    form = {name: getattr(args, name) for name in ("only", "single_file", "types_only", "absolute", "typing")}
    is_given = any(value is not None for value in form.values())
    if args.check and is_given:
        raise BadInput(
            "--check reads the form of the copy from its manifest: omit --only and the other options of the form"
        )
    try:
        status, lines = _check(args) if args.check else _copy(args, form if is_given else {})
    except OSError as error:
        raise BadInput(f"{error.filename or args.dest}: {error.strerror or error}") from None
    print(*lines, sep="\n")
    return status


def _copy(args: argparse.Namespace, form: dict[str, Any]) -> tuple[int, list[str]]:
    """Write a copy, and return the exit status and the lines to print."""
    from .._types import __version__
    from ..vendor import vendor
    from ..vendor._manifest import Form, recorded_form

    folder = Path(args.dest)
    before = recorded_form(folder)
    paths = vendor(folder, force=args.force, **form)
    after = recorded_form(folder) or Form()
    size = sum((folder / path).stat().st_size for path in paths)
    lines = [*paths] if args.verbose else []
    lines.append(f"version {__version__}: {plural(len(paths), 'file')}, {size:,} bytes in {args.dest}")
    if before and not form:
        lines.append(f"kept the form of the copy: {_options(after)}")
    elif before and before != after:
        lines.append(f"changed the form of the copy from: {_options(before)}")
    return 0, [*lines, *_imports(folder, after)]


def _options(form: Form) -> str:
    """Return the command-line options of a form."""
    switches = {
        "--single-file": form.single_file,
        "--absolute": form.absolute,
        "--no-typing": not form.typing,
    }
    return " ".join([f"--only {part}" for part in form.only] + [option for option, is_on in switches.items() if is_on])


def _imports(folder: Path, form: Form) -> Iterator[str]:
    """Yield an import statement for each part of a copy."""
    from ..vendor._parts import ALL, PARTS

    package = "" if form.absolute else _package_name(folder) + "."
    for part in form.only:
        module, name = PARTS["client" if part == ALL else part].example
        yield f"import it with: from {package}{'together_types' if form.single_file else module} import {name}"


def _package_name(folder: Path) -> str:
    """Guess the dotted name of a folder, from the topmost package that contains it or from the working directory."""
    path = folder.resolve()
    top = path.parent
    while (top / "__init__.py").exists():
        top = top.parent
    if top == path.parent and Path.cwd() in top.parents:
        top = Path.cwd()
    names = takewhile(str.isidentifier, reversed(path.relative_to(top).parts))
    return ".".join(reversed([*names])) or "PACKAGE"


def _check(args: argparse.Namespace) -> tuple[int, list[str]]:
    """Check a copy, and return the exit status and the lines to print."""
    from .._types import __version__
    from ..vendor import check
    from ..vendor._manifest import read_manifest

    report = check(args.dest)
    lines = [
        f"version {report.version}, vendored {report.made}, {report.days} days ago",
        f"form: {_options(read_manifest(Path(args.dest)).form)}",
    ]
    if not (report.modified or report.missing or report.added):
        lines.append("no local edits")
    if report.outdated:
        differing = plural(len(report.outdated), "file")
        lines.append(f"outdated: version {__version__} would change {differing}")
    for what in ("modified", "missing", "added", *(["outdated"] if args.verbose else [])):
        lines += [f"{what}: {path}" for path in getattr(report, what)]
    return (1 if report.modified or report.missing or report.added or report.outdated else 0), lines
