"""What users have reported of the suite, each as a small program: the verdict is true, and says what it is about."""

from __future__ import annotations

import errno
import json
import os
import socket
import ssl
import struct
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lifecycle import ACCEPTED, CLIENT, SERVER, Lifecycle, Role
from lifecycle.conformance import Environment, ObjectAdapter, clusters, conform, plainly, replay, target_named, target_of
from lifecycle.conformance.adapters.outcomes import text_of
from lifecycle.conformance.driving import run
from lifecycle.conformance.driving.sequences import exhaust, model_for
from lifecycle.conformance.memory import MemorySockets, MemoryStream
from lifecycle.conformance.reports import conformance_data
from lifecycle.engine import Call, State

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "conform-report.schema.json"

DOOR = Role(
    name="door",
    doc="Swings.",
    states=(State("shut", "Is shut."), State("open", "Is open."), State("gone", "Is away.")),
    calls=(Call("pull", "Open it."), Call("push", "Shut it."), Call("remove", "Take it away.")),
    rows=(
        ("shut", "pull", {"ok": "open", "refused": "shut"}),
        ("open", "push", {"ok": "shut"}),
        ("shut", "remove", {"ok": "gone"}),
        ("open", "remove", {"ok": "gone"}),
    ),
    initial="shut",
    final=frozenset({"gone"}),
    closes="remove",
)


class Door(Lifecycle, role=DOOR):
    """One that nobody pushes."""

    def pull(self) -> None: ...

    def push(self) -> None: ...

    def remove(self) -> None: ...


class Waits(socket.socket):
    """Its connect() waits, even if it was made non-blocking."""

    def connect(self, address: Any) -> None:
        seconds = self.gettimeout()
        self.settimeout(2)
        try:
            super().connect(address)
        finally:
            self.settimeout(seconds)


class Wraps:
    """A wrapper of a socket, which closes at the end of the stream."""

    def __init__(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, sock: Any = None) -> None:
        self._sock = sock or socket.socket(family, kind)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def accept(self) -> tuple[Any, Any]:
        sock, address = self._sock.accept()
        return type(self)(sock=sock), address

    def recv(self, size: int, flags: int = 0) -> Any:
        data = self._sock.recv(size, flags)
        if not data:
            self._sock.close()
        return data


class TakesAll(socket.socket):
    """It takes every call in any state, as mocks do."""

    def _take(self, *arguments: Any) -> None:
        """Do nothing."""

    bind = listen = shutdown = connect = setsockopt = _take  # type: ignore[assignment]


class Slow(socket.socket):
    """Each of its calls takes a while."""

    def bind(self, address: Any) -> None:
        time.sleep(0.01)
        super().bind(address)


class Closes(socket.socket):
    """Its detach() closes."""

    def detach(self) -> int:
        number = super().detach()
        if number != -1:
            os.close(number)
        return number


def test_a_cell_that_nobody_provokes_is_named_and_not_covered() -> None:
    """An environment that forgets a call, and an outcome, leaves cells that the report names."""
    report = conform(
        target_of("door", lambda: ObjectAdapter(Door, Environment((plainly("pull"), plainly("remove"))), {})), [DOOR]
    )
    assert ("shut", "pull", "refused") in report.unprovoked["door"]
    assert ("open", "push", "ok") in report.unprovoked["door"]


def test_a_connect_that_waits_is_not_explained() -> None:
    """`EINPROGRESS` in a platform's table does not explain a connection that was waited for."""
    found = replay(target_of("waits", Waits), CLIENT, "create", "connect")
    assert found is not None
    assert (found.expected, found.got, found.explanation) == ("pending", "ok", "")


def test_what_differs_after_long_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that differs after a second has the same difference wherever it comes again, and costs no more time."""
    made = []

    class Fails(MemoryStream):
        def listen(self, backlog: int = 8) -> None:
            made.append(backlog)
            raise OSError(errno.EIO, "not now")

    monkeypatch.setattr(run, "TARDY", -1.0)
    adapter = target_of("fails", MemorySockets(Fails)).adapter()
    assert len(exhaust(adapter, model_for(adapter, SERVER), depth=2).unexplained) > len(made) > 0
    adapter.close()


def test_a_wrapper_that_closes_at_the_end_is_blamed_for_that_first() -> None:
    """Of what fails afterwards the largest cluster is the closed socket's, and there is little else."""
    report = conform(target_named(f"{__name__}:Wraps", like="linux"), [ACCEPTED], depth=1, walks=0)
    first, *others = clusters(report.unexplained)
    assert first.shortest.got.strip(")").endswith("EBADF")
    assert len(first.calls) > 3
    assert len(others) < 10


def test_a_mock_that_takes_every_call_has_one_line_for_that() -> None:
    """Compared with a system, too: calls that it takes in one state are one cause, wherever else they show."""
    report = conform(target_named(f"{__name__}:TakesAll", like="linux"), [SERVER], depth=1, walks=0)
    taken = [each for each in clusters(report.unexplained) if (each.shortest.cell or ("", "", ""))[2] == "illegal"]
    assert [len(each.calls) > 2 for each in taken] == [True]


def test_slow_calls_pass() -> None:
    """An implementation that takes its time is not blamed for it."""
    assert conform(target_of("slow", Slow), [SERVER], depth=1, walks=0).passes


def test_a_detach_that_closes_is_one_cause() -> None:
    """The number that is handed out is closed: one line, no crash, and no other descriptor is touched."""
    report = conform(target_of("closes", Closes), [CLIENT], depth=1, walks=0)
    assert [each.shortest.call for each in clusters(report.unexplained)] == ["detach"]


def test_a_refused_call_leaves_the_shipped_fake_as_it_was() -> None:
    """A send() that is refused after a reset does not change what a receive answers."""
    new = MemorySockets()
    listener, sock = new(socket.AF_INET, socket.SOCK_STREAM), new(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    sock.connect(listener.getsockname())
    peer, _ = listener.accept()
    sock.shutdown(socket.SHUT_WR)
    peer.send(b"message")
    sock.shutdown(socket.SHUT_RD)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    answers = []
    for call in (lambda: sock.recv(9), lambda: sock.send(b"x"), lambda: sock.recv(9)):
        with pytest.raises(BrokenPipeError) as caught:
            call()
        answers.append(caught.value.errno)
    assert answers[0] == answers[2]


def test_errors_of_ssl_have_their_own_names() -> None:
    """Their numbers are OpenSSL's, and stand for no errno."""
    assert text_of(ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "")) == "SSLWantReadError"
    assert text_of(ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "")) == "SSLEOFError"


def test_the_report_is_as_its_schema_says() -> None:
    """Reports with and without findings agree with the published schema, which allows nothing else."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for thing in (socket.socket, Closes):
        data = json.loads(json.dumps(conformance_data(conform(target_of("it", thing), [SERVER], depth=1, walks=0))))
        jsonschema.validate(data, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, "version": "1"}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "surprise": 1}, schema)
