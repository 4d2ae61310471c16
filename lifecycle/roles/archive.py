"""The role of an archive: typed values through a binary file, in one direction.

    attach ──load──> loading ──malformed, eof, broken──> broken
       └────store──> storing ──broken──────────────────────┘

An archive that has met the end of the file or malformed bytes inside a value cannot know where the next value begins: it is
broken, and so is one whose connection is gone. An error that took nothing from the file and gave nothing to it (a timeout, an
argument that does not fit) leaves the archive as it was, and the call may be made again.

The directions are MFC's: CArchive::load and CArchive::store. Asking for the other one is CArchiveException readOnly or
writeOnly.
"""

from dataclasses import dataclass
from enum import StrEnum

from lifecycle.engine import STANDARD_OUTCOMES, Call, Kind, Outcome, Role, Rule, State, always, becomes, expand, stay
from lifecycle.roles.stream import GONE
from lifecycle.roles.words import CLOSED


class Direction(StrEnum):
    """The direction of the values, fixed by the constructor."""

    LOAD = "load"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class ArchiveFacts:
    """The facts of an archive: its direction once it has a file, whether an error left it inside a value, or its end."""

    direction: Direction | None = None
    broken: bool = False
    over: bool = False


NEW, OVER = ArchiveFacts(), ArchiveFacts(over=True)
LOADING, STORING = ArchiveFacts(Direction.LOAD), ArchiveFacts(Direction.STORE)
BROKEN = ArchiveFacts(broken=True)

LOAD = Outcome("load", "The archive loads: values are read from the file.")
STORE = Outcome("store", "The archive stores: values are written to the file.")
MALFORMED = Outcome("malformed", "The bytes at this place are not valid.", Kind.FAILURE)

CLASSES = frozenset({"read_class", "write_class"})
"""Calls whose refusal in the other direction has no specific cause in MFC."""

LOADS = "The archive loads: values can be read from it, but not written"
STORES = "The archive stores: values can be written to it, but not read"

STATES = (
    State("empty", "The archive has no file yet.", reason="The archive has no file yet", facts=NEW),
    State("loading", "Values are read from the file.", reason=LOADS, facts=LOADING),
    State("storing", "Values are written to the file.", reason=STORES, facts=STORING),
    State("broken", "An error left it in the middle of a value; the rest of the file cannot be trusted.",
          reason="An error left the archive in the middle of a value: close() it, and make a new one", facts=BROKEN),
    State("closed", "The archive has released its file.", reason=CLOSED.reason, facts=OVER),
)  # fmt: skip


def loads(at: ArchiveFacts) -> bool:
    """Values are read from the file."""
    return at.direction is Direction.LOAD


def stores(at: ArchiveFacts) -> bool:
    """Values are written to the file."""
    return at.direction is Direction.STORE


breaks = becomes(BROKEN)
WAITS = {"ok": stay, "pending": stay, "timed_out": stay, "failed": stay, "broken": breaks}
RAW = WAITS | {"eof": breaks}
VALUE = RAW | {"malformed": breaks}
MOVES = {"broken": GONE}
"""The system's errors of a call that reads or writes: those of a file over a connection that is gone"""
OK_OR_FAILED = {"ok": stay, "failed": stay}
ends = becomes(OVER)

RULES = (
    Rule("attach", lambda at: at == NEW, {"load": becomes(LOADING), "store": becomes(STORING), "failed": stay}),
    Rule("load read_count read_object read_class serialize_class serialize", loads, VALUE),
    Rule("ensure_read", loads, RAW),
    Rule("read", loads, RAW | {"eof": stay}),
    Rule("read_string serialize_raw", loads, VALUE | {"eof": stay}),
    Rule("get_object_schema set_object_schema", loads, {"ok": stay}),
    Rule("set_load_params flush", loads, OK_OR_FAILED),
    Rule("store write write_string write_count write_object write_class serialize_class serialize serialize_raw flush",
         stores, WAITS),
    Rule("set_store_params", stores, OK_OR_FAILED),
    Rule("map_object", lambda at: loads(at) or stores(at), {"ok": stay}),
    Rule("abort", always, {"ok": ends}),
    Rule("close", loads, {"ok": ends, "failed": ends}),
    Rule("close", stores, WAITS | {"ok": ends}),
    Rule("close", lambda at: not loads(at) and not stores(at), {"ok": ends}),
)  # fmt: skip

ARCHIVE = Role(
    name="archive",
    doc="Typed values, strings and objects through a binary file, in the format of MFC's CArchive.",
    states=STATES,
    calls=(
        Call("attach", "Use a binary file, to load from it or to store into it.", exclusive=True, fires="archive",
             reason="The archive already has a file, and its direction is fixed"),
        Call("load", "Load one typed value; the operator >>.", errors=MOVES, payload="result"),
        Call("read", "Read raw bytes, fewer at the end of the file.", errors=MOVES, payload="result"),
        Call("ensure_read", "Read exactly that many raw bytes.", errors=MOVES),
        Call("read_string", "Read one line of text; None at the end of the file.", errors=MOVES, payload="result"),
        Call("read_count", "Read a count, with which collections begin.", errors=MOVES),
        Call("read_object", "Load an object, a reference to one loaded before, or None.", errors=MOVES, payload="result"),
        Call("read_class", "Load the description of a class.", errors=MOVES),
        Call("get_object_schema", "The schema number of the object being loaded."),
        Call("set_object_schema", "Set what get_object_schema() returns next."),
        Call("set_load_params", "MFC's tuning of the table of objects.", reason="It concerns the table of a loading archive"),
        Call("store", "Store one typed value; the operator <<.", errors=MOVES, payload="value"),
        Call("write", "Write raw bytes.", errors=MOVES, payload="data"),
        Call("write_string", "Write text without a length or an end.", errors=MOVES, payload="line"),
        Call("write_count", "Write a count, with which collections begin.", errors=MOVES),
        Call("write_object", "Store an object, or None; one stored before is only referred to.", errors=MOVES, payload="thing"),
        Call("write_class", "Store the description of a class.", errors=MOVES),
        Call("set_store_params", "MFC's tuning of the table of objects.", reason="It concerns the table of a storing archive"),
        Call("map_object", "Give an object its number and write nothing; both sides must do so at the same place."),
        Call("serialize_class", "Store or load the description of a class.", errors=MOVES),
        Call("serialize", "Store or load the members of an object, without a tag.", errors=MOVES, payload="thing"),
        Call("serialize_raw", "Store or load a text without its length, which needs a file with a length.", errors=MOVES),
        Call("flush", "Storing: send the buffer. Loading: give bytes that were read ahead back to the file.", errors=MOVES),
        Call("abort", "Release the file without flushing; never fails.", settles="before"),
        Call("close", "Flush and release the file, which stays open; closing again does nothing.", errors=MOVES),
    ),
    outcomes=(*STANDARD_OUTCOMES, LOAD, STORE, MALFORMED),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=expand(RULES, STATES),
)  # fmt: skip
