"""Reading and writing JSON text, copies of decoded JSON, read-only JSON, paths, and the error for unreadable JSON.

Reading is stricter than `json.loads`: it accepts only UTF-8, limits the length of integers on every interpreter, and
raises one exception type. It is also faster, because it decodes the bytes itself. `json.loads` detects the encoding,
which takes about half of its time on a streamed chunk. Writing always produces valid ASCII JSON.

Read-only lists and dicts are subclasses of `list` and `dict`, so `==`, `json.dumps`, `pickle`, `copy` and
`dataclasses.asdict` accept them. They only prevent accidental changes: `dict.update(value, ...)` still changes `value`.

This module does not depend on the fields of the value classes. Changes no argument.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from typing_extensions import TypeGuard

    JSON = Any
    _JSONDict = dict[str, JSON]
    _JSONList = list[JSON]
else:
    JSON = object
    _JSONDict = dict
    _JSONList = list

__all__ = [
    "JSON",
    "MAX_DEPTH",
    "STACK_USED_UP",
    "FrozenDict",
    "FrozenList",
    "ParseError",
    "at",
    "check_level",
    "check_nesting",
    "copy_json",
    "describe",
    "document_at",
    "dumps",
    "finite",
    "freeze",
    "is_array",
    "is_deeply_nested",
    "is_object",
    "loads",
    "loads_finite",
    "scan_unchecked",
    "under",
    "utf8_safe",
    "well_formed",
]

MAX_DEPTH = 200
"""The maximum number of nested objects and arrays, including the root."""

STACK_USED_UP = f"nested deeper than {MAX_DEPTH} levels, or deeper than the remaining stack allows"

# CPython's limit for conversions between int and str, applied here for interpreters without a limit.
_MAX_DIGITS = 4300


class ParseError(ValueError):
    """JSON that is invalid, or that does not have the expected structure.

    `path` is the position in the document, like `choices[0].message.role`, and is empty for the document itself.
    `problem` describes the error there.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        # A runtime that writes the message as UTF-8, such as AWS Lambda's, must not fail on a lone surrogate.
        return well_formed(f"{self.path}: {self.problem}" if self.path else self.problem)


def well_formed(text: str) -> str:
    """Return text that UTF-8 can encode: surrogate pairs are combined, and a lone surrogate becomes U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _bounded_int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits, more than {_MAX_DIGITS}")
    return int(digits)


def _refuse_constant(name: str) -> JSON:
    raise ParseError("", f"not JSON: {name} is not a JSON number")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if number - number != 0:
        raise ParseError("", f"the number {digits[:20]} is too large")
    return number


_read_int = None if hasattr(sys, "get_int_max_str_digits") else _bounded_int
_decoder = json.JSONDecoder(parse_int=_read_int)

# CPython's C scanner. Decoders of other interpreters may lack this attribute.
_scan = getattr(_decoder, "scan_once", _decoder.raw_decode)


def _scan_all(text: str, start: int) -> tuple[JSON, int]:
    return json.loads(text), len(text)


# On PyPy only `json.loads` uses the fast decoder. `scan_once` takes seven times as long.
_scan_first = _scan_all if sys.implementation.name == "pypy" else _scan
scan_unchecked = _scan

_DIES_OF_DEPTH = sys.platform == "emscripten"
_DEEPEST = 2000  # levels. Under Node.js, versions 0.29 to 315 of Pyodide read 5,000 levels, and 20,000 end the process.


def check_nesting(text: str) -> None:
    """Raise RecursionError if decoding the text would end the process.

    Only WebAssembly needs this check: there the decoder exhausts the host's stack before it checks the depth. On other
    platforms this function does nothing, because the decoder raises the error itself.
    """
    if not _DIES_OF_DEPTH or text.count("[") + text.count("{") <= _DEEPEST:
        return
    if is_deeply_nested(text, _DEEPEST):
        raise RecursionError("nested too deeply")


def is_deeply_nested(text: str, limit: int = MAX_DEPTH) -> bool:
    """Return whether the JSON in a text is nested deeper than `limit` levels."""
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > limit:
            return True
    return False


def _scan_checked(text: str, start: int) -> tuple[JSON, int]:
    check_nesting(text)
    found: tuple[JSON, int] = scan_unchecked(text, start)
    return found


if _DIES_OF_DEPTH:
    _scan = _scan_first = _scan_checked

_WHITESPACE = " \t\n\r"


def is_object(value: JSON) -> TypeGuard[Mapping[str, JSON]]:
    """Return whether a value is a JSON object: a dict or any other mapping."""
    return isinstance(value, (dict, Mapping))


def is_array(value: JSON) -> TypeGuard[Sequence[JSON]]:
    """Return whether a value is a JSON array: a list or a tuple."""
    return isinstance(value, (list, tuple))


def loads(text: str | bytes | bytearray | memoryview) -> JSON:
    """Read one JSON document. Bytes must be UTF-8, with or without a byte order mark. Accepts NaN and Infinity.

    Raises ParseError if the text is not UTF-8 or not valid JSON, is truncated or continues after the document, if it is
    nested too deeply for the interpreter, or if an integer has more than 4,300 digits.
    """
    if not isinstance(text, str):
        text = _decoded(text)
    try:
        value, end = _scan_first(text, 0)
        if end == len(text):
            return value
    except (StopIteration, ValueError):
        pass
    except RecursionError:
        raise ParseError("", STACK_USED_UP) from None
    return _loads_after_blanks(text, _scan)


def loads_finite(text: bytes) -> JSON:
    """Read one JSON document as `loads` does, but reject numbers that are not finite.

    Raises ParseError for NaN, Infinity and numbers that overflow to infinity, and in the cases of `loads`. `loads`
    accepts these numbers because servers send them. This function is for requests that a server receives.
    """
    decoded = _decoded(text)
    check_nesting(decoded)
    # Created on each call, because most processes do not need it.
    decoder = json.JSONDecoder(parse_int=_read_int, parse_float=_finite_float, parse_constant=_refuse_constant)
    return _loads_after_blanks(decoded, decoder.raw_decode)


def _decoded(text: bytes | bytearray | memoryview) -> str:
    try:
        return (text if isinstance(text, bytes) else bytes(text)).decode()
    except UnicodeDecodeError as error:
        raise ParseError("", f"not UTF-8: byte {error.start} ({error.reason})") from None


def _loads_after_blanks(text: str, scan: Callable[[str, int], tuple[JSON, int]]) -> JSON:
    """Read a document that may follow a byte order mark and be surrounded by white space.

    Raises ParseError, with the position, if the text is not valid JSON.
    """
    text = text.removeprefix("\ufeff")
    try:
        value, end = scan(text, len(text) - len(text.lstrip(_WHITESPACE)))
        if text[end:].strip(_WHITESPACE):
            raise json.JSONDecodeError("Extra data", text, end)
    except StopIteration as stop:
        raise ParseError("", _where(text, "Expecting value", stop.value)) from None
    except json.JSONDecodeError as error:
        raise ParseError("", _where(text, error.msg, error.pos)) from None
    except RecursionError:
        raise ParseError("", STACK_USED_UP) from None
    except ParseError:
        raise
    except ValueError:
        raise ParseError("", f"not JSON: an integer of more than {_MAX_DIGITS} digits") from None
    return value


def document_at(text: str, start: int) -> tuple[JSON, int]:
    """Return the JSON document that begins at a position of the text, and the position after it.

    Raises ValueError if no readable document begins there. The text may contain several documents, so the caller must
    call `check_nesting` once for the whole text.
    """
    try:
        found: tuple[JSON, int] = scan_unchecked(text, start)
    except (StopIteration, RecursionError):
        raise ValueError(f"no readable JSON document at position {start}") from None
    return found


def _where(text: str, message: str, position: int) -> str:
    if not text.strip(_WHITESPACE):
        return "not JSON: the text is empty"
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    near = f"at {json.dumps(text[position : position + 20])}" if text[position:] else "at the end of the text"
    return f"not JSON: {message}: line {line} column {column} (char {position}), {near}"


def _as_json(value: JSON) -> JSON:
    """Convert an object with `to_dict` to a dict, and a number of another type (Decimal, NumPy's) to an int or float.

    NaN and infinities become None. Raises TypeError for any other object.
    """
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if not hasattr(value, "__float__"):
        raise TypeError(
            f"{type(value).__name__} is not JSON serializable: use str, int, float, bool, None, list, tuple, dict "
            "or a value of together_types"
        )
    try:
        integer = int(value)
    except (ValueError, OverflowError):  # NaN or an infinity
        return None
    return integer if integer == value else float(value)


_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_as_json).encode


def dumps(value: JSON) -> str:
    """Write JSON as ASCII text.

    NaN, infinities and integers that are too long for the interpreter to write become null. Raises TypeError for an
    object that is not JSON, is not a number and has no `to_dict`.
    """
    try:
        return _encode(value)
    except ValueError:  # a non-finite float, or an integer too long to be written
        return _encode(finite(value))


def finite(value: JSON) -> JSON:
    """Return a copy in which None replaces NaN, infinities, and integers too long for the interpreter to write."""
    if is_object(value):
        return {key: finite(item) for key, item in value.items()}
    if is_array(value):
        return [finite(item) for item in value]
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, int):
        try:
            str(value)
        except ValueError:  # too long to write, so this interpreter could not read it back either
            return None
    return value if value is None or isinstance(value, (str, int)) else finite(_as_json(value))


def utf8_safe(value: JSON) -> JSON:
    """Return the result of `finite` with U+FFFD for lone surrogates, so that every JSON writer can write it."""
    if is_object(value):
        return {well_formed(str(key)): utf8_safe(item) for key, item in value.items()}
    if is_array(value):
        return [utf8_safe(item) for item in value]
    return well_formed(value) if isinstance(value, str) else finite(value)


_SCALARS = frozenset({str, int, float, bool, type(None)})


def check_level(level: int) -> None:
    """Raise ParseError for JSON that is nested deeper than MAX_DEPTH levels."""
    if level > MAX_DEPTH:
        raise ParseError("", f"nested deeper than {MAX_DEPTH} levels")


def copy_json(value: JSON, level: int) -> JSON:
    """Return a copy of raw JSON, so that later changes to the original do not affect the copy.

    `level` is the nesting level of `value`. Raises ParseError if the JSON is nested deeper than MAX_DEPTH levels.
    """
    if value.__class__ in _SCALARS:
        return value
    check_level(level)
    if is_object(value):
        return {key: copy_json(item, level + 1) for key, item in value.items()}
    if is_array(value):
        return [copy_json(item, level + 1) for item in value]
    return copy_json(value.to_dict(), level) if hasattr(value, "to_dict") else value


def _refuse(self: object, *args: object, **kwargs: object) -> NoReturn:
    raise TypeError("this JSON is read-only: change a copy of it (to_dict() or copy()), or use dataclasses.replace()")


class FrozenDict(_JSONDict):
    """A JSON object whose methods cannot change it."""

    __slots__ = ()

    if not TYPE_CHECKING:
        __setitem__ = __delitem__ = __ior__ = _refuse
        clear = pop = popitem = setdefault = update = _refuse

        def __new__(cls, items=()):
            frozen = dict.__new__(cls)
            dict.update(frozen, items)
            return frozen

        def __init__(self, items=()):
            pass  # `dict.__init__` would add the items a second time, and could change an existing object

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, JSON]]]:
        return self.__class__, (dict(self),)


class FrozenList(_JSONList):
    """A JSON array whose methods cannot change it."""

    __slots__ = ()

    if not TYPE_CHECKING:
        __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
        append = clear = extend = insert = pop = remove = reverse = sort = _refuse

        def __new__(cls, items=()):
            frozen = list.__new__(cls)
            list.extend(frozen, items)
            return frozen

        def __init__(self, items=()):
            pass  # `list.__init__` would replace the items of an existing object

    def __reduce__(self) -> tuple[type[FrozenList], tuple[list[JSON]]]:
        return self.__class__, (list(self),)


def freeze(raw: JSON) -> JSON:
    """Return raw JSON with read-only lists and dicts at every depth. Any other object is returned unchanged."""
    if raw.__class__ is FrozenDict or raw.__class__ is FrozenList:
        return raw
    if is_object(raw):
        return FrozenDict({key: freeze(item) for key, item in raw.items()})
    if is_array(raw):
        return FrozenList([freeze(item) for item in raw])
    return raw


def at(path: str, key: object) -> str:
    """Return the path of a key or an array index below `path`: `choices[0].message`, `metadata["a key"]`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    name = str(key)
    return under(path, name if name.isidentifier() else f"[{json.dumps(name)}]")


def under(path: str, below: str) -> str:
    """Return the path that results from appending `below` to `path`."""
    return path + below if not path or not below or below.startswith("[") else f"{path}.{below}"


def describe(value: JSON) -> str:
    """Return a short description of a value for a message: `number 7`, `string "stop"`, `true`, `array`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "string " + json.dumps(value if len(value) <= 40 else value[:37] + "...")
    if isinstance(value, (int, float)):
        return "number " + _short_number(value)
    if is_object(value):
        return "object"
    if is_array(value):
        return "array"
    return type(value).__name__


def _short_number(value: float) -> str:
    if isinstance(value, int) and value.bit_length() > 128:
        return f"of {value.bit_length()} bits"
    return repr(value)
