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
from lifecycle.archive.format.fields import Array, Bytes, Chars
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
    INT_PTR,
    LONG,
    LONGLONG,
    POINT,
    RECT,
    SHORT,
    SIZE,
    UINT,
    ULONG_PTR,
    ULONGLONG,
    WCHAR,
    WORD,
)
from lifecycle.archive.format.settings import Traced
from lifecycle.archive.format.strings import CComBSTR, CString, CStringA, CStringW
from lifecycle.archive.format.structures import (
    GUID,
    LOGBRUSH,
    LOGFONT,
    LOGFONTA,
    LOGFONTW,
    LOGPEN,
    WINDOWPLACEMENT,
)
from lifecycle.archive.format.templates import CArray, CList, CMap
from lifecycle.archive.format.text import CEditView
from lifecycle.archive.format.versions import since, when
from lifecycle.archive.format.wire import Wire

__all__ = [
    "Archive", "ArchiveError", "Array", "BOOL", "BOOLEAN", "BYTE", "BadClass", "BadIndex", "BadSchema", "Bytes",
    "CArray", "CByteArray", "CComBSTR", "CDWordArray", "CEditView", "CHAR", "CList", "CMap", "CMapStringToOb",
    "CMapStringToString", "CMapWordToOb", "COLORREF", "CObArray", "CObList", "COleCurrency", "COleDateTime",
    "COleDateTimeSpan", "COleVariant", "CString", "CStringA", "CStringArray", "CStringList", "CStringW", "CTime",
    "CTime32", "CTime64", "CTimeSpan", "CTimeSpan64", "CWordArray", "Cause", "Chars", "ClosedFile", "DOUBLE", "DWORD",
    "EndOfFile", "FLOAT", "FormatError", "GUID", "GenericError", "INT", "INT_PTR", "LOGBRUSH", "LOGFONT", "LOGFONTA",
    "LOGFONTW", "LOGPEN", "LONG", "LONGLONG", "NestedTooDeeply", "NotSerializable", "OleStatus", "POINT", "RECT",
    "REGISTRY", "ReadOnly", "Registry", "SHORT", "SIZE", "SocketFile", "TooLate", "Traced", "UINT", "ULONGLONG", "ULONG_PTR",
    "UnreadBytesLost", "UnsupportedCall", "VT", "WCHAR", "WINDOWPLACEMENT", "WORD", "Wire", "WriteOnly", "serializable",
    "since", "when",
]  # fmt: skip
