"""Damaged documents, in short: tests/archive_damage.py run as a script does the same 6,000 times."""

from __future__ import annotations

import io
import time

from archive_damage import own_documents, run

from lifecycle.archive import DWORD, Archive, CArray, CString


def test_damaged_documents_cost_no_more_than_whole_ones() -> None:
    """Cut, flipped and with huge counts, documents raise archive errors only, within twice the memory and in time."""
    figures = run(own_documents(most=2000), 120, seed=3)
    assert not figures.wrong
    assert {"EndOfFile", "GenericError", "loaded"} <= set(figures.endings)


def test_time_is_linear_in_the_bytes_that_are_there() -> None:
    """A file of eight times the bytes that is cut off at its end takes some eight times as long to fail."""

    def seconds(count: int) -> float:
        file = io.BytesIO()
        with Archive(file, "store") as archive:
            for number in range(count):
                archive << DWORD(number) << CString("some text")
        data = file.getvalue()
        best = 9.0
        for _ in range(3):
            began = time.process_time()
            with Archive(io.BytesIO(count.to_bytes(2, "little") + data[:-1]), "load") as archive:
                archive >> CArray[DWORD]
            best = min(best, time.process_time() - began)
        return best

    assert seconds(16000) < 32 * max(seconds(2000), 1e-4)
