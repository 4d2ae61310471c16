"""The role of a socket file: a connection as a file of bytes, which can be read and written, and nothing else.

A file over a socket has no position and no length: there is no way back to what was read, and no end before the peer makes one.
MFC's CSocketFile inherits the members of CFile that need either, and answers them with CNotSupportedException; here they are
calls that are never legal, under Python's name (tell, truncate) as under MFC's (get_position, set_length).

The file does not own its socket: closing the file leaves the socket as it is. That a socket must be a connected stream to be
given to attach() is said in the tables of the sockets, which list the call `socket_file`.
"""

from dataclasses import dataclass

from lifecycle.engine import STANDARD_OUTCOMES, Call, Role, Rule, State, always, becomes, expand, stay
from lifecycle.roles.stream import GONE
from lifecycle.roles.words import CLOSED


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The facts of a file: it lies over a socket, or its life is over."""

    attached: bool = False
    over: bool = False


NEW, ATTACHED, OVER = FileFacts(), FileFacts(attached=True), FileFacts(over=True)

NO_POSITION = "A connection has no position: what was read is gone, and what was sent is sent"
NO_LENGTH = "A connection has no length: its end is not known before it arrives"
NOT_A_SYSTEM_FILE = "It lies over a socket, which was opened by create() and connect() or by accept()"

STATES = (
    State("empty", "The file lies over no socket yet.", reason="The file lies over no socket yet", facts=NEW),
    State("attached", "The file lies over a connected socket.", facts=ATTACHED),
    State("closed", CLOSED.doc, reason="The file was closed; its socket is as it was, and can have another file", facts=OVER),
)
WAITS = {"ok": stay, "pending": stay, "timed_out": stay, "broken": stay, "failed": stay}


def is_attached(at: FileFacts) -> bool:
    """The file lies over a socket."""
    return at.attached


RULES = (
    Rule("attach", lambda at: at == NEW, {"ok": becomes(ATTACHED), "failed": stay}),
    Rule("archive flush", is_attached, {"ok": stay}),
    Rule("read", is_attached, WAITS | {"eof": stay}),
    Rule("write", is_attached, WAITS),
    Rule("close", always, {"ok": becomes(OVER)}),
)

SOCKET_FILE = Role(
    name="socket_file",
    doc="A connected stream socket as a file of bytes, for archives and for everything that takes a binary file.",
    states=STATES,
    calls=(
        Call(
            "attach",
            "Lie over a connected stream socket.",
            reason="The file lies over a socket already",
            exclusive=True,
            fires="socket_file",
        ),
        Call("archive", "An archive is made over it.", fired_by="archive.attach"),
        Call(
            "read",
            "Read the data that has arrived, or exactly as much as was asked for; b'' at the end of the stream.",
            waits_for="readable",
            errors={"broken": GONE},
        ),
        Call("write", "Send bytes through the socket.", waits_for="writable", errors={"broken": GONE}, payload="data"),
        Call("flush", "Nothing: the file holds nothing back."),
        Call("seek", "Move the position.", reason=NO_POSITION),
        Call("seek_to_begin", "MFC's name of seek(0).", reason=NO_POSITION),
        Call("seek_to_end", "MFC's name of seek(0, SEEK_END).", reason=NO_POSITION),
        Call("tell", "Ask for the position.", reason=NO_POSITION),
        Call("get_position", "MFC's name of tell().", reason=NO_POSITION),
        Call("truncate", "Set the length.", reason=NO_LENGTH),
        Call("set_length", "MFC's name of truncate().", reason=NO_LENGTH),
        Call("get_length", "Ask for the length.", reason=NO_LENGTH),
        Call("lock_range", "Lock bytes against others.", reason=NO_POSITION),
        Call("unlock_range", "Let others have locked bytes.", reason=NO_POSITION),
        Call("duplicate", "A second file like this one.", reason="Make a second SocketFile over the same socket"),
        Call("open", "Open a file by its name.", reason=NOT_A_SYSTEM_FILE),
        Call("abort", "Close the file whatever happens.", reason="close() never fails and never waits"),
        Call("close", "Let go of the socket, which stays as it is; closing again does nothing.", settles="before"),
    ),
    outcomes=STANDARD_OUTCOMES,
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=expand(RULES, STATES),
)
