"""`python -m together_adapters`: the command line (see `_command_line`). Ctrl-C never leaves it as an exception."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 1 for bad input, 130 for Ctrl-C (usage errors exit with 2)."""
    try:
        from ._cli import run  # here, because Ctrl-C while modules load is no error either

        return run(argv)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
