"""Handlers, correct and incorrect, that tests of a runtime name to `lambda_emulator`. No module imports this one."""

import json
import logging
import sys
import time

from together_adapters.accumulate import Unmerged
from together_adapters.aws_lambda import parse_event, respond, respond_error, respond_stream
from together_adapters.batch import iter_results
from together_adapters.errors import APIError
from together_adapters.stream import iter_chunks

from together_types import ChatCompletionResponse

RESPONSE = ChatCompletionResponse.from_dict(
    {"id": "r", "choices": [{"index": 0, "text": "hé\ud800", "n": float("nan")}]}
)
STREAM = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"a\\ud800"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
closed = []
logger = logging.getLogger(__name__)
logger.setLevel("INFO")


def echo(event, context):
    return event


def about(event, context):
    known = {name: value for name, value in vars(context).items() if not name.startswith("_")}
    return {
        **known,
        "identity": vars(context.identity),
        "left": context.get_remaining_time_in_millis(),
        "name": __name__,
    }


def value(event, context):
    return RESPONSE


def records(event, context):
    line = b'{"custom_id":"\\ud800","response":{"status_code":200,"body":{"id":"r","choices":[{"index":0,"text":"a\\ud800","n":NaN}]}}}'
    issues = ChatCompletionResponse.from_dict({"created": "\ud800"}).issues()
    return [*iter_results([line]), *issues, Unmerged("p\ud800", "problem", float("nan"))]


def nested_value(event, context):
    return {"all": [RESPONSE]}


def answered(event, context):
    return respond(RESPONSE, event)


def raw_response(event, context):
    return event["sent"]


def guarded(event, context):
    try:
        return respond("x" * event["size"], event)
    except ValueError as error:
        return respond_error(error, event)


def oversized(event, context):
    return "x" * (6 * 2**20 + 200)


def not_json(event, context):
    return object()


async def asynchronous(event, context):
    return 1


def raw(event, context):
    return b"\xff\x00"


def failing(event, context):
    raise APIError(f"refused {event['text']}")


def lengthy(event, context):
    raise HandlerError("x" * (6 * 2**20 + 200))


def app_title(event, context):
    return [context.client_context.client.app_title, context.client_context.custom, context.client_context.env]


def logging_handler(event, context):
    logger.info("hé %s", event)


class ClosingBadly:
    def __init__(self):
        self.left = [b"one", b"two"]

    def __iter__(self):
        return self

    def __next__(self):
        if self.left:
            return self.left.pop()
        raise StopIteration

    def close(self):
        raise HandlerError("while closing")


def closing_badly(event, context):
    return ClosingBadly()


def failed(event, context):
    try:
        raise ValueError(f"refused {event['text']}")
    except ValueError as error:
        return respond_error(error, event)


class HandlerError(Exception):
    pass


class Grüße(Exception):
    def __str__(self):
        raise KeyError("no text")


def foreign(event, context):
    raise Grüße


def printing(event, context):
    print("out", event["text"])
    print("err", file=sys.stderr)


def pieces(event, context):
    for number in range(event["count"]):
        yield f"{number},"
        time.sleep(event.get("pause", 0))


def broken(event, context):
    yield b"one"
    yield ""
    raise HandlerError("sk-hiddenHidden \ud800 text")


def broken_at_once(event, context):
    raise HandlerError("early")
    yield b""


def odd_part(event, context):
    yield b"one"
    yield {"no": "part"}


def unclosable(event, context):
    try:
        yield from endless(event, context)
    finally:
        raise HandlerError("while closing")


def endless(event, context):
    try:
        while True:
            yield b"x" * 1000
            time.sleep(0.001)
    finally:
        closed.append(1)


def was_closed(event, context):
    return len(closed)


def routed(event, context):
    if isinstance(event, dict) and event.get("endless"):
        return unclosable(event, context) if event["endless"] == "unclosable" else endless(event, context)
    return was_closed(event, context)


def with_prelude(event, context):
    yield {"statusCode": 201, "headers": {"x": "1"}, "cookies": ["a=1"]}
    yield json.dumps({"path": parse_event(event).path})


def chunks(event, context):
    return respond_stream(iter_chunks([STREAM]), event)
