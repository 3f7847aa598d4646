"""A real llama-server without a download by hand, out of Debian's unstable suite.

    python tests/e2e/live/llama_server.py FOLDER

leaves `FOLDER/llama-server`, a command. It needs apt on Linux, no root, and about 80 MB.
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
# What apt also resolves but an unpacked program does not need.
_NOT_NEEDED = ("perl-base", "debconf", "dpkg_", "tar_", "dash_", "coreutils")


def fetch(folder: Path) -> Path:
    """The command, fetched unless it is there."""
    command = folder / "llama-server"
    if not command.exists():
        _write_command(command, unpacked(SUITE, [PACKAGE, "ca-certificates-"], folder, _NOT_NEEDED))
    return command


def _write_command(command: Path, root: Path) -> None:
    # Started through its own suite's loader, and told where its CPU code is, which it would look for beside the loader.
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
    """Start the server with a model; gives its base URL."""
    with process_of(command, model, *options) as (_, base_url):
        yield base_url


@contextmanager
def process_of(command: Path, model: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start the server with a model; gives its process and its base URL."""
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
            raise RuntimeError(f"llama-server ended with status {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("llama-server does not answer")


if __name__ == "__main__":
    print(fetch(Path(sys.argv[1]).resolve()))
