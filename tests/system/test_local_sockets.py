"""Paths and abstract names of Unix-domain sockets, and the file that a bind has created."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from said import said_by

from lifecycle.system import local_sockets
from lifecycle.system.local_sockets import BoundPath


@pytest.mark.skipif(sys.platform != "linux", reason="the lengths and the abstract names are those of Linux")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/tmp/a", b"/tmp/a"), (b"a", b"a"), (Path("a"), b"a"), ("", ValueError), (b"", ValueError), ("a\0b", ValueError),
        (5, TypeError),
        (None, TypeError), ("x" * 107, b"x" * 107), ("x" * 108, "ENAMETOOLONG"), ("\0a", b"\0a"),
        ("\0", b"\0"), ("\0a\0b", b"\0a\0b"),
        ("\0" + "x" * 107, b"\0" + b"x" * 107), ("\0" + "x" * 108, "ENAMETOOLONG"), ("é" * 53, "é".encode() * 53),
        ("é" * 54, "ENAMETOOLONG"),
    ],
    ids=ascii,
)  # fmt: skip
def test_paths_and_abstract_names(path: Any, expected: Any) -> None:
    """Each path that the system can have is taken as bytes; the others are refused by what is wrong with them."""
    assert said_by(local_sockets.checked_path, path) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has abstract names")
def test_an_abstract_name_is_no_path() -> None:
    """A socket without a name, and one with an abstract name, has no path to remove; and no permissions can be given."""
    with socket.socket(socket.AF_UNIX) as sock:
        assert local_sockets.bound_path_of(sock) is None
        with pytest.raises(ValueError, match="an abstract name has no permissions"):
            local_sockets.bind_to_path(sock, b"\0lifecycle-test-name", 0o600)
        assert local_sockets.bind_to_path(sock, b"\0lifecycle-test-name", None) is None
        assert sock.getsockname() == b"\0lifecycle-test-name"
        assert local_sockets.bound_path_of(sock) is None


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no such sockets for Python")
def test_only_the_bound_file_is_removed(tmp_path: Path) -> None:
    """Another file at the path, the same file in another process's name, and a missing one are left."""
    path = os.fsencode(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as sock:
        assert local_sockets.bound_path_of(sock) is None
        bound = local_sockets.bind_to_path(sock, path, 0o600)
        assert bound is not None
        made = os.lstat(path)
        assert bound == BoundPath(path, made.st_dev, made.st_ino, os.getpid()) == local_sockets.bound_path_of(sock)
        assert made.st_mode & 0o777 == 0o600
        for other in (
            bound._replace(device=bound.device + 1),
            bound._replace(inode=bound.inode + 1),
            bound._replace(process=1),
        ):
            local_sockets.remove(other)
            assert os.path.exists(path)
        local_sockets.remove(bound)
        assert not os.path.exists(path)
        local_sockets.remove(bound)
        assert local_sockets.bound_path_of(sock) is None
