"""The error responses of servers as values, and the exception for JSON that cannot be read.

The exceptions that a client raises for error responses are in `together_adapters.errors`.
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
    """An error reported by a server. `type_` has the key `type`. llama-server and vLLM send `code` as an integer."""

    message: str | None = TEXT
    type_: str | None = TEXT.replace(alias="type")
    param: str | None = TEXT
    code: str | int | None = TEXT_OR_INTEGER
    extra: Mapping[str, JSON] = EXTRA


@dataclass(frozen=True)
class ErrorData(ValueOf["ErrorDataDict"]):
    """The body of an error response. The name is that of Together's OpenAPI. Some servers send `error` as a string."""

    error: str | TogetherErrorResponse | None = union(TEXT, nested(TogetherErrorResponse))
    extra: Mapping[str, JSON] = EXTRA
