"""The interface that `Together` and `AsyncTogether` share: the client's arguments and the parameters of `create`.

No other module declares these arguments and parameters. The type variables are the types that differ between the two
clients: the transport, and the result of `create`. Does no I/O.
"""

from __future__ import annotations

import os

from ..stream._reader import MAX_EVENT_BYTES
from . import DEFAULT_BASE_URL, Headers, Secret, endpoint_at
from ._client_options import Options
from ._connecting import TLSSettings
from ._secrets import hide_variables
from ._timeouts import timeout_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from ssl import SSLContext
    from typing import Generic, Literal, TypeVar, Union, overload

    from .._types import ChatCompletionMessage
    from ..protocols import JSON, SupportsToDict
    from ._client_options import Call
    from ._timeouts import DeadlineLike, Timeout

    Object = Union[Mapping[str, JSON], SupportsToDict]
    Message = Union[Mapping[str, JSON], ChatCompletionMessage]
    ResponseT = TypeVar("ResponseT")
    StreamT = TypeVar("StreamT")
    EitherT = TypeVar("EitherT")
    TransportT = TypeVar("TransportT")
else:
    ResponseT = StreamT = EitherT = TransportT = None

    class Generic:
        """A replacement for typing.Generic, whose import takes longer than that of this module."""

        def __class_getitem__(cls, parameters):
            return cls


__all__ = ["CALL_OPTIONS", "BaseClient", "BaseCompletions"]

CALL_OPTIONS = ("timeout", "deadline")
"""The parameters of `create` that configure the call. All other parameters are sent in the body of the request."""
_RETRIES = 2


class BaseCompletions(Generic[ResponseT, StreamT, EitherT]):
    """`client.chat.completions` of either client."""

    def __init__(self, options: Options, send: Callable[[Call], EitherT]) -> None:
        self._options = options
        self._send = send

    # Add a new parameter to all three overloads. A single TypedDict that accepts other parameters would need
    # `extra_items` (PEP 728), which mypy lacks.
    if TYPE_CHECKING:

        @overload
        def create(
            self,
            /,
            *,
            messages: Sequence[Message],
            model: str,
            stream: Literal[False] = False,
            max_tokens: int | None = None,
            stop: str | Sequence[str] | None = None,
            temperature: float | None = None,
            top_p: float | None = None,
            top_k: int | None = None,
            repetition_penalty: float | None = None,
            presence_penalty: float | None = None,
            frequency_penalty: float | None = None,
            min_p: float | None = None,
            logit_bias: Mapping[str, float] | None = None,
            seed: int | None = None,
            logprobs: int | bool | None = None,
            echo: bool | None = None,
            n: int | None = None,
            safety_model: str | None = None,
            response_format: Object | None = None,
            tools: Sequence[Object] | None = None,
            tool_choice: str | Object | None = None,
            timeout: float | Timeout | None = None,
            deadline: DeadlineLike | None = None,
            **others: JSON,
        ) -> ResponseT: ...

        @overload
        def create(
            self,
            /,
            *,
            messages: Sequence[Message],
            model: str,
            stream: Literal[True],
            max_tokens: int | None = None,
            stop: str | Sequence[str] | None = None,
            temperature: float | None = None,
            top_p: float | None = None,
            top_k: int | None = None,
            repetition_penalty: float | None = None,
            presence_penalty: float | None = None,
            frequency_penalty: float | None = None,
            min_p: float | None = None,
            logit_bias: Mapping[str, float] | None = None,
            seed: int | None = None,
            logprobs: int | bool | None = None,
            echo: bool | None = None,
            n: int | None = None,
            safety_model: str | None = None,
            response_format: Object | None = None,
            tools: Sequence[Object] | None = None,
            tool_choice: str | Object | None = None,
            timeout: float | Timeout | None = None,
            deadline: DeadlineLike | None = None,
            **others: JSON,
        ) -> StreamT: ...

        @overload
        def create(
            self,
            /,
            *,
            messages: Sequence[Message],
            model: str,
            stream: bool,
            max_tokens: int | None = None,
            stop: str | Sequence[str] | None = None,
            temperature: float | None = None,
            top_p: float | None = None,
            top_k: int | None = None,
            repetition_penalty: float | None = None,
            presence_penalty: float | None = None,
            frequency_penalty: float | None = None,
            min_p: float | None = None,
            logit_bias: Mapping[str, float] | None = None,
            seed: int | None = None,
            logprobs: int | bool | None = None,
            echo: bool | None = None,
            n: int | None = None,
            safety_model: str | None = None,
            response_format: Object | None = None,
            tools: Sequence[Object] | None = None,
            tool_choice: str | Object | None = None,
            timeout: float | Timeout | None = None,
            deadline: DeadlineLike | None = None,
            **others: JSON,
        ) -> EitherT: ...

    def create(
        self,
        /,
        *,
        messages: Sequence[Message],
        model: str,
        stream: bool = False,
        timeout: float | Timeout | None = None,
        deadline: DeadlineLike | None = None,
        **parameters: JSON,
    ) -> ResponseT | StreamT | EitherT:
        """Create a chat completion and return a ChatCompletionResponse, or a ChunkStream with `stream=True`.

        The parameters are those of `together_types.ChatCompletionRequest`. Undeclared parameters are sent unchanged,
        and parameters that are None are not sent. Messages, tools and other objects may be dicts or values of
        together_types. `timeout` and `deadline` replace those of the client. AsyncTogether returns an awaitable of the
        response or of an AsyncChunkStream.

        Raises APIStatusError if the server responds with an error status or without a completion, APIConnectionError if
        the connection fails, APITimeoutError if a time limit passes, and TypeError or ValueError for an invalid
        argument. A stream raises StreamError or IncompleteStreamError after its last chunk.
        """
        body = {"model": model, "messages": messages, "stream": stream or None, **parameters}
        return self._send(self._options.call(body, timeout=timeout, deadline=deadline))


class BaseClient(Generic[TransportT]):
    """The base of both clients, which checks their arguments."""

    @hide_variables
    def __init__(
        self,
        *,
        api_key: str | Callable[[], str] | None = None,
        base_url: str | None = None,
        timeout: float | Timeout | None = None,
        max_retries: int | None = None,
        supplied_headers: Mapping[str, str] | None = None,
        deadline: DeadlineLike | None = None,
        transport: TransportT | None = None,
        cafile: str | None = None,
        ssl_context: SSLContext | None = None,
        insecure_http: bool = False,
        max_event_bytes: int = MAX_EVENT_BYTES,
        split_thinking: bool = False,
    ) -> None:
        secret = Secret(os.environ.get("TOGETHER_API_KEY") if api_key is None else api_key)
        base_url = base_url or os.environ.get("TOGETHER_BASE_URL")
        if not secret and not base_url:
            raise ValueError("no API key: set TOGETHER_API_KEY, give api_key=, or select another server with base_url=")
        headers = Headers(supplied_headers or {})
        headers.check()
        endpoint = endpoint_at(
            base_url or DEFAULT_BASE_URL,
            insecure_http=insecure_http,
            with_credentials=bool(secret) or bool(headers.credentials()),
        )
        self._options = Options(
            endpoint,
            secret,
            headers,
            timeout=timeout_of(timeout),
            deadline=deadline,
            max_retries=_RETRIES if max_retries is None else max_retries,
            max_event_bytes=max_event_bytes,
            split_thinking=split_thinking,
        )
        self._open(self._options, TLSSettings(cafile, ssl_context), transport)

    def _open(self, options: Options, security: TLSSettings, transport: TransportT | None) -> None:
        """Create the object that sends the requests. `__init__` calls this once, with checked arguments."""
        raise NotImplementedError

    def __repr__(self) -> str:
        options: Options | None = getattr(self, "_options", None)  # absent if an argument was invalid
        return f"{self.__class__.__name__}({options or ''})"
