"""The wire types that the operators << and >> use for a value, or for a kind."""

from __future__ import annotations

from typing import Any

from lifecycle.archive.errors import NotSerializable
from lifecycle.archive.format.objects import ANY_POINTER
from lifecycle.archive.format.wire import Wire, declared_wire, wire_of

_NUMBERS_AND_TEXT: dict[type[Any], str] = {
    bool: "BOOL(True)",
    int: "DWORD(5)",
    float: "DOUBLE(0.5)",
    str: "CString('x')",
    bytes: "CByteArray(b'x'), or bare by archive.write(b'x')",
}
_CONTAINERS: dict[type[Any], str] = {
    list: "CArray[DWORD]([1, 2])",
    tuple: "CArray[DWORD]([1, 2])",
    dict: "CMap[WORD, CString]({1: 'x'})",
    bytearray: "CByteArray(...)",
}
"""What to store instead of a value of a built-in type, which has no wire type."""


def kind_of(value: object) -> Wire[Any]:
    """The wire type with which the operator << stores a value; TypeError if it has none."""
    kind = type(value)
    pointer = vars(kind).get("__pointer__")
    if pointer is not None or value is None:
        return pointer or ANY_POINTER
    if hasattr(kind, "__pointer__"):
        raise NotSerializable(f"{kind.__name__} is derived from a serializable class and is not serializable itself")
    wire = declared_wire(kind)
    if wire is not None:
        return wire
    if kind in _NUMBERS_AND_TEXT:
        raise TypeError(f"{value!r} has no wire type: store it as one, as in {_NUMBERS_AND_TEXT[kind]}")
    hint = _CONTAINERS.get(kind)
    remedy = f"store a typed collection, as in {hint}" if hint else f"decorate it with @serializable({kind.__name__!r})"
    raise NotSerializable(f"{kind.__name__} is not serializable: {remedy}")


def operand(kind: Any) -> Wire[Any]:
    """The wire type with which the operator >> and load() load a kind: a serializable class by pointer."""
    if isinstance(kind, type) and hasattr(kind, "__pointer__"):
        pointer = vars(kind).get("__pointer__")
        if pointer is None:
            raise NotSerializable(f"{kind.__name__} is derived from a serializable class and is not serializable itself")
        return pointer  # type: ignore[no-any-return]
    return wire_of(kind)
