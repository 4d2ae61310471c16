"""A close looks at the other threads' frames while no collection can begin (python/cpython#106883)."""

import gc
import socket
import sys
import threading

import pytest

from lifecycle.checking.concurrent_close import in_flight


def test_no_collection_begins_while_the_frames_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector is off while the interpreter makes the frames, and on again afterwards."""
    seen = []
    real = sys._current_frames
    monkeypatch.setattr(sys, "_current_frames", lambda: seen.append(gc.isenabled()) or real())
    ended = threading.Event()
    other = threading.Thread(target=ended.wait, args=(10,))
    other.start()
    try:
        with socket.socket() as sock:
            assert not list(in_flight(sock))
    finally:
        ended.set()
        other.join()
    assert seen == [False]
    assert gc.isenabled()
