"""Data cells of listeners: the order of connections, their addresses, and how many can wait."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

from lifecycle import roles
from lifecycle.conformance.adapters.loopback import close_once
from lifecycle.conformance.adapters.outcomes import error_text
from lifecycle.conformance.adapters.protocol import Mismatch
from lifecycle.conformance.adapters.setup_states import address_of, begin_connect, reset, set_timeout, shows
from lifecycle.conformance.data_cells.cell import DataCell, Scene, must_be, must_time_out
from lifecycle.conformance.model.environment import Under
from lifecycle.conformance.model.environments import LISTENING_ALONE, MESSAGE
from lifecycle.roles.words import ACCEPT

QUEUED = 4
SOON = 0.5  # seconds within which a connection is queued


def _queue(scene: Scene) -> list[Any]:
    clients = []
    for _ in range(QUEUED):
        client = scene.stage.loopback.new(socket.SOCK_STREAM)
        scene.stage.kept.append(_Resets(client))
        clients.append(client)
        begin_connect(client, scene.stage.address())
        scene.stage.settle(frozenset({"waiting"}))
    for number, client in enumerate(clients, 1):
        if not shows(client, writing=True, within=SOON):
            raise Mismatch(f"{QUEUED} connections wait in the queue of listen(8)", f"number {number} does not fit")
    return clients


class _Resets:
    """A client that is reset at the end, so that no port stays in TIME_WAIT."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def close(self) -> None:
        with suppress(Exception):
            reset(self._sock)


def _in_order(scene: Scene) -> None:
    clients = _queue(scene)
    for number, client in enumerate(clients, 1):
        scene.stage.settle(frozenset({"waiting"}))  # a client is connected before the last packet has reached the listener
        try:
            accepted = scene.do(ACCEPT.name, under=Under.AT_ONCE)
        except OSError as error:
            raise Mismatch(f"connection number {number}", error_text(error)) from error
        scene.stage.kept.append(accepted)
        got = accepted.peer_address if hasattr(accepted, "peer_address") else accepted.getpeername()
        order = [address_of(each) for each in clients]
        where = tuple(got[:2])
        if where in order and where != address_of(client):
            raise Mismatch(f"connection number {number}", f"number {order.index(where) + 1}")


def _addresses(scene: Scene) -> None:
    client = scene.stage.loopback.new(socket.SOCK_STREAM)
    scene.stage.kept.append(_Resets(client))
    begin_connect(client, scene.stage.address())
    scene.stage.settle(frozenset({"waiting"}))
    scene.stage.set_circumstances(Under.PATIENTLY)
    accepted, address = scene.sock.accept()
    scene.stage.kept.append(accepted)
    must_be(address_of(client), address[:2])


def _sent_before(scene: Scene) -> None:
    client = scene.stage.loopback.new(socket.SOCK_STREAM)
    scene.stage.kept.append(_Resets(client))
    begin_connect(client, scene.stage.address())
    if not shows(client, writing=True, within=SOON):
        raise Mismatch("a connection that waits for accept()", "none")
    try:
        client.send(MESSAGE)
    except OSError:  # a peer of its own kind, which is connected only when it is accepted
        return
    scene.stage.settle(frozenset({"waiting"}))
    scene.stage.set_circumstances(Under.PATIENTLY)
    accepted, _ = scene.sock.accept()
    scene.stage.kept.append(accepted)
    set_timeout(accepted, 0)
    must_be(MESSAGE, scene.stage.loopback.patiently(accepted, accepted.recv, 65536))


def _no_wait(scene: Scene) -> None:
    with scene.at_once("accept()"):
        try:
            close_once(scene.do(ACCEPT.name, under=Under.AT_ONCE))
        except BlockingIOError:
            return
    raise Mismatch("BlockingIOError", "a connection")


def _time_out(scene: Scene) -> None:
    must_time_out(scene, lambda: close_once(scene.sock.accept()[0]))


def _listening(name: str, check: Any, **more: Any) -> DataCell:
    where, unless = LISTENING_ALONE
    return DataCell(name, ACCEPT.name, (roles.SERVER.name,), check, where, unless, **more)


SERVER_CELLS: tuple[DataCell, ...] = (
    _listening("in the order of arrival", _in_order, actions=("peer_connects",)),
    _listening("the client's address", _addresses, methods=(ACCEPT.name,), actions=("peer_connects",)),
    _listening("what was sent before", _sent_before, methods=(ACCEPT.name,), actions=("peer_connects",)),
    _listening("not waiting takes no time", _no_wait, methods=(ACCEPT.name,), tries=3, needs_no_wait=True),
    _listening("a time-out passes in time", _time_out, methods=("settimeout",), tries=3),
)
"""each with its scene"""
