"""The errors of archives: CArchiveException's causes, as classes.

An error that comes from the bytes names the offset (bytes since the archive began) and what was expected there.
"""

from __future__ import annotations

from enum import IntEnum

from lifecycle.engine import IllegalCall


class Cause(IntEnum):
    """CArchiveException::m_cause, with MFC's numbers."""

    NONE = 0
    GENERIC = 1
    READ_ONLY = 2
    END_OF_FILE = 3
    WRITE_ONLY = 4
    BAD_INDEX = 5
    BAD_CLASS = 6
    BAD_SCHEMA = 7


class ArchiveError(Exception):
    """An error in the contents of an archive; `cause` is MFC's number."""

    cause: Cause = Cause.GENERIC


class FormatError(ArchiveError):
    """The bytes at this place are not valid.

    Attributes: offset (bytes since the archive began), expected (what should have been there).
    """

    def __init__(self, offset: int, expected: str, found: str) -> None:
        super().__init__(offset, expected, found)
        self.offset = offset
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return f"at byte {self.offset}: expected {self.expected}, found {self.found}"


class GenericError(FormatError):
    """A length beyond the archive's limit, text that cannot be encoded or decoded, objects nested too deeply."""

    cause = Cause.GENERIC


class EndOfFile(FormatError, EOFError):
    """The file or the peer's stream ended before a value, or within one.

    Within a class's name, `cause` is BAD_CLASS, as in MFC.
    """

    cause = Cause.END_OF_FILE


class BadIndex(FormatError):
    """A tag refers to an object or a class that does not exist."""

    cause = Cause.BAD_INDEX


class BadClass(FormatError):
    """The class is not registered, or is not the requested one."""

    cause = Cause.BAD_CLASS


class BadSchema(FormatError):
    """The object was stored under another schema number, and its class is not versionable."""

    cause = Cause.BAD_SCHEMA


class NestedTooDeeply(ArchiveError, ValueError):
    """The value is nested more deeply than the archive, or Python, allows; nothing of it was stored."""


class ReadOnly(IllegalCall, ArchiveError):
    """A loading archive was asked to store."""

    cause = Cause.READ_ONLY


class WriteOnly(IllegalCall, ArchiveError):
    """A storing archive was asked to load."""

    cause = Cause.WRITE_ONLY


class ClassNotStored(ReadOnly):
    """write_class() was called on a loading archive, which MFC answers with the cause `generic`."""

    cause = Cause.GENERIC


class ClassNotLoaded(WriteOnly):
    """read_class() was called on a storing archive, which MFC answers with the cause `generic`."""

    cause = Cause.GENERIC


class NotSerializable(TypeError):
    """The object's class is not serializable, so that an archive can neither store nor load it."""


class TooLate(RuntimeError):
    """An option was set after the archive's first object, but has to be set before."""


class UnreadBytesLost(ResourceWarning):
    """A loading archive was closed with unread bytes in its buffer, over a file that cannot seek back."""
