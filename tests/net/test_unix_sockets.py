"""Unix-domain sockets: paths and abstract names, what is at a path before and after, datagrams."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from pathlib import Path

import pytest
from loopback import LONG, SHORT

from lifecycle import Client, Datagram, Server
from lifecycle.system.local_sockets import LONGEST_PATH

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix-domain sockets")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux's own")


def talk(server: Server, client: Client) -> None:
    """The two sides exchange data, and each sees the other's end."""
    with server.accept() as accepted:
        client.send(b"question")
        assert accepted.receive() == b"question"
        accepted.send(b"answer")
        assert client.receive() == b"answer"
        client.shut_down()
        assert accepted.receive() == b""
        assert accepted.state == "peer_closed"


@pytest.mark.parametrize("begin", ["create", "open", "open the family", "bind two steps"])
def test_a_connection_over_a_path(tmp_path: Path, begin: str) -> None:
    """create(path=), connect(path=) and accept() make a connection, whose addresses are paths."""
    place = tmp_path / "s"
    with Server(timeout=LONG) as server, Client(timeout=LONG) as client:
        if begin == "bind two steps":
            server.open(socket.AF_UNIX)
            server.bind(path=os.fsencode(place))
        else:
            server.create(path=place)
        server.listen()
        assert (server.local_address.path, str(server.local_address)) == (str(place), str(place))
        match begin:
            case "open":
                client.open()
            case "open the family":
                client.open(socket.AF_UNIX)
            case _:
                client.create()
        client.connect(path=server.local_address.path)
        assert client.state == "connected"
        assert client.get_peer_name().path == str(place)
        assert client.local_address.path == ""
        talk(server, client)


@on_linux
def test_the_longest_abstract_name() -> None:
    """The NUL before it does not count: one byte more is refused, before the system is asked."""
    name = os.urandom(LONGEST_PATH // 2).hex().encode().ljust(LONGEST_PATH, b"n")
    with Server() as server, Server() as other:
        server.create(path=b"\0" + name)
        with pytest.raises(OSError, match=f"{LONGEST_PATH} bytes at most, not {LONGEST_PATH + 1}$") as failure:
            other.create(path=b"\0n" + name)
        assert failure.value.errno == errno.ENAMETOOLONG


@on_linux
def test_abstract_names() -> None:
    """A name that begins with a NUL is not a file; it is the server's address, and mode does not apply to it."""
    name = f"\0lifecycle-{os.getpid()}"
    with Server(timeout=LONG) as server, Client(timeout=LONG) as client:
        with pytest.raises(ValueError, match="no permissions"):
            server.create(path=name, mode=0o600)
        server.create(path=name)
        server.listen()
        assert (server.local_address.path, str(server.local_address)) == (name, "@" + name[1:])
        client.create()
        client.connect(path=name)
        talk(server, client)


def test_a_path_is_removed_by_the_close_that_made_it(tmp_path: Path) -> None:
    """close() removes the path; detach() leaves it; another file that has taken its place is left."""
    place = tmp_path / "s"
    with Server() as server:
        server.create(path=place)
        assert stat.S_ISSOCK(place.lstat().st_mode)
    assert not place.exists()
    with Server() as server:
        server.create(path=place)
        socket.socket(fileno=server.detach()).close()
    assert place.exists()
    with Server() as server:
        server.create(path=place)  # nobody has it open any more: it is removed
        place.unlink()
        place.write_text("a file")
    assert place.read_text() == "a file"


def test_what_is_in_use_or_not_a_socket_is_left(tmp_path: Path) -> None:
    """A path at which another server listens, and one that is a file, are refused, and are as they were."""
    place = tmp_path / "s"
    with Server(timeout=LONG) as one, Server() as other, Client(timeout=LONG) as client:
        one.create(path=place)
        one.listen()
        with pytest.raises(OSError, match="another socket") as failure:
            other.create(path=place)
        assert (failure.value.errno, failure.value.filename, other.state) == (errno.EADDRINUSE, str(place), "empty")
        client.create()
        client.connect(path=place)
        with one.accept(), pytest.raises(BlockingIOError):
            one.accept(timeout=0)  # the other server's question was not a connection
    for kind, bound in ((Server, Datagram), (Datagram, Server), (Server, Server)):
        with bound() as one, kind() as other:
            one.create(path=place)  # and it does not listen yet
            with pytest.raises(OSError, match="another socket"):
                other.create(path=place)
            assert stat.S_ISSOCK(place.stat().st_mode)
    place.write_text("kept")
    with Server() as server, Client() as client:
        with pytest.raises(OSError, match="not a socket") as failure:
            server.create(path=place)
        assert (failure.value.errno, server.state, place.read_text()) == (errno.EADDRINUSE, "empty", "kept")
        client.create()
        with pytest.raises(OSError, match="s'") as failure:
            client.connect(path=place)
        assert "not a socket" in "".join(failure.value.__notes__)
        assert client.state == "bound"


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_permissions(tmp_path: Path, mode: int) -> None:
    """mode is the permissions of the path; without a path it is refused."""
    place = tmp_path / "s"
    with Server() as server:
        with pytest.raises(TypeError, match="mode"):
            server.create(0, mode=mode)
        server.create(path=place, mode=mode)
        assert stat.S_IMODE(place.stat().st_mode) == mode


@pytest.mark.parametrize("kind", [Server, Client, Datagram])
def test_bad_paths(kind: type[Server | Client | Datagram], tmp_path: Path) -> None:
    """One clear error for each, before the system is asked, and the state stays `empty`."""
    with kind() as target:
        with pytest.raises(OSError, match="bytes at most, not 200") as failure:
            target.create(path="x" * 200)
        assert failure.value.errno == errno.ENAMETOOLONG
        for path, error in (("", ValueError), ("a\0b", ValueError), (3, TypeError), (True, TypeError)):
            with pytest.raises(error, match="path"):
                target.create(path=path)  # type: ignore[arg-type]
        with pytest.raises(FileNotFoundError):
            target.create(path=tmp_path / "no" / "s")
        with pytest.raises(TypeError, match="takes the place"):
            target.create(80, path="s")
        assert target.state == "empty"
        assert target.fileno() == -1


def test_connects_that_fail(tmp_path: Path) -> None:
    """A missing path is `failed`, one where nobody listens is refused; the client may try again, also elsewhere."""
    place = tmp_path / "s"
    with Client(timeout=LONG) as client, Server(timeout=LONG) as server:
        client.create()
        with pytest.raises(FileNotFoundError):
            client.connect(path=place)
        server.create(path=place)
        with pytest.raises(ConnectionRefusedError):
            client.connect(path=place)
        assert client.state == "bound"
        server.listen()
        client.connect(path=place)
        talk(server, client)
    with Client() as client:
        client.create(0, "127.0.0.1")
        with pytest.raises(OSError, match="another family"):
            client.connect(path=place)
        with pytest.raises(TypeError):
            client.connect("127.0.0.1", 80, path=place)
        with pytest.raises(TypeError):
            client.connect()


@on_linux
def test_a_full_queue_is_waited_for(tmp_path: Path) -> None:
    """While the server's queue is full a connect is pending or times out, and finish_connect() tries again."""
    place = tmp_path / "s"
    with Server(timeout=LONG) as server, Client(timeout=LONG) as first, Client(timeout=SHORT) as second:
        server.create(path=place)
        server.listen(0)
        first.create()
        first.connect(path=place)
        second.create()
        with pytest.raises(TimeoutError):
            second.connect(path=place)
        assert second.state == "connecting"
        second.timeout = 0
        with pytest.raises(BlockingIOError):
            second.finish_connect()
        second.timeout = LONG
        server.accept().close()
        second.finish_connect()
        talk(server, second)


@pytest.mark.parametrize(("ends", "state"), [("nothing", "connected"), ("shutdown", "peer_closed"), ("fresh", "open")])
def test_attach_finds_the_state(ends: str, state: str) -> None:
    """attach() takes over a Unix-domain socket and enters the state that it is in; the wrong kind is refused."""
    one, other = socket.socketpair()
    with other, Client(timeout=LONG) as client, Datagram() as datagram:
        with pytest.raises(ValueError, match="SOCK_STREAM"):
            datagram.attach(one)
        if ends == "shutdown":
            other.shutdown(socket.SHUT_WR)
        client.attach(socket.socket(socket.AF_UNIX) if ends == "fresh" else one)
        assert client.state == state
    one.close()


def test_datagrams(tmp_path: Path) -> None:
    """Messages go to paths, the sender's path is seen, one that has none is given a name, and its answer arrives."""
    with Datagram(timeout=LONG) as server, Datagram(timeout=LONG) as client, Datagram(timeout=LONG) as ip:
        server.create(path=tmp_path / "d")
        client.open(socket.AF_UNIX)
        client.send_to(b"question", path=tmp_path / "d")
        assert client.state == "bound"
        data, sender = server.receive_from()
        assert (data, sender) == (b"question", client.get_sock_name())
        server.send_to(b"answer", path=sender.path)
        assert client.receive() == b"answer"
        client.connect(path=tmp_path / "d")
        client.send(b"more")
        assert server.receive() == b"more"
        client.disconnect()
        assert (client.state, client.get_sock_name()) == ("bound", sender)
        (tmp_path / "file").write_text("not a socket")
        for call in (lambda: client.connect(path=tmp_path / "file"), lambda: client.send_to(b"", path=tmp_path / "file")):
            with pytest.raises(ConnectionRefusedError, match="file'") as failure:
                call()
            assert "not a socket" in "".join(failure.value.__notes__)
        with pytest.raises(FileNotFoundError, match="nowhere"):
            client.send_to(b"", path=tmp_path / "nowhere")
        ip.create(0, "127.0.0.1")
        for call in (lambda: client.send_to(b"", "127.0.0.1", 9), lambda: ip.send_to(b"", path=tmp_path / "d")):
            with pytest.raises(OSError, match="AF_UNIX") as failure:
                call()
            assert failure.value.errno == errno.EAFNOSUPPORT


def test_a_socket_of_the_internet_is_not_bound_to_a_path(tmp_path: Path) -> None:
    """bind(path=...) says how to open one that can be, and creates nothing there."""
    with Client() as client:
        client.open()
        with pytest.raises(OSError, match=r"open\(AF_UNIX\) makes one that can") as failure:
            client.bind(path=tmp_path / "s")
        assert failure.value.errno == errno.EAFNOSUPPORT
        assert client.state == "open"
    assert list(tmp_path.iterdir()) == []


@on_linux
def test_a_full_receiver_is_waited_for(tmp_path: Path) -> None:
    """A message to a receiver whose queue is full waits as the timeout says, without a busy loop."""
    with Datagram() as server, Datagram(timeout=SHORT) as client:
        server.create(path=tmp_path / "d")
        client.open(socket.AF_UNIX)
        with pytest.raises(TimeoutError):
            for _ in range(10_000):
                client.send_to(b"x", path=tmp_path / "d")
        assert client.state == "bound"


def test_options_of_the_internet_are_not_set_on_a_path(tmp_path: Path) -> None:
    """A client that has them connects to a path, with the options that sockets of every family have."""
    with Server(timeout=LONG) as server, Client(timeout=LONG) as client:
        server.create(path=tmp_path / "s")
        server.listen()
        client.open()
        client.set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.connect(path=tmp_path / "s")
        assert client.get_option(socket.SO_KEEPALIVE)
        talk(server, client)
