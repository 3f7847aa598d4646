"""Answer the chat completion requests in an SQS queue. Each response is one line of JSON in the function's log.

A message with a temporary failure (rate limit, server unavailable, no time left) is reported to SQS, which delivers it
again later. For a message that cannot succeed, the error is the response.
"""

import json

from together_adapters.aws_lambda import deadline_from, respond, respond_error
from together_adapters.client import Together
from together_adapters.errors import APIError, APIStatusError

from together_types import ChatCompletionRequest

client = Together()


def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            request = ChatCompletionRequest.from_json(record["body"], strict=True).to_dict()
            answer = client.chat.completions.create(
                model=request.pop("model", ""),
                messages=request.pop("messages", []),
                **{name: value for name, value in request.items() if name not in ("stream", "timeout", "deadline")},
                deadline=deadline_from(context, margin=2),
            )
        except Exception as error:
            if may_pass(error):
                failures.append({"itemIdentifier": record["messageId"]})
                continue
            deliver(record["messageId"], respond_error(error, event))
        else:
            deliver(record["messageId"], {"response": respond(answer, event)})
    return {"batchItemFailures": failures}


def may_pass(error):
    if isinstance(error, APIStatusError):
        return error.status in (408, 409, 429) or error.status >= 500
    return isinstance(error, APIError)


def deliver(message_id, answer):
    print(json.dumps({"messageId": message_id, **answer}))
