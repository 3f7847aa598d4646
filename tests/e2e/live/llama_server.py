"""Install a real llama-server from Debian's unstable suite, without root.

    python tests/e2e/live/llama_server.py FOLDER

The result is the command `FOLDER/llama-server`. This needs apt on Linux and about 80 MB of disk space.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
from apt_packages import unpacked

SUITE, PACKAGE = "sid", "llama.cpp-tools"
# Dependencies that apt resolves, but that the unpacked program does not need.
_NOT_NEEDED = ("perl-base", "debconf", "dpkg_", "tar_", "dash_", "coreutils")


def fetch(folder: Path) -> Path:
    """Return the path of the command. Download it first if it is not installed."""
    command = folder / "llama-server"
    if not command.exists():
        _write_command(command, unpacked(SUITE, [PACKAGE, "ca-certificates-"], folder, _NOT_NEEDED))
    return command


def _write_command(command: Path, root: Path) -> None:
    # The program runs with the loader of its own suite. It would search for its CPU backends in the loader's directory,
    # so GGML_BACKEND_PATH is set.
    libraries = next(root.glob("usr/lib/*-linux-gnu"))
    loader = next(libraries.glob("ld-linux-*.so.*"))
    backends = sorted(
        libraries.glob("ggml/backends*/libggml-cpu*.so"), key=lambda path: ("x64" not in path.name, path.name)
    )
    folders = ":".join(map(str, [libraries, libraries / "llama", backends[0].parent]))
    command.write_text(
        f'#!/bin/sh\nGGML_BACKEND_PATH={backends[0]} exec {loader} --library-path {folders} {root}/usr/bin/llama-server "$@"\n'
    )
    command.chmod(0o755)


@contextmanager
def running(command: Path, model: Path, *options: str) -> Iterator[str]:
    """Start the server with a model, and yield its base URL."""
    with process_of(command, model, *options) as (_, base_url):
        yield base_url


@contextmanager
def process_of(command: Path, model: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start the server with a model, and yield its process and its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = [
        str(command), "-m", str(model), "--alias", "tiny", "--host", "127.0.0.1", "--port", str(port), "-c", "8192", "-np", "4",
        "--no-ui", "--offline", "--temp", "0", "--seed", "1", *options,
    ]  # fmt: skip
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process)
        yield process, f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"llama-server exited with status {process.returncode} before it was ready")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"llama-server did not respond to GET {url} within a minute")


if __name__ == "__main__":
    print(fetch(Path(sys.argv[1]).resolve()))
