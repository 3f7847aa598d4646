"""Summarise a text, behind API Gateway.

The request is POST /summaries with {"text": ..., "sentences": 3}. The response contains `summary`, `model` and `usage`.
"""

import os

from together_adapters.aws_lambda import deadline_from, parse_event, respond, respond_error
from together_adapters.client import Together

from together_types import ParseError

MODEL = os.environ.get("MODEL", "meta-llama/Llama-3.3-70B-Instruct-Turbo")
client = Together()

try:
    from snapshot_restore_py import register_before_snapshot
except ImportError:  # the package exists only in AWS's own runtime
    pass
else:
    register_before_snapshot(client.close)


def handler(event, context):
    try:
        text, sentences = asked(parse_event(event).json())
        answer = client.chat.completions.create(
            model=MODEL,
            messages=[
                {"role": "system", "content": f"Summarise the user's text in at most {sentences} sentences."},
                {"role": "user", "content": text},
            ],
            deadline=deadline_from(context),
        )
        return respond({"summary": answer.text, "model": answer.model, "usage": answer.usage}, event)
    except Exception as error:
        return respond_error(error, event)


def asked(body):
    """Return the text and the number of sentences in a request. Raises ParseError."""
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        raise ParseError("text", "expected the text to summarise, a string")
    sentences = body.get("sentences", 3)
    if type(sentences) is not int or not 1 <= sentences <= 20:
        raise ParseError("sentences", "expected an integer from 1 to 20")
    return body["text"], sentences
