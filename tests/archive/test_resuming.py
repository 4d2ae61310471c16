"""A decoder goes on where bytes were missing: whatever the pieces, values load as they were stored."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from archive_bytes import stored
from archive_signs import BOARD, CLASSES, SIGN, SPOT, Sign, Spot

from lifecycle.archive import VT, WORD, Archive, CArray, CByteArray, CMap, CObArray, COleVariant, CString, CTime
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.nesting import Continuation
from lifecycle.archive.format.operands import operand
from lifecycle.archive.format.settings import Format
from lifecycle.archive.format.text import read_line

VALUES: list[tuple[Any, Any]] = [
    (CString, "x" * 300), (CTime, CTime(5)), (COleVariant, COleVariant(5, VT.I4)), (COleVariant, COleVariant("x", VT.BSTR)),
    (CArray[WORD], list(range(50))), (CArray[CString], ["a", "b" * 300, ""]), (CArray[Sign], [SIGN, SIGN]),
    (CArray[Spot], [SPOT] * 5), (CMap[WORD, Spot], {1: SPOT, 2: SPOT}),
    (CArray[Spot | None], [SPOT, None, SPOT, Spot(), Spot(1, 2)]),
    (CByteArray, CByteArray(b"x" * 40)),
    (CObArray, CObArray([SPOT, SIGN, Spot(5, 5), Spot(6, 6), SPOT, Spot(7, 7)])), (Sign, SIGN),
]  # fmt: skip


def bytes_of(kind: Any, value: Any) -> bytes:
    """The bytes of a value."""
    wrapped = type(value) is not kind
    return stored(kind(value) if wrapped else value, registry=CLASSES)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
@pytest.mark.parametrize(("kind", "value"), VALUES, ids=range(len(VALUES)))
def test_values_load_from_any_pieces(kind: Any, value: Any, size: int) -> None:
    """Each time that bytes are missing nothing has been lost; references between the objects of a value are as they were."""
    data = bytes_of(kind, value)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    arrived: list[bytes] = []
    form = Format(True, "cp1252", "strict", win32=False, limit=1 << 20, depth=100, size=128)
    decoder = Decoder(form, CLASSES, lambda size: arrived.pop() if arrived else None, reads_ahead=True)
    decoder.hold()
    loading, stops = Continuation(decoder, operand(kind).load), 0
    while True:
        decoder.is_waiting = False
        try:
            found = loading.resume()
            break
        except BlockingIOError:
            stops += 1
            arrived.append(pieces.pop(0))
    assert found == value
    assert stops == -(-len(data) // size)
    assert (decoder.offset, decoder.unread, decoder.depth) == (len(data), 0, 0)
    if kind is CObArray:
        assert found[0] is found[4] is found[1].spot is found[1].next.spot


def test_a_long_line_that_arrives_in_pieces_is_searched_once() -> None:
    """What was searched for a line's end is remembered while the line goes on."""
    with_searched = []
    arrived = [b"x\0" * 3000, b"x\0" * 3000]
    form = Format(True, "cp1252", "strict", win32=False, limit=1 << 20, depth=100, size=128)
    decoder = Decoder(form, CLASSES, lambda size: arrived.pop() if arrived else None, reads_ahead=True)
    for _ in range(2):
        with pytest.raises(BlockingIOError):
            read_line(decoder)
        with_searched.append(decoder.searched)
        arrived.append(b"x\0" * 10)
    assert with_searched == [(0, 12000), (0, 12020)]


def test_users_objects_begin_again_with_a_new_one() -> None:
    """An object whose method was interrupted for missing bytes is made anew, and its references are right."""
    data = stored(BOARD, registry=CLASSES)
    with Archive(BytesIO(), "load", registry=CLASSES) as archive:
        decoder = archive._decoder
        decoder.receive = lambda size: None
        outer, mark = archive._begin_to_take()
        loading = Continuation(decoder, operand(type(BOARD)).load)
        for byte in data:
            with pytest.raises(BlockingIOError):
                loading.resume()
            assert (decoder.numbered, decoder.offset) == ([], 0)
            decoder.is_waiting = False
            decoder.data.append(byte)
        found = loading.resume()
        archive._end_taking(outer, mark)
    assert found == BOARD
    assert found.signs[0] is found.signs[2] is found.signs[1].spot
