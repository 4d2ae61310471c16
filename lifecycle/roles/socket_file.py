"""The role of a socket file: a connection as a file of bytes, which can be read and written, and nothing else.

A file over a socket has no position and no length: there is no way back to what was read, and no end before the peer makes one.
MFC's CSocketFile inherits the members of CFile that need either, and answers them with CNotSupportedException; here they are
calls that are never legal, under Python's name (tell, truncate) as under MFC's (get_position, set_length).

The file does not own its socket: closing the file leaves the socket as it is. That a socket must be a connected stream to be
given to attach() is said in the tables of the sockets, which list the call `socket_file`.
"""

from lifecycle.engine.role import STANDARD_OUTCOMES, Call, Role, State, stays
from lifecycle.roles.vocabulary import CLOSED

NO_POSITION = "A connection has no position: what was read is gone, and what was sent is sent"
NO_LENGTH = "A connection has no length: nobody knows what will come"
NOT_A_FILE_OF_THE_SYSTEM = "It lies over a socket, which was opened by create() and connect() or by accept()"

SOCKET_FILE = Role(
    name="socket_file",
    doc="A connected stream socket as a file of bytes, for archives and for everything that takes a binary file.",
    states=(
        State("empty", "The file lies over no socket yet.", reason="The file lies over no socket yet"),
        State("attached", "The file lies over a connected socket."),
        State("closed", CLOSED.doc, reason="The file was closed; its socket is as it was, and can have another file"),
    ),
    calls=(
        Call("attach", "Lie over a connected stream socket.", reason="The file lies over a socket already", exclusive=True),
        Call("archive", "An archive is made over it.", fired_by="archive.attach"),
        Call("read", "Read what has come, or exactly as much as was asked for; b'' at the end of the stream."),
        Call("write", "Send bytes through the socket."),
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
        Call("open", "Open a file by its name.", reason=NOT_A_FILE_OF_THE_SYSTEM),
        Call("abort", "Close the file whatever happens.", reason="close() never fails and never waits"),
        Call("close", "Let go of the socket, which stays as it is; closing again does nothing.", at_once=True),
    ),
    outcomes=STANDARD_OUTCOMES,
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=(
        ("empty", "attach", {"ok": "attached", "failed": "empty"}),
        ("empty", "close", {"ok": "closed"}),
        ("attached", "archive", {"ok": "attached"}),
        ("attached", "read", stays("attached", "ok", "eof", "pending", "timed_out", "broken", "failed")),
        ("attached", "write", stays("attached", "ok", "pending", "timed_out", "broken", "failed")),
        ("attached", "flush", {"ok": "attached"}),
        ("attached", "close", {"ok": "closed"}),
        ("closed", "close", {"ok": "closed"}),
    ),
)
