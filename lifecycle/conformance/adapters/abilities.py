"""The abilities of sockets, examined before anything is judged: which methods they have, and what their peers can do.

Peers of an implementation's own kind can do only what it can. If they cannot reset a connection, resets are not tried; the
report lists what was left out, with the reason.
"""

from __future__ import annotations

import inspect
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from lifecycle.conformance.adapters.loopback import Loopback, can_say
from lifecycle.conformance.adapters.outcomes import ANY_ERROR, error_text
from lifecycle.conformance.adapters.protocol import Mismatch
from lifecycle.conformance.adapters.setup_states import Factory, address_of, descriptor_of, reset, set_timeout
from lifecycle.conformance.driving.watchdog import WATCHDOG, Hangs
from lifecycle.conformance.model.environment import Environment, Place, Provocation, Under
from lifecycle.conformance.model.environments import FLOOD, LISTENER, MESSAGE, NOBODY, PEER, SILENCE, TAKEN

FULL_AFTER = 16 << 20  # more bytes than a connection should take while its peer does not read
PART = 1 << 16
LATER = 3
"""the factor by which later messages may take longer than the first one"""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not tried, and why; role is "" if that holds for all roles."""

    what: str
    why: str
    role: str = ""

    def __str__(self) -> str:
        return f"{self.role + ': ' if self.role else ''}{self.what} ({self.why})"


@dataclass(frozen=True, slots=True)
class Check:
    """An ability that peers are examined for. actions, places: parts of the graph that are left out if they lack it."""

    what: str
    try_it: Callable[[Loopback], None]
    kind: int
    actions: frozenset[str] = frozenset()
    places: frozenset[Place] = frozenset()


@dataclass(slots=True)
class Abilities:
    """The abilities of an implementation and its peers. connects: why two peers cannot be connected, or ""."""

    left_out: list[LeftOut] = field(default_factory=list)
    actions: frozenset[str] = frozenset()
    """the peer actions that are left out"""
    places: frozenset[Place] = frozenset()
    """the arguments that are left out"""
    kinds: frozenset[int] = frozenset({socket.SOCK_STREAM, socket.SOCK_DGRAM})
    """the kinds of sockets that can be made"""
    waits: bool = True
    """whether a time-out can be set for a call"""
    waits_not: bool = True
    """whether a call can be made without waiting"""
    takes_flags: bool = True
    connects: str = ""

    def offers(self, provocation: Provocation) -> bool:
        """Whether a call can be provoked in this way."""
        if not self.places.isdisjoint(each for each in provocation.arguments if isinstance(each, Place)):
            return False
        if provocation.how == "out of band" and not self.takes_flags:
            return False
        return self.waits or provocation.under is not Under.BRIEFLY

    def limited(self, environment: Environment) -> Environment:
        """The environment without actions that peers cannot do, and calls that must not wait if none can be made so."""
        if not self.actions and self.waits_not:
            return environment
        provocations = environment.provocations
        if not self.waits_not:
            provocations = tuple(replace(each, endings=_waiting_endings(each)) for each in provocations)
        actions = tuple(each for each in environment.peer_actions if each.name not in self.actions)
        return replace(environment, provocations=provocations, peer_actions=actions)


def _waiting_endings(provocation: Provocation) -> Any:
    """The endings of a call that always waits until it can be made: it is provoked only where it does not have to wait."""
    if provocation.under is not Under.AT_ONCE:
        return provocation.endings
    return tuple(each for each in provocation.endings if each.outcome != "pending")


def _have_address(peers: Loopback) -> None:
    sock = peers.unbound(socket.SOCK_STREAM)
    try:
        sock.bind(peers.fresh_address())
        address_of(sock)
    finally:
        _close(sock)


def _connect(peers: Loopback) -> None:
    seeker, accepted = peers.pair()
    try:
        if not can_say(accepted):
            with suppress(*ANY_ERROR):  # which the suite judges
                seeker.send(MESSAGE)
                began = time.monotonic()
                peers.patiently(accepted, accepted.recv, len(MESSAGE))
                peers.delay = LATER * (time.monotonic() - began)
    finally:
        _close(seeker, accepted)


def _reset(peers: Loopback) -> None:
    seeker, accepted = peers.pair()
    try:
        if not hasattr(seeker, "setsockopt"):
            raise Mismatch("a reset", "no setsockopt(), and so no SO_LINGER")
        reset(seeker)
        try:
            got = peers.patiently(accepted, accepted.recv, 1)
        except (Mismatch, TimeoutError):
            raise Mismatch("a reset", "nothing") from None
        except ANY_ERROR:  # of any kind: the suite judges it
            return
        if got != b"":  # the suite also judges an end instead of a reset
            raise Mismatch("a reset", got)
    finally:
        _close(seeker, accepted)


def _be_silent(peers: Loopback) -> None:
    peers.silence(socket.SOCK_STREAM)


def _share(peers: Loopback) -> None:
    first, second = peers.unbound(socket.SOCK_STREAM), peers.unbound(socket.SOCK_STREAM)
    try:
        first.bind(peers.fresh_address())
        second.bind(first.getsockname())
        second.listen(1)
    finally:
        _close(first, second)


def _fill(peers: Loopback) -> None:
    seeker, accepted = peers.pair()
    try:
        sent, part = 0, FULL_AFTER
        while sent < FULL_AFTER:
            taken = seeker.send(bytes(part))
            if not isinstance(taken, int) or taken <= 0:
                return
            sent, part = sent + taken, PART
    except (BlockingIOError, TimeoutError):
        return
    finally:
        _close(seeker, accepted)
    raise Mismatch("a connection that is full", f"{sent >> 20} MiB are accepted, and it does not become full")


def _refuse_messages(peers: Loopback) -> None:
    sock, other = peers.pair(socket.SOCK_DGRAM)
    try:
        other.close()
        sock.send(MESSAGE)
        peers.settle(sock, frozenset({"refusal"}))
        try:
            sock.send(MESSAGE)
        except ANY_ERROR:
            return
    finally:
        _close(sock)
    raise Mismatch("a refusal", "a message to an unused address is sent without an error")


STREAM_ACTIONS = frozenset({"peer_sends", "peer_ends", "peer_resets", "peer_reads", "peer_reads_the_end", "peer_connects"})

ADDRESS = Check(
    "an address of their own",
    _have_address,
    socket.SOCK_STREAM,
    STREAM_ACTIONS | {"rival_listens", "rival_leaves"},
    frozenset({LISTENER, SILENCE, FLOOD, NOBODY, PEER, TAKEN}),
)
"""without these there is no peer to connect to or send to"""

CONNECT = Check(
    "a connection between two of them", _connect, socket.SOCK_STREAM, STREAM_ACTIONS, frozenset({LISTENER, SILENCE, FLOOD})
)
"""without these, calls that need a connection are not tried"""

SHARE = Check("two sockets on one port", _share, socket.SOCK_STREAM, frozenset({"rival_listens", "rival_leaves"}))

CHECKS = (
    Check("resets by the peer", _reset, socket.SOCK_STREAM, frozenset({"peer_resets"})),
    Check("a listener that is silent", _be_silent, socket.SOCK_STREAM, places=frozenset({SILENCE})),
    SHARE,
    Check("a connection that is full", _fill, socket.SOCK_STREAM, places=frozenset({FLOOD})),
    Check("refused messages", _refuse_messages, socket.SOCK_DGRAM, frozenset({"peer_leaves", "peer_returns"})),
)

PEERS_NEED: Mapping[int, tuple[str, ...]] = {socket.SOCK_DGRAM: ("sendto", "recvfrom")}

KIND_NAMES: Mapping[int, str] = {socket.SOCK_STREAM: "stream sockets", socket.SOCK_DGRAM: "datagram sockets"}


def examined(new: Factory, peers: Loopback, *, peers_too: bool) -> Abilities:
    """Examine the sockets that `new` makes, and with peers_too their peers."""
    found = Abilities()
    sock = None
    for kind in sorted(found.kinds):
        made, why = _attempt(lambda kind=kind: new(socket.AF_INET, kind))  # type: ignore[misc]
        if not why and peers_too:
            missing = (each for each in PEERS_NEED.get(kind, ()) if not hasattr(made, each))
            why = "".join(f"no {each}(), which their peers need" for each in islice(missing, 1))
        if why:
            found.kinds -= {kind}
            found.left_out.append(LeftOut(KIND_NAMES[kind], why))
        else:
            sock = sock or made
            with suppress(*ANY_ERROR):
                made.close()
    _look_at_methods(sock, found)
    if sys.platform == "win32":
        found.left_out.append(LeftOut(SHARE.what, "Windows refuses the second bind(), not the listen()"))
        found.actions |= SHARE.actions
    if peers_too:
        _try(ADDRESS, peers, found)
        if not found.left_out or found.left_out[-1].what != ADDRESS.what:
            _try(CONNECT, peers, found)
        found.connects = found.left_out[-1].why if CONNECT.actions <= found.actions else ""
        for check in CHECKS:
            needs_connection = check.kind == socket.SOCK_STREAM and found.connects
            if not needs_connection and (check.try_it is not _fill or found.waits_not):
                _try(check, peers, found)
    if not found.waits_not:  # a call that has to wait there would never return
        found.places |= {FLOOD, SILENCE}
    return found


def _look_at_methods(sock: Any, found: Abilities) -> None:
    found.waits = hasattr(sock, "settimeout")
    found.waits_not = found.waits or hasattr(sock, "setblocking")
    found.takes_flags = takes(getattr(sock, "recv", None), 1, 0)
    if not found.waits_not:
        found.left_out.append(LeftOut("calls that are not to wait, and time-outs", "no settimeout() and no setblocking()"))
    elif not found.waits:
        found.left_out.append(LeftOut("time-outs", "no settimeout()"))
    if hasattr(sock, "recv") and not found.takes_flags:
        found.left_out.append(LeftOut("flags of recv()", "it takes a size only"))


def takes(call: Any, *arguments: object) -> bool:
    """Whether it can be called with these arguments."""
    try:
        inspect.signature(call).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # it has no signature to look at
        return True
    return True


def _try(check: Check, peers: Loopback, found: Abilities) -> None:
    _, why = _attempt(lambda: check.try_it(peers))
    if why:
        found.left_out.append(LeftOut(check.what, why))
        found.actions |= check.actions
        found.places |= check.places


def _attempt(call: Callable[[], Any]) -> tuple[Any, str]:
    """(its value, or why there is none)."""
    try:
        with WATCHDOG.unless_under_way():
            return call(), ""
    except Hangs as error:
        return None, str(error) or "it hangs"
    except Mismatch as mismatch:
        return None, f"expected {mismatch.expected}, got {mismatch.got}"
    except ANY_ERROR as error:  # any error of the implementation
        return None, error_text(error)


def _close(*socks: Any) -> None:
    for sock in socks:
        with suppress(*ANY_ERROR):
            reset(sock)


def are_the_systems(new: Factory) -> bool:
    """Whether these sockets wrap sockets of the system, so that plain sockets can be their peers."""
    peers = Loopback()
    listener = seeker = accepted = None
    try:
        with WATCHDOG.unless_under_way():
            seeker = new(socket.AF_INET, socket.SOCK_STREAM)
            set_timeout(seeker, 1)
            listener = peers.listener
            seeker.bind(peers.fresh_address())
            if descriptor_of(seeker) == -1:
                return False
            seeker.connect(listener.getsockname())
            accepted = peers.accept(seeker.getsockname())
            seeker.send(MESSAGE)
            return bool(peers.patiently(accepted, accepted.recv, 99) == MESSAGE)
    except (*ANY_ERROR, Hangs):  # whatever else they are
        return False
    finally:
        _close(*(each for each in (seeker, accepted) if each is not None))
        peers.close()


def named(calls: Iterable[str], spelling: Mapping[str, tuple[str, object]]) -> list[LeftOut]:
    """The calls for which there is no method, by name."""
    missing: dict[str, list[str]] = {}
    for call in calls:
        missing.setdefault(spelling[call][0], []).append(call)
    return [LeftOut(", ".join(sorted(each)), f"no {method}()") for method, each in sorted(missing.items()) if method]
