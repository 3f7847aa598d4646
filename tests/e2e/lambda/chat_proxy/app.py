"""An OpenAI-compatible endpoint behind a function URL. The OpenAI SDK's `base_url` is the function URL followed by v1.

Callers send PROXY_KEY as their API key. Together's key is used only within the function.
"""

import hmac
import os

from together_adapters.aws_lambda import deadline_from, parse_event, respond, respond_error, respond_stream
from together_adapters.client import Together
from together_adapters.openai_format import to_openai

from together_types import ParseError

client = Together()  # the connection is opened with the first call


def handler(event, context):
    try:
        request = parse_event(event)
        if (request.method, request.path) != ("POST", "/v1/chat/completions"):
            return refuse(404, f"expected POST /v1/chat/completions, got {request.method} {request.path}", event)
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), os.environ["PROXY_KEY"].encode()):
            return refuse(401, "invalid API key: send the key of this proxy as Authorization: Bearer KEY", event)
        parameters = request.json()
        if not isinstance(parameters, dict) or not {"model", "messages"} <= parameters.keys():
            raise ParseError("body", "expected an object with model and messages")
        stream = bool(parameters.get("stream"))
        answer = client.chat.completions.create(
            model=parameters["model"],
            messages=parameters["messages"],
            stream=stream,
            extra_body=parameters,  # here a name cannot set an argument of `create`, such as `timeout`
            deadline=deadline_from(context),
        )
        return respond_stream(answer, event) if stream else respond(to_openai(answer), event)
    except Exception as error:
        return respond_error(error, event)


def refuse(status, message, event):
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return respond({"error": error}, event, status=status)
