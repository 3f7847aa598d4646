"""A model of AWS's HTTP sources, the counterpart of `aws_lambda` in tests: requests to events, results to responses.

It follows AWS's documentation of each source's payload, not the project's code.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

KINDS = ("rest_v1", "http_v2", "function_url", "alb", "alb_multi")


class Request(NamedTuple):
    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Sequence[tuple[str, str]] = ()
    cookies: Sequence[str] = ()
    body: bytes = b""


class Response(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def _body(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode("utf-8") if body else None, "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _multi(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def event_of(kind: str, request: Request) -> dict[str, Any]:
    """Return the event that a source of this kind sends to the function."""
    with_cookies = [*request.headers, *([("Cookie", "; ".join(request.cookies))] if request.cookies else [])]
    if kind in ("http_v2", "function_url"):
        domain = (
            "abc.lambda-url.eu-west-1.on.aws" if kind == "function_url" else "abc.execute-api.eu-west-1.amazonaws.com"
        )
        return {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": request.path,
            "rawQueryString": urlencode(request.query),
            **({"cookies": list(request.cookies)} if request.cookies else {}),
            "headers": {name.lower(): ",".join(values) for name, values in _multi(request.headers).items()},
            "requestContext": {
                "domainName": domain,
                "http": {"method": request.method, "path": request.path, "sourceIp": "192.0.2.1"},
                "requestId": "id",
                "stage": "$default",
            },
            **_body(request.body),
        }
    if kind == "rest_v1":
        return {
            "resource": "/{proxy+}",
            "path": request.path,
            "httpMethod": request.method,
            "headers": dict(with_cookies) or None,
            "multiValueHeaders": _multi(with_cookies) or None,
            "queryStringParameters": dict(request.query) or None,
            "multiValueQueryStringParameters": _multi(request.query) or None,
            "requestContext": {"stage": "prod", "path": "/prod" + request.path, "httpMethod": request.method},
            **_body(request.body),
        }
    # A load balancer does not decode the names and values of the query.
    raw = [tuple(pair.split("=", 1)) for pair in urlencode(request.query).split("&")] if request.query else []
    target = {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/t/1"}}
    event = {"requestContext": target, "httpMethod": request.method, "path": request.path, **_body(request.body)}
    lower = [(name.lower(), value) for name, value in with_cookies]
    if kind == "alb_multi":
        return {**event, "multiValueHeaders": _multi(lower), "multiValueQueryStringParameters": _multi(raw)}  # type: ignore[arg-type]
    return {**event, "headers": dict(lower), "queryStringParameters": dict(raw)}  # type: ignore[arg-type]


def sent_by(kind: str, response: Any) -> Response:
    """Return the HTTP response that a source of this kind sends for the function's result."""
    assert type(response["statusCode"]) is int and isinstance(response["body"], str)
    allowed = {"statusCode", "headers", "body", "isBase64Encoded"}
    headers = list((response.get("headers") or {}).items())
    if kind in ("http_v2", "function_url"):
        allowed.add("cookies")
        headers += [("set-cookie", cookie) for cookie in response.get("cookies", ())]
    elif kind == "rest_v1":
        allowed.add("multiValueHeaders")
        headers += _pairs(response)
    else:  # a load balancer reads either multi-value or single-value headers, depending on its configuration
        allowed.remove("headers")
        allowed.add("multiValueHeaders" if kind == "alb_multi" else "headers")
        headers = _pairs(response) if kind == "alb_multi" else headers
    assert set(response) <= allowed, "API Gateway responds with 502 to unknown keys"
    assert all(isinstance(value, str) for _, value in headers)
    body = response["body"]
    return Response(
        response["statusCode"],
        [(name.lower(), value) for name, value in headers],
        base64.b64decode(body, validate=True) if response.get("isBase64Encoded") else body.encode("utf-8"),
    )


def _pairs(response: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, values in (response.get("multiValueHeaders") or {}).items() for value in values]


def query_of(target: str) -> list[tuple[str, str]]:
    """Return the names and values of the query in a request target."""
    return parse_qsl(target.partition("?")[2], keep_blank_values=True)
