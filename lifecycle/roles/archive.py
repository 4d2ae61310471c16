"""The role of an archive: typed values through a binary file, in one direction for life.

    attach ──load──> loading ──malformed, eof, broken──> broken
       └────store──> storing ──broken──────────────────────┘

An archive that has met an end or a malformed byte in the middle of a value cannot know where the next value begins: it is
broken, and so is one whose connection is gone. An error that took nothing from the file and gave nothing to it (a time-out, an
argument that does not fit) leaves the archive as it was, and the call may be made again.

The directions are MFC's: CArchive::load and CArchive::store. Asking for the other one is CArchiveException readOnly or
writeOnly.
"""

from lifecycle.engine.role import STANDARD_OUTCOMES, Call, Kind, Outcome, Role, Row, State, stays
from lifecycle.roles.vocabulary import CLOSED

LOAD = Outcome("load", "The archive loads: values come out of the file.")
STORE = Outcome("store", "The archive stores: values go into the file.")
MALFORMED = Outcome("malformed", "The bytes are not what an archive can hold at this place.", Kind.FAILURE)

LOADS = "The archive loads: values come out of it, and none go in"
STORES = "The archive stores: values go into it, and none come out"

_LOADING = {
    **stays("loading", "ok", "pending", "timed_out", "failed"),
    "eof": "broken",
    "malformed": "broken",
    "broken": "broken",
}
_READING = _LOADING | {"eof": "loading"}
_RAW = {outcome: after for outcome, after in _LOADING.items() if outcome != "malformed"}
_STORING = {**stays("storing", "ok", "pending", "timed_out", "failed"), "broken": "broken"}


def _rows(state: str, *calls: str, endings: dict[str, str]) -> tuple[Row, ...]:
    return tuple((state, call, endings) for call in calls)


ARCHIVE = Role(
    name="archive",
    doc="Typed values, strings and objects through a binary file, in the format of MFC's CArchive.",
    states=(
        State("empty", "The archive has no file yet.", reason="The archive has no file yet"),
        State("loading", "Values come out of the file.", reason=LOADS),
        State("storing", "Values go into the file.", reason=STORES),
        State("broken", "An error left it in the middle of a value; what follows cannot be trusted.",
              reason="An error left the archive in the middle of a value: close() it, and make a new one"),
        State("closed", "The archive has let go of its file.", reason=CLOSED.reason),
    ),
    calls=(
        Call("attach", "Take a binary file, to load from it or to store into it.", exclusive=True,
             reason="The archive has a file already, and its direction is fixed for life"),
        Call("load", "Take one typed value; the operator >>."),
        Call("read", "Take raw bytes, fewer at the end of the file."),
        Call("ensure_read", "Take exactly so many raw bytes."),
        Call("read_string", "Take one line of text; None at the end of the file."),
        Call("read_count", "Take a count, as collections begin with."),
        Call("read_object", "Take an object, or None, or one that was taken before."),
        Call("read_class", "Take the description of a class."),
        Call("get_object_schema", "The schema number under which the object now loading was stored."),
        Call("set_object_schema", "Set what get_object_schema() answers next."),
        Call("set_load_params", "MFC's tuning of the table of objects.", reason="It is of a loading archive's table"),
        Call("store", "Put one typed value; the operator <<."),
        Call("write", "Put raw bytes."),
        Call("write_string", "Put text as it is, without a length and without an end."),
        Call("write_count", "Put a count, as collections begin with."),
        Call("write_object", "Put an object, or None; one that was put before is only referred to."),
        Call("write_class", "Put the description of a class."),
        Call("set_store_params", "MFC's tuning of the table of objects.", reason="It is of a storing archive's table"),
        Call("map_object", "Give an object its number without a byte, on both sides at the same place."),
        Call("serialize_class", "Put or take the description of a class, as the direction is."),
        Call("serialize", "Put or take what an object consists of, without a tag before it."),
        Call("serialize_raw", "Put or take a text without its length, which needs a file that knows its own."),
        Call("flush", "Storing: send what the buffer holds. Loading: give back to the file what was read ahead."),
        Call("abort", "Let go of the file without flushing; never fails.", at_once=True),
        Call("close", "Flush and let go of the file, which stays open; closing again does nothing."),
    ),
    outcomes=(*STANDARD_OUTCOMES, LOAD, STORE, MALFORMED),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=(
        ("empty", "attach", {"load": "loading", "store": "storing", "failed": "empty"}),
        ("empty", "abort", {"ok": "closed"}),
        ("empty", "close", {"ok": "closed"}),

        *_rows("loading", "load", "read_count", "read_object", "read_class", "serialize_class", "serialize",
               endings=_LOADING),
        ("loading", "ensure_read", _RAW),
        ("loading", "read", _RAW | {"eof": "loading"}),
        *_rows("loading", "read_string", "serialize_raw", endings=_READING),
        *_rows("loading", "get_object_schema", "set_object_schema", endings={"ok": "loading"}),
        *_rows("loading", "set_load_params", "flush", endings=stays("loading", "ok", "failed")),
        ("loading", "map_object", {"ok": "loading"}),
        ("loading", "abort", {"ok": "closed"}),
        ("loading", "close", {"ok": "closed", "failed": "closed"}),

        *_rows("storing", "store", "write", "write_string", "write_count", "write_object", "write_class", "serialize_class",
               "serialize", "serialize_raw", "flush", endings=_STORING),
        ("storing", "set_store_params", stays("storing", "ok", "failed")),
        ("storing", "map_object", {"ok": "storing"}),
        ("storing", "abort", {"ok": "closed"}),
        ("storing", "close", {**stays("storing", "pending", "timed_out", "failed"), "ok": "closed", "broken": "broken"}),

        ("broken", "abort", {"ok": "closed"}),
        ("broken", "close", {"ok": "closed"}),
        ("closed", "abort", {"ok": "closed"}),
        ("closed", "close", {"ok": "closed"}),
    ),
)  # fmt: skip
