"""The objects that tests pickle, and a command that writes their pickles as data for later tests.

    python tests/support/pickling.py values      # tests/data/pickles: one value, by this Python
    python tests/support/pickling.py release     # tests/data/release_pickles: every picklable class, by this release

Run `values` with a Python version whose pickles do not exist yet, and `release` with the packages of a release on the
path.
"""

from __future__ import annotations

import pickle
import platform
import sys
from pathlib import Path

from together_types import ChatCompletionResponse, Issue, ParseError, __version__

DATA = Path(__file__).parents[1] / "data"


def pickle_sample() -> object:
    """Return a value with all kinds of content: nulls, nested values, enums, unknown keys, values of the wrong type."""
    return ChatCompletionResponse.from_dict(
        {
            "id": None,
            "created": 1757876416.5,
            "object": "chat.completion",
            "choices": [
                {"finish_reason": "eos", "message": {"role": "model", "content": [{"type": "text", "text": "ü"}]}}
            ],
            "usage": {"total_tokens": "many", "prompt_tokens": 3},
            "prompt": [None, {"logprobs": {"token_logprobs": [None, -0.5], "top_logprobs": {"a": -1.0}}}],
            "metadata": {"deep": [{"er": 1}]},
            "to_dict": {"extra": [1]},
        }
    )


def release_samples() -> dict[str, object]:
    """Return one object of every class of both packages that programs pickle, by name."""
    from together_adapters import RateLimitError, StreamError, Timeout
    from together_adapters.accumulate import Unmerged
    from together_adapters.aws_lambda import ResponseTooLargeError, parse_event
    from together_adapters.batch import iter_results
    from together_adapters.errors import IncompleteStreamError
    from together_adapters.openai_format import to_openai_with_loss
    from together_adapters.sse import ServerSentEvent
    from together_adapters.stream import iter_chunks

    def ended(data: bytes) -> tuple[object, Exception | None]:
        stream = iter_chunks([data])
        try:
            list(stream)
        except (StreamError, IncompleteStreamError) as error:
            return stream.completion, error
        return stream.completion, None

    begun = b'data: {"id":"o1","choices":[{"index":0,"delta":{"content":"Par"}}]}\n\n'
    finished, _ = ended(begun + b"data: [DONE]\n\n")
    cut_off, incomplete = ended(begun)
    errored, stream_error = ended(begun + b'data: {"error":{"message":"busy","type":"overloaded","code":503}}\n\n')
    value = pickle_sample()
    assert isinstance(value, ChatCompletionResponse)
    event = {
        "version": "2.0",
        "rawPath": "/chat",
        "rawQueryString": "a=1",
        "headers": {"host": "x"},
        "requestContext": {"http": {"method": "POST", "path": "/chat"}, "domainName": "x"},
        "body": "{}",
    }
    line = b'{"custom_id":"a","response":{"status_code":200,"body":{"id":"o1","choices":[]}}}\n'
    return {
        "value": value,
        "issue": Issue("a.b", "expected string, got number 7"),
        "parse_error": ParseError("a.b", "expected string, got number 7"),
        "server_sent_event": ServerSentEvent("message", "data"),
        "timeout": Timeout(connect=1.0, total=30.0),
        "loss": to_openai_with_loss(value, only_openai=True)[1][0],
        "unmerged": Unmerged("id", "one chunk says 'o1', another 'o2'", "o2"),  # the text of 0.1.0
        "finished": finished,
        "cut_off": cut_off,
        "errored": errored,
        "incomplete_stream_error": incomplete,
        "stream_error": stream_error,
        "status_error": RateLimitError("busy", status=429, body={"error": "busy"}, retry_after=1.5, request_id="r1"),
        "http_event": parse_event(event),
        "response_too_large": ResponseTooLargeError(10, 5),
        "batch": list(iter_results([line])),
    }


def write_values() -> None:
    """Write the pickles of one value with this Python, in every protocol."""
    name = f"{platform.python_implementation().lower()}-{platform.python_version()}"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        (DATA / "pickles" / f"{name}-protocol{protocol}.pickle").write_bytes(pickle.dumps(pickle_sample(), protocol))


def write_release() -> None:
    """Write the pickles of every class with this release, in protocol 2 and the highest protocol."""
    folder = DATA / "release_pickles"
    folder.mkdir(exist_ok=True)
    for name, sample in release_samples().items():
        for protocol in (2, pickle.HIGHEST_PROTOCOL):
            (folder / f"{__version__}-{name}-protocol{protocol}.pickle").write_bytes(pickle.dumps(sample, protocol))


if __name__ == "__main__":
    {"values": write_values, "release": write_release}[sys.argv[1]]()
