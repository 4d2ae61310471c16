"""Data cells of datagrams: messages keep their bounds."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from lifecycle import roles
from lifecycle.conformance.adapters.setup_states import address_of
from lifecycle.conformance.data_cells.cell import DataCell, Scene, must_be
from lifecycle.conformance.data_cells.streams import EVERY_BYTE
from lifecycle.roles.words import GET_PEER_NAME, RECEIVE, SEND


def _rest_is_lost(scene: Scene) -> None:
    scene.correspondent.send_message(b"longer than it may be")
    scene.correspondent.send_message(b"next")
    with suppress(OSError):  # an error is as good: what matters is what comes next
        must_be(b"lon", scene.receive(3))
    must_be(b"next", scene.receive(65536))


def _bounds(scene: Scene) -> None:
    for message in (b"one", b"", b"three"):
        scene.correspondent.send_message(message)
    for message in (b"one", b"", b"three"):
        must_be(message, scene.receive(65536))


def _every_byte(scene: Scene) -> None:
    for message in (EVERY_BYTE, b"next"):  # which comes as the second one where the first was sent once
        must_be(len(message), scene.do(SEND.name, message))
    for message in (EVERY_BYTE, b"next"):
        must_be(message, scene.correspondent.receive())


def _peer_name(scene: Scene) -> None:
    must_be(scene.correspondent.address, tuple(scene.do(GET_PEER_NAME.name)[:2]))


def _own_name(scene: Scene) -> None:
    scene.do(SEND.name, b"from where")
    _, sender = scene.correspondent.receive_from()
    must_be(tuple(sender[:2]), address_of(scene.sock))


UNLESS = frozenset({"send_ended", "receive_ended", "data", "refusal", "gone", "sent"})


def _linked(name: str, call: str, check: Any, **more: Any) -> DataCell:
    return DataCell(name, call, (roles.DATAGRAM.name,), check, frozenset({"linked"}), UNLESS, **more)


DATAGRAM_CELLS: tuple[DataCell, ...] = (
    _linked("what is too long for the size is lost", RECEIVE.name, _rest_is_lost),
    _linked("messages keep their bounds", RECEIVE.name, _bounds),
    _linked("every byte", SEND.name, _every_byte),
    _linked("the peer's address", GET_PEER_NAME.name, _peer_name),
    _linked("the sender's address", SEND.name, _own_name, methods=("getsockname",)),
)
"""each with its scene"""
