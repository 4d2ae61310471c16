"""Hazards of Python's sockets other than the order of calls on one of them, each with its remedy.

The sources are the documentation of `select`, `selectors`, `socket` and `asyncio`, and experiments. Detection of the
hazards is in lifecycle/checking.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hazard:
    """title: what happened, in a few words. reason: why it is wrong. remedy: how to fix it. on_request: many
    programs do it, so that it is only reported with notes."""

    title: str
    reason: str
    remedy: str
    on_request: bool = False


# -- waiting ------------------------------------------------------------------------------------------------------------------

WAIT_CLOSED = Hazard(
    "waits for a closed socket",
    "The socket was closed: its descriptor is -1, or the number of another file by now",
    "Take it out of what is waited for before it is closed",
)
CLOSED_REGISTERED = Hazard(
    "closed while it was registered",
    "A selector or an event loop still has the socket: it never hears of it, or takes the next one with its number for it",
    "Call unregister() or remove_reader() first, close the transport instead of its socket, or stop the loop first",
)
CLOSED_WAITED_FOR = Hazard(
    "closed while another thread waits for it",
    "close() does not wake a thread that waits by select(), poll() or epoll",
    "Wake the thread first, by a socketpair() for instance, and let it close the socket",
)

CLOSED_IN_USE = Hazard(
    "closed while a library uses it",
    "A thread or an event loop of a library still uses the socket",
    "Stop the server or the loop first, wait for its thread, and close then",
)

# -- order that no state shows ------------------------------------------------------------------------------------------------

SET_TOO_LATE = Hazard(
    "an option set too late",
    "The option decides what a later call does, and that call was made already",
    "Set it before",
)

# -- what stays open ----------------------------------------------------------------------------------------------------------

KEPT_BY_FILE = Hazard(
    "a file keeps it open",
    "close() waits until every file of makefile() is closed, and one is open: the peer does not see the end",
    "Close the file, too, or use it in a `with` block",
)
NUMBER_LEFT = Hazard(
    "a descriptor that nobody closes",
    "detach() hands the descriptor out, and socket.fromfd() duplicates it: the number itself was never closed",
    "Use socket.socket(fileno=number), or os.close() the number",
)
FINALIZED = Hazard(
    "closed by a finalizer",
    "Nothing closed the connection but the finalizer of the library's object, which warns of it",
    "Close it, in a `finally` or by `async with`",
)
INHERITED = Hazard(
    "a child process holds the address",
    "The listener was closed here, but a child process that was forked or started has a copy of it",
    "Close the copy in the child, or end the child first",
)

# -- data that is lost --------------------------------------------------------------------------------------------------------

READS_ON = Hazard(
    "reads on after the end",
    "The peer has ended its data, and each further receive returns b'' at once: the loop spins",
    "End the loop when a receive returns b''",
)
PART_LOST = Hazard(
    "a part of the data is not sent",
    "send() took a part of the data only, and its result is dropped: the rest is lost",
    "Use sendall(), or send the rest when the socket can be written",
)
RESET_BY_CLOSE = Hazard(
    "a close() that takes back what was sent",
    "close() with unread data resets the connection, and what the peer has not yet got is lost",
    "Read what has arrived, or shutdown(SHUT_WR) and read up to the end before close()",
)

WRITTEN_TOO_LATE = Hazard(
    "written after the end",
    "close() and write_eof() of a transport end what can be written: asyncio drops, without an error, what follows a close()",
    "Write all of it first; where the peer may close, ask is_closing() before each write",
)

WAITING_HAZARDS = (WAIT_CLOSED, CLOSED_REGISTERED, SET_TOO_LATE, CLOSED_IN_USE)
LEAK_HAZARDS = (KEPT_BY_FILE, NUMBER_LEFT, FINALIZED, INHERITED)
LOSSES = (READS_ON, PART_LOST, RESET_BY_CLOSE, WRITTEN_TOO_LATE)
