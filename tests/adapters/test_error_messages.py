"""Extracting the message from the body of an error response."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st
from together_adapters._error_messages import message_in, text_of_page

KEYS = ["message", "detail", "error", "errors", "error_description", "title", "msg", "loc", "code"]
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(), max_size=700),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text", ""),
        (["text"], "text"),
        (7, ""),
        ({"error": 7}, ""),
        ({"code": 1, "status": "x"}, ""),
        ({"error": {"error": {"error": {"error": "deep"}}}}, "deep"),
        ({"error": {"error": {"error": {"error": {"error": {"error": "too deep"}}}}}}, ""),
        ({"errors": [{"message": str(n)} for n in range(7)]}, "0; 1; 2; 3; 4"),
        ({"detail": [{"loc": ["body", 0], "msg": "required"}, {"msg": "odd"}]}, "body.0: required; odd"),
        ({"loc": ["x"], "message": "not FastAPI's"}, "not FastAPI's"),
        ({"message": " two\n\tlines "}, "two lines"),
        ({"message": "", "title": "used"}, "used"),
        ({"message": "a lone \ud800"}, "a lone ?"),
    ],
    ids=range(13),
)
def test_message_of_a_body_is_extracted(content: Any, message: str) -> None:
    assert message_in(content) == message


@given(BODIES)
def test_message_of_any_body_is_one_bounded_line(content: Any) -> None:
    for text in (message_in(content), text_of_page(json.dumps(content, ensure_ascii=False))):
        assert len(text) <= 500 and " ".join(text.split()) == text.rstrip()  # the cut may follow a space
        text.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html><Title>\n502 Bad\tGateway </title>", "an HTML page, 502 Bad Gateway"),
        ("<title> </title><p>busy", "<title> </title><p>busy"),
        ("<title>cut", "an HTML page, cut"),
        (" busy\n ", "busy"),
        ("", ""),
        ("x" * 4096 + "<title>late</title>", "x" * 500),
    ],
    ids=["title", "blank title", "cut title", "text", "empty", "late title"],
)
def test_page_is_described_by_its_title_or_its_beginning(text: str, message: str) -> None:
    assert text_of_page(text) == message
