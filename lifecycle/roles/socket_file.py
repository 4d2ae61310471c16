"""The role of a socket file: a connection as a file of bytes, which can only be read and written.

A file over a socket has no position and no length: bytes can be read only once, and the peer decides where the stream ends.
MFC's CSocketFile inherits the members of CFile that need either, and answers them with CNotSupportedException; here they are
calls that are never legal, under Python's name (tell, truncate) as under MFC's (get_position, set_length).

The file does not own its socket: closing the file leaves the socket as it is. The rule that attach() needs a connected stream
is in the tables of the sockets, which list the call `socket_file`.
"""

from dataclasses import dataclass

from lifecycle.engine import STANDARD_OUTCOMES, Call, Role, Rule, State, always, becomes, expand, stay
from lifecycle.roles.stream import GONE
from lifecycle.roles.words import CLOSED


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The facts of a file: it has a socket, or it is closed."""

    attached: bool = False
    over: bool = False


NEW, ATTACHED, OVER = FileFacts(), FileFacts(attached=True), FileFacts(over=True)

NO_POSITION = "A connection has no position: what was read is gone, and what was sent is sent"
NO_LENGTH = "A connection has no length: its end is not known before it arrives"
NOT_A_SYSTEM_FILE = "It has a socket, which was opened by create() and connect() or by accept()"

STATES = (
    State("empty", "The file has no socket yet.", reason="The file has no socket yet", facts=NEW),
    State("attached", "The file has a connected socket.", facts=ATTACHED),
    State("closed", CLOSED.doc, reason="The file was closed; its socket is unchanged, and can get another file", facts=OVER),
)
WAITS = {"ok": stay, "pending": stay, "timed_out": stay, "broken": stay, "failed": stay}


def is_attached(at: FileFacts) -> bool:
    """The file has a socket."""
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
    doc="A connected stream socket as a file of bytes, for archives and everything else that takes a binary file.",
    states=STATES,
    calls=(
        Call(
            "attach",
            "Open the file over a connected stream socket.",
            reason="The file already has a socket",
            exclusive=True,
            fires="socket_file",
        ),
        Call("archive", "Make an archive over it.", fired_by="archive.attach"),
        Call(
            "read",
            "Read the data that has arrived, or exactly the requested size; b'' at the end of the stream.",
            waits_for="readable",
            errors={"broken": GONE},
        ),
        Call("write", "Send bytes through the socket.", waits_for="writable", errors={"broken": GONE}, payload="data"),
        Call("flush", "Do nothing: the file has no buffer."),
        Call("seek", "Move the position.", reason=NO_POSITION),
        Call("seek_to_begin", "MFC's name of seek(0).", reason=NO_POSITION),
        Call("seek_to_end", "MFC's name of seek(0, SEEK_END).", reason=NO_POSITION),
        Call("tell", "Ask for the position.", reason=NO_POSITION),
        Call("get_position", "MFC's name of tell().", reason=NO_POSITION),
        Call("truncate", "Set the length.", reason=NO_LENGTH),
        Call("set_length", "MFC's name of truncate().", reason=NO_LENGTH),
        Call("get_length", "Ask for the length.", reason=NO_LENGTH),
        Call("lock_range", "Lock a range of bytes.", reason=NO_POSITION),
        Call("unlock_range", "Unlock a range of bytes.", reason=NO_POSITION),
        Call("duplicate", "A second file like this one.", reason="Make a second SocketFile over the same socket"),
        Call("open", "Open a file by its name.", reason=NOT_A_SYSTEM_FILE),
        Call("abort", "Close the file whatever happens.", reason="close() never fails and never waits"),
        Call("close", "Release the socket, which stays as it is; closing again does nothing.", settles="before"),
    ),
    outcomes=STANDARD_OUTCOMES,
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=expand(RULES, STATES),
)
