"""Errors for arguments that the clients and `create` do not have. They name the argument to use instead.

Only imported to create an error. Does no I/O.
"""

from __future__ import annotations

from difflib import get_close_matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OF_CREATE", "argument_error", "parameter_error"]

_HEADERS = "use supplied_headers={...}"
_TRANSPORT = "use transport=..."
_RETRIES = "use max_retries=..."
_URL = "use base_url=..."
_QUERY = "add the query to base_url"
_PROXY = "set HTTPS_PROXY in the environment, or use transport=..."
_CREATE = "give it to create()"
_OF_CLIENTS = {
    "api_base": _URL,
    "api_version": _QUERY,
    "azure_endpoint": _URL,
    "cert": "use ssl_context=...",
    "client": _TRANSPORT,
    "default_headers": _HEADERS,
    "default_query": _QUERY,
    "endpoint": _URL,
    "extra_body": _CREATE,
    "extra_headers": _HEADERS,
    "extra_query": _QUERY,
    "headers": _HEADERS,
    "http_client": _TRANSPORT,
    "max_tokens": _CREATE,
    "messages": _CREATE,
    "model": _CREATE,
    "num_retries": _RETRIES,
    "organization": "use supplied_headers={'OpenAI-Organization': ...}",
    "project": "use supplied_headers={'OpenAI-Project': ...}",
    "proxies": _PROXY,
    "proxy": _PROXY,
    "request_timeout": "use timeout=...",
    "retries": _RETRIES,
    "session": _TRANSPORT,
    "set_default_headers": _HEADERS,
    "stream": _CREATE,
    "temperature": _CREATE,
    "url": _URL,
    "verify": "use cafile=... or ssl_context=...",
}
_OF_THE_POOL = ("base_url", "transport", "cafile", "ssl_context", "insecure_http")
OF_CREATE = {
    "api_base": "use Together(base_url=...)",
    "api_key": "use client.with_options(api_key=...)",
    "api_version": "use extra_query={'api-version': ...}",
    "base_url": "use Together(base_url=...)",
    "cafile": "use Together(cafile=...)",
    "default_headers": "use extra_headers={...}",
    "default_query": "use extra_query={...}",
    "extra_json": "use extra_body={...}",
    "headers": "use extra_headers={...}",
    "http_client": "use Together(transport=...)",
    "idempotency_key": "use extra_headers={'Idempotency-Key': ...}",
    "insecure_http": "use Together(insecure_http=...)",
    "max_event_bytes": "use client.with_options(max_event_bytes=...)",
    "num_retries": "use max_retries=...",
    "organization": "use extra_headers={'OpenAI-Organization': ...}",
    "proxies": "set HTTPS_PROXY in the environment, or use Together(transport=...)",
    "proxy": "set HTTPS_PROXY in the environment, or use Together(transport=...)",
    "request_timeout": "use timeout=...",
    "split_thinking": "use client.with_options(split_thinking=...)",
    "ssl_context": "use Together(ssl_context=...)",
    "supplied_headers": "use extra_headers={...}",
    "transport": "use Together(transport=...)",
}
"""The parameters that `create` refuses, and what to use instead."""


def argument_error(function: str, known: Sequence[str], given: Sequence[str]) -> TypeError:
    """Return the error of a call of `function`, a class or `with_options`, with arguments that it does not have.

    `known` and `given` are the names of keyword arguments. If all of `given` are known, the call had positional ones.
    """
    unknown = [name for name in given if name not in known]
    if not unknown:
        example = f"{function}({known[0]}=...)"
        return TypeError(f"{function}() has no positional arguments: use their names, as in {example}")
    problems = [f"no argument {name!r}: {_advice(function, known, name)}" for name in unknown]
    return TypeError(f"{function}() has {', and '.join(problems)}")


def _advice(function: str, known: Sequence[str], name: str) -> str:
    advice = _OF_CLIENTS.get(name, "")
    if function == "with_options" and any([fixed in (name, *advice.split()) for fixed in _fixed_words()]):
        return "all clients over a pool have the same, so create a new client"
    if advice:
        return advice
    nearest = get_close_matches(name, known, n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"its arguments are {', '.join(known)}"


def _fixed_words() -> list[str]:
    return [word for name in _OF_THE_POOL for word in (name, f"{name}=...")]


def parameter_error(name: str) -> TypeError:
    """Return the error of `create` for a parameter that it refuses."""
    instead = f"To send it to the server, use extra_body={{{name!r}: ...}}"
    return TypeError(f"create() has no parameter {name!r}: {OF_CREATE[name]}. {instead}")
