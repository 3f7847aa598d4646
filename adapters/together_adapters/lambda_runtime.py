"""A runtime for AWS Lambda that can stream: `python -m together_adapters.lambda_runtime [MODULE.FUNCTION]`.

AWS's own runtime for Python (awslambdaric 4.2) sends only whole responses. This one requests events from Lambda's
Runtime API in the same way, runs ordinary handlers as usual, and sends each part of a generator as soon as it is
yielded. There are three ways to use it instead of AWS's runtime:

- The runtime `provided.al2023`, with a Python in the package or in a layer, and a `bootstrap` script that runs this
  module.
- A container image whose ENTRYPOINT is `python -m together_adapters.lambda_runtime` and whose CMD is the handler.
- A managed Python runtime with `AWS_LAMBDA_EXEC_WRAPPER=/var/task/stream.sh`. The script consists of
  `exec "$1" -m together_adapters.lambda_runtime`, because its arguments are the command of AWS's runtime.

The name of the handler is the argument, or the environment variable `_HANDLER`.

A response is streamed if the handler returns an iterator, such as the result of `aws_lambda.respond_stream`, or is a
generator function. Its parts are bytes or text. If the first part is a dict, it is the prelude of an HTTP response,
with `statusCode`, `headers` and `cookies`. An exception before the first part is reported as an error of the function.
A later exception is reported in the trailers of the stream. If the client disconnects, the iterator is closed.

Records of the `logging` module are written to the function's log, at the level that the function sets. This requires
that the function's module imports `logging` and does not add a log handler itself.

`TOGETHER_LAMBDA_STREAMING` (see `aws_lambda`) defaults to `on`. With `always`, every HTTP response to a function URL or
a REST API is sent as a stream, also one that a handler returns whole. Function URLs in the mode RESPONSE_STREAM and
REST APIs with the transfer mode STREAM probably require this.

This module was tested only against an emulator of the Runtime API, not in AWS. The three ways to deploy it, the
delivery of the prelude and of the trailers, and `always` follow AWS's documentation.

Handles one event at a time, and needs no package of AWS.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from types import SimpleNamespace

from ._byte_sources import close_source
from ._json_data import is_dict, to_jsonable
from ._types import is_object
from .aws_lambda import STREAMING
from .aws_lambda._responses import MAX_RESPONSE_BYTES, ResponseTooLargeError
from .aws_lambda._runtime_api import ERROR_TYPE, RuntimeAPI, as_bytes, report_of, type_of
from .aws_lambda._sources import HttpSource, recognise
from .aws_lambda._streams import response_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message
    from typing import Any, NoReturn

    from .protocols import JSON

    Handler = Callable[[JSON, "Context"], JSON]

__all__ = ["RuntimeAPI", "main", "serve"]

_CLIENT_FIELDS = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
RuntimeAPI.__module__ = __name__  # the public module of the class

_PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response"


def main(argv: list[str] | None = None) -> None:
    """Run the handler named by the arguments or the environment, until the process ends. Raises SystemExit."""
    names = sys.argv[1:] if argv is None else argv
    for output in (sys.stdout, sys.stderr):  # buffered output would be lost when Lambda freezes the process
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(line_buffering=True, errors="backslashreplace")
    os.environ.setdefault(STREAMING, "on")
    _add_paths()
    if "AWS_LAMBDA_RUNTIME_API" not in os.environ:
        raise SystemExit("AWS_LAMBDA_RUNTIME_API is not set: run this module as the runtime of a Lambda function")
    api = RuntimeAPI(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load(names[0] if names else os.environ["_HANDLER"])
    except Exception as error:
        _fail(api, "/init/error", error, _INIT_ERRORS.get(type(error)), 1)
    _show_logs()
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _wait_for_restore(api)
    serve(handler, api)


def _add_paths() -> None:
    """Add the directories in which AWS's runtimes look for modules: the function first, then the layers."""
    root = os.environ.get("LAMBDA_TASK_ROOT", os.getcwd())
    layers = ["/opt/python/lib/python{}.{}/site-packages".format(*sys.version_info), "/opt/python"]
    sys.path[:0] = [path for path in [root] if path not in sys.path]
    sys.path += [path for path in layers if path not in sys.path]


class _NoHandler(Exception):
    """The module does not define the function."""


class _BadName(Exception):
    """The handler's name is not MODULE.FUNCTION."""


_INIT_ERRORS: dict[type, str] = {
    ImportError: "Runtime.ImportModuleError",
    ModuleNotFoundError: "Runtime.ImportModuleError",
    SyntaxError: "Runtime.UserCodeSyntaxError",
    IndentationError: "Runtime.UserCodeSyntaxError",
    _NoHandler: "Runtime.HandlerNotFound",
    _BadName: "Runtime.MalformedHandlerName",
}


def load(name: str) -> Handler:
    """Import and return the function named `module.function`. Slashes in the module's name are read as dots."""
    from importlib import import_module

    module, dot, function = name.rpartition(".")
    if not dot or not module or not function:
        raise _BadName(f"the name of the handler must be MODULE.FUNCTION, got {name!a}")
    handler: Handler | None = getattr(import_module(module.replace("/", ".")), function, None)
    if handler is None:
        raise _NoHandler(f"the module {module!a} does not define the handler {function!a}")
    return handler


def _show_logs() -> None:
    """Write log records to the function's log, as AWS's runtime does, unless the function has added a log handler."""
    logging: Any = sys.modules.get("logging")  # not imported here, because that takes 10 ms
    if logging is None or logging.getLogger().handlers:
        return
    writer = logging.StreamHandler(sys.stdout)
    writer.setFormatter(
        logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(message)s", "%Y-%m-%dT%H:%M:%S")
    )
    writer.formatter.converter = time.gmtime
    logging.getLogger().addHandler(writer)


def _wait_for_restore(api: RuntimeAPI) -> None:
    """Take part in SnapStart: run the hooks before the snapshot, wait for the restore, and run the hooks after it.

    The hooks are those that the function has registered with AWS's package `snapshot_restore_py`.
    """
    hooks: Any = sys.modules.get("snapshot_restore_py")  # loaded if the function has registered hooks
    before: list[Any] = hooks.get_before_snapshot() if hooks else []
    after: list[Any] = hooks.get_after_restore() if hooks else []
    try:
        while before:
            function, args, kwargs = before.pop()
            function(*args, **kwargs)
    except Exception as error:
        _fail(api, "/init/error", error, "Runtime.BeforeSnapshotError", 64)
    api.call("GET", "/restore/next")
    api.close()  # the connection was open during the snapshot, and is dead after the restore
    try:
        for function, args, kwargs in after:
            function(*args, **kwargs)
    except Exception as error:
        _fail(api, "/restore/error", error, "Runtime.AfterRestoreError", 65)


def serve(handler: Handler, api: RuntimeAPI) -> None:
    """Request events and run the handler on each of them. Does not return."""
    while True:
        headers, body = api.call("GET", "/invocation/next")
        trace = headers.get("Lambda-Runtime-Trace-Id")
        if trace:
            os.environ["_X_AMZN_TRACE_ID"] = trace
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        invoke(handler, api, headers, body)


def invoke(handler: Handler, api: RuntimeAPI, headers: Message, body: bytes) -> None:
    """Run the handler on one event, and send its result or a report of its exception."""
    context = Context(headers)
    path = f"/invocation/{context.aws_request_id}"
    echoed = {name: value for name in ("Lambda-Runtime-Invocation-Id",) if (value := headers.get(name))}
    try:
        is_json = headers.get("Content-Type", "application/json").startswith("application/json")
        event = json.loads(body) if is_json else body
        result = handler(event, context)
        parts = _parts_of(result, event)
        if parts is not None:
            _stream(api, path, parts, echoed)
            return
        data, kind = _marshalled(result)
    except Exception as error:
        report = report_of(error, error.__traceback__ and error.__traceback__.tb_next, context.aws_request_id)
        api.call("POST", path + "/error", report, {ERROR_TYPE: type_of(error), **echoed})
        return
    api.call("POST", path + "/response", data, {"Content-Type": kind, **echoed})


def _parts_of(result: JSON, event: JSON) -> Iterator[JSON] | None:
    """Return the parts of a result that is to be streamed, or None for one that is to be sent whole."""
    if hasattr(result, "__next__"):
        parts: Iterator[JSON] = result
        return parts
    if os.environ.get(STREAMING) != "always" or not is_object(result) or "statusCode" not in result:
        return None
    source = recognise(event)
    can_stream = isinstance(source, HttpSource) and source.when_streamed() is not None
    return response_parts(result) if can_stream else None


def _stream(api: RuntimeAPI, path: str, parts: Iterator[JSON], headers: dict[str, str]) -> None:
    try:
        first = next(parts, b"")
        if is_object(first):
            head = json.dumps({"statusCode": 200, **to_jsonable(first)}).encode("ascii") + b"\0" * 8
            api.stream(path + "/response", _PRELUDE_TYPE, head, parts, headers)
        else:
            api.stream(path + "/response", "application/octet-stream", as_bytes(first), parts, headers)
    finally:
        _close(parts)


def _close(parts: JSON) -> None:
    """Close the iterator of the parts. An exception is only logged, because Lambda has received the response."""
    try:
        close_source(parts)
    except Exception as error:
        report_of(error, error.__traceback__ and error.__traceback__.tb_next)


def _marshalled(result: JSON) -> tuple[bytes, str]:
    """Return the body and the content type for a returned value: bytes unchanged, any other value as JSON."""
    if isinstance(result, bytes):
        data, kind = result, "application/unknown"
    else:
        if hasattr(result, "__await__") and hasattr(result, "close"):
            result.close()  # prevents Python's warning about a coroutine that was not awaited
        data, kind = json.dumps(to_jsonable(result)).encode("ascii"), "application/json"
    if len(data) > MAX_RESPONSE_BYTES:
        raise ResponseTooLargeError(len(data), MAX_RESPONSE_BYTES)
    return data, kind


def _fail(api: RuntimeAPI, path: str, error: BaseException, kind: str | None, status: int) -> NoReturn:
    report = report_of(error, error.__traceback__ and error.__traceback__.tb_next)
    api.call("POST", path, report, {ERROR_TYPE: kind or type_of(error)})
    raise SystemExit(status)


class Context:
    """The context of one invocation, from the headers of the Runtime API. Values that Lambda omits are None."""

    def __init__(self, headers: Message) -> None:
        environment = os.environ.get
        self.aws_request_id: str = headers.get("Lambda-Runtime-Aws-Request-Id") or ""
        self.invoked_function_arn: str | None = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.tenant_id: str | None = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        self.function_name: str | None = environment("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version: str | None = environment("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb: str | None = environment("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name: str | None = environment("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name: str | None = environment("AWS_LAMBDA_LOG_STREAM_NAME")
        caller = _json_header(headers.get("Lambda-Runtime-Client-Context"))
        self.client_context: SimpleNamespace | None = None if caller is None else _client_context(caller)
        identity = _json_header(headers.get("Lambda-Runtime-Cognito-Identity")) or {}
        self.identity: SimpleNamespace = SimpleNamespace(
            cognito_identity_id=identity.get("cognitoIdentityId"),
            cognito_identity_pool_id=identity.get("cognitoIdentityPoolId"),
        )
        deadline = headers.get("Lambda-Runtime-Deadline-Ms") or ""
        self._deadline = int(deadline) if deadline.isdecimal() else 0

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation, at least 0."""
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message: object) -> None:
        """Write a message to the function's log."""
        print(message, flush=True)

    def __repr__(self) -> str:
        return f"Context(aws_request_id={self.aws_request_id!r}, function_name={self.function_name!r})"


def _client_context(caller: dict[str, Any]) -> SimpleNamespace:
    """Return the context that a mobile application has sent: `client` has attributes, `custom` and `env` are dicts."""
    told: object = caller.get("client")
    client = SimpleNamespace(**{name: told.get(name) for name in _CLIENT_FIELDS}) if is_dict(told) else None
    return SimpleNamespace(client=client, custom=caller.get("custom"), env=caller.get("env"))


def _json_header(text: str | None) -> dict[str, Any] | None:
    """Return the JSON object in a header, or None if the header is absent or does not contain an object."""
    try:
        # http.client decodes headers as Latin-1, but Lambda encodes this one as UTF-8.
        value: JSON = json.loads(text.encode("latin-1").decode("utf-8")) if text else None
    except ValueError:
        return None
    return value if is_dict(value) else None


if __name__ == "__main__":
    main()
