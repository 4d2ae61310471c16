"""The numbers of the format and the structures: what each holds, and the bytes of a new one."""

from __future__ import annotations

import io
from typing import Any

import pytest

import lifecycle.archive as archives
from lifecycle.archive import Archive

INTEGERS = {
    "BYTE": (0, 255), "WORD": (0, 65_535), "DWORD": (0, 4_294_967_295), "UINT": (0, 4_294_967_295),
    "ULONGLONG": (0, 18_446_744_073_709_551_615), "COLORREF": (0, 4_294_967_295), "CHAR": (-128, 127),
    "SHORT": (-32_768, 32_767), "INT": (-2_147_483_648, 2_147_483_647), "LONG": (-2_147_483_648, 2_147_483_647),
    "LONGLONG": (-9_223_372_036_854_775_808, 9_223_372_036_854_775_807),
}  # fmt: skip

NEW = {
    "LOGPEN": "000000000000000000000000" + "00000000",
    "WINDOWPLACEMENT": "2c0000000000000001000000" + "ffffffff" * 4 + "00000000" * 4,
    "LOGFONT": "00000000" * 4 + "900100000000000100000000" + "00" * 64,
    "LOGFONTA": "00000000" * 4 + "900100000000000100000000" + "00" * 32,
    "LOGFONTW": "00000000" * 4 + "900100000000000100000000" + "00" * 64,
}
"""structure -> the bytes of one that was made without arguments, by the documentation of Windows"""


def written(value: Any) -> bytes:
    """The bytes of one value."""
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        archive << value
    return file.getvalue()


@pytest.mark.parametrize("name", INTEGERS)
def test_an_integer_holds_what_its_text_says(name: str) -> None:
    """Both bounds travel, what lies beyond them is refused with both in the text, and the documentation names them."""
    kind, (low, high) = getattr(archives, name), INTEGERS[name]
    for value in (low, high, 0, 1):
        with Archive(io.BytesIO(written(kind(value))), "load") as archive:
            assert (archive >> kind) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValueError, match=f"an integer from {low} to {high}"):
            kind(value)
    size = len(written(kind(0)))
    assert kind.__doc__.endswith(f": {size} bytes, {low} to {high}.")
    assert repr(kind(1)) == f"{name}(1)"


@pytest.mark.parametrize("name", NEW)
def test_a_new_structure_is_as_windows_has_it(name: str) -> None:
    """A structure that was made without arguments has the documented bytes."""
    assert written(getattr(archives, name)()).hex() == NEW[name]
