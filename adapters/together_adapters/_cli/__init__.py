"""The command line: parses the arguments, runs a command, and turns an error into one line and an exit status.

Each command is in a module of its own.
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
    """Run one command and return its exit status: 0, or 1 if it failed or if `vendor --check` found a difference.

    `argv` contains the arguments without the name of the program, by default those of the process. Raises SystemExit
    with status 2 for a usage error, and with status 0 for `--help` and `--version`.
    """
    for output in (sys.stdout, sys.stderr):  # each is None if the shell has closed it
        # A model's text may contain characters that the terminal's encoding lacks: escape them instead of failing.
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="backslashreplace")
    try:
        args = _parser().parse_args(argv)
        status: int = args.run(args)
        print(end="", flush=True)
        return status
    except BrokenPipeError:  # the reader of the pipe has exited, as `head` does
        _abandon_output()
        return 0
    except (BadInput, APIError, ParseError, ValueError) as error:
        print("together-types: " + on_one_line(str(error).strip()), file=sys.stderr)
        return 1
    except OSError as error:  # such as a full disk or a closed terminal
        _abandon_output()
        print(f"together-types: cannot write the output: {error.strerror or error}", file=sys.stderr)
        return 1


def _abandon_output() -> None:
    """Redirect standard output to the null device, because writing the buffered text at exit would fail again."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_AsWritten = argparse.RawDescriptionHelpFormatter
_DESCRIPTION = """\
Send chat completions to Together or any other OpenAI-compatible server, and
inspect the responses. Only Python's standard library is needed.

start here, without an API key or a network:
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
