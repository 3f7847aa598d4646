"""`python -m together_adapters`: the command line (see `_cli`). Ctrl-C ends it without a traceback."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, and return the exit status: 0 for success, 1 for invalid input or 130 for Ctrl-C.

    A usage error raises SystemExit with status 2.
    """
    try:
        from ._cli import run  # in the try block, so that Ctrl-C while modules load does not print a traceback

        return run(argv)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
