"""The command line: reads the arguments, and makes of errors one line and an exit status.

What a command does is never here, but in its own module.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from functools import partial

from .._types import ParseError, __version__
from ..errors import APIError
from .chat import add_replay_and_chat
from .parse import add_parse
from .serve import add_serve
from .terminal import BadInput, on_one_line
from .vendor import add_vendor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

__all__ = ["run"]


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status 0, or 1 for bad input. A usage error exits with 2."""
    for output in (sys.stdout, sys.stderr):  # None where the shell has closed them
        # Text of a model may hold what the terminal's encoding cannot: show it escaped rather than fail.
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="backslashreplace")
    try:
        args = _parser().parse_args(argv)
        status: int = args.run(args)
        print(end="", flush=True)
        return status
    except BrokenPipeError:  # the reader, like `head`, has enough
        _abandon_output()
        return 0
    except (BadInput, APIError, ParseError, ValueError) as error:
        print("together-types: " + on_one_line(str(error).strip()), file=sys.stderr)
        return 1
    except OSError as error:  # the disk is full, the terminal has gone
        _abandon_output()
        print(f"together-types: cannot write: {error.strerror or error}", file=sys.stderr)
        return 1


def _abandon_output() -> None:
    """What is still buffered must not be written at exit, where it would fail again."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_AsWritten = argparse.RawDescriptionHelpFormatter
_DESCRIPTION = """\
Chat completions of Together and of every server that speaks the OpenAI format,
on Python's standard library alone.

begin here, without a key or a network:
  together-types replay"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="together-types", description=_DESCRIPTION, formatter_class=_AsWritten)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_parser = partial(commands.add_parser, formatter_class=_AsWritten)
    add_replay_and_chat(add_parser)
    add_parse(add_parser)
    add_serve(add_parser)
    add_vendor(add_parser)
    return parser
