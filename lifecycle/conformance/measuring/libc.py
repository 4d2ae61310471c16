"""The calls that Python's socket module does not make as they are asked for: it makes none where nothing is to be received."""

from __future__ import annotations

import ctypes
import os
import socket
from functools import cache
from typing import Any

LONGEST_NAME = 128  # bytes, of a sockaddr_storage


class NoLibrary(OSError):
    """This system has no C library that could be called."""


@cache
def _library() -> Any:
    if os.name != "posix":
        raise NoLibrary("the calls that Python does not make are measured on POSIX systems only")
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def forget_peer(sock: socket.socket) -> None:
    """connect() to an address of family AF_UNSPEC."""
    nobody = bytes(28)
    _checked(_library().connect(sock.fileno(), nobody, 16))


def receive_nothing(sock: socket.socket) -> int:
    """recv() of 0 bytes."""
    return _checked(_library().recv(sock.fileno(), ctypes.create_string_buffer(1), 0, 0))


def receive_from(sock: socket.socket, size: int) -> tuple[int, int]:
    """recvfrom(): (how many bytes, how long the sender's address is)."""
    length = ctypes.c_uint32(LONGEST_NAME)
    buffer, name = ctypes.create_string_buffer(size), ctypes.create_string_buffer(LONGEST_NAME)
    received = _checked(_library().recvfrom(sock.fileno(), buffer, size, 0, name, ctypes.byref(length)))
    return received, length.value


def close(number: int) -> None:
    """close() of a descriptor, which may be none."""
    _checked(_library().close(number))
