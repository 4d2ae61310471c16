"""Data cells of datagrams: messages keep their boundaries."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

from lifecycle import roles
from lifecycle.conformance.adapters.setup_states import address_of
from lifecycle.conformance.data_cells.cell import DataCell, Scene, must_be, must_time_out
from lifecycle.conformance.data_cells.streams import EVERY_BYTE
from lifecycle.conformance.model.environment import Under
from lifecycle.conformance.model.environments import MESSAGE
from lifecycle.roles.words import CONNECT, GET_PEER_NAME, RECEIVE, RECEIVE_FROM, SEND, SEND_TO


def _rest_is_lost(scene: Scene) -> None:
    scene.correspondent.send_message(b"longer than it may be")
    scene.correspondent.send_message(b"next")
    with suppress(OSError):  # an error is fine, too: what matters is the next message
        must_be(b"lon", scene.receive(3))
    must_be(b"next", scene.receive(65536))


def _bounds(scene: Scene) -> None:
    for message in (b"one", b"", b"three"):
        scene.correspondent.send_message(message)
    for message in (b"one", b"", b"three"):
        must_be(message, scene.receive(65536))


def _every_byte(scene: Scene) -> None:
    for message in (EVERY_BYTE, b"next"):  # it is the second one if the first was sent once
        must_be(len(message), scene.do(SEND.name, message))
    for message in (EVERY_BYTE, b"next"):
        must_be(message, scene.correspondent.receive())


def _peer_name(scene: Scene) -> None:
    must_be(scene.correspondent.address, scene.do(GET_PEER_NAME.name)[:2])


def _new_peer_name(scene: Scene) -> None:
    scene.do(GET_PEER_NAME.name)
    other = scene.stage.loopback.bound(socket.SOCK_DGRAM)
    scene.stage.kept.append(other)
    try:
        scene.do(CONNECT.name, *address_of(other))
    except OSError:  # which the graph judges
        return
    must_be(address_of(other), scene.do(GET_PEER_NAME.name)[:2])


def _bounds_sent(scene: Scene) -> None:
    for message in (b"one", b"", b"three"):
        must_be(len(message), scene.do(SEND.name, message))
    for message in (b"one", b"", b"three"):
        must_be(message, scene.correspondent.receive())


def _whole_message(scene: Scene) -> None:
    must_be(len(WHOLE), scene.do(SEND_TO.name, WHOLE, *scene.correspondent.address))
    must_be(WHOLE, scene.correspondent.receive())


def _recvfrom_into(scene: Scene) -> None:
    scene.correspondent.send_message(MESSAGE)
    scene.stage.settle(frozenset({"data"}))
    scene.stage.set_circumstances(Under.PATIENTLY)
    room = bytearray(20)
    count, sender = scene.sock.recvfrom_into(room)
    must_be((MESSAGE, scene.correspondent.address), (bytes(room[:count]), sender[:2]))


def _time_out(scene: Scene) -> None:
    must_time_out(scene, lambda: scene.sock.recv(1))


def _time_out_of_recvfrom(scene: Scene) -> None:
    must_time_out(scene, lambda: scene.sock.recvfrom(1))


def _own_name(scene: Scene) -> None:
    scene.do(SEND.name, b"from where")
    _, sender = scene.correspondent.receive_from()
    must_be(tuple(sender[:2]), address_of(scene.sock))


WHOLE = 5 * EVERY_BYTE  # the maximum of one packet
UNLESS = frozenset({"send_ended", "receive_ended", "data", "refusal", "gone", "sent"})


def _linked(name: str, call: str, check: Any, **more: Any) -> DataCell:
    return DataCell(name, call, (roles.DATAGRAM.name,), check, frozenset({"linked"}), UNLESS, **more)


DATAGRAM_CELLS: tuple[DataCell, ...] = (
    _linked("what is too long for the size is lost", RECEIVE.name, _rest_is_lost),
    _linked("messages keep their bounds", RECEIVE.name, _bounds),
    _linked("messages keep their bounds", SEND.name, _bounds_sent),
    _linked("every byte", SEND.name, _every_byte),
    _linked("the peer's address", GET_PEER_NAME.name, _peer_name),
    _linked("the sender's address", SEND.name, _own_name, methods=("getsockname",)),
    DataCell("1280 bytes", SEND_TO.name, (roles.DATAGRAM.name,), _whole_message, frozenset({"handle"}), UNLESS | {"linked"}),
    _linked("the new peer's address, after connect()", GET_PEER_NAME.name, _new_peer_name, also=(CONNECT.name,)),
    _linked("recvfrom_into()", RECEIVE_FROM.name, _recvfrom_into, methods=("recvfrom_into",)),
    _linked("a time-out passes in time", RECEIVE.name, _time_out, methods=("recv", "settimeout"), tries=3),
    _linked("a time-out passes in time", RECEIVE_FROM.name, _time_out_of_recvfrom, methods=("recvfrom", "settimeout"), tries=3),
)
"""each with its scene"""
