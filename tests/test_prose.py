"""The check of the prose finds a sentence of each kind, and accepts plain sentences about the same subject."""

import pytest
from check_prose import RULES, Text, faults_of

FAULTS = [
    ("is no", "A line of the head is no field."),
    ("stands", "A module imports only what stands above it."),
    ("old words", "Only the newest release is mended."),
    ("old words", "Changed line endings are taken for no edits."),
    ("old words", "The key would be sent in the clear."),
    ("old words", "The stream was whole."),
    ("old words", "Call `close` when the iteration is given up."),
    ("otherwise", "A proxy may have read otherwise what follows."),
    ("requests as questions", "The response has the shape that its event asks for."),
    ("is to be", "The body is to be valid JSON."),
    ("data that speaks", "A null value says that the field is absent."),
    ("headless clause", "What became of a copy."),
    ("what is none", "The module is imported for the caller who may want one."),
    ("what is none", "The value is kept as its fields have it."),
    ("what is none", "Arguments that cannot be are errors."),
    ("ritual negative", "It never waits."),
    ("semicolon", "The context; raises OSError without a certificate."),
    ("long sentence", "word " * 44 + "end."),
]
PLAIN = [
    "The header line is malformed. There is no default, and no field is longer.",
    "Content-Type must be application/json, got text/plain.",
    "Return the parts of a result that is to be streamed.",
    "Unless stated otherwise, a limit is in bytes.",
    "The client asks for the usage with `stream_options`.",
    "Code such as `a; b` is not prose.",
    "word " * 43 + "end.",
]


@pytest.mark.parametrize(("rule", "sentence"), FAULTS)
def test_sentence_that_breaks_a_rule_is_reported(rule: str, sentence: str) -> None:
    assert [found.name for found, _ in faults_of(Text(1, sentence))] == [rule]


@pytest.mark.parametrize("sentence", PLAIN)
def test_plain_sentence_is_accepted(sentence: str) -> None:
    assert list(faults_of(Text(1, sentence))) == []


@pytest.mark.parametrize(
    "begin", ["The context.", "An error of the server.", "Like `open`, but for bytes.", "It reads."]
)
def test_docstring_of_a_function_without_a_verb_is_reported(begin: str) -> None:
    assert [found.name for found, _ in faults_of(Text(1, begin, "function"))] == ["docstring without a verb"]
    assert list(faults_of(Text(1, begin))) == list(faults_of(Text(1, "Return the context.", "function"))) == []


@pytest.mark.parametrize("name", ["test_bounded", "test_retry_after", "test_error_says_why_it_failed"])
def test_name_of_a_test_without_condition_or_result_is_reported(name: str) -> None:
    assert [found.name for found, _ in faults_of(Text(1, name, "test name"))] == ["test name"]


def test_every_rule_has_a_sample() -> None:
    assert {rule.name for rule in RULES} - {name for name, _ in FAULTS} == {"docstring without a verb", "test name"}
