"""Socket options by name: each sets what set_option() sets, and is legal where that is."""

from __future__ import annotations

import errno
import socket
import struct

from lifecycle.net.os_socket import NO_SOCKET, OsSocket

KEEPALIVE_IDLE = ("TCP_KEEPIDLE", "TCP_KEEPALIVE")  # macOS has the second name
KEEPALIVE_INTERVAL = ("TCP_KEEPINTVL",)
KEEPALIVE_COUNT = ("TCP_KEEPCNT",)


def option_of(*names: str) -> int:
    """The number of the first option that this system has; OSError (ENOPROTOOPT) where it has none of them."""
    for name in names:
        number: int | None = getattr(socket, name, None)
        if number is not None:
            return number
    raise OSError(errno.ENOPROTOOPT, f"this system has no {names[0]}")


class NamedOptions(OsSocket):
    """The options of every socket."""

    __slots__ = ()

    def set_buffer_sizes(self, *, send: int | None = None, receive: int | None = None) -> None:
        """Set how many bytes the system buffers; None leaves a size as it is.

        The system may take another number: Linux doubles it, and has limits (net.core.wmem_max, net.core.rmem_max). Raises
        IllegalCall where there is no socket, ValueError for a size below 1, OSError.
        """
        for option, size in ((socket.SO_SNDBUF, send), (socket.SO_RCVBUF, receive)):
            if size is not None:
                if size < 1:
                    raise ValueError(f"a buffer has 1 or more bytes, not {size}")
                self.set_option(option=option, value=size)


class StreamOptions(NamedOptions):
    """The options of stream sockets."""

    __slots__ = ()

    def set_no_delay(self, on: bool = True) -> None:
        """Send small pieces at once rather than collect them (TCP_NODELAY, Nagle's algorithm off)."""
        self.set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(on))

    def set_keepalive(
        self, on: bool = True, *, idle: int | None = None, interval: int | None = None, count: int | None = None
    ) -> None:
        """Have the system probe a connection on which nothing happens, and break it when the peer does not answer.

        idle: seconds without traffic before the first probe (two hours by default). interval: seconds between probes. count:
        probes without an answer before the connection is broken: a receive then raises TimeoutError (ETIMEDOUT). None leaves a
        number as the system has it. Raises IllegalCall where there is no socket, OSError (ENOPROTOOPT) where the system has
        no such option.
        """
        self.set_option(option=socket.SO_KEEPALIVE, value=int(on))
        for names, number in ((KEEPALIVE_IDLE, idle), (KEEPALIVE_INTERVAL, interval), (KEEPALIVE_COUNT, count)):
            if number is not None:
                self.set_option(socket.IPPROTO_TCP, option_of(*names), number)


class DatagramOptions(NamedOptions):
    """The options of datagram sockets."""

    __slots__ = ()

    def set_broadcast(self, on: bool = True) -> None:
        """Allow messages to a broadcast address, which the system refuses otherwise (EACCES)."""
        self.set_option(option=socket.SO_BROADCAST, value=int(on))

    def join_group(self, group: str, interface: str | int | None = None) -> None:
        """Receive what is sent to a multicast group.

        group: its numeric address, of the socket's family. interface: for IPv4 the local address of one, for IPv6 its name or
        index; the system's choice when it is None. Raises IllegalCall where there is no socket, ValueError for an address that
        is not multicast, OSError (EADDRINUSE) for a group that was joined already, ENODEV.
        """
        self._set_membership(group, interface, join=True)

    def leave_group(self, group: str, interface: str | int | None = None) -> None:
        """Receive no longer what is sent to a multicast group; as for join_group(). OSError (EADDRNOTAVAIL) if not joined."""
        self._set_membership(group, interface, join=False)

    def set_multicast(self, *, hops: int | None = None, loop: bool | None = None, interface: str | int | None = None) -> None:
        """Set how messages to a multicast group are sent; None leaves each as it is.

        hops: how many routers may pass them on (1 by default: none). loop: whether members on this machine get them (they do
        by default). interface: as for join_group().
        """
        v6 = self._is_v6
        level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP
        if hops is not None:
            self.set_option(level, socket.IPV6_MULTICAST_HOPS if v6 else socket.IP_MULTICAST_TTL, hops)
        if loop is not None:
            self.set_option(level, socket.IPV6_MULTICAST_LOOP if v6 else socket.IP_MULTICAST_LOOP, int(loop))
        if interface is not None:
            option = socket.IPV6_MULTICAST_IF if v6 else socket.IP_MULTICAST_IF
            self.set_option(level, option, interface_index(interface) if v6 else interface_address(interface))

    def _set_membership(self, group: str, interface: str | int | None, *, join: bool) -> None:
        import ipaddress  # only those who name a group need it

        address = ipaddress.ip_address(group)
        if not address.is_multicast:
            raise ValueError(f"{group} is not the address of a multicast group")
        if address.version == 6:
            option = socket.IPV6_JOIN_GROUP if join else socket.IPV6_LEAVE_GROUP
            member = address.packed + struct.pack("@I", interface_index(interface))
            self.set_option(socket.IPPROTO_IPV6, option, member)
        else:
            option = socket.IP_ADD_MEMBERSHIP if join else socket.IP_DROP_MEMBERSHIP
            self.set_option(socket.IPPROTO_IP, option, address.packed + interface_address(interface))

    @property
    def _is_v6(self) -> bool:
        return self._socket is not NO_SOCKET and self._socket.family == socket.AF_INET6


def interface_index(interface: str | int | None) -> int:
    """The index of an interface by its name; 0, the system's choice, for None."""
    return socket.if_nametoindex(interface) if isinstance(interface, str) else interface or 0


def interface_address(interface: str | int | None) -> bytes:
    """The four bytes of an interface's IPv4 address; the unspecified one, the system's choice, for None."""
    if isinstance(interface, int):
        raise TypeError("an interface for IPv4 is given by its local address")
    import ipaddress

    return ipaddress.IPv4Address(interface or 0).packed
