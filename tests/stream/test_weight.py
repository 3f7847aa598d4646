"""Tests of the memory of one event, which is in proportion to its size for any JSON."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from processes import environment
from together_adapters.errors import StreamError
from together_adapters.stream import iter_chunks

SIZE = 1_200_000  # bytes of an event
CHOICE = b'{"choices":[{"index":0,"delta":{%s},"finish_reason":null%s}]%s}'
# The JSON around the items, and the item that is repeated. `%d` is the number of the item.
SHAPES = {
    "choices": (b'{"choices":[%s]}', b"{}"),
    "deltas": (b'{"choices":[%s]}', b'{"delta":{}}'),
    "choices with an index": (b'{"choices":[%s]}', b'{"index":%d,"delta":{}}'),
    "tool calls": (CHOICE % (b'"tool_calls":[%s]', b"", b""), b"{}"),
    "tool calls with an index": (CHOICE % (b'"tool_calls":[%s]', b"", b""), b'{"index":%d}'),
    "tool calls of a message": (b'{"choices":[{"message":{"tool_calls":[%s]},"finish_reason":"stop"}]}', b"{}"),
    "parts": (CHOICE % (b'"content":[%s]', b"", b""), b"{}"),
    "text parts": (CHOICE % (b'"content":[%s]', b"", b""), b'{"type":"text","text":"a"}'),
    "reasoning details": (CHOICE % (b'"reasoning_details":[%s]', b"", b""), b'{"index":%d,"text":"a"}'),
    "annotations": (CHOICE % (b'"annotations":[%s]', b"", b""), b'{"title":%d000}'),
    "log probabilities": (CHOICE % (b"", b',"logprobs":{"content":[%s]}', b""), b'{"token":"a%d","logprob":-1.5}'),
    "empty log probabilities": (CHOICE % (b"", b',"logprobs":{"content":[%s]}', b""), b"{}"),
    "token log probabilities": (CHOICE % (b"", b',"logprobs":{"token_logprobs":[%s]}', b""), b"1"),
    "longer token log probabilities": (CHOICE % (b"", b',"logprobs":{"token_logprobs":[%s]}', b""), b"-10000"),
    "token ids": (CHOICE % (b"", b',"token_ids":[%s]', b""), b"1000"),
    "unknown keys": (CHOICE % (b'"content":"a"', b"", b",%s"), b'"k%d":1'),
    "unknown keys of a delta": (CHOICE % (b"%s", b"", b""), b'"k%d":1'),
    "unknown objects": (CHOICE % (b'"content":"a"', b"", b',"x":[%s]'), b"{}"),
    "unknown arrays": (CHOICE % (b'"content":"a"', b"", b',"x":[%s]'), b"[]"),
    "unknown objects with keys": (CHOICE % (b'"content":"a"', b"", b',"x":[%s]'), b'{"a":%d000000}'),
    "usage": (CHOICE % (b'"content":"a"', b"", b',"usage":{%s}'), b'"k%d":1'),
    "prompt": (CHOICE % (b'"content":"a"', b"", b',"prompt":[%s]'), b'{"text":"a%d"}'),
    "error": (b'{"error":{"message":"x","x":[%s]}}', b"{}"),
    "array": (b"[%s]", b"{}"),
    "text": (CHOICE % (b'"content":"\xf0\x9f\x98\x80%s"', b"", b""), b"aa"),
    "markers of the end": (b"%s", b"[DONE]"),
    "empty arguments": (CHOICE % (b'"tool_calls":[{"function":{"name":"f","arguments":"%s"}}]', b"", b""), b"{}"),
}
NO_COMMA = ("markers of the end", "empty arguments")
READ = """
import sys
from together_adapters.errors import APIError
from together_adapters.stream import iter_chunks
stream = iter_chunks(open(sys.argv[1], "rb"))
try:
    for chunk in stream:
        pass
except APIError as error:
    str(error)
stream.completion.issues()
with open("/proc/self/status") as status:
    print(next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM")))
"""


def event(shape: str, size: int) -> bytes:
    around, item = SHAPES[shape]
    count = size // (len(item.replace(b"%d", b"0")) + 1)
    items = [item.replace(b"%d", b"%d" % number) for number in range(count)]
    between = b"" if shape in NO_COMMA else b","
    return b"data: " + around.replace(b"%s", between.join(items)) + b"\n\n"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="the figures are CPython's")
@pytest.mark.skipif(sys.version_info < (3, 11), reason="a dict takes more memory before Python 3.11")
@pytest.mark.parametrize("shape", SHAPES)
def test_event_of_any_shape_takes_at_most_40_bytes_for_each_byte(shape: str, tmp_path: Path) -> None:
    peaks, sizes = [], []
    for size in (100, SIZE):
        path = tmp_path / f"{size}.sse"
        path.write_bytes(event(shape, size))
        sizes.append(path.stat().st_size)
        run = [sys.executable, "-c", READ, str(path)]
        # The measurement of coverage takes memory too.
        variables = {name: value for name, value in environment().items() if not name.startswith("COVERAGE")}
        peaks.append(int(subprocess.run(run, env=variables, check=True, capture_output=True).stdout))
    assert peaks[1] - peaks[0] <= 40 * sizes[1]


@pytest.mark.parametrize("shape", ["choices", "tool calls", "parts", "unknown keys", "unknown objects", "array"])
def test_event_with_too_many_values_is_an_error_after_the_chunks_before_it(shape: str) -> None:
    before = b"data: " + CHOICE % (b'"content":"a"', b"", b"") + b"\n\n"
    stream = iter_chunks([before, event(shape, 100_000)])
    assert next(stream).text == "a"
    with pytest.raises(StreamError, match=r"event 2: .*(at most|more than) \d+"):
        next(stream)
    assert stream.completion.response.text == "a"


def test_event_with_as_many_log_probabilities_as_servers_send_is_read() -> None:
    entry = b'{"token":" a","logprob":-0.01,"bytes":[32,97],"top_logprobs":[%s]}'
    entries = b",".join([entry % b",".join([b'{"token":" a","logprob":-0.01,"bytes":[32,97]}'] * 20)] * 1000)
    chunk = CHOICE % (b'"content":"a"', b',"logprobs":{"content":[%s]}' % entries, b"")
    (read,) = iter_chunks([b"data: " + chunk + b"\n\n", b"data: [DONE]\n\n"])
    assert len(read.to_dict()["choices"][0]["logprobs"]["content"]) == 1000


def test_stream_with_too_many_choices_is_an_error() -> None:
    frame = b'data: {"choices":[{"index":%d,"delta":{"content":"a"}}]}\n\n'
    stream = iter_chunks(frame % (number * (2**61 - 1)) for number in range(5000))
    chunks = 0
    with pytest.raises(StreamError, match="more than 4096 choices, tool calls and blocks"):
        for _ in stream:
            chunks += 1
    assert chunks == 4096
