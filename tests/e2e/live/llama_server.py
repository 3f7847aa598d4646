"""A real llama-server without a download by hand: fetched through apt from Debian's unstable suite and unpacked, not installed.

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

SUITE, PACKAGE = "sid", "llama.cpp-tools"
# What apt also resolves but an unpacked program does not need.
_NOT_NEEDED = ("perl-base", "debconf", "dpkg_", "tar_", "dash_", "coreutils")


def fetch(folder: Path) -> Path:
    """The command, fetched unless it is there."""
    command = folder / "llama-server"
    if not command.exists():
        _download(folder)
        root = _unpack(folder)
        _write_command(command, root)
    return command


def _download(folder: Path) -> None:
    for name in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/apt.conf.d"):
        (folder / "apt" / name).mkdir(parents=True, exist_ok=True)
    (
        folder / "apt/state/status"
    ).touch()  # nothing is installed here, so that all it needs is fetched too, its libc included
    sites = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE)"], capture_output=True, text=True, check=True
    )
    mirror = next(site for site in sites.stdout.split() if site.rstrip("/").endswith("debian"))
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (folder / "apt/etc/sources.list").write_text(f"deb [signed-by={keyring}] {mirror} {SUITE} main\n")
    options = {
        "Dir::Etc": f"{folder}/apt/etc", "Dir::Etc::sourcelist": f"{folder}/apt/etc/sources.list", "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::parts": "/dev/null", "Dir::State": f"{folder}/apt/state", "Dir::State::status": f"{folder}/apt/state/status",
        "Dir::Cache": f"{folder}/apt/cache", "APT::Install-Recommends": "false", "Acquire::Languages": "none",
        "Debug::NoLocking": "1", "APT::Sandbox::User": "root", "Acquire::Check-Valid-Until": "false",
    }  # fmt: skip
    apt = ["apt-get", "-qq", *(argument for name, value in options.items() for argument in ("-o", f"{name}={value}"))]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "-y", "--download-only", "install", PACKAGE, "ca-certificates-"], check=True)


def _unpack(folder: Path) -> Path:
    root = folder / SUITE
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")
    for package in sorted((folder / "apt/cache/archives").glob("*.deb")):
        if not package.name.startswith(_NOT_NEEDED):
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as files:
                tar = ["tar", "-x", "--keep-directory-symlink", "-C", root]
                subprocess.run(tar, stdin=files.stdout, stderr=subprocess.DEVNULL)
            package.unlink()
    return root


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
