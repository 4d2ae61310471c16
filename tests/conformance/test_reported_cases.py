"""What users have reported of the suite, each as a small program: the verdict is true, and says what it is about."""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lifecycle import CLIENT, SERVER, Lifecycle, Role
from lifecycle.conformance import Environment, ObjectAdapter, clusters, conform, plainly, replay, target_of
from lifecycle.conformance.adapters.outcomes import text_of
from lifecycle.conformance.memory import MemorySockets
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
    """Its connect() waits, whatever it was told."""

    def connect(self, address: Any) -> None:
        seconds = self.gettimeout()
        self.settimeout(2)
        try:
            super().connect(address)
        finally:
            self.settimeout(seconds)


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
