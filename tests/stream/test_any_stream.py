"""Any response that is streamed in any valid way accumulates to the same response.

The state machine below is a server. It draws a response, sends one or more of its fragments in each chunk, writes the
chunks as events in any valid form with any valid lines between them, and splits the bytes into pieces. `ChunkReader`
reads the pieces. After each step, its completion is a beginning of the response, and at the end it is the response.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from stream_strategies import responses
from together_adapters.stream import ChunkReader

from together_types import ChatCompletionResponse

NOISE = [
    ": keepalive 1/1",
    ":",
    "retry: 3000",
    "id: 7",
    "id",
    "data:",
    "data",
    "event: message",
    "event: ping\ndata: now",
    "unknown: x",
]


def fragments_of(choice: dict[str, Any]) -> dict[str, list[tuple[dict[str, Any], Any]]]:
    """Return the fragments of a choice for each of its parts, as (delta, other keys of the choice).

    A fragment of a text is one character.
    """
    message, parts = choice["message"], dict[str, list[tuple[dict[str, Any], Any]]]()
    logprobs = choice.get("logprobs") or {}
    for key in ("content", "reasoning", "reasoning_content", "refusal"):
        if message.get(key) is not None:
            parts[key] = [({key: character}, {}) for character in message[key] or [""]]
    if "_form" in choice:
        pairs = zip(logprobs["tokens"], logprobs["token_logprobs"])
        parts["content"] = [({"content": token}, {"logprobs": logprob}) for token, logprob in pairs]
    elif "content" in logprobs:
        parts["logprobs"] = [({}, {"logprobs": {"content": [entry]}}) for entry in logprobs["content"]]
    elif logprobs:
        pairs = zip(logprobs["tokens"], logprobs["token_logprobs"])
        parts["logprobs"] = [
            ({}, {"logprobs": {"tokens": [token], "token_logprobs": [value]}}) for token, value in pairs
        ]
    for position, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        begin = {"index": 2 * position, **call, "function": {"name": function["name"], "arguments": ""}}
        more = [{"index": 2 * position, "function": {"arguments": character}} for character in function["arguments"]]
        parts[f"call {position}"] = [({"tool_calls": [delta]}, {}) for delta in (begin, *more)]
    return parts


class Server(RuleBasedStateMachine):
    """A server that sends one response. `waiting` contains the bytes that the reader has not received yet."""

    @initialize(
        response=responses(), line_end=st.sampled_from(["\n", "\r", "\r\n"]), mark=st.booleans(), ascii=st.booleans()
    )
    def begin(self, response: dict[str, Any], line_end: str, mark: bool, ascii: bool) -> None:
        self.left = {choice["index"]: fragments_of(choice) for choice in response["choices"]}
        self.unfinished = {choice["index"]: choice["finish_reason"] for choice in response["choices"]}
        self.opened: set[int] = set()
        for choice in response["choices"]:
            choice.pop("_form", None)
        self.response, self.line_end, self.ascii = response, line_end, ascii
        self.waiting = b"\xef\xbb\xbf" if mark else b""
        self.chunk: list[dict[str, Any]] = []
        self.reader = ChunkReader()
        self.texts: dict[int, str] = {}

    @precondition(lambda self: any(self.left.values()))
    @rule(data=st.data())
    def fragment(self, data: st.DataObject) -> None:
        """Add one or more fragments of one part of a choice to the chunk."""
        index = data.draw(st.sampled_from([index for index, parts in self.left.items() if parts]))
        part = data.draw(st.sampled_from(list(self.left[index])))
        fragments = self.left[index][part]
        size = data.draw(st.integers(1, len(fragments)), label="size")
        taken = [
            fragments.pop(0) for _ in range(size if part != "logprobs" and "logprobs" not in fragments[0][1] else 1)
        ]
        if not fragments:
            del self.left[index][part]
        begin = [fragment for fragment in taken if part.startswith("call") and "id" in fragment[0]["tool_calls"][0]]
        for delta, more in begin or [joined(taken)]:
            self.add(index, delta, more)
        if begin and taken[1:]:
            self.add(index, *joined(taken[1:]))

    def add(self, index: int, delta: dict[str, Any], more: dict[str, Any]) -> None:
        if index not in self.opened:
            delta = {"role": "assistant", **delta}
        self.opened.add(index)
        self.chunk.append({"index": index, "delta": delta, "finish_reason": None, **more})

    @precondition(lambda self: any(not self.left[index] for index in self.unfinished))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """Add the finish reason of a choice to the chunk, after all other fragments of the choice."""
        index = data.draw(st.sampled_from([index for index in self.unfinished if not self.left[index]]))
        self.add(index, {}, {"finish_reason": self.unfinished.pop(index)})

    @precondition(lambda self: self.chunk)
    @rule(pretty=st.booleans(), space=st.sampled_from(["", " "]), nulls=st.booleans())
    def frame(self, pretty: bool = False, space: str = " ", nulls: bool = True) -> None:
        """Write the chunk as an event of one or several lines, with or without a null usage."""
        head = {key: value for key, value in self.response.items() if key not in ("choices", "usage")}
        chunk = {**head, "object": "chat.completion.chunk", "choices": self.chunk, **({"usage": None} if nulls else {})}
        text = json.dumps(chunk, ensure_ascii=self.ascii, indent=1 if pretty else None)
        self.write("".join([f"data:{space}{line}\n" for line in text.split("\n")]))
        self.chunk = []

    def write(self, block: str) -> None:
        self.waiting += (block + "\n").replace("\n", self.line_end).encode()

    @rule(block=st.sampled_from(NOISE))
    def noise(self, block: str) -> None:
        """Write a block between two events that contains no chunk."""
        self.write(block + "\n")

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """Pass the next piece of the bytes to the reader."""
        size = data.draw(st.integers(1, len(self.waiting)), label="size")
        self.reader.feed(self.waiting[:size])
        self.waiting = self.waiting[size:]

    @invariant()
    def completion_is_a_beginning_of_the_response(self) -> None:
        completion = self.reader.completion
        assert completion.state == "open" and completion.issues() == []
        texts = {choice["index"]: choice["message"]["content"] or "" for choice in self.response["choices"]}
        for choice in completion.response.choices or ():
            said = choice.message.text if choice.message else ""
            assert texts[choice.index or 0].startswith(said) and said.startswith(self.texts.get(choice.index or 0, ""))
            self.texts[choice.index or 0] = said

    def teardown(self) -> None:
        """Send the remaining fragments in as few chunks as possible, and compare the responses."""
        if not hasattr(self, "response"):
            return
        for index, parts in self.left.items():
            for fragment in [fragment for fragments in parts.values() for fragment in fragments]:
                self.add(index, *fragment)
        for index, reason in self.unfinished.items():
            self.add(index, {}, {"finish_reason": reason})
        if self.chunk:
            self.frame()
        if "usage" in self.response:
            self.write("data: " + json.dumps({"choices": [], "usage": self.response["usage"]}) + "\n")
        self.reader.feed(self.waiting)
        self.reader.finish()
        completion = self.reader.completion
        assert (completion.state, self.reader.error, completion.issues()) == ("finished", None, [])
        assert completion.response.to_dict() == self.response
        assert completion.response == ChatCompletionResponse.from_dict(self.response)


def joined(taken: list[tuple[dict[str, Any], Any]]) -> tuple[dict[str, Any], Any]:
    """Return the fragments of one part joined to one fragment."""
    delta, more = taken[0]
    (key,) = delta or [""]
    if key == "tool_calls":
        call = delta[key][0]
        arguments = "".join([other["tool_calls"][0]["function"]["arguments"] for other, _ in taken])
        return {key: [{**call, "function": {**call["function"], "arguments": arguments}}]}, more
    return ({key: "".join([other[key] for other, _ in taken])} if key else {}), more


TestAnyStream = Server.TestCase
TestAnyStream.settings = settings(stateful_step_count=40)
