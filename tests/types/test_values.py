"""The values as Python objects, and the errors for JSON that cannot be read."""

from __future__ import annotations

import copy
import dataclasses
import decimal
import inspect
import json
import pickle
import sys
import typing
from pathlib import Path
from unittest import mock

import pytest
from corpus import DATA, TYPES
from pickling import pickle_sample

from together_types import (
    ChatCompletionChoicesData,
    ChatCompletionChunk,
    ChatCompletionMessage,
    ChatCompletionMessageContent,
    ChatCompletionRequest,
    ChatCompletionResponse,
    FinishReason,
    FunctionCall,
    InputAudio,
    JSONSchema,
    ParseError,
    ResponseFormat,
    StreamOptions,
    TogetherErrorResponse,
    TogetherRequest,
    UsageData,
)
from together_types._model import Value

BODY = {"id": "1", "created": 1757876416.5, "usage": {"total_tokens": None}, "to_dict": 1, "extra": {"a": [1]}}


@dataclasses.dataclass(frozen=True)
class Priced(UsageData):
    """A user's subclass of a value class."""

    cost: float = 0.0


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_value_class_is_frozen_dataclass(cls: type[Value]) -> None:
    names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    assert dataclasses.is_dataclass(cls)
    assert tuple(names) == cls.__match_args__
    assert names == list(inspect.signature(cls).parameters)
    assert names[-1] == "extra"
    assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert cls.__doc__
    value = cls()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, names[0], 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(value, names[0])
    assert dataclasses.asdict(value)["extra"] == {}
    assert value == cls() and hash(value) == hash(cls())
    assert None not in value.to_dict().values()


def test_base_class_of_all_values_is_not_a_dataclass() -> None:
    assert not dataclasses.is_dataclass(Value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_copied_value_keeps_extras_and_nulls(protocol: int) -> None:
    response = ChatCompletionResponse.from_dict(BODY)
    for twin in (pickle.loads(pickle.dumps(response, protocol)), copy.copy(response), copy.deepcopy(response)):
        assert twin == response
        assert twin.to_dict() == BODY


def test_replace_drops_the_original_json_of_replaced_fields_only() -> None:
    response = ChatCompletionResponse.from_dict(BODY)
    assert response.created == 1757876416
    assert dataclasses.replace(response, created=5).to_dict() == {**BODY, "created": 5}
    assert dataclasses.replace(response, id="2").to_dict() == {**BODY, "id": "2"}
    assert response.__replace__(id="2").to_dict() == {**BODY, "id": "2"}  # the method behind `copy.replace`
    if sys.version_info >= (3, 13):
        assert copy.replace(response, id="2") == dataclasses.replace(response, id="2")


def test_replace_drops_json_that_contradicts_the_new_value() -> None:
    usage = UsageData.from_dict({"prompt_tokens": "many", "completion_tokens": "3", "total_tokens": 5.0, "cost": 1})
    assert dict(usage.extra) == {"prompt_tokens": "many", "completion_tokens": "3", "total_tokens": 5.0, "cost": 1}
    assert dataclasses.replace(usage).extra == usage.extra
    replaced = dataclasses.replace(usage, prompt_tokens=2, completion_tokens=4)
    assert replaced.extra == {"total_tokens": 5.0, "cost": 1}
    assert replaced.to_dict() == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 5.0, "cost": 1}


@pytest.mark.parametrize("path", sorted((DATA / "pickles").iterdir()), ids=lambda path: path.name)
def test_pickle_of_other_python_loads_equal(path: Path) -> None:
    assert pickle.loads(path.read_bytes()) == pickle_sample()


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the match statement is new in 3.10")
def test_match_statement_with_class_patterns_binds_fields() -> None:
    source = """
match choice:
    case Choice(finish_reason="length"):
        found = "cut"
    case Choice(message=Message(role="assistant", content=str(text))):
        found = text
"""
    for body, expected in (
        ({"finish_reason": "length"}, "cut"),
        ({"finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}, "hi"),
    ):
        names = {"choice": ChatCompletionChoicesData.from_dict(body), "Choice": ChatCompletionChoicesData}
        names["Message"] = ChatCompletionMessage
        exec(source, names)
        assert names["found"] == expected


def test_dataclass_subclass_copies_and_compares() -> None:
    value = Priced(total_tokens=3, cost=2.0)
    for twin in (copy.deepcopy(value), pickle.loads(pickle.dumps(value)), dataclasses.replace(value)):
        assert twin == value and hash(twin) == hash(value)
    assert dataclasses.replace(value, cost=1.0).cost == 1.0
    assert [field.name for field in dataclasses.fields(Priced)][-2:] == ["extra", "cost"]
    assert Priced.from_dict({"total_tokens": 3}) == Priced(total_tokens=3)


def test_values_with_different_extra_are_unequal_and_read_only() -> None:
    one, other = (UsageData.from_dict({"cost": cost}) for cost in (1, 2))
    assert one != other and hash(one) == hash(other)
    with pytest.raises(TypeError, match="read-only"):
        one.extra["cost"] = 3  # type: ignore[index]


def test_constructor_converts_and_checks_its_arguments() -> None:
    message = ChatCompletionMessage(role="user", content=[{"type": "text", "text": "hi"}])  # type: ignore[arg-type]
    assert message.text == "hi" and hash(message)
    assert message == ChatCompletionMessage.from_dict({"role": "user", "content": [{"type": "text", "text": "hi"}]})
    with pytest.raises(TypeError, match="UsageData.total_tokens: expected integer, got string"):
        UsageData(total_tokens="many")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no field 'tokens'"):
        UsageData(tokens=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^StreamOptions\(\) takes at most 4 arguments, got 5$"):
        StreamOptions(None, None, None, {}, None)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^StreamOptions\(\) got two values for 'include_usage'$"):
        StreamOptions(True, include_usage=True)  # type: ignore[misc]


def test_values_of_different_classes_are_not_equal() -> None:
    assert UsageData(1, 2, 3) != Priced(1, 2, 3) and UsageData() != {} and UsageData(1) != UsageData(2)
    assert FunctionCall(name="f") != JSONSchema(name="f") and vars(FunctionCall(name="f")) == vars(JSONSchema(name="f"))
    assert UsageData() == mock.ANY == UsageData()  # the other operand decides if the classes differ
    null, absent = (ChatCompletionMessage.from_dict(data) for data in ({"content": None}, {}))
    assert null == absent and null.to_dict() != absent.to_dict()


def test_attribute_of_the_class_is_the_default() -> None:
    assert ChatCompletionRequest.stream is False and ChatCompletionRequest.metadata is None
    assert ChatCompletionRequest.extra == {} and UsageData.total_tokens == 0
    assert ResponseFormat.schema_ is None


def test_member_of_another_enum_is_stored_as_plain_string() -> None:
    request = ChatCompletionRequest(model=FinishReason.EOS, user=FinishReason("me"))
    assert [type(text) for text in (request.model, request.user)] == [str, str]
    assert (request.model, request.user) == ("eos", "me")


@pytest.mark.parametrize(
    "arguments", [{"n": decimal.Decimal("1.5")}, {"n": object()}, {("a", "b"): 1}, {"n": b"x"}, {"n": {1}}]
)
def test_non_json_below_root_does_not_raise(arguments: dict[object, object]) -> None:
    """boto3 returns Decimals, and a caller can pass any object."""
    call = FunctionCall.from_dict({"name": "f", "arguments": arguments})
    assert call.to_dict() == {"name": "f", "arguments": arguments}
    assert call.arguments in (None, '{"n": 1.5}')


def test_numbers_of_other_types_are_converted() -> None:
    class Count(int):
        pass

    class Share(float):
        pass

    request = ChatCompletionRequest(max_tokens=Count(5), temperature=Share(0.5), seed=decimal.Decimal(7))  # type: ignore[arg-type]
    assert [type(value) for value in (request.max_tokens, request.temperature, request.seed)] == [int, float, int]
    read = UsageData.from_dict(
        {"prompt_tokens": decimal.Decimal(5), "cost": decimal.Decimal("0.25"), "x": decimal.Decimal("NaN")}
    )
    assert type(read.prompt_tokens) is int and read.issues()[0].path == "completion_tokens"
    assert json.loads(read.to_json()) == {"prompt_tokens": 5, "cost": 0.25, "x": None}
    biased = ChatCompletionRequest.from_dict({"logit_bias": {"1": 1, "2": 0.5}})
    assert biased.logit_bias and [type(bias) for bias in biased.logit_bias.values()] == [float, float]
    assert biased.extra == biased.to_dict() == {"logit_bias": {"1": 1, "2": 0.5}} and not biased.issues()
    request = ChatCompletionRequest.from_dict({"temperature": 10**400, "top_p": decimal.Decimal("1e999")})
    assert [issue.path for issue in request.issues()] == ["temperature"] and request.temperature is None
    assert request.top_p == float("inf")
    with pytest.raises(TypeError, match="set is not JSON serializable"):
        UsageData.from_dict({"cost": {1}}).to_json()


def test_value_inside_raw_json_becomes_a_dict() -> None:
    usage = UsageData(1, 2, 3)
    for value in (ChatCompletionResponse(extra={"x": usage}), ChatCompletionResponse.from_dict({"x": usage})):
        assert value.to_dict() == {"x": usage.to_dict()} == json.loads(value.to_json())
    assert ChatCompletionRequest(metadata={"a": usage}).metadata == {"a": usage.to_dict()}


def test_constructor_accepts_json_keys_like_together_1x() -> None:
    assert TogetherErrorResponse(type="t").type_ == TogetherErrorResponse(type_="t").type_ == "t"  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="pass undeclared keys in extra="):
        ChatCompletionResponse(x_unknown=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="ChatCompletionResponse.extra: expected object, got number 5"):
        ChatCompletionResponse(extra=5)  # type: ignore[arg-type]


@pytest.mark.skipif(
    not hasattr(sys, "set_int_max_str_digits"), reason="this interpreter can write integers of any length"
)
def test_repr_of_unserializable_value_does_not_fail() -> None:
    assert "number of 16610 bits" in repr(ChatCompletionResponse.from_dict({"created": 10**5000}))


@pytest.mark.skipif(sys.version_info < (3, 10), reason="annotations resolve on 3.10 and newer")
def test_annotations_of_methods_can_be_read() -> None:
    for name in ("from_dict", "from_json", "to_dict", "issues"):
        assert typing.get_type_hints(getattr(ChatCompletionResponse, name))


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="the depth of the stack depends on the interpreter")
def test_reading_on_a_deep_stack_raises_an_error_that_names_the_stack() -> None:
    def deeper(levels: int) -> ChatCompletionResponse:
        return deeper(levels - 1) if levels else ChatCompletionResponse.from_json('{"x":' + "[" * 190 + "]" * 190 + "}")

    limit = sys.getrecursionlimit()
    with pytest.raises((ParseError, RecursionError)) as caught:
        for levels in range(limit // 2, limit, 10):
            deeper(levels)
    if isinstance(caught.value, ParseError):
        assert "the remaining stack allows" in caught.value.problem


def test_path_of_a_key_that_is_not_an_identifier_is_quoted() -> None:
    data = {"choices": [{"top_logprobs": {"a key": "x"}}, {}]}
    [issue] = ChatCompletionResponse.from_dict(data).issues()
    assert issue.path == 'choices[0].top_logprobs["a key"]'


def test_text_of_a_chunk_for_another_choice_is_empty() -> None:
    chunks = [
        ChatCompletionChunk.from_dict({"choices": [{"index": i, "delta": {"content": text}}]})
        for i, text in enumerate("AB")
    ]
    assert [chunk.text for chunk in chunks] == ["A", ""]
    thoughts = [
        ChatCompletionChunk.from_dict({"choices": [{"index": i, "delta": {"reasoning": "hm"}}]}) for i in (0, 1)
    ]
    assert [chunk.reasoning_text for chunk in thoughts] == ["hm", ""]


def test_open_enum_with_an_unknown_string_is_an_unnamed_member() -> None:
    assert [f"{reason}" for reason in (FinishReason.EOS, FinishReason("abort"))] == ["eos", "abort"]
    assert str(FinishReason.EOS) == "eos" and "%s" % FinishReason("abort") == "abort"
    assert FinishReason.EOS.known and not FinishReason("abort").known
    assert pickle.loads(pickle.dumps(FinishReason("abort"))) == "abort"
    assert FinishReason("abort") == FinishReason("abort") and len({FinishReason("abort"), "abort"}) == 1
    assert "abort" not in FinishReason._value2member_map_
    assert (
        repr(FinishReason.EOS) == "<FinishReason.EOS: 'eos'>" and repr(FinishReason("abort")) == "FinishReason('abort')"
    )
    assert copy.copy(FinishReason.EOS) is copy.deepcopy(FinishReason.EOS) is FinishReason.EOS
    for value in (5, None):
        with pytest.raises(ValueError, match="not a valid FinishReason"):
            FinishReason(value)


def test_alias_is_written_under_json_key() -> None:
    form = ResponseFormat.from_dict({"type": "json_object", "schema": {"a": 1}, "schema_": 2})
    assert form.schema_ == {"a": 1} and form.extra == {"schema_": 2}
    assert dataclasses.replace(form, schema_={}).to_dict() == {"type": "json_object", "schema": {}, "schema_": 2}


def test_nested_object_of_a_request_is_read_as_a_value() -> None:
    data = {
        "messages": [
            {"role": "user", "content": [
                {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
                {"type": "file", "file": {"file_id": "file-1", "filename": "a.pdf", "mime": "application/pdf"}},
            ]},
            {"role": "assistant", "audio": {"id": "audio_1"}},
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": None}},
        "stream_options": {"include_usage": True, "continuous_usage_stats": "yes"},
        "reasoning": {"enabled": True, "max_tokens": "512"},
    }  # fmt: skip
    request = ChatCompletionRequest.from_dict(data)
    assert request.to_dict() == data
    assert [issue.path for issue in request.issues()] == ["stream_options.continuous_usage_stats"]
    assert request.response_format and request.stream_options and request.reasoning and request.messages
    assert request.response_format.json_schema == JSONSchema(name="n", schema_={"type": "object"})
    assert (request.stream_options.include_usage, request.stream_options.continuous_usage_stats) == (True, None)
    assert request.reasoning.max_tokens == 512
    audio, file = request.messages[0].content or ()
    assert isinstance(audio, ChatCompletionMessageContent) and audio.input_audio == InputAudio("UklG", "wav")
    assert (
        isinstance(file, ChatCompletionMessageContent) and file.file and file.file.extra == {"mime": "application/pdf"}
    )
    assert ChatCompletionRequest(stream_options={"include_usage": True}).stream_options == StreamOptions(True)  # type: ignore[arg-type]
    assert hash(request) == hash(pickle.loads(pickle.dumps(request)))


def test_repr_of_request_with_headers_hides_them() -> None:
    for headers in ({"Authorization": "Bearer sk-secret"}, {"Authorization": ["sk-secret"]}, "Bearer sk-secret"):
        request = TogetherRequest.from_dict({"url": "u", "headers": headers})
        assert "sk-secret" not in repr(request) and "sk-secret" not in str(request.issues())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the text is empty"),
        ("[1]", "expected object, got array"),
        ('{"a": 1', "Expecting ',' delimiter: line 1 column 8"),
        ('{"a": 1} x', "Extra data: line 1 column 9"),
        ("[" * 100_000, "nested deeper than 200 levels"),
        ('{"a":' * 201 + "1" + "}" * 201, "nested deeper than 200 levels"),
        (b'{"a": "\xff"}', "not UTF-8: byte 7"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        ('{"a": ' + "9" * 5000 + "}", "more than 4300 digits"),
    ],
    ids=range(9),
)
def test_unreadable_text_raises_parse_error(text: str | bytes, problem: str) -> None:
    with pytest.raises(ParseError) as caught:
        ChatCompletionChunk.from_json(text)
    assert problem in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_json_at_the_limits_is_read() -> None:
    deep = json.loads('{"a":' * 200 + "1" + "}" * 200)
    assert ChatCompletionChunk.from_dict(deep).to_dict() == deep
    marked = b'\xef\xbb\xbf {"id": "\\ud800", "n": NaN}'
    assert json.loads(ChatCompletionChunk.from_json(marked).to_json()) == {"id": "\ud800", "n": None}
    assert ChatCompletionChunk.from_dict({"n": 10**5000}).to_json()


def test_parsed_arguments_return_a_dict_or_raise_parse_error() -> None:
    for empty in (None, "", " ", "null"):
        assert FunctionCall(arguments=empty).parsed_arguments() == {}
    assert FunctionCall.from_dict({"arguments": {"ü": 1}}).arguments == '{"ü": 1}'
    assert FunctionCall(arguments='{"a": 1} ').parsed_arguments() == {"a": 1}
    with pytest.raises(ParseError, match=r"arguments: not JSON: .*\(char 8\)"):
        FunctionCall(arguments='{"a": 1}{').parsed_arguments()
    with pytest.raises(ParseError, match="arguments: expected object, got array"):
        FunctionCall(arguments="[]").parsed_arguments()


def test_text_of_incomplete_values_is_empty() -> None:
    for choices in (None, [], [{}], [{"delta": None, "message": None}], [{"delta": {}, "message": {}}]):
        data = {"choices": choices}
        for cls in (ChatCompletionChunk, ChatCompletionResponse):
            assert (cls.from_dict(data).text, cls.from_dict(data).reasoning_text) == ("", "")
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    message = ChatCompletionMessage.from_dict({"content": [thinking, {"type": "text", "text": "yes"}]})
    assert (message.text, message.reasoning_text) == ("yes", "hm")
    both = ChatCompletionMessage.from_dict({"reasoning": "hm", "reasoning_content": "hm"})
    assert both.reasoning_text == "hm"
