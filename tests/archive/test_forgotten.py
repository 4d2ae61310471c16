"""Errors, finalizers and files of archives: what is left behind, and what stays the caller's."""

from __future__ import annotations

import gc
import io
import os
import pickle
import socket
import time
import traceback
import warnings
from dataclasses import dataclass
from typing import Any

import pytest
from archive_signs import CLASSES
from loopback import LONG, client_and_raw_peer, fill, open_descriptors

from lifecycle import IllegalCall
from lifecycle.archive import (
    DWORD,
    WORD,
    Archive,
    BadClass,
    EndOfFile,
    ReadOnly,
    SocketFile,
    UnsupportedCall,
    WriteOnly,
    serializable,
)


def test_two_classes_of_one_name_have_tracebacks_of_their_own() -> None:
    """The text of each written function is its own, so that a traceback shows the line that failed."""

    def declared(wire: Any, field_name: str) -> Any:
        return serializable("CTwin", registry=CLASSES)(dataclass(type("Twin", (), {"__annotations__": {field_name: wire}})))

    seen = set()
    for kind in (declared(WORD, "one"), declared(DWORD, "other")):
        archive = Archive(io.BytesIO(), "store", registry=CLASSES, no_flush_on_delete=True)
        with pytest.raises((ValueError, TypeError)) as caught:
            archive.serialize(kind.__new__(kind))
        assert isinstance(caught.value.__cause__, AttributeError)
        frames = traceback.extract_tb(caught.value.__cause__.__traceback__)
        line = next(frame.line for frame in frames if frame.filename.startswith("<lifecycle.archive"))
        assert line is not None
        seen.add(line.partition("_thing.")[2].partition(")")[0])
        archive.abort()
    assert seen == {"one", "other"}


@pytest.mark.parametrize("call", ["load", "store", "seek"])
def test_errors_of_archives_and_files_pickle(call: str) -> None:
    """An error that was pickled, as by multiprocessing, is of the same class and has the same text."""
    if call == "seek":
        with client_and_raw_peer() as (client, _), SocketFile(client) as file, pytest.raises(UnsupportedCall) as caught:
            file.seek(0)
    else:
        mode = "store" if call == "load" else "load"
        with Archive(io.BytesIO(), mode) as archive, pytest.raises(WriteOnly if call == "load" else ReadOnly) as caught:  # type: ignore[arg-type]
            getattr(archive, call)(DWORD, *([1] if call == "store" else []))
    for error in (caught.value, EndOfFile(5, "a DWORD", "the end of the file"), BadClass(1, "a", "b")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))


def test_a_forgotten_archive_does_not_wait_for_a_peer_that_does_not_read() -> None:
    """Its finalizer warns, drops what was not flushed, and closes nothing of the program's."""
    with client_and_raw_peer(timeout=LONG) as (client, _):
        fill(client)
        file = SocketFile(client)
        archive = Archive(file, "store")
        archive.write(b"x" * 1000)
        began = time.monotonic()
        with pytest.warns(ResourceWarning, match="unflushed data is lost"):
            del archive
            gc.collect()
        assert time.monotonic() - began < LONG / 2
        assert (file.state, client.state) == ("attached", "connected")


def test_a_forgotten_archive_raises_nothing_over_a_closed_file() -> None:
    """Also where warnings are errors, the finalizer lets go of the file."""
    with client_and_raw_peer() as (client, _):
        file = SocketFile(client)
        archive = Archive(file, "store", no_flush_on_delete=True)
        archive.write(b"x")
        file.close()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ResourceWarning):
                Archive(SocketFile(client), "store").__del__()
            archive.__del__()
            assert archive.state == "closed"


def owned(client: Any) -> tuple[Any, ...]:
    """What is the socket's own: its descriptor, its blocking mode, its time-out, an option, its state."""
    number = client.fileno()
    option = client.get_option(socket.SO_KEEPALIVE)
    return number, os.get_blocking(number), client.timeout, option, client.state


def test_a_file_leaves_its_socket_as_it_was() -> None:
    """Making, using, closing and refusing a file change nothing of the socket, and open no descriptor."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        client.set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        before, descriptors = owned(client), open_descriptors()
        file = SocketFile(client)
        peer.sendall(b"abc")
        assert (file.read(3), file.write(b"def"), peer.recv(3)) == (b"abc", 3, b"def")
        with pytest.raises(UnsupportedCall):
            file.seek(0)
        with Archive(file, "store") as archive:
            archive << DWORD(5)
        assert (owned(client), open_descriptors()) == (before, descriptors)
        file.close()
        assert (owned(client), open_descriptors()) == (before, descriptors)
        with pytest.raises(IllegalCall):
            Archive(file, "store")
        with pytest.raises(TypeError):
            SocketFile(peer)  # type: ignore[arg-type]
        assert (owned(client), open_descriptors(), peer.recv(4)) == (before, descriptors, b"\5\0\0\0")


def test_a_write_that_times_out_returns_the_part_that_went_out() -> None:
    """So a buffered writer over the file does not send that part again; where nothing went out, TimeoutError."""
    with client_and_raw_peer(timeout=0.05) as (client, peer):
        data = bytes(range(256)) * (1 << 15)
        file = SocketFile(client)
        sent = file.write(data)
        assert sent is not None
        assert 0 < sent < len(data)
        with pytest.raises(TimeoutError):
            while True:
                more = file.write(data[sent:])
                assert more
                sent += more
        peer.settimeout(LONG)
        received = bytearray()
        while len(received) < sent:
            received += peer.recv(1 << 16)
        assert bytes(received) == data[:sent]
