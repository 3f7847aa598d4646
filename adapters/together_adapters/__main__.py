"""`python -m together_adapters`: the command line (see `_cli`). Ctrl-C ends it without a traceback."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, and return the exit status: 0 for success, 1 for a failure or 130 for Ctrl-C.

    `argv` contains the arguments without the name of the program, by default those of the process. Raises SystemExit
    with status 2 for a usage error, and with status 0 for `--help` and `--version`.
    """
    try:
        from ._cli import run  # in the try block, so that Ctrl-C while modules load does not print a traceback

        return run(argv)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
