"""String enums: closed enums, whose values this library defines, and open enums, whose values servers define."""

from __future__ import annotations

from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    from typing_extensions import Self

    Member = TypeVar("Member", bound=Enum)

__all__ = ["OpenEnum", "StringEnum", "members_by_value"]


class StringEnum(str, Enum):
    """An enum whose members equal their strings. `str()`, `format()` and f-strings return these strings."""

    # For a plain `str, Enum`, `format()` returns the value up to Python 3.10, and the member's name from 3.11 on.
    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        return self.__class__, (self._value_,)


class OpenEnum(StringEnum):
    """A string enum that accepts every string.

    Servers add values faster than clients are released, so a string that the class does not define is an unnamed
    member. It equals its string, has the same hash, and can be pickled.

        >>> from together_types import FinishReason
        >>> FinishReason("stop")
        <FinishReason.StopSequence: 'stop'>
        >>> FinishReason("abort")
        FinishReason('abort')
        >>> FinishReason("abort") == "abort", FinishReason("abort").known
        (True, False)

    Named members are singletons. Unnamed members are created on every call, because keeping them would let a server
    fill the memory. Compare members with `==`, not with `is`.
    """

    @property
    def known(self) -> bool:
        """True for a named member, False for a value that the class does not define."""
        return self._value_ in self.__class__._value2member_map_

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = str(value)
        return member

    def __repr__(self) -> str:
        name = self.__class__.__name__
        return f"<{name}.{self._name_}: {self._value_!r}>" if self.known else f"{name}({self._value_!r})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


def members_by_value(enum: type[Member]) -> Mapping[Any, Member]:
    """Return the named members of an enum, by value."""
    return {member.value: member for member in enum}
