"""Implementations that are broken in ways that no socket should be: each is found, and none brings the suite down."""

from __future__ import annotations

import errno
import json
import socket
import threading
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cli.command import run_command

from lifecycle import CLIENT, DATAGRAM, SERVER, Role
from lifecycle.conformance import clusters, conform, replay, target_of
from lifecycle.conformance.driving.watchdog import PATIENCE, TICK, WATCHDOG, Hangs
from lifecycle.conformance.memory import MemoryDatagram, MemorySockets, MemoryStream

HERE = "conformance.test_broken_implementations"


class Loses(MemoryStream):
    """Loses the last byte of all that it sends."""

    def send(self, data: Any, flags: int = 0) -> int:
        return super().send(data[:-1], flags) + 1 if 1 < len(data) < 1000 else super().send(data, flags)


class Reorders(MemoryStream):
    """Sends what is short backwards."""

    def send(self, data: Any, flags: int = 0) -> int:
        return super().send(bytes(reversed(data)) if len(data) < 1000 else data, flags)


class SendsNothing(MemoryStream):
    """Has sent nothing, again and again."""

    def send(self, data: Any, flags: int = 0) -> int:
        super().send(data[:0], flags)
        return 0


class SendsTooMuch(MemoryStream):
    """Has sent more than it was given."""

    def send(self, data: Any, flags: int = 0) -> int:
        return super().send(data, flags) + 7


class GivesNothing(MemoryStream):
    """Forgets to return what it has received."""

    def recv(self, size: int, flags: int = 0) -> Any:
        super().recv(size, flags)


class EndsTheProgram(MemoryStream):
    """Ends the whole program where a connection was reset, as if all were well."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        try:
            return super().recv(size, flags)
        except ConnectionResetError:
            raise SystemExit(0) from None


class RaisesOddly(MemoryStream):
    """Cannot send, nor can a peer of the suite."""

    def send(self, data: Any, flags: int = 0) -> int:
        super().send(data[:0], flags)
        raise ValueError("an odd number")


class WrongNumber(MemoryStream):
    """Raises another error of the system than it should."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        try:
            return super().recv(size, flags)
        except ConnectionResetError:
            raise OSError(errno.EINVAL, "invalid") from None


class CannotClose(MemoryStream):
    """Raises whenever it is closed."""

    def close(self) -> None:
        raise RuntimeError("it is stuck")


class RefusesByAccident(MemoryStream):
    """Does not refuse to accept where it does not listen, but falls over."""

    def accept(self) -> tuple[MemoryStream, tuple[str, int]]:
        if not self.listens:
            return None.accept()  # type: ignore[attr-defined,no-any-return]
        return super().accept()


class ShortMessage(MemoryDatagram):
    """Says of each message that one byte of it was not sent."""

    def sendto(self, data: Any, address: Any) -> int:
        return super().sendto(data, address) - 1


class AnotherSender(MemoryDatagram):
    """Tells a wrong address."""

    def recvfrom(self, size: int, flags: int = 0) -> Any:
        return super().recvfrom(size, flags)[0], ("127.0.0.9", 9)


class NoSender(MemoryDatagram):
    """Tells no address."""

    def recvfrom(self, size: int, flags: int = 0) -> Any:
        return super().recvfrom(size, flags)[0]


@pytest.mark.parametrize(
    ("broken", "role", "call", "got"),
    [
        (Loses, CLIENT, "peer_reads", "6 bytes, b'messag'"),
        (Reorders, CLIENT, "peer_reads", "7 bytes, b'egassem'"),
        (SendsNothing, CLIENT, "send", "ok giving 0"),
        (SendsTooMuch, CLIENT, "send", "ok giving 14"),
        (GivesNothing, CLIENT, "receive", "ok giving None"),
        (EndsTheProgram, CLIENT, "receive", "raised SystemExit (0)"),
        (RaisesOddly, CLIENT, "send", "raised ValueError (an odd number)"),
        (RaisesOddly, CLIENT, "peer_sends", "ValueError: an odd number"),
        (WrongNumber, CLIENT, "receive", "failed (EINVAL)"),
        (CannotClose, SERVER, "a new object", "RuntimeError: it is stuck"),
        (RefusesByAccident, SERVER, "accept", "raised AttributeError ('NoneType' object has no attribute 'accept')"),
        (ShortMessage, DATAGRAM, "send_to", "ok giving 6"),
        (AnotherSender, DATAGRAM, "receive_from", "gives the address ('127.0.0.9', 9), which is not the peer's"),
        (NoSender, DATAGRAM, "receive_from", "gives b'message' instead of what was received, and the address"),
    ],
    ids=lambda thing: thing.__name__ if isinstance(thing, type) else "",
)
def test_it_is_found(broken: type[Any], role: Role, call: str, got: str) -> None:
    """The first difference says what the implementation did, and shows again when it is replayed."""
    sockets = MemorySockets(datagram=broken) if issubclass(broken, MemoryDatagram) else MemorySockets(broken)
    target = target_of("broken", sockets)
    report = conform(target, [role], depth=1, walks=40)
    found = {(name, each.shortest.got): each.shortest for each in clusters(report.unexplained) for name in each.calls}
    assert (call, got) in found
    first = found[call, got]
    assert len(first.steps) <= 6
    again = replay(target, first.role, *first.steps)
    assert again is not None
    assert again.cause == first.cause


def test_random_walks_find_what_shows_only_later() -> None:
    """A raw socket is walked along its legal calls, too: one that breaks at its fourth message is found."""

    class Tires(MemoryDatagram):
        sent = 0

        def sendto(self, data: Any, address: Any) -> int:
            self.sent += 1
            if self.sent > 3:
                raise OSError(errno.EIO, "tired")
            return super().sendto(data, address)

    target = target_of("tires", MemorySockets(datagram=Tires))
    assert conform(target, [DATAGRAM], depth=1, walks=0).passes
    report = conform(target, [DATAGRAM], depth=1, walks=200)
    first = min(report.unexplained, key=lambda each: len(each.steps))
    assert (first.call, first.expected, first.got) == ("send_to", "ok", "failed (EIO)")
    assert len(first.steps) <= 8


class Waits(MemoryStream):
    """Waits for ever where nothing has arrived."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        try:
            return super().recv(size, flags)
        except BlockingIOError:
            threading.Event().wait()
            raise


def waits() -> MemorySockets:
    """Sockets in memory, the streams of which wait for ever."""
    return MemorySockets(Waits)


class Blocks(socket.socket):
    """A socket of the system that blocks although it shall not."""

    def settimeout(self, value: float | None) -> None:
        super().settimeout(None)


can_be_interrupted = pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="only POSIX has this timer")


@pytest.fixture
def shorter_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes a step to hang after half a second already."""
    monkeypatch.setattr("lifecycle.conformance.driving.watchdog.PATIENCE", 4)
    monkeypatch.setattr("lifecycle.conformance.driving.watchdog.TICK", 0.05)


@can_be_interrupted
@pytest.mark.usefixtures("shorter_patience")
def test_what_hangs_is_found_and_ends() -> None:
    """A call that never ends is a finding as others are; the suite goes on, and so does the program that shows it."""
    target = target_of("waits", waits)
    report = conform(target, [CLIENT], depth=1, walks=20)
    found = {cluster.shortest.call: cluster.shortest for cluster in clusters(report.unexplained)}
    assert not report.gave_up
    assert {"receive", "receive_from"} <= set(found)  # on a busy machine other steps are interrupted, too
    assert found["receive"].got == "no answer: it hangs"
    again = replay(target, CLIENT, *found["receive"].steps)
    assert again is not None
    assert again.cause == found["receive"].cause


@can_be_interrupted
@pytest.mark.usefixtures("shorter_patience")
def test_what_hangs_everywhere_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where step after step hangs, the rest is not tried, and the run fails."""
    monkeypatch.setattr("lifecycle.conformance.driving.watchdog.MOST", 3)

    class NeverCloses(MemoryStream):
        def close(self) -> None:
            if self.listens:
                threading.Event().wait()
            super().close()

    report = conform(target_of("never closes", MemorySockets(NeverCloses)), [SERVER], depth=2, walks=20)
    assert report.gave_up
    assert not report.passes
    assert report.roles[0].sequences < 80


@can_be_interrupted
@pytest.mark.usefixtures("shorter_patience")
def test_a_socket_of_the_system_that_blocks_is_interrupted() -> None:
    """Not only what waits in Python is: a system call is, too."""
    report = conform(target_of("blocks", Blocks), [SERVER], depth=1, walks=0)
    assert ("accept", "no answer: it hangs") in {(each.call, each.got) for each in report.unexplained}


def test_the_timer_is_left_to_whoever_uses_it() -> None:
    """A program with an alarm of its own keeps it, and steps are not watched; nor are those of another thread."""
    signal = pytest.importorskip("signal")
    if not hasattr(signal, "setitimer"):
        pytest.skip("only POSIX has this timer")
    before = signal.signal(signal.SIGALRM, lambda number, frame: None)
    try:
        mine = signal.getsignal(signal.SIGALRM)
        with WATCHDOG.watching():
            assert signal.getsignal(signal.SIGALRM) is mine
    finally:
        signal.signal(signal.SIGALRM, before)
    with WATCHDOG.watching(), WATCHDOG.watching():
        assert signal.getitimer(signal.ITIMER_REAL)[1] > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert not issubclass(Hangs, Exception)
    assert PATIENCE * TICK > 5


def test_the_command_survives_what_ends_programs() -> None:
    """SystemExit out of the implementation fails the run: exit code 1, and a report."""
    ran = run_command("conform", f"{HERE}:ends_the_program", "--role", "client", "--depth", "1", "--walks", "0", "--json")
    assert ran.returncode == 1
    assert {each["got"] for each in json.loads(ran.stdout)["unexplained"]} == {"raised SystemExit (0)"}


def ends_the_program() -> MemorySockets:
    """Sockets in memory that end the program."""
    return MemorySockets(EndsTheProgram)


def cannot_be_made() -> MemorySockets:
    """A factory that fails with an error of the system."""
    raise OSError(errno.EMFILE, "too many")


def no_sockets() -> Any:
    """A factory of sockets that cannot be made."""

    def new(family: int, kind: int) -> Any:
        raise RuntimeError("not today")

    return new


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cannot_be_made", "cannot_be_made cannot be made: OSError: [Errno 24] too many"),
        (
            "no_sockets",
            "a socket of conformance.test_broken_implementations:no_sockets cannot be made: RuntimeError: not today",
        ),
    ],
)
def test_what_cannot_be_made_is_told(name: str, text: str) -> None:
    """Exit code 2 with the reason, rather than a traceback of the suite."""
    ran = run_command("conform", f"{HERE}:{name}", columns=300)
    assert ran.returncode == 2
    assert text in " ".join(ran.stderr.split())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("raise SystemExit(0)\n", "cannot import 'mine': SystemExit: 0"),
        ("def f(:\n", "cannot import 'mine': SyntaxError"),
        ("1/0\n", "cannot import 'mine': ZeroDivisionError: division by zero"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told(
    tmp_path: Path, source: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any error of a user's module when it is imported is reported, with exit code 2."""
    (tmp_path / "mine.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ran = run_command("conform", "mine:sockets", columns=300)
    assert ran.returncode == 2
    assert text in " ".join(ran.stderr.split())


def loses() -> MemorySockets:
    """Sockets in memory that lose data."""
    return MemorySockets(Loses)


def test_junit_counts_what_readers_expect(tmp_path: Path) -> None:
    """Root and suites have tests, failures, errors, skipped and time; what a peer sees wrong is one case, however often."""
    file = tmp_path / "report.xml"
    ran = run_command("conform", f"{HERE}:loses", "--role", "client", "--junit", str(file), "--walks", "9")
    assert ran.returncode == 1
    root = ElementTree.parse(file).getroot()
    for element in (root, *root):
        assert float(element.get("time", "")) > 0
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        assert element.get("failures") == str(sum(case.find("failure") is not None for case in cases)) != "-1"
        assert element.get("skipped") == str(sum(case.find("skipped") is not None for case in cases))
        assert element.get("errors") == "0"
    names = [case.get("name") for case in root.iter("testcase")]
    assert len(names) == len(set(names))
    assert any(str(name).startswith("client-peer_reads-") for name in names)
