"""An emulator of AWS Lambda on loopback: its Runtime API, and the HTTP server of a function URL.

`RuntimeAPI` sends events to a runtime in a process of its own, AWS's or the project's, and receives the responses.
`function_url` is an HTTP server in front of it. It converts each request to an event and each response to an HTTP
response, and forwards the parts of a streamed response as they arrive.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lambda_sources import Request, event_of, query_of, sent_by
from loopback import running
from processes import import_path

MOST_BYTES = 6 * 2**20 + 100
_END = object()
# The variables with which coverage measures interpreters in child processes.
_COVERAGE = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS")}


class Invocation:
    """One event, and the runtime's response to it."""

    def __init__(self, event: Any, seconds: float, headers: Mapping[str, str]) -> None:
        self.id = str(uuid.uuid4())
        self.body = event if isinstance(event, bytes) else json.dumps(event).encode()
        self.deadline = int((time.time() + seconds) * 1000)
        self.extra_headers = dict(headers)
        self.outcome = ""  # response, error, too large, or how the process ended
        self.headers: Mapping[str, str] = {}
        self.trailers: dict[str, str] = {}
        self.parts: list[bytes] = []
        self.arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()  # the parts as they arrive, then _END
        self.done = threading.Event()
        self.begun = threading.Event()

    @property
    def answer(self) -> bytes:
        return b"".join(self.parts)

    def json(self) -> Any:
        return json.loads(self.answer)

    @property
    def streamed(self) -> bool:
        return self.headers.get("Lambda-Runtime-Function-Response-Mode") == "streaming"

    @property
    def prelude(self) -> Any:
        return json.loads(self.answer.partition(b"\0" * 8)[0])

    @property
    def streamed_body(self) -> bytes:
        return self.answer.partition(b"\0" * 8)[2]

    @property
    def trailing_error(self) -> Any:
        return json.loads(base64.b64decode(self.trailers["lambda-runtime-function-error-body"], validate=True))

    def finish(self, outcome: str) -> None:
        self.outcome = self.outcome or outcome
        self.arrived.put(_END)
        self.begun.set()
        self.done.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: RuntimeAPI

    def log_message(self, format: str, *args: object) -> None:
        """Do not log requests."""

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        # One write, because a second one would wait for the acknowledgement of the first (Nagle's algorithm).
        self.wfile.write(head.encode("latin-1") + b"\r\n" + body)

    def do_GET(self) -> None:
        if self.path.endswith("/runtime/restore/next"):
            self.api.ready.set()
            self.api.restores += 1
            return self.answer(200)
        if not self.path.endswith("/runtime/invocation/next"):
            return self.answer(404)
        self.api.first_next = self.api.first_next or time.perf_counter()
        self.api.ready.set()
        invocation = self.api.waiting.get()
        if invocation is None:
            self.close_connection = True
            return None
        self.api.running[invocation.id] = invocation
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
        }
        self.close_connection = self.api.close_after_next
        return self.answer(200, invocation.body, {**headers, **invocation.extra_headers})

    def parts(self) -> Iterator[bytes]:
        length = self.headers.get("Content-Length")
        if length is not None:
            yield self.rfile.read(int(length))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while line := self.rfile.readline().strip():
            name, _, value = line.partition(b":")
            self.api.trailers[name.decode().lower()] = value.strip().decode()

    def do_POST(self) -> None:
        path = self.path.removeprefix("/2018-06-01/runtime/").split("/")
        if path[0] in ("init", "restore"):
            self.api.failed = (
                path[0],
                self.headers["Lambda-Runtime-Function-Error-Type"],
                json.loads(next(self.parts())),
            )
            self.api.ready.set()
            return self.answer(202)
        invocation = self.api.running.pop(path[1], None) if path[0] == "invocation" else None
        if invocation is None:
            return self.answer(400)
        invocation.headers = self.headers
        self.api.trailers = invocation.trailers
        size = 0
        for part in self.parts():
            size += len(part)
            invocation.parts.append(part)
            invocation.arrived.put(part)
            invocation.begun.set()
            if self.api.hang_up_after is not None and len(invocation.parts) >= self.api.hang_up_after:
                invocation.finish("hung up")
                self.close_connection = True
                return None
        too_large = size > MOST_BYTES and not invocation.streamed
        self.answer(413 if too_large else 202)
        invocation.finish("too large" if too_large else path[2])
        return None


class RuntimeAPI:
    """An emulated Runtime API.

    Use it as a context manager: call `start("module.handler", folder=...)`, and then `invoke(event)` for each event.
    """

    def __init__(self) -> None:
        self.waiting: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self.running: dict[str, Invocation] = {}
        self.trailers: dict[str, str] = {}
        self.ready = threading.Event()
        self.failed: tuple[str, str, Any] | None = None  # the phase, the error type and the body of a reported error
        self.restores = 0
        self.close_after_next = False  # close each connection after one event, without `Connection: close`
        self.hang_up_after: int | None = None  # the number of parts after which the client of a stream disconnects
        self.first_next: float | None = None
        self.started = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self._serving = ExitStack()

    def __enter__(self) -> RuntimeAPI:
        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Ignore errors: a runtime that exits drops its connection."""

        server = Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": self}))
        self.address = f"127.0.0.1:{server.server_port}"
        self._serving.enter_context(running(server))
        return self

    def __exit__(self, *failure: object) -> None:
        if self.process is not None:
            if _COVERAGE:
                self.process.terminate()  # so that coverage saves its data
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(5)
            self.process.kill()
            self.process.wait()
        self.waiting.put(None)
        self._serving.close()

    def start(
        self,
        handler: str,
        *,
        folder: Path,
        command: Sequence[str] | None = None,
        paths: Sequence[Path] | None = None,
        environment: Mapping[str, str] | None = None,
        version: str = "{}.{}".format(*sys.version_info),
        log: Any = subprocess.DEVNULL,
    ) -> RuntimeAPI:
        """Start a runtime with the function in `folder`.

        The `command` defaults to `lambda_runtime` on this Python, and `paths` to the directories of the packages.
        """
        variables = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "AWS_LAMBDA_RUNTIME_API": self.address,
            "_HANDLER": handler,
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_ACCESS_KEY_ID": "ASIAHIDDENHIDDENHIDD",
            "AWS_SECRET_ACCESS_KEY": "hidden/secret/access/key",
            "LAMBDA_DISABLE_PREVIEW_WARN": "1",
            "LAMBDA_TASK_ROOT": str(folder),
            "PYTHONPATH": os.pathsep.join(map(str, (folder, *(import_path() if paths is None else paths)))),
            **_COVERAGE,
            **(environment or {}),
        }
        self.started = time.perf_counter()
        started = command or [sys.executable, "-m", "together_adapters.lambda_runtime"]
        self.process = subprocess.Popen([*map(str, started)], env=variables, cwd=folder, stdout=log, stderr=log)
        return self

    def wait(self, seconds: float = 30) -> float:
        """Wait until the runtime requests an event or reports an error. Return the milliseconds since its start."""
        until = time.monotonic() + seconds
        while not self.ready.wait(0.02):
            if self.process is not None and self.process.poll() is not None and not self.ready.is_set():
                raise RuntimeError(f"the runtime exited with {self.process.returncode} before it requested an event")
            if time.monotonic() > until:
                raise TimeoutError(f"the runtime did not request an event within {seconds} s")
        return ((self.first_next or time.perf_counter()) - self.started) * 1000

    def submit(self, event: Any, seconds: float = 30, headers: Mapping[str, str] | None = None) -> Invocation:
        invocation = Invocation(event, seconds, headers or {})
        self.waiting.put(invocation)
        return invocation

    def invoke(self, event: Any, seconds: float = 30, headers: Mapping[str, str] | None = None) -> Invocation:
        """Send an event to the runtime, wait for its response or its exit, and return the invocation."""
        invocation = self.submit(event, seconds, headers)
        self.settle(invocation, seconds)
        return invocation

    def settle(self, invocation: Invocation, seconds: float = 30, begun: bool = False) -> None:
        """Wait for the response, or with `begun` for its first part, or until the process exits."""
        until = time.monotonic() + seconds
        event = invocation.begun if begun else invocation.done
        while not event.wait(0.02):
            if self.process is not None and self.process.poll() is not None:
                invocation.finish(f"exit {self.process.returncode}")
            elif time.monotonic() > until:
                invocation.finish("timeout")


@contextmanager
def function_url(api: RuntimeAPI) -> Iterator[str]:
    """Run an HTTP server that calls the function as a function URL in the mode RESPONSE_STREAM. Yield its base URL."""

    class Front(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Do not log requests."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            request = Request(self.command, path, query_of(self.path), list(self.headers.items()), (), body)
            invocation = api.submit(event_of("function_url", request))
            api.settle(invocation, begun=True)
            if invocation.streamed:
                return self.stream(invocation)
            api.settle(invocation)
            if invocation.outcome != "response":
                return self.send(502, [], b'{"Message":null}')
            return self.send(*sent_by("function_url", invocation.json()))

        do_GET = do_POST

        def send(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
            self.head(status, [*headers, ("Content-Length", str(len(body)))])
            self.wfile.write(body)

        def head(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()

        def stream(self, invocation: Invocation) -> None:
            pending = b""
            while b"\0" * 8 not in pending:
                pending += invocation.arrived.get()
            head, _, data = pending.partition(b"\0" * 8)
            prelude = json.loads(head)
            cookies = [("Set-Cookie", cookie) for cookie in prelude.get("cookies", ())]
            self.head(prelude["statusCode"], [*prelude["headers"].items(), *cookies, ("Transfer-Encoding", "chunked")])
            while data is not _END:
                if data:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
                data = invocation.arrived.get()
            self.wfile.write(b"0\r\n\r\n")

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Ignore errors: a client may disconnect before the end of the response."""

    with running(Server(("127.0.0.1", 0), Front)) as server:
        yield f"http://127.0.0.1:{server.server_port}"
