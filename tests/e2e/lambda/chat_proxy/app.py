"""An OpenAI-compatible endpoint behind a function URL: the OpenAI SDK's `base_url` is the URL with /v1.

Callers show PROXY_KEY as their API key; Together's own key stays in the function.
"""

import hmac
import os

from together_adapters.aws_lambda import deadline_from, parse_event, respond, respond_error, respond_stream
from together_adapters.client import Together
from together_adapters.openai_format import to_openai

from together_types import ParseError

client = Together()  # opens no connection before the first call


def handler(event, context):
    try:
        request = parse_event(event)
        if (request.method, request.path) != ("POST", "/v1/chat/completions"):
            return refuse(404, f"there is no {request.method} {request.path}", event)
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), os.environ["PROXY_KEY"].encode()):
            return refuse(401, "the API key is not this proxy's", event)
        parameters = request.json()
        if not isinstance(parameters, dict) or not {"model", "messages"} <= parameters.keys():
            raise ParseError("body", "expected an object with model and messages")
        for name in ("timeout", "deadline"):  # of the client's create, not of the API
            parameters.pop(name, None)
        answer = client.chat.completions.create(**parameters, deadline=deadline_from(context))
        return respond_stream(answer, event) if parameters.get("stream") else respond(to_openai(answer), event)
    except Exception as error:
        return respond_error(error, event)


def refuse(status, message, event):
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return respond({"error": error}, event, status=status)
