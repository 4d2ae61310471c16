"""The role of an archive: typed values through a binary file, in one direction for life.

    attach ──load──> loading ──malformed, eof, broken──> broken
       └────store──> storing ──broken──────────────────────┘

An archive that has met an end or a malformed byte in the middle of a value cannot know where the next value begins: it is
broken, and so is one whose connection is gone. An error that took nothing from the file and gave nothing to it (a time-out, an
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
    """Which way the values go, for the archive's whole life."""

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
MALFORMED = Outcome("malformed", "The bytes are not what an archive can hold at this place.", Kind.FAILURE)

CLASSES = frozenset({"read_class", "write_class"})
"""Calls whose refusal in the other direction has no cause of its own in MFC."""

LOADS = "The archive loads: values are read from it, and none are written"
STORES = "The archive stores: values are written to it, and none are read"

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
"""The system's errors of a call that moves bytes: those of a file over a connection that is gone"""
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
        Call("attach", "Take a binary file, to load from it or to store into it.", exclusive=True, fires="archive",
             reason="The archive has a file already, and its direction is fixed for life"),
        Call("load", "Take one typed value; the operator >>.", errors=MOVES, payload="result"),
        Call("read", "Take raw bytes, fewer at the end of the file.", errors=MOVES, payload="result"),
        Call("ensure_read", "Take exactly so many raw bytes.", errors=MOVES),
        Call("read_string", "Take one line of text; None at the end of the file.", errors=MOVES, payload="result"),
        Call("read_count", "Take a count, as collections begin with.", errors=MOVES),
        Call("read_object", "Take an object, or None, or one that was taken before.", errors=MOVES, payload="result"),
        Call("read_class", "Take the description of a class.", errors=MOVES),
        Call("get_object_schema", "The schema number under which the object now loading was stored."),
        Call("set_object_schema", "Set what get_object_schema() answers next."),
        Call("set_load_params", "MFC's tuning of the table of objects.", reason="It is of a loading archive's table"),
        Call("store", "Put one typed value; the operator <<.", errors=MOVES, payload="value"),
        Call("write", "Put raw bytes.", errors=MOVES, payload="data"),
        Call("write_string", "Put text as it is, without a length and without an end.", errors=MOVES, payload="line"),
        Call("write_count", "Put a count, as collections begin with.", errors=MOVES),
        Call("write_object", "Put an object, or None; one put before is only referred to.", errors=MOVES, payload="thing"),
        Call("write_class", "Put the description of a class.", errors=MOVES),
        Call("set_store_params", "MFC's tuning of the table of objects.", reason="It is of a storing archive's table"),
        Call("map_object", "Give an object its number without a byte, on both sides at the same place."),
        Call("serialize_class", "Put or take the description of a class, as the direction is.", errors=MOVES),
        Call("serialize", "Put or take what an object consists of, without a tag before it.", errors=MOVES, payload="thing"),
        Call("serialize_raw", "Put or take a text without its length, which needs a file that knows its own.", errors=MOVES),
        Call("flush", "Storing: send what the buffer holds. Loading: give back to the file what was read ahead.", errors=MOVES),
        Call("abort", "Release the file without flushing; never fails.", settles="before"),
        Call("close", "Flush and release the file, which stays open; closing again does nothing.", errors=MOVES),
    ),
    outcomes=(*STANDARD_OUTCOMES, LOAD, STORE, MALFORMED),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=expand(RULES, STATES),
)  # fmt: skip
