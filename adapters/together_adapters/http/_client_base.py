"""The interface that `Together` and `AsyncTogether` share: the client's arguments and the parameters of `create`.

No other module declares these arguments and parameters. The type variables are the types that differ between the two
clients: the transport, and the result of `create`. Does no I/O.
"""

from __future__ import annotations

from functools import wraps

from ..stream._reader import MAX_EVENT_BYTES
from ._client_options import CallOptions, Options
from ._connecting import TLSSettings
from ._requests import destination_of
from ._secrets import Headers, Secret, headers_of, hide_variables
from ._timeouts import timeout_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from ssl import SSLContext
    from typing import Any, Generic, Literal, TypeVar, Union, overload

    from typing_extensions import Self

    from .._types import ChatCompletionMessage
    from ..protocols import JSON, SupportsToDict
    from ._client_options import Call
    from ._timeouts import DeadlineLike, Timeout
    from ._url import Endpoint

    Object = Union[Mapping[str, JSON], SupportsToDict]
    Message = Union[Mapping[str, JSON], ChatCompletionMessage]
    ResponseT = TypeVar("ResponseT")
    StreamT = TypeVar("StreamT")
    EitherT = TypeVar("EitherT")
    TransportT = TypeVar("TransportT")
    KeyT = TypeVar("KeyT")
    FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
else:
    ResponseT = StreamT = EitherT = TransportT = KeyT = None

    class Generic:
        """A replacement for typing.Generic, whose import takes longer than that of this module."""

        def __class_getitem__(cls, parameters):
            return cls


__all__ = ["CALL_OPTIONS", "NOT_SENT", "BaseClient", "BaseCompletions"]

CALL_OPTIONS = ("timeout", "deadline", "max_retries", "extra_headers", "extra_query", "extra_body")
"""The parameters of `create` that configure the call. All other parameters are sent in the body of the request."""
NOT_SENT = frozenset((
    "api_base", "api_key", "api_version", "base_url", "cafile", "default_headers", "default_query", "extra_json",
    "headers", "http_client", "idempotency_key", "insecure_http", "max_event_bytes", "num_retries", "organization",
    "proxies", "proxy", "request_timeout", "split_thinking", "ssl_context", "supplied_headers", "transport",
))  # fmt: skip
"""Parameters that `create` refuses: arguments of other clients or of the constructors, which some users try here."""
_RETRIES = 2


def _named_arguments(function: FunctionT) -> FunctionT:
    """Decorate a method with secrets in its keyword arguments.

    Unknown and positional arguments raise a TypeError that names the arguments to use. The errors of the method are
    raised without its frames.
    """
    method: Any = function
    known = method.__kwdefaults__

    @wraps(function)
    def call(self: object, /, *args: object, **kwargs: object) -> object:
        if args or not kwargs.keys() <= known.keys():
            from ._argument_errors import argument_error

            name = type(self).__name__ if method.__name__ == "__init__" else method.__name__
            raise argument_error(name, list(known), list(kwargs))
        return method(self, **kwargs)

    decorated: Any = hide_variables(call)
    return decorated  # type: ignore[no-any-return]


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
            max_retries: int | None = None,
            extra_headers: Mapping[str, str] | None = None,
            extra_query: Mapping[str, object] | None = None,
            extra_body: Object | None = None,
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
            max_retries: int | None = None,
            extra_headers: Mapping[str, str] | None = None,
            extra_query: Mapping[str, object] | None = None,
            extra_body: Object | None = None,
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
            max_retries: int | None = None,
            extra_headers: Mapping[str, str] | None = None,
            extra_query: Mapping[str, object] | None = None,
            extra_body: Object | None = None,
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
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, object] | None = None,
        extra_body: Object | None = None,
        **parameters: JSON,
    ) -> ResponseT | StreamT | EitherT:
        """Create a chat completion and return a ChatCompletionResponse, or a ChunkStream with `stream=True`.

        The parameters are those of `together_types.ChatCompletionRequest`. Undeclared parameters are sent unchanged,
        and parameters that are None are not sent. Messages, tools and other objects may be dicts or values of
        together_types. AsyncTogether returns an awaitable of the response or of an AsyncChunkStream.

        These parameters configure the call and are not sent as parameters:

        - `timeout`, `deadline` and `max_retries` replace those of the client.
        - `extra_headers`: header fields to send in addition to those of the client. They replace fields of the same
          name, in any case, including the API key.
        - `extra_query`: parameters to add to the query of the URL, where they are encoded. They replace parameters of
          `base_url` with the same name, and None removes them. A list becomes several parameters with one name. (The
          SDKs disagree about lists: openai appends `[]` to the name, and together joins the values with commas.)
        - `extra_body`: parameters to send in addition, for names that are also arguments of `create`. They replace
          parameters of the same name completely, and are sent even if they are None.

        >>> from together_adapters import Together
        >>> client = Together()
        >>> response = client.chat.completions.create(
        ...     model="meta-llama/Llama-3.3-70B-Instruct-Turbo",
        ...     messages=[{"role": "user", "content": "What is the capital of France?"}],
        ...     extra_headers={"X-Trace": "4711"},
        ...     extra_body={"top_k": 5},
        ...     max_retries=0,
        ... )

        Raises APIStatusError if the server responds with an error status or without a completion, APIConnectionError if
        the connection fails, APITimeoutError if a time limit passes, and TypeError or ValueError for an invalid
        argument. `headers`, `http_client` and other known arguments of other clients are invalid. A stream raises
        StreamError or IncompleteStreamError after its last chunk.
        """
        own = CallOptions(timeout, deadline, max_retries, extra_headers, extra_query, extra_body)
        del extra_headers, extra_query  # an error report shows the variables of this frame
        if not NOT_SENT.isdisjoint(parameters):
            refused = [name for name in parameters if name in NOT_SENT]
            del parameters
            from ._argument_errors import parameter_error

            raise parameter_error(refused[0])
        body = {"model": model, "messages": messages, "stream": stream or None, **parameters}
        return self._send(self._options.call(body, own))


class BaseClient(Generic[TransportT, KeyT]):
    """The base of both clients, which checks their arguments."""

    @_named_arguments
    def __init__(
        self,
        *,
        api_key: str | Callable[[], KeyT] | None = None,
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
        source: Any = api_key
        endpoint, secret, headers = destination_of(source, base_url, supplied_headers, insecure_http=insecure_http)
        options = Options(
            endpoint,
            secret,
            headers,
            timeout=timeout_of(timeout),
            deadline=deadline,
            max_retries=_RETRIES if max_retries is None else max_retries,
            max_event_bytes=max_event_bytes,
            split_thinking=split_thinking,
            insecure_http=insecure_http,
        )
        self._open(endpoint, TLSSettings(cafile, ssl_context), transport)
        self._use(options)

    def _open(self, endpoint: Endpoint, security: TLSSettings, transport: TransportT | None) -> None:
        """Create the object that sends the requests. `__init__` calls this once, with checked arguments."""
        raise NotImplementedError

    def _use(self, options: Options) -> None:
        """Use these settings from now on."""
        self._options = options

    @_named_arguments
    def with_options(
        self,
        *,
        api_key: str | Callable[[], KeyT] | None = None,
        timeout: float | Timeout | None = None,
        max_retries: int | None = None,
        supplied_headers: Mapping[str, str] | None = None,
        deadline: DeadlineLike | None = None,
        max_event_bytes: int | None = None,
        split_thinking: bool | None = None,
    ) -> Self:
        """Return a client with other settings that uses the same connections.

        >>> from together_adapters import Together
        >>> client = Together()
        >>> patient = client.with_options(timeout=900, max_retries=5)

        Arguments that are None keep the setting of this client. Fields of `supplied_headers` are added to those of this
        client, and replace fields of the same name. `deadline=float("inf")` removes the deadline. This client does not
        change.

        Closing either client closes the connections of both. Both remain usable, as after any `close`. Raises
        ValueError or TypeError for an invalid argument.
        """
        source: Any = api_key
        added = headers_of("supplied_headers", supplied_headers) if supplied_headers else Headers()
        options = self._options.replaced(
            secret=None if source is None else Secret(source),
            timeout=None if timeout is None else timeout_of(timeout),
            max_retries=max_retries,
            headers=self._options.headers.merged(added),
            deadline=deadline,
            max_event_bytes=max_event_bytes,
            split_thinking=split_thinking,
        )
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        other._use(options)
        return other

    def __repr__(self) -> str:
        options: Options | None = getattr(self, "_options", None)  # absent if an argument was invalid
        return f"{self.__class__.__name__}({options or ''})"
