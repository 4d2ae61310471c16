"""The role of asyncio's StreamWriter: data written after close() is dropped without an error.

The rules are those of the documentation of asyncio's streams and transports, and were verified on CPython 3.11: write() after
write_eof() raises RuntimeError; write() after close() is dropped, and from the fifth time on a warning is logged.
"""

from dataclasses import dataclass, replace

from lifecycle.engine import Call, Role, Rule, State, always, expand, stay, to


@dataclass(frozen=True, slots=True)
class WriterFacts:
    """over: close() was called. writes: more may be written."""

    over: bool = False
    writes: bool = True


STATES = (
    State("open", "The writer takes data.", facts=WriterFacts()),
    State("eof_written", "The data to be sent has ended.", "write_eof() has ended the data", WriterFacts(writes=False)),
    State("closed", "close() was called.", "The writer was closed: data written now is dropped without an error",
          replace(WriterFacts(), over=True, writes=False)),
)  # fmt: skip

WRITER = Role(
    name="writer",
    doc="A StreamWriter of asyncio.",
    states=STATES,
    calls=(
        Call("write", "Write data, or keep it until it can be written.", payload="data"),
        Call("writelines", "The same, for several pieces.", payload="data"),
        Call("write_eof", "End the data to be sent; the other direction stays open."),
        Call("drain", "Wait until more may be written."),
        Call("start_tls", "Encrypt the connection from here on."),
        Call("close", "Close the connection when all is written; closing again does nothing."),
        Call("wait_closed", "Wait until the connection is closed."),
    ),
    initial="open",
    final=frozenset({"closed"}),
    closes="close",
    rows=expand(
        (
            Rule("write writelines start_tls", lambda at: at.writes, {"ok": stay, "broken": stay}),
            Rule("write_eof", lambda at: not at.over, {"ok": to(writes=False), "failed": stay}),
            Rule("drain wait_closed", always, {"ok": stay, "broken": stay}),
            Rule("close", always, {"ok": to(over=True, writes=False)}),
        ),
        STATES,
    ),
)
