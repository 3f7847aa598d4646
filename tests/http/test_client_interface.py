"""The clients' arguments and the parameters of `create`: declared once, and equal for both clients."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from pathlib import Path
from typing import Any
from unittest import mock

import together_adapters
from together_adapters import AsyncTogether, Together
from together_adapters.aio import AsyncCompletions
from together_adapters.client import Completions
from together_adapters.http._client_base import CALL_OPTIONS

from together_types import ChatCompletionRequest

MODULE = Path(str(together_adapters.__file__)).with_name("http") / "_client_base.py"


def declarations(name: str) -> list[dict[str, str]]:
    """Return the keyword parameters, with their annotations, of each function of this name."""
    functions = [item for item in ast.walk(ast.parse(MODULE.read_text("utf-8"))) if isinstance(item, ast.FunctionDef)]
    return [
        {
            parameter.arg: ast.unparse(parameter.annotation)
            for parameter in function.args.kwonlyargs
            if parameter.annotation
        }
        for function in sorted(functions, key=lambda function: function.lineno)
        if function.name == name
    ]


def test_overloads_of_create_differ_only_in_stream() -> None:
    *overloads, implementation = declarations("create")
    streams = [declared.pop("stream") for declared in overloads]
    assert streams == ["Literal[False]", "Literal[True]", "bool"]
    assert overloads == [overloads[0]] * 3
    assert implementation.pop("stream") == "bool" and implementation.items() <= overloads[0].items()


def test_parameters_of_create_are_fields_of_a_request_or_settings_of_the_call() -> None:
    *overloads, implementation = declarations("create")
    fields = {field.name for field in dataclasses.fields(ChatCompletionRequest)}
    assert set(overloads[0]) - fields == set(CALL_OPTIONS)
    assert set(implementation) == {"messages", "model", "stream", *CALL_OPTIONS}


def test_both_clients_have_one_signature() -> None:
    assert inspect.signature(Together) == inspect.signature(AsyncTogether)
    assert "api_key" in inspect.signature(Together).parameters
    sync, concurrent = Together(api_key="k").chat.completions, AsyncTogether(api_key="k").chat.completions
    assert inspect.signature(sync.create) == inspect.signature(concurrent.create)
    assert list(inspect.signature(sync.create).parameters) == [
        "messages",
        "model",
        "stream",
        *CALL_OPTIONS,
        "parameters",
    ]
    assert "Create a chat completion" in str(inspect.getdoc(sync.create)) == str(inspect.getdoc(concurrent.create))


def test_create_of_the_asynchronous_client_is_a_coroutine_function() -> None:
    """unittest.mock and web frameworks await the results of coroutine functions only."""
    assert inspect.iscoroutinefunction(AsyncCompletions.create) and not inspect.iscoroutinefunction(Completions.create)
    mocked: Any = mock.create_autospec(AsyncTogether(api_key="k").chat.completions)
    assert isinstance(mocked.create, mock.AsyncMock)
