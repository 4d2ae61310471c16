"""How deep objects are nested: a bound on what the sender of hostile bytes can ask of Python's stack."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from lifecycle.archive.errors import ArchiveError, GenericError, NestedTooDeeply

if TYPE_CHECKING:
    from lifecycle.archive.archive import Archive
    from lifecycle.archive.whole import WholeValues

Kept = TypeVar("Kept")


def deeper(archive: Archive, body: Callable[[Archive, Any], Kept], thing: Any) -> Kept:
    """Put or take a body one level deeper; GenericError, or storing NestedTooDeeply, beyond the archive's depth."""
    go_deeper(archive)
    try:
        return body(archive, thing)
    finally:
        archive._depth -= 1


def go_deeper(archive: Archive) -> None:
    """Be one level deeper, until the caller takes it off `_depth` again; the errors of deeper(), and then it is not."""
    if archive._depth >= archive._format.depth:
        raise too_deep(archive, f"{archive._format.depth} levels of nested objects at most (the archive's depth)")
    archive._depth += 1


def recursion_ended(archive: WholeValues) -> ArchiveError:
    """The error of objects that are nested deeper than Python's stack goes."""
    return too_deep(
        archive, f"objects nested no deeper than Python's recursion limit of {sys.getrecursionlimit()} calls allows"
    )


def too_deep(archive: WholeValues, expected: str) -> ArchiveError:
    """The error of objects that are nested too deeply."""
    if archive.is_storing:
        return NestedTooDeeply(expected)
    return GenericError(archive._source.offset, expected, "deeper ones")
