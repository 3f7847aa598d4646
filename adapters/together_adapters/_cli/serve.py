"""The command `serve`: an OpenAI-compatible endpoint on this machine, in front of a server or of recordings.

The package `serve` contains the server.
"""

from __future__ import annotations

import os
import sys

from .arguments import base_url, port
from .terminal import BadInput, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ..serve._backends import Backend

__all__ = ["add_serve"]

_EXAMPLES = """\
examples:
  together-types serve --replay                 without a key or a network
  together-types serve --replay answer.sse      a file, as the model `answer`
  together-types serve --upstream https://api.together.xyz/v1
                                                with TOGETHER_API_KEY, or else
                                                with each caller's own key
  together-types serve --upstream http://127.0.0.1:8080/v1 --port 8000

Then set base_url="http://127.0.0.1:8000/v1" in any OpenAI client.
A recording that was cut off is served as a stream that ends with an error.
Ctrl-C stops the server.
"""


def add_serve(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser of the command line."""
    serving = add_parser(
        "serve",
        help="run an OpenAI-compatible endpoint that forwards to a server or replays a recording",
        epilog=_EXAMPLES,
    )
    source = serving.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--upstream", metavar="URL", type=base_url, help="the base URL of Together or of any OpenAI-compatible server"
    )
    source.add_argument(
        "--replay", nargs="*", metavar="FILE", help="serve these recordings (default: those of the command `replay`)"
    )
    serving.add_argument(
        "--port",
        type=port,
        metavar="N",
        default=8000,
        help="the port to listen on, or 0 for any free port (default: %(default)s)",
    )
    serving.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    serving.set_defaults(run=_serve)


def _serve(args: argparse.Namespace) -> int:
    from ..serve import Server

    backend = _backend(args)
    try:
        server = Server(backend, host=args.host, port=args.port, log=_log)
    except OSError as error:
        raise BadInput(f"cannot listen on {args.host} port {args.port}: {error.strerror or error}") from None
    with server:
        print(f"serving {server.url} (GET {server.url}/models lists the models, Ctrl-C stops the server)", flush=True)
        server.serve_forever(poll_interval=0.1)
    return 0


def _backend(args: argparse.Namespace) -> Backend:
    from ..serve._backends import Recordings, Upstream

    if args.upstream is not None:
        return Upstream(args.upstream)
    if args.replay:
        recordings: dict[str, list[tuple[float, bytes]]] = {}
        for path in args.replay:
            if _name_of(path) in recordings:
                raise BadInput(f"{path}: another recording has the same name, {_name_of(path)!r}: rename the file")
            recordings[_name_of(path)] = [(0.0, _contents(path))]
        return Recordings(recordings)
    from .._recordings import RECORDINGS

    return Recordings(RECORDINGS)


def _name_of(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _contents(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None


def _log(line: str) -> None:
    print(visible(line), file=sys.stderr, flush=True)
