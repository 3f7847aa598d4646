"""Tests that run on every interpreter and host.

They need only unittest and the standard library. They use no sockets and no threads, and write no files. pytest
collects them, and `python tests/portable/run.py SOURCES...` runs them without pytest.
"""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import os
import pickle
import unittest
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import together_adapters
from corpus import BODIES, DATA, SSE_CASES, STREAMS, TYPES, case_bytes, label, objects
from together_adapters.accumulate import Accumulator, accumulate
from together_adapters.batch import BatchError, BatchResult, iter_results
from together_adapters.errors import APIError
from together_adapters.openai_format import from_openai, to_openai
from together_adapters.sse import Decoder, ServerSentEvent, encode, encode_chunks, response_to_chunks
from together_adapters.stream import aiter_chunks, iter_chunks

import together_types
from together_types import (
    ChatCompletionChunk,
    ChatCompletionRequest,
    ChatCompletionResponse,
    ErrorData,
    FinishReason,
    ParseError,
    UsageData,
)

# These modules need parts of the standard library that some interpreters lack.
NEED_MORE = {"client", "aio", "lambda_runtime", "replay", "serve", "vendor"}
READ_AS = (ChatCompletionResponse, ChatCompletionChunk, ChatCompletionRequest, ErrorData)


def modules_of(package: Any) -> list[str]:
    """Return the names of a package's modules. The package may be in a zip file."""
    try:
        from pkgutil import iter_modules  # PyPy's needs threading
    except ImportError:
        return [
            name[:-3]
            for name in sorted(os.listdir(package.__path__[0]))
            if name.endswith(".py") and name != "__init__.py"
        ]
    return [module.name for module in iter_modules(package.__path__)]


def each(paths: Iterable[Any], name_of: Callable[[Any], str]) -> Callable[[Any], Any]:
    """Return a decorator that adds a test for each path or case, so that the number of tests counts the cases."""

    def add(function: Any) -> Any:
        for item in paths:

            def test(self: unittest.TestCase, item: Any = item) -> None:
                function(self, item)

            test.__name__ = (
                function.__name__.replace("each", "test", 1)
                + "_"
                + "".join(c if c.isalnum() else "_" for c in name_of(item))
            )
            CASES.setdefault(function.__qualname__.partition(".")[0], []).append(test)
        return function

    return add


CASES: dict[str, list[Any]] = {}


def with_cases(cls: type[unittest.TestCase]) -> type[unittest.TestCase]:
    for test in CASES.pop(cls.__name__):
        setattr(cls, test.__name__, test)
    return cls


def outcome(stream: Any) -> tuple[Any, ...]:
    chunks, error = [], None
    try:
        for chunk in stream:
            chunks.append(chunk)
    except APIError as raised:
        error = raised
    return tuple(chunks), stream.completion, type(error).__name__, str(error)


def run(coroutine: Any) -> Any:
    """Run a coroutine that does not wait, without asyncio, and return its result."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


async def from_async(pieces: list[bytes]) -> tuple[Any, ...]:
    async def source() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    stream, chunks, error = aiter_chunks(source()), [], None
    try:
        async for chunk in stream:
            chunks.append(chunk)
    except APIError as raised:
        error = raised
    return tuple(chunks), stream.completion, type(error).__name__, str(error)


def cuts(data: bytes) -> Iterator[list[bytes]]:
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    for cut in range(1, len(data), max(len(data) // 20, 1)):
        yield [data[:cut], data[cut:]]


@together_types.dataclass(frozen=True)
class Declared(UsageData):
    """A class with annotations that are strings, and that Python 3.9 cannot evaluate."""

    mood: str | None = "none"
    sizes: tuple[int | None, ...] | None = None
    parts: Mapping[str, UsageData | None] | None = None
    raw: Any = None


@dataclasses.dataclass(frozen=True)
class StandardDeclared(UsageData):
    """The same class with the standard library's decorator."""

    mood: str | None = "none"
    sizes: tuple[int | None, ...] | None = None
    parts: Mapping[str, UsageData | None] | None = None
    raw: Any = None


@with_cases
class Values(unittest.TestCase):
    @each([*BODIES, *STREAMS], label)
    def each_recording_is_read_and_written_unchanged(self, path: Path) -> None:
        for data in objects(path):
            for cls in READ_AS:
                value = cls.from_dict(data)
                self.assertEqual(json.dumps(value.to_dict(), sort_keys=True), json.dumps(data, sort_keys=True))
                self.assertEqual(cls.from_json(json.dumps(data)), value)
                json.loads(value.to_json(), parse_constant=self.fail)
            self.assertEqual(value.issues(), cls.from_dict(data).issues())

    @each(TYPES, lambda cls: cls.__name__)
    def each_type_is_copied_pickled_and_frozen(self, cls: Any) -> None:
        for value in (cls(), cls.from_dict({"extra": [None, {"a": 1.5}], "to_dict": 1})):
            self.assertEqual(pickle.loads(pickle.dumps(value)), value)
            self.assertEqual(copy.deepcopy(value), value)
            self.assertEqual(dataclasses.replace(value), value)
            self.assertEqual(hash(copy.copy(value)), hash(value))
            self.assertIn(cls.__name__, repr(value))
            self.assertTrue(dataclasses.is_dataclass(cls))
            for name in cls.__match_args__:
                with self.assertRaises(dataclasses.FrozenInstanceError):
                    setattr(value, name, None)

    def test_field_of_a_subclass_is_read_and_written(self) -> None:
        for cls in (Declared, StandardDeclared):
            data = {"mood": "calm", "sizes": [1, None], "parts": {"a": {"total_tokens": 1}}, "raw": {"x": [1]}}
            value = cls.from_dict(data)
            self.assertEqual((value.mood, value.sizes, value.parts["a"].total_tokens), ("calm", (1, None), 1))
            self.assertEqual((cls.from_dict({}).mood, cls.from_dict({"mood": 7}).extra), ("none", {"mood": 7}))
            self.assertEqual(json.loads(value.to_json()), data)
            self.assertEqual(pickle.loads(pickle.dumps(value)), value)
            self.assertEqual(dataclasses.replace(value, mood="x").mood, "x")
            self.assertEqual(hash(copy.deepcopy(value)), hash(value))
            with self.assertRaises(TypeError):
                value.raw["x"].append(2)

    def test_pickle_of_another_interpreter_is_read(self) -> None:
        expected = None
        for path in sorted(DATA.glob("pickles/*.pickle")):
            value = pickle.loads(path.read_bytes())
            expected = expected or value
            self.assertEqual(value, expected, path.name)
            self.assertEqual(pickle.loads(pickle.dumps(value)), expected)
        self.assertIsNotNone(expected)

    def test_enum_member_is_printed_as_its_value(self) -> None:
        for reason in (FinishReason.EOS, FinishReason("new")):
            self.assertEqual(f"{reason} {reason:>4} %s" % reason, f"{reason.value} {reason.value:>4} {reason.value}")
            self.assertEqual(json.dumps(reason), json.dumps(reason.value))
        self.assertTrue(FinishReason.EOS.known and not FinishReason("new").known)

    def test_invalid_json_raises_parse_error(self) -> None:
        for text in (
            "",
            "[1]",
            '{"a": 1',
            "[" * 100_000,
            '{"a":' * 201 + "1" + "}" * 201,
            b'{"a": "\xff"}',
            '{"a": %s}' % ("9" * 5000),
        ):
            with self.assertRaises(ParseError) as caught:
                ChatCompletionChunk.from_json(text)
            self.assertEqual(str(pickle.loads(pickle.dumps(caught.exception))), str(caught.exception))
        with self.assertRaises(TypeError):
            UsageData(total_tokens="many")  # type: ignore[arg-type]

    def test_dict_as_a_field_of_a_request_is_kept(self) -> None:
        request = ChatCompletionRequest(model="m", messages=[{"role": "user", "content": "hi"}])  # type: ignore[list-item]
        self.assertEqual(request.to_dict()["messages"], [{"role": "user", "content": "hi"}])


@with_cases
class Streams(unittest.TestCase):
    @each(STREAMS, label)
    def each_stream_is_read_equally_at_every_cut(self, path: Path) -> None:
        data = path.read_bytes()
        whole = outcome(iter_chunks([data]))
        for pieces in cuts(data):
            self.assertEqual(outcome(iter_chunks(iter(pieces))), whole)
        self.assertEqual(outcome(iter_chunks(io.BytesIO(data))), whole)
        self.assertEqual(run(from_async([data[:100], data[100:]])), whole)
        self.assertEqual(accumulate(whole[0]).response, whole[1].response)
        for end in range(0, len(data), max(len(data) // 10, 1)):
            _, completion, error, _ = outcome(iter_chunks([data[:end]]))
            self.assertEqual(error == "NoneType", completion.state == "finished")

    @each(sorted(DATA.glob("quirks/*.json")), lambda path: path.stem)
    def each_quirk_ends_in_its_state(self, path: Path) -> None:
        case = json.loads(path.read_text("utf-8"))
        if "stream" not in case:
            return
        text = "".join(case["stream"])
        if "repeat" in case:
            text = text.replace(case["repeat"][0], case["repeat"][0] * case["repeat"][1])
        for pieces in cuts(text.encode("utf-8")):
            _, completion, error, _ = outcome(iter_chunks(iter(pieces), n=case.get("n")))
            self.assertEqual((completion.state, error), (case["state"], case.get("error", "NoneType")))
            # Texts are compared, because a NaN in a value is not equal to itself.
            self.assertEqual(repr(pickle.loads(pickle.dumps(completion))), repr(completion))

    @each(SSE_CASES, lambda case: case["name"])
    def each_standard_case_is_decoded_to_its_events(self, case: dict[str, Any]) -> None:
        for pieces in cuts(case_bytes(case)):
            decoder = Decoder()
            self.assertEqual(
                [event._asdict() for piece in pieces for event in decoder.feed(piece)], case["expected_events"]
            )

    def test_error_of_a_stream_is_pickled_with_its_completion(self) -> None:
        for data in (b"", b"data: {\n\n", b'data: {"error": {"message": "no", "code": 7}}\n\n'):
            stream = iter_chunks([data])
            with self.assertRaises(APIError) as caught:
                list(stream)
            twin = pickle.loads(pickle.dumps(caught.exception))
            self.assertEqual(
                (type(twin), str(twin), twin.completion),
                (type(caught.exception), str(caught.exception), stream.completion),
            )

    @each([path for path in STREAMS if b'"error":' not in path.read_bytes()], label)
    def each_stream_is_written_and_read_again(self, path: Path) -> None:
        first = accumulate(outcome(iter_chunks([path.read_bytes()]))[0])
        again = outcome(iter_chunks(encode_chunks(response_to_chunks(first.response))))
        self.assertEqual(again[1].state, "finished")
        self.assertEqual(again[1].response.text, first.response.text)

    def test_encoded_event_is_decoded_unchanged(self) -> None:
        event = ServerSentEvent(event="e", data="ü\n\u2028", id="1", retry=5)
        self.assertEqual(Decoder().feed(encode(event)), [event])


@with_cases
class Adapters(unittest.TestCase):
    @each(BODIES, label)
    def each_response_is_converted_to_openai_and_back(self, path: Path) -> None:
        for data in objects(path):
            value = from_openai(data)
            self.assertEqual(
                json.dumps(to_openai(value), sort_keys=True),
                json.dumps(to_openai(from_openai(to_openai(value))), sort_keys=True),
            )

    @each(sorted(DATA.glob("batch/*.json")), lambda path: path.stem)
    def each_batch_file_yields_its_results(self, path: Path) -> None:
        case = json.loads(path.read_text("utf-8"))
        data = "\n".join(case["lines"]).encode("utf-8")
        for whole in (data, b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n") + b"\r\n"):
            items = list(iter_results([whole[:50], whole[50:]]))
            self.assertEqual(len(items), len(case["expect"]))
            for item, expected in zip(items, case["expect"]):
                self.assertEqual(item.custom_id, expected.get("custom_id"))
                if isinstance(item, BatchResult):
                    self.assertEqual(item.response.text, expected["text"])
                else:
                    self.assertIsInstance(item, BatchError)
                    self.assertTrue(str(item).startswith(expected["error"]), item)

    def test_accumulator_with_one_chunk_is_open(self) -> None:
        accumulator = Accumulator()
        accumulator.add(ChatCompletionChunk.from_dict({"choices": [{"index": 0, "delta": {"content": "hi"}}]}))
        self.assertEqual((accumulator.completion().state, accumulator.completion().response.text), ("open", "hi"))

    @each(
        [(package, name) for package in (together_types, together_adapters) for name in modules_of(package)],
        lambda found: f"{found[0].__name__}_{found[1]}",
    )
    def each_module_is_importable(self, found: tuple[Any, str]) -> None:
        package, name = found
        if name not in NEED_MORE and not (name.startswith("_") and package is together_adapters):
            __import__(f"{package.__name__}.{name}")


if __name__ == "__main__":
    unittest.main()
