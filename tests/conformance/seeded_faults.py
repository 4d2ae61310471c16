"""Fifty-two faults, each in a subclass of the standard library's socket: what a suite for sockets has to find."""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from contextlib import suppress
from typing import Any, ClassVar

STREAMS, SERVERS, CLIENTS, DATAGRAMS = "accepted", "server", "client", "datagram"


class Sound(socket.socket):
    """Accepts sockets of its own class, and otherwise works correctly; each subclass is a fault that shows in one role."""

    shows_in: ClassVar[str]

    def __init_subclass__(cls, shows_in: str = STREAMS) -> None:
        cls.shows_in = shows_in

    def accept(self) -> tuple[Any, Any]:
        number, address = self._accept()  # type: ignore[attr-defined]
        accepted = type(self)(self.family, self.type, self.proto, fileno=number)
        if self.gettimeout():
            accepted.setblocking(True)
        return accepted, address


def late(call: str, error: type[OSError] = TimeoutError, seconds: float = 1) -> Any:
    """A method that makes the call, and raises such an error only after some seconds."""

    def method(self: Sound, *arguments: Any) -> Any:
        try:
            return getattr(socket.socket, call)(self, *arguments)
        except error:
            time.sleep(seconds)
            raise

    return method


class AcceptGivesOwnAddress(Sound, shows_in=SERVERS):
    def accept(self) -> tuple[Any, Any]:
        accepted, _ = super().accept()
        return accepted, accepted.getsockname()


class PeerNameIsOwn(Sound):
    def getpeername(self) -> Any:
        super().getpeername()
        return self.getsockname()


class ForgetsOption(Sound):
    def setsockopt(self, level: int, option: int, value: Any) -> None:  # type: ignore[override]
        if option != socket.SO_RCVBUF:
            super().setsockopt(level, option, value)


class ReportsOptionWrongly(Sound):
    def getsockopt(self, level: int, option: int, *size: int) -> Any:  # type: ignore[override]
        value = super().getsockopt(level, option, *size)
        return 1 if option == socket.SO_RCVBUF else value


class IgnoresSize(Sound):
    def recv(self, size: int, flags: int = 0) -> bytes:
        return super().recv(65536 if size else 0, flags)


class DropsRest(Sound):
    def recv(self, size: int, flags: int = 0) -> bytes:
        return super().recv(65536 if size else 0, flags)[:size]


class LosesSecondMessage(Sound):
    def recv(self, size: int, flags: int = 0) -> bytes:
        return super().recv(size, flags)[:7]


class PeekTakes(Sound):
    def recv(self, size: int, flags: int = 0) -> bytes:
        return super().recv(size, flags & ~socket.MSG_PEEK)


class GarblesWhatIsLong(Sound):
    def send(self, data: Any, flags: int = 0) -> int:
        return super().send(bytes(data[:65536]) + bytes(max(len(data) - 65536, 0)), flags)


class SendsTwice(Sound):
    def send(self, data: Any, flags: int = 0) -> int:
        if len(data) < 100:
            super().send(data, flags)
        return super().send(data, flags)


class KeepsLastByte(Sound):
    def send(self, data: Any, flags: int = 0) -> int:
        if not 1 < len(data) < 1000:
            return super().send(data, flags)
        return super().send(data[:-1], flags) + 1


class CannotSendNothing(Sound):
    def send(self, data: Any, flags: int = 0) -> int:
        if not len(data):
            raise OSError(errno.EINVAL, "nothing to send")
        return super().send(data, flags)


class SendallSendsOne(Sound):
    def sendall(self, data: Any, flags: int = 0) -> None:
        super().send(data[:1], flags)


class ReceivesIntoNothing(Sound):
    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        return 0


class DatagramKeepsRest(Sound, shows_in=DATAGRAMS):
    rest = b""

    def recv(self, size: int, flags: int = 0) -> bytes:
        if self.type != socket.SOCK_DGRAM:
            return super().recv(size, flags)
        data = self.rest or super().recv(65536, flags)
        self.rest = data[size:]
        return data[:size]


class SevenBits(Sound):
    def send(self, data: Any, flags: int = 0) -> int:
        return super().send(bytes(each & 0x7F for each in bytes(data)) if len(data) < 9999 else data, flags)


class CloseKeepsDescriptor(Sound):
    kept: ClassVar[list[int]] = []

    def close(self) -> None:
        if self.fileno() != -1:
            self.kept.append(os.dup(self.fileno()))
        super().close()


class CloseResets(Sound):
    def close(self) -> None:
        if self.fileno() != -1 and self.type == socket.SOCK_STREAM:
            with suppress(OSError):
                super().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        super().close()


class DetachCloses(Sound):
    def detach(self) -> int:
        number = super().detach()
        if number != -1:
            os.close(number)
        return number


class TimeOutIsLate(Sound):
    recv = late("recv")


class TimeOutAtOnce(Sound):
    def recv(self, size: int, flags: int = 0) -> bytes:
        seconds = self.gettimeout()
        if not seconds:
            return super().recv(size, flags)
        self.settimeout(0)
        try:
            return super().recv(size, flags)
        except BlockingIOError:
            raise TimeoutError("timed out") from None
        finally:
            self.settimeout(seconds)


class AcceptWaits(Sound, shows_in=SERVERS):
    def accept(self) -> tuple[Any, Any]:
        if self.gettimeout() == 0:
            time.sleep(0.2)
        return super().accept()


class ConnectWaits(Sound, shows_in=CLIENTS):
    def connect(self, address: Any) -> None:
        if self.gettimeout() != 0 or self.type != socket.SOCK_STREAM:
            return super().connect(address)
        self.settimeout(0.2)
        try:
            super().connect(address)
        except TimeoutError:
            raise BlockingIOError(errno.EINPROGRESS, "under way") from None
        finally:
            self.settimeout(0)


class LastComesFirst(Sound, shows_in=SERVERS):
    def accept(self) -> tuple[Any, Any]:
        waiting = self.__dict__.setdefault("waiting", [])
        with suppress(BlockingIOError):
            while self.gettimeout() == 0:
                waiting.append(super().accept())
        return waiting.pop() if waiting else super().accept()

    def close(self) -> None:
        for accepted, _ in self.__dict__.pop("waiting", []):
            accepted.close()
        super().close()


class QueuesOne(Sound, shows_in=SERVERS):
    def listen(self, backlog: int = 0) -> None:
        super().listen(0)


class TiresOfAccepting(Sound, shows_in=SERVERS):
    accepts = 0

    def accept(self) -> tuple[Any, Any]:
        self.accepts += 1
        if self.accepts > 2:
            raise OSError(errno.EBADF, "no more")
        return super().accept()


class ResetIsTimeOut(Sound):
    def recv(self, size: int, flags: int = 0) -> bytes:
        try:
            return super().recv(size, flags)
        except ConnectionResetError:
            raise OSError(errno.ETIMEDOUT, "timed out") from None


class RefusedIsReset(Sound, shows_in=CLIENTS):
    def connect(self, address: Any) -> None:
        try:
            super().connect(address)
        except ConnectionRefusedError:
            raise ConnectionResetError(errno.ECONNRESET, "reset") from None


class ShutsBoth(Sound):
    def shutdown(self, how: int) -> None:
        super().shutdown(socket.SHUT_RDWR)


class ShutsNothing(Sound):
    def shutdown(self, how: int) -> None:
        if how == socket.SHUT_WR:
            super().getpeername()
        else:
            super().shutdown(how)


class BlockLeavesItOpen(Sound):
    def __exit__(self, *error: object) -> None: ...


class ErrorSticks(Sound, shows_in=CLIENTS):
    error = 0

    def getsockopt(self, level: int, option: int, *size: int) -> Any:  # type: ignore[override]
        value = super().getsockopt(level, option, *size)
        if option == socket.SO_ERROR and isinstance(value, int):
            value = self.error = value or self.error
        return value


class CountsWhatDidNotFit(Sound):
    def send(self, data: Any, flags: int = 0) -> int:
        super().send(data, flags)
        return len(data)


class SendallStopsEarly(Sound):
    def sendall(self, data: Any, flags: int = 0) -> None:
        super().sendall(data[:65536], flags)


class SendmsgSendsOne(Sound):
    def sendmsg(self, buffers: Any, *rest: Any) -> int:
        return super().sendmsg(list(buffers)[:1], *rest)


class ReceivesIntoAll(Sound):
    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        return super().recv_into(buffer, 0, flags)


class LosesWhatIsLong(Sound):
    def recv(self, size: int, flags: int = 0) -> bytes:
        return super().recv(size, flags)[:8192]


class PeeksOnce(Sound):
    has_peeked = False

    def recv(self, size: int, flags: int = 0) -> bytes:
        if flags & socket.MSG_PEEK and self.has_peeked:
            return b""
        self.has_peeked = bool(flags & socket.MSG_PEEK)
        return super().recv(size, flags)


class TimeOutIsEarly(Sound):
    def recv(self, size: int, flags: int = 0) -> bytes:
        seconds = self.gettimeout()
        if not seconds:
            return super().recv(size, flags)
        self.settimeout(seconds / 1000)  # half of it may seem the whole on a busy machine
        try:
            return super().recv(size, flags)
        finally:
            self.settimeout(seconds)


class ConnectTimesOutLate(Sound, shows_in=CLIENTS):
    connect = late("connect")


class SendTimesOutLate(Sound):
    send = late("send")


class SendWaits(Sound):
    send = late("send", BlockingIOError, 0.2)


class RecvfromTimesOutLate(Sound, shows_in=DATAGRAMS):
    recvfrom = late("recvfrom")


class ForgetsKeepalive(Sound):
    def setsockopt(self, level: int, option: int, value: Any) -> None:  # type: ignore[override]
        if (level, option) != (socket.SOL_SOCKET, socket.SO_KEEPALIVE):
            super().setsockopt(level, option, value)


class ForgetsNoDelay(Sound):
    def setsockopt(self, level: int, option: int, value: Any) -> None:  # type: ignore[override]
        if (level, option) != (socket.IPPROTO_TCP, socket.TCP_NODELAY):
            super().setsockopt(level, option, value)


class KindIsRaw(Sound):
    def getsockopt(self, level: int, option: int, *size: int) -> Any:  # type: ignore[override]
        return socket.SOCK_RAW if option == socket.SO_TYPE else super().getsockopt(level, option, *size)


class AcceptGivesList(Sound, shows_in=SERVERS):
    def accept(self) -> tuple[Any, Any]:
        accepted, address = super().accept()
        return accepted, list(address)


class AcceptLosesWhatCameBefore(Sound, shows_in=SERVERS):
    def accept(self) -> tuple[Any, Any]:
        accepted, address = super().accept()
        with suppress(OSError):
            socket.socket.recv(accepted, 100, socket.MSG_DONTWAIT)
        return accepted, address


class SendsNoEmptyMessage(Sound, shows_in=DATAGRAMS):
    def send(self, data: Any, flags: int = 0) -> int:
        is_empty_message = self.type == socket.SOCK_DGRAM and not len(data)
        return 0 if is_empty_message else super().send(data, flags)


class CutsLongMessages(Sound, shows_in=DATAGRAMS):
    def sendto(self, data: Any, *rest: Any) -> int:
        super().sendto(data[:1000], *rest)
        return len(data)


class PeerNameStays(Sound, shows_in=DATAGRAMS):
    name: Any = None

    def getpeername(self) -> Any:
        name = super().getpeername()
        self.name = self.name or name
        return self.name


class ReceivesMessagesIntoNothing(Sound, shows_in=DATAGRAMS):
    def recvfrom_into(self, buffer: Any, size: int = 0, flags: int = 0) -> Any:
        return 0, super().recvfrom_into(buffer, size, flags)[1]


FAULTS: dict[type[Sound], str] = {fault: fault.shows_in for fault in Sound.__subclasses__()}
"""a fault -> the role in which it shows"""
