"""The wire types of C++ types."""

from __future__ import annotations

import re

from lifecycle.archive.cpp.declarations import Member, Sources

WIRES: dict[str, str] = {
    **{name: name for name in (
        "BOOL", "BOOLEAN", "BYTE", "CHAR", "COLORREF", "DOUBLE", "DWORD", "FLOAT", "GUID", "INT", "INT_PTR",
        "LOGBRUSH", "LOGFONT", "LOGFONTA", "LOGFONTW", "LOGPEN", "LONG", "LONGLONG", "POINT", "RECT", "SHORT",
        "SIZE", "UINT", "ULONGLONG", "ULONG_PTR", "WCHAR", "WINDOWPLACEMENT", "WORD", "CString", "CStringA",
        "CStringW", "CTime", "CTimeSpan", "COleCurrency", "COleDateTime", "COleDateTimeSpan", "COleVariant",
        "CByteArray", "CWordArray", "CDWordArray", "CStringArray", "CStringList", "CObArray", "CObList",
        "CMapStringToString", "CMapStringToOb", "CMapWordToOb",
    )},
    "int": "INT", "signed int": "INT", "unsigned int": "UINT", "unsigned": "UINT", "long": "LONG",
    "long int": "LONG", "unsigned long": "DWORD", "ULONG": "DWORD", "DWORD32": "DWORD", "UINT32": "UINT",
    "INT32": "INT", "int32_t": "INT", "uint32_t": "UINT", "short": "SHORT", "short int": "SHORT",
    "unsigned short": "WORD", "USHORT": "WORD", "UINT16": "WORD", "uint16_t": "WORD", "int16_t": "SHORT",
    "char": "CHAR", "signed char": "CHAR", "unsigned char": "BYTE", "UCHAR": "BYTE", "UINT8": "BYTE",
    "uint8_t": "BYTE", "float": "FLOAT", "double": "DOUBLE", "bool": "BOOLEAN", "CPoint": "POINT",
    "CRect": "RECT", "CSize": "SIZE", "tagPOINT": "POINT", "__int64": "LONGLONG", "long long": "LONGLONG",
    "INT64": "LONGLONG", "int64_t": "LONGLONG", "unsigned __int64": "ULONGLONG",
    "unsigned long long": "ULONGLONG", "UINT64": "ULONGLONG", "uint64_t": "ULONGLONG", "size_t": "ULONG_PTR",
    "DWORD_PTR": "ULONG_PTR", "LPARAM": "INT_PTR", "WPARAM": "ULONG_PTR", "wchar_t": "WCHAR", "WChar": "WCHAR",
    "VARIANT": "COleVariant", "CY": "COleCurrency", "time_t": "LONGLONG", "HRESULT": "LONG",
}  # fmt: skip
"""C++'s type -> the wire type, without what depends on the build (TCHAR)."""

COORDINATES = dict.fromkeys(("x", "y", "cx", "cy", "left", "top", "right", "bottom"), "LONG")
STRUCTS = ("POINT", "RECT", "SIZE")

COUNTS = {"GetCount": "INT_PTR", "GetSize": "INT_PTR", "GetLength": "INT", "GetUpperBound": "INT_PTR", "size": "ULONG_PTR"}

_TEMPLATE = re.compile(r"(C(?:TypedPtr)?(?:Array|List|Map)\w*)\s*<(.*)>$")


def wire_of_type(kind: str, sources: Sources) -> str | None:
    """The wire type of values of a C++ type, as text; None if it has none, or is not known."""
    kind = re.sub(r"\b(const|struct|class|enum|static|volatile)\b|&", "", kind).strip()
    kind = " ".join(kind.removeprefix("std::").split())
    if kind.endswith("*"):
        pointed = kind.rstrip("* ").strip()
        return f"{pointed} | None" if pointed in sources.classes else "CObject" if pointed == "CObject" else None
    kind = sources.resolved(kind)
    if kind in WIRES:
        return WIRES[kind]
    if kind in sources.enums:
        return "INT"
    template = _TEMPLATE.match(kind)
    if template is None:
        return None
    parts = [each.strip() for each in re.split(r",(?![^<]*>)", template[2])]
    chosen = parts[1:2] if "TypedPtr" in template[1] else parts[::2][:2] if "Map" in template[1] else parts[:1]
    wires = [wire_of_type(each, sources) for each in chosen]
    if not wires or None in wires:
        return None
    name = "CMap" if len(wires) > 1 else "CArray"
    return f"{name}[{', '.join(map(str, wires))}]"


def wire_of_member(member: Member, sources: Sources) -> str | None:
    """The wire type of a member or a variable, without its array lengths."""
    return wire_of_type(f"{member.type}*" if member.is_pointer else member.type, sources)


def first_value(member: Member, sources: Sources) -> str:
    """The initial value of a member, as Python text."""
    if member.lengths:
        if member.type.rstrip("_") in ("char", "TCHAR", "WCHAR", "wchar_t", "CHAR") and len(member.lengths) == 1:
            return '""'
        value = first_value(Member(member.type, member.is_pointer), sources)
        for length in reversed(member.lengths):
            value = f"[{value} for _ in range({_number(length, sources)})]"
        return value
    if member.is_pointer:
        return "None"
    wire = wire_of_member(member, sources)
    if wire is None:
        kind = sources.resolved(member.type)
        if template := _TEMPLATE.match(kind):
            return "{}" if "Map" in template[1] else "[]"
        return f"{kind}()" if kind in sources.classes else "None"
    if wire in ("DOUBLE", "FLOAT"):
        return "0.0"
    if wire.startswith("CString") and not wire.endswith(("Array", "List")):
        return '""'
    if wire in STRUCTS:
        return f"{wire}({', '.join('0' * (4 if wire == 'RECT' else 2))})"
    if wire.startswith("CArray["):
        return "[]"
    if wire.startswith("CMap["):
        return "{}"
    return f"{wire}()" if wire.startswith("C") and wire not in ("CHAR", "COLORREF") else "None" if "LOG" in wire else "0"


def _number(text: str, sources: Sources) -> str:
    for _ in range(9):
        text = sources.constants.get(text, text).strip("() ")
    return text if re.fullmatch(r"[\w+* -]+", text) else "0"
