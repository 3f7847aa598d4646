"""Requests for `urllib.request.urlopen`, and a transport over an opener of urllib.

`Together` opens its own connections, for the reasons in `_http1`. This module is for programs whose requests must go
through the handlers of an opener.

No header field that contains credentials follows a redirect.
"""

from __future__ import annotations

from http.client import HTTPException, IncompleteRead
from types import TracebackType
from urllib.error import HTTPError, URLError
from urllib.request import BaseHandler, OpenerDirector, ProxyHandler, Request as UrllibRequest, build_opener

from .._byte_sources import iterator_of
from ._connecting import TLSSettings
from ._content_coding import ContentDecoder, ContentDecodingError
from ._http1 import Fields, ProtocolError
from ._requests import destination_of, request_of
from ._secrets import Headers, hide_variables
from ._url import endpoint_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ..protocols import JSON, HeaderPairs, Transport
    from ._client_base import Message

__all__ = ["urllib_request", "urllib_transport"]

# Parameters that are not sent, because Together, its `create` or other clients have them, and what to do instead.
_ELSEWHERE = {
    "api_base": "use base_url",
    "api_version": "add it to the query of base_url",
    "cafile": "pass it to the opener",
    "deadline": "pass it to Together",
    "default_headers": "use supplied_headers",
    "default_query": "add it to base_url",
    "extra_body": "pass its items as parameters",
    "extra_headers": "use supplied_headers",
    "extra_json": "pass its items as parameters",
    "extra_query": "add it to base_url",
    "headers": "use supplied_headers",
    "http_client": "use an opener",
    "idempotency_key": "use supplied_headers",
    "max_event_bytes": "pass it to iter_chunks",
    "max_retries": "pass it to Together",
    "num_retries": "pass max_retries to Together",
    "organization": "use supplied_headers",
    "proxies": "pass it to the opener",
    "proxy": "pass it to the opener",
    "request_timeout": "pass timeout to urlopen",
    "split_thinking": "pass it to iter_chunks",
    "ssl_context": "pass it to urlopen, as context=",
    "timeout": "pass it to urlopen",
    "transport": "pass it to Together",
}
# The frames of these modules have variables that contain the header fields of the request.
_WITH_SECRETS = ("http.client", "socket", "ssl", "urllib.request")


@hide_variables
def urllib_request(
    *,
    model: str,
    messages: Sequence[Message],
    stream: bool = False,
    api_key: str | Callable[[], str] | None = None,
    base_url: str | None = None,
    supplied_headers: Mapping[str, str] | None = None,
    insecure_http: bool = False,
    **parameters: JSON,
) -> UrllibRequest:
    """Return the request for a chat completion, for `urllib.request.urlopen` or the `open` of any opener.

    The parameters are those of `Together` and of its `chat.completions.create`, with the same defaults and checks. There
    are no `extra_headers`, `extra_query` and `extra_body`: `supplied_headers`, the query of `base_url` and additional
    parameters replace them. The timeout is a parameter of `urlopen`.

    >>> import urllib.request
    >>> from together_adapters.http import urllib_request
    >>> from together_types import ChatCompletionResponse
    >>> messages = [{"role": "user", "content": "What is the capital of France?"}]
    >>> request = urllib_request(model="meta-llama/Llama-3.3-70B-Instruct-Turbo", messages=messages)
    >>> with urllib.request.urlopen(request, timeout=60) as answer:
    ...     response = ChatCompletionResponse.from_json(answer.read())
    >>> response.text
    'The capital of France is Paris.'

    For a request with `stream=True`, pass the response to `stream.iter_chunks`. `urlopen` raises `urllib.error.HTTPError`
    for an error status, follows a redirect without the key and without the body, and does not send a request again. The
    errors of `Together(transport=urllib_transport())` are those of the client.

    A proxy from the environment also receives requests to a loopback address, unless NO_PROXY contains that address.

    Raises ValueError for an invalid argument, and if neither a key nor a base URL is set. Raises TypeError for a
    parameter that JSON cannot represent, and for one that is not part of a request, such as `timeout`.
    """
    for name in _ELSEWHERE.keys() & parameters.keys():
        raise TypeError(f"{name} is not a parameter of a request: {_ELSEWHERE[name]}")
    endpoint, secret, headers = destination_of(api_key, base_url, supplied_headers, insecure_http=insecure_http)
    body = {"model": model, "messages": messages, "stream": stream or None, **parameters}
    request = request_of(endpoint, secret, headers, body)
    return _with_headers(UrllibRequest(endpoint.url, request.body, method=request.method), request.headers)


def urllib_transport(opener: OpenerDirector | None = None) -> Transport:
    """Return a transport that sends the requests of `Together` with an opener of urllib.

    >>> import urllib.request
    >>> from together_adapters import Together
    >>> from together_adapters.http import urllib_transport
    >>> opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    >>> client = Together(transport=urllib_transport(opener))
    >>> messages = [{"role": "user", "content": "What is the capital of France?"}]
    >>> client.chat.completions.create(model="meta-llama/Llama-3.3-70B-Instruct-Turbo", messages=messages).text
    'The capital of France is Paris.'

    The handlers of the opener determine proxies, authentication, cookies, TLS and recordings. The arguments `cafile` and
    `ssl_context` of the client have no effect. Without an opener, urllib's default handlers are used, with one TLS
    context for all calls. They use no proxy for a loopback address.

    An HTTPError becomes the client's error for that status, with the body. Redirects are refused: one handler is added
    to the opener, which has no effect on other requests.

    Limits of urllib, which the client's own connections do not have:

    - Each call opens a new connection and closes it.
    - `close()` in another thread does not interrupt a read. The connection is closed after the read.
    - The remaining time of `Timeout.first_byte` limits each operation on the socket, including those of a stream.
      `connect` has no effect. `idle`, `total` and the deadline are checked between the pieces of a body. A server that
      sends the head of its response slowly, or interim responses or trailers without end, can exceed every limit.
    - An error response that arrives before the request is sent completely is lost. The call raises APIConnectionError.
    - http.client interprets malformed responses as `_http1` describes. It ignores faults that the client rejects.

    Raises TypeError if the opener is not an OpenerDirector.
    """
    if opener is None:
        opener = _default_opener()
    elif not isinstance(opener, OpenerDirector):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"opener must be a urllib.request.OpenerDirector, got {type(opener).__name__}")
    if not any([hasattr(handler, "refuses_redirects") for handler in getattr(opener, "handlers", ())]):
        opener.add_handler(_redirect_refuser())
    return _OpenerTransport(opener)


class _OpenerTransport:
    """A Transport. An error that it raises has no frames of urllib."""

    def __init__(self, opener: OpenerDirector) -> None:
        self._opener = opener

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float | None, /
    ) -> tuple[int, HeaderPairs, Iterable[bytes]]:
        request = _with_headers(UrllibRequest(url, body, method=method), Headers(headers))
        vars(request)["refuses_redirects"] = True
        answer: Any = None
        problem: Exception | None = None
        try:
            answer = self._opener.open(request, timeout=timeout)
        except HTTPError as error:  # it is a response, too, and closes its connection when it is garbage-collected
            answer = error.with_traceback(None)
            answer.__context__ = None
        except URLError as error:
            problem = error.reason if isinstance(error.reason, Exception) else OSError(error.reason)
        except UnicodeError:  # the host of the URL is valid
            problem = OSError("the name of the proxy is not a valid host name")
        except OSError as error:  # also RemoteDisconnected, an HTTPException
            problem = error
        except HTTPException as error:
            problem = _protocol_error(error)
            problem.answered = True  # type: ignore[attr-defined]  # the request is not sent again
        except Exception as error:
            problem = error
        if problem is not None:
            raise _without_secret_frames(problem)
        if answer is None:
            raise OSError("the opener has no handler for this URL")
        return answer.code, answer.headers.items(), _Body(answer)


class _Body:
    """The body of a response, as an iterable of its pieces."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._pieces = _pieces_of(answer)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Close the connection. Raises ValueError while another thread reads the body."""
        # A generator that is running cannot be closed. Closing the response would wait for the end of the read.
        self._pieces.close()
        self._answer.close()


def _pieces_of(answer: Any) -> Generator[bytes, None, None]:
    """Yield the pieces of a body. Raises OSError, EOFError or ValueError if it is malformed or cut off.

    A Content-Encoding is decoded only in a response of http.client, because a handler that replaces the response may
    have decoded it.
    """
    is_original = hasattr(answer, "chunked")
    left: int | None = answer.length if is_original else None
    decoder = _decoder_for(Fields(answer.headers.items()).tokens("content-encoding")) if is_original else None
    try:
        for piece in iterator_of(answer):
            # Counted here, because `length` is constant in some versions of Python (gh-113199).
            left = None if left is None else left - len(piece)
            if decoder is not None:
                piece = decoder.feed(piece)
            if piece:
                yield piece
            if decoder is not None and decoder.error is not None:
                raise decoder.error
        if left:
            raise EOFError(f"{left} bytes of the body are missing")
        if decoder is not None:
            decoder.finish()
            if decoder.error is not None:
                raise decoder.error
    except IncompleteRead:
        raise EOFError("the connection was closed in the body") from None
    except (HTTPException, OverflowError) as error:  # OverflowError: for a large chunk size in Python 3.12 and older
        raise _protocol_error(error) from None
    finally:
        answer.close()


def _protocol_error(error: Exception) -> ProtocolError:
    return ProtocolError(f"http.client raised {type(error).__name__}:", str(error))


def _decoder_for(codings: list[str]) -> ContentDecoder | None:
    coding = ", ".join([coding for coding in codings if coding != "identity"])
    try:
        return ContentDecoder(coding) if coding else None
    except ContentDecodingError:  # its message shortens the coding, which could leave a part of a secret
        raise ProtocolError("unsupported Content-Encoding, which was not requested:", coding) from None


def _redirect_refuser() -> BaseHandler:
    """Return a handler that raises HTTPError for a redirect of a transport's request, and ignores other requests."""

    class RedirectRefuser(BaseHandler):
        handler_order = 0  # before HTTPRedirectHandler, whose order is 500
        refuses_redirects = True

        def http_error_302(self, req: UrllibRequest, fp: Any, code: int, msg: str, headers: Any) -> None:
            if hasattr(req, "refuses_redirects"):
                raise HTTPError(req.full_url, code, msg, headers, fp)

        http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    return RedirectRefuser()


def _default_opener() -> OpenerDirector:
    class Proxies(ProxyHandler):
        def proxy_open(self, req: UrllibRequest, proxy: str, type: str) -> Any:
            # The proxy would receive the key unencrypted, and its loopback address is another one.
            return None if endpoint_of(req.full_url).is_loopback else super().proxy_open(req, proxy, type)

    handlers: list[BaseHandler] = [Proxies()]
    try:
        from urllib.request import HTTPSHandler

        # Without a context, Python 3.11 and older read all CA certificates for each request (19 ms instead of 1.5).
        handlers.append(HTTPSHandler(context=TLSSettings(None, None).context()))
    except (ImportError, OSError):  # a Python without ssl, whose opener raises URLError for https
        pass
    return build_opener(*handlers)


def _with_headers(request: UrllibRequest, headers: Headers) -> UrllibRequest:
    """Add header fields to a request. A redirect drops those that contain credentials."""
    credentials = headers.credentials()
    for name, value in headers.items():
        add = request.add_unredirected_header if value in credentials else request.add_header
        add(name, value)
    return request


def _without_secret_frames(error: Exception) -> Exception:
    """Remove the frames that contain header fields from the traceback of an error, and return the error.

    The other frames remain, because `is_connection_error` recognizes a signal handler by its frame.
    """
    link: BaseException | None = error
    while link is not None:
        entry = link.__traceback__
        kept: list[TracebackType] = []
        while entry is not None:
            if entry.tb_frame.f_globals.get("__name__") not in _WITH_SECRETS:
                kept.append(entry)
            entry = entry.tb_next
        traceback: TracebackType | None = None
        for entry in reversed(kept):
            traceback = TracebackType(traceback, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        link.__traceback__, link.__context__ = traceback, None
        link = link.__cause__
    return error
