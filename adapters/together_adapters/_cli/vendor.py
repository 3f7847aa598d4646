"""`vendor`: copy the packages into a project, and check such a copy.

It only asks `vendor`, and writes no file itself.
"""

from __future__ import annotations

from .terminal import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["add_vendor"]

_EXAMPLES = """\
examples:
  together-types vendor app/_vendor                 both folders
  together-types vendor app/_vendor --single-file   one module: together_types
  together-types vendor app/_vendor --types-only    without the adapters
  together-types vendor app/_vendor --check         local edits, and its age

A copy carries its licence and a manifest. It is imported from the package that
it is in, as app._vendor.together_types; with --absolute from DEST on sys.path.
A new DEST in a package becomes a package, too.
"""


def add_vendor(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser of the command line."""
    vendoring = add_parser("vendor", help="copy the packages into a project, or --check such a copy", epilog=_EXAMPLES)
    vendoring.add_argument("dest", metavar="DEST", help="the folder that holds the copy, like app/_vendor")
    vendoring.add_argument("--single-file", action="store_true", help="write one module, together_types.py")
    vendoring.add_argument("--types-only", action="store_true", help="leave the adapters out")
    vendoring.add_argument("--absolute", action="store_true", help="DEST is itself on sys.path, not in a package")
    vendoring.add_argument("--force", action="store_true", help="overwrite files that were edited; added ones stay")
    vendoring.add_argument("--check", action="store_true", help="tell local edits and age; exits with 1 for edits")
    vendoring.set_defaults(run=_vendor)


def _vendor(args: argparse.Namespace) -> int:
    from ..vendor import vendor

    if not args.dest:
        raise BadInput("DEST is empty: `.` is the folder that this runs in")
    try:
        if args.check:
            return _check(args.dest)
        options = {name: getattr(args, name) for name in ("single_file", "types_only", "absolute", "force")}
        for path in vendor(args.dest, **options):
            print(path)
        return 0
    except OSError as error:
        raise BadInput(f"{error.filename or args.dest}: {error.strerror or error}") from None


def _check(dest: str) -> int:
    from .._types import __version__
    from ..vendor import check

    report = check(dest)
    print(f"version {report.version}, vendored {report.made}, {report.days} days ago")
    if not (report.modified or report.missing or report.added):
        print("no local edits")
    if report.outdated:
        print(f"outdated: version {__version__} would write {len(report.outdated)} files otherwise")
    for what in ("modified", "missing", "added"):
        for path in getattr(report, what):
            print(f"{what}: {path}")
    return 1 if report.modified or report.missing or report.added else 0
