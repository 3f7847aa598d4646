"""What a server says when it refuses, as values, and the error for JSON that cannot be read. The exceptions for
what a server refuses are not here: they are together_adapters' own.
"""

from __future__ import annotations

from collections.abc import Mapping

from ._json import JSON, ParseError
from ._model import ValueOf, dataclass
from ._read import EXTRA, TEXT, TEXT_OR_INTEGER, nested, union

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import (
        ErrorDataDict,
        TogetherErrorResponseDict,
    )

__all__ = ["ErrorData", "ParseError", "TogetherErrorResponse"]


@dataclass(frozen=True)
class TogetherErrorResponse(ValueOf["TogetherErrorResponseDict"]):
    """An error as a server describes it. `type_` is the key `type`; llama-server and vLLM send `code` as an integer."""

    message: str | None = TEXT
    type_: str | None = TEXT.replace(alias="type")
    param: str | None = TEXT
    code: str | int | None = TEXT_OR_INTEGER
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ErrorData(ValueOf["ErrorDataDict"]):
    """The body of an error response (the name is from Together's OpenAPI); some servers send plain text as `error`."""

    error: str | TogetherErrorResponse | None = union(TEXT, nested(TogetherErrorResponse))
    extra: Mapping[str, JSON] = EXTRA
