"""Mutations of archives: bits, lengths, counts and tags overwritten, parts cut, repeated, and taken from elsewhere."""

from __future__ import annotations

import struct
from random import Random

from archive_fuzz_classes import CLASSES

from lifecycle import archive as mfc

_WIDTHS = (1, 1, 2, 2, 2, 4, 4, 8)
_VALUES = (
    0, 1, 2, 3, 0x7E, 0x7F, 0x80, 0xFE, 0xFF, 0x100, 0x7FFD, 0x7FFE, 0x7FFF, 0x8000, 0x8001, 0x8002, 0xFFFD, 0xFFFE, 0xFFFF,
    0x10000, 0x3FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0x8000000A, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 26, (1 << 26) + 1,
    1 << 32, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1,
)  # fmt: skip
_NAMES = (
    b"CForbidden",
    b"Forbidden",
    b"object",
    b"int",
    b"Archive",
    b"CObject",
    b"os.system",
    b"",
    b"C\xc4ge",
    b"x" * 63,
    b"x" * 64,
)


def _tokens() -> tuple[bytes, ...]:
    descriptions = [
        entry.description for registry in (CLASSES, mfc.format.registry.COLLECTIONS) for entry in registry._by_class.values()
    ]
    strangers = [struct.pack("<HHH", 0xFFFF, schema, len(name)) + name for name in _NAMES for schema in (0, 1, 0xFFFF)]
    outdated = [each[:2] + b"\x63\0" + each[4:] for each in descriptions]
    escapes = [
        b"\xff\xfe\xff",
        b"\xff\xfe\xff\xff",
        b"\xff\xff\xff",
        b"\xff" * 6,
        b"\xff" * 7,
        b"\xff\x7f",
        b"\xff\x7f\x01\0\0\x80",
    ]
    return (*descriptions, *strangers, *outdated, *escapes, b"\0\0", b"\x01\x80", b"\x0a\0\0\x80", b"\xff" * 15, b"\xff" * 14)


TOKENS = _tokens()


def mutated(random: Random, seed: bytes, other: bytes, most: int = 1 << 13) -> bytes:
    """`seed` after one to four mutations; `other` is what may be spliced in. At most `most` bytes longer than the seed."""
    data = bytearray(seed)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + random.choice((1, 1, 2, 3, 4, 6, 8, 16, 64)))
        match random.randrange(11):
            case 0 if at < len(data):
                data[at] ^= 1 << random.randrange(8)
            case 1 if at < len(data):
                data[at] = random.randrange(256)
            case 2 | 3:
                width = random.choice(_WIDTHS)
                value = random.choice(_VALUES) if random.random() < 0.8 else random.randrange(40)
                data[at : at + width] = (value & ((1 << 8 * width) - 1)).to_bytes(width, "little")
            case 4:
                del data[at:]
            case 5:
                del data[at:end]
            case 6:
                data[at:at] = data[at:end] * random.choice((1, 1, 2, 3, 200, 1000))
            case 7:
                data[at:at] = random.choice(TOKENS)
            case 8:
                token = random.choice(TOKENS)
                data[at : at + len(token)] = token
            case 9:
                start = random.randrange(len(other) + 1)
                data[at:end] = other[start : start + random.choice((2, 8, 64, len(other)))]
            case _:
                data += random.randbytes(random.choice((1, 2, 8, 40)))
        del data[len(seed) + most :]
    return bytes(data)
