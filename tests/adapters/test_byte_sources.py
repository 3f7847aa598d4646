"""The rules for sources of bytes: how a read is interrupted, and which exceptions are those of a connection."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

import pytest
from together_adapters._byte_sources import interrupt_read, is_connection_error
from together_adapters.errors import APIConnectionError


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot duplicate the descriptor of a socket with os.dup")
def test_interrupted_socket_ends_the_read_of_another_thread() -> None:
    here, there = socket.socketpair()
    with here, there:
        timer = threading.Timer(0.1, interrupt_read, (here,))
        timer.start()
        assert here.recv(1) == b""
        timer.join()
        assert here.fileno() >= 0


def test_interrupted_pipe_remains_open_and_its_duplicate_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    dup, duplicates = os.dup, list[int]()

    def record(descriptor: int) -> int:
        duplicates.append(dup(descriptor))
        return duplicates[-1]

    monkeypatch.setattr(os, "dup", record)
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as source, open(writer, "wb", buffering=0) as target:
        interrupt_read(source)
        [duplicate] = duplicates
        with pytest.raises(OSError):
            os.fstat(duplicate)
        target.write(b"a")
        assert source.read(1) == b"a"


def test_interrupted_source_without_a_descriptor_is_unchanged() -> None:
    interrupt_read([b"a"])
    closed = socket.socket()
    closed.close()
    interrupt_read(closed)


class Own(Exception):
    """An exception of the package that defines the source."""


class Source:
    pass


class Client:
    raises_api_errors = True


@pytest.mark.parametrize(
    ("error", "source", "expected"),
    [
        (ConnectionResetError(), [], True),
        (EOFError(), [], True),
        (APIConnectionError("no"), [], True),
        (ValueError(), [], False),
        (Own(), Source(), True),
        (ConnectionResetError(), Client(), False),
        (APIConnectionError("no"), Client(), True),
    ],
    ids=lambda value: value if isinstance(value, bool) else type(value).__name__,
)
def test_exception_of_a_source_is_a_connection_error_by_its_class_and_source(
    error: Exception, source: Any, expected: bool
) -> None:
    assert is_connection_error(error, source) is expected
