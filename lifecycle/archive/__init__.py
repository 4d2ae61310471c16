"""Archives: typed values, strings and objects through a file or a socket, in the format of MFC's CArchive, byte for byte."""

from lifecycle.archive.archive import Archive
from lifecycle.archive.errors import (
    ArchiveError,
    BadClass,
    BadIndex,
    BadSchema,
    Cause,
    EndOfFile,
    FormatError,
    GenericError,
    NestedTooDeeply,
    NotSerializable,
    ReadOnly,
    TooLate,
    UnreadBytesLost,
    WriteOnly,
)
from lifecycle.archive.file import ClosedFile, SocketFile, UnsupportedCall
from lifecycle.archive.format.classes import serializable
from lifecycle.archive.format.containers import (
    CByteArray,
    CDWordArray,
    CMapStringToOb,
    CMapStringToString,
    CMapWordToOb,
    CObArray,
    CObList,
    CStringArray,
    CStringList,
    CWordArray,
)
from lifecycle.archive.format.dates import (
    COleDateTime,
    COleDateTimeSpan,
    CTime,
    CTime32,
    CTime64,
    CTimeSpan,
    CTimeSpan64,
    OleStatus,
)
from lifecycle.archive.format.ole import VT, COleCurrency, COleVariant
from lifecycle.archive.format.registry import REGISTRY, Registry
from lifecycle.archive.format.scalars import (
    BOOL,
    BOOLEAN,
    BYTE,
    CHAR,
    COLORREF,
    DOUBLE,
    DWORD,
    FLOAT,
    INT,
    LONG,
    LONGLONG,
    POINT,
    RECT,
    SHORT,
    SIZE,
    UINT,
    ULONGLONG,
    WCHAR,
    WORD,
)
from lifecycle.archive.format.strings import CComBSTR, CString, CStringA, CStringW
from lifecycle.archive.format.templates import CArray, CList, CMap
from lifecycle.archive.format.text import CEditView

__all__ = [
    "BOOL", "BOOLEAN", "BYTE", "CHAR", "COLORREF", "DOUBLE", "DWORD", "FLOAT", "INT", "LONG", "LONGLONG", "POINT", "RECT",
    "REGISTRY", "SHORT", "SIZE", "UINT", "ULONGLONG", "VT", "WCHAR", "WORD",
    "Archive", "ArchiveError", "BadClass", "BadIndex", "BadSchema", "CArray", "CByteArray", "CComBSTR", "CDWordArray",
    "CEditView", "CList", "CMap", "CMapStringToOb", "CMapStringToString", "CMapWordToOb", "CObArray", "CObList",
    "COleCurrency", "COleDateTime", "COleDateTimeSpan", "COleVariant", "CString", "CStringA", "CStringArray",
    "CStringList", "CStringW", "CTime", "CTime32", "CTime64", "CTimeSpan", "CTimeSpan64", "CWordArray", "Cause",
    "ClosedFile", "EndOfFile", "FormatError", "GenericError",
    "NestedTooDeeply", "NotSerializable", "OleStatus", "ReadOnly", "Registry",
    "SocketFile", "TooLate", "UnreadBytesLost", "UnsupportedCall", "WriteOnly", "serializable",
]  # fmt: skip
