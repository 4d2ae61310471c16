"""Where lifecycle.archive answers otherwise than MFC, and why: whatever has no reason here fails a run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Answers:
    """The bytes, the tokens, and both answers; `failure` is the text of lifecycle's error."""

    data: bytes
    tokens: str
    real: str
    here: str
    failure: str


@dataclass(frozen=True)
class Reason:
    """A difference that is meant."""

    text: str
    holds: Callable[[Answers], bool]


REASONS = (
    Reason(
        "a count or length that claims more than there is: MFC reserves the memory, and throws by how that ends; here an "
        "ArchiveError before anything is reserved",
        lambda both: (
            "exc" in both.here
            and (
                bool(re.search("CMemoryException|CInvalidArgException|no answer", both.real))
                or (both.tokens.startswith("in:") and b"\xff" * 6 in both.data)
            )
        ),
    ),
    Reason(
        "a length of 2^32 and more: MFC keeps the low 32 bits (in x64 builds, too); here it is what it says",
        lambda both: b"\xff" * 7 in both.data and "exc" in both.here,
    ),
    Reason(
        "a class that is described for the second time: MFC goes on with its numbers; here BadClass, since no MFC writes it in "
        "one archive",
        lambda both: both.data.count(b"\xff\xff\1\0\4\0CAge") > 1 and both.here.endswith("CArchiveException 6"),
    ),
    Reason(
        "a NUL within the name of a class: MFC's comparison ends there; here the name is all of it",
        lambda both: b"CAge\0" in both.data and both.here.endswith("CArchiveException 6"),
    ),
    Reason(
        "a NUL within a line: MFC's string ends there; here the line is all of it",
        lambda both: "rs" in both.tokens and (b"a\0\0\0b" in both.data or b"a\0b\n" in both.data),
    ),
    Reason(
        "ReadString: MFC drops a lone CR, and a text that ends with the file after just 128 characters; here both stay",
        lambda both: "rs" in both.tokens and (b"\r" in both.data or len(both.data) > 100),
    ),
    Reason(
        "an object in a variant (VT_DISPATCH, VT_UNKNOWN): MFC reads its class and asks COM for it, which has none; here "
        "GenericError at its kind",
        lambda both: "a kind of variant that has a format" in both.failure and both.real.endswith(("COleException -", " 3")),
    ),
    Reason(
        "ReadString at an odd last byte: MFC says there was no line; here GenericError, since half a character was cut off",
        lambda both: "rs" in both.tokens and both.here.endswith("exc CArchiveException 1") and len(both.data) % 2 == 1,
    ),
)


def reason_of(both: Answers) -> Reason | None:
    """Why the two differ; None when nothing explains it."""
    return next((reason for reason in REASONS if reason.holds(both)), None)


SPANS = "a CTimeSpan beyond 32 bits: the release build of MFC stores the low bits or throws; here ValueError"


def reason_to_refuse(name: str, failure: BaseException) -> str | None:
    """Why a value that MFC stores is refused here; None when nothing explains it."""
    return SPANS if name.startswith("CTimeSpan(") and isinstance(failure, ValueError) else None
