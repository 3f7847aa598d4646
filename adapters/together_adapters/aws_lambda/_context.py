"""The context that a handler gets, with the attributes that AWS documents for Python.

It never calls AWS: all it knows is from the headers of one invocation and the environment.
"""

from __future__ import annotations

import json
import os
import time
from types import SimpleNamespace

from ..accumulate._merging import is_dict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Context"]

_CLIENT = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class Context:
    """One invocation, from the headers of the Runtime API; what the platform does not tell is None."""

    def __init__(self, headers: Any) -> None:
        environment = os.environ.get
        self.aws_request_id: str = headers.get("Lambda-Runtime-Aws-Request-Id") or ""
        self.invoked_function_arn: str | None = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.tenant_id: str | None = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        self.function_name = environment("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = environment("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = environment("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = environment("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environment("AWS_LAMBDA_LOG_STREAM_NAME")
        caller = _object(headers.get("Lambda-Runtime-Client-Context"))
        self.client_context = None if caller is None else _client_context(caller)
        identity = _object(headers.get("Lambda-Runtime-Cognito-Identity")) or {}
        self.identity = SimpleNamespace(
            cognito_identity_id=identity.get("cognitoIdentityId"),
            cognito_identity_pool_id=identity.get("cognitoIdentityPoolId"),
        )
        deadline = headers.get("Lambda-Runtime-Deadline-Ms") or ""
        self._deadline = int(deadline) if deadline.isdecimal() else 0

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until Lambda ends the invocation, 0 when there are none."""
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message: object) -> None:
        """Write a message to the function's log."""
        print(message, flush=True)

    def __repr__(self) -> str:
        return f"Context(aws_request_id={self.aws_request_id!r}, function_name={self.function_name!r})"


def _client_context(caller: dict[str, Any]) -> SimpleNamespace:
    """What a mobile application told of itself: `client` has attributes, `custom` and `env` are dicts."""
    told: object = caller.get("client")
    client = SimpleNamespace(**{name: told.get(name) for name in _CLIENT}) if is_dict(told) else None
    return SimpleNamespace(client=client, custom=caller.get("custom"), env=caller.get("env"))


def _object(text: str | None) -> dict[str, Any] | None:
    """The JSON object of a header; None where there is none."""
    try:
        # http.client reads headers as Latin-1; this one is sent as UTF-8.
        value: Any = json.loads(text.encode("latin-1").decode("utf-8")) if text else None
    except ValueError:
        return None
    return value if is_dict(value) else None
