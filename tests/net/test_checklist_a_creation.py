"""The MFC checklist, section A: creation."""

from __future__ import annotations

import copy
import errno
import pickle
import socket
import subprocess
import sys
from typing import Any

import pytest
from loopback import HOST, raw_listener
from refusals import bad_input, fails, kernel_addresses, refused, unchanged
from sockets_in_states import BINDABLE, CLASSES, Arrangement, bound, choose_port, in_any_state, opened

from lifecycle import Client, Datagram, Server
from lifecycle.net.blocking.created import Created as Bindable
from lifecycle.net.blocking.driver import BlockingSocket as OsSocket
from lifecycle.roles import ROLES
from lifecycle.system.platform_answers import platform_answers

every_class = pytest.mark.parametrize("kind", CLASSES)
every_bindable = pytest.mark.parametrize("kind", BINDABLE)


def resolves_nothing(*_: object) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@every_bindable
def test_row_001_create_binds_the_port(kind: type[Bindable]) -> None:
    """create(port) of an empty object succeeds, and the local port is that port."""
    with kind() as target:
        assert target.state == "empty"
        port = choose_port(lambda port: target.create(port, HOST))
        assert target.state == "bound"
        assert target.get_sock_name() == (HOST, port)
        assert kernel_addresses(target)[0] == (HOST, port)


@every_bindable
def test_row_002_create_without_a_port_gets_one_of_the_systems(kind: type[Bindable]) -> None:
    """create() asks for port 0, and get_sock_name() shows the port above 1024 that the system chose."""
    with kind() as target:
        target.create()
        assert target.state == "bound"
        assert target.get_sock_name().port > 1024


@pytest.mark.parametrize("kind", [Server, Client])
def test_row_003_create_makes_a_stream(kind: type[Bindable]) -> None:
    """create() of a Server or a Client makes a stream socket."""
    with kind() as target:
        target.create(0, HOST)
        assert target.get_option(socket.SO_TYPE) == socket.SOCK_STREAM


def test_row_004_create_of_a_datagram_makes_one() -> None:
    """Datagram.create(port) makes a bound datagram socket; here the class says the kind, not an argument."""
    with Datagram() as datagram:
        port = choose_port(lambda port: datagram.create(port, HOST))
        assert datagram.state == "bound"
        assert datagram.get_option(socket.SO_TYPE) == socket.SOCK_DGRAM
        assert datagram.get_sock_name() == (HOST, port)


@in_any_state
def test_row_005_create_and_open_of_an_object_with_a_socket_are_refused(arranged: Arrangement) -> None:
    """Where MFC asserts, create() and open() raise IllegalCall in every state with a socket."""
    with arranged() as target:
        with refused(target, "create"):
            target.create(0, HOST)  # type: ignore[attr-defined]
        with refused(target, "open"):
            target.open()  # type: ignore[attr-defined]


@every_bindable
def test_row_006_create_with_a_port_in_use_leaves_the_object_empty(kind: type[Bindable]) -> None:
    """create() with a port in use raises EADDRINUSE, the object is empty again, and may be created with another port."""
    with socket.socket(type=socket.SOCK_DGRAM) as raw_datagram, raw_listener() as listener, kind() as target:
        raw_datagram.bind((HOST, 0))
        taken = raw_datagram if kind is Datagram else listener
        with fails(target, errno.EADDRINUSE):
            target.create(taken.getsockname()[1], HOST)
        assert (target.state, target.fileno()) == ("empty", -1)
        target.create(0, HOST)
        assert target.state == "bound"


@every_bindable
def test_row_007_create_resolves_a_local_name(kind: type[Bindable], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where MFC takes dotted numbers only, create() resolves names too; nonsense is a ValueError, and not looked up."""
    with kind() as target:
        monkeypatch.setattr(socket, "getaddrinfo", resolves_nothing)
        for nonsense in ("1.2.3", "256.1.1.1", "1.2.3.4.5", ""):
            with bad_input(target, ValueError):
                target.create(0, nonsense)
        with fails(target, socket.EAI_NONAME):
            target.create(0, "no-such-host.invalid")
        assert target.state == "empty"
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, port, *_: [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (HOST, port))]
        )
        target.create(0, "host.name")
        assert target.get_sock_name().host == HOST


@every_bindable
def test_row_008_create_with_a_foreign_address_fails(kind: type[Bindable]) -> None:
    """create() with an address of another machine raises EADDRNOTAVAIL, and the object stays empty."""
    with kind() as target, fails(target, errno.EADDRNOTAVAIL):
        target.create(0, "192.0.2.1")


@every_bindable
def test_row_009_create_takes_no_type(kind: type[Bindable]) -> None:
    """MFC answers WSAESOCKTNOSUPPORT; here there is no type to give (TypeError), and a wrong family is a ValueError."""
    target: Any
    with kind() as target:
        with bad_input(target, TypeError):
            target.create(0, socket.SOCK_RDM)
        with bad_input(target, TypeError):
            target.create(0, HOST, socket.SOCK_RDM)
        with bad_input(target, TypeError):
            target.create(0, type=socket.SOCK_RDM)
        with bad_input(target, ValueError):
            target.create(0, HOST, family=socket.AF_UNSPEC)
        with bad_input(target, ValueError):
            target.open(12345)


@every_bindable
def test_row_010_open_gets_a_socket_without_an_address(kind: type[Bindable]) -> None:
    """open() (MFC's Socket) leads to `open`: there is a descriptor, and it is not bound."""
    with kind() as target:
        target.open()
        assert target.state == "open"
        assert target.fileno() >= 0
        assert target.local_address is None
        assert kernel_addresses(target)[0] in (None, ("0.0.0.0", 0))


def test_row_011_an_option_set_before_bind_is_honoured() -> None:
    """SO_REUSEADDR set between open() and bind() lets a port that lingers after a connection be bound at once."""
    with raw_listener() as listener:
        with Client() as first:
            first.open()
            first.set_option(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = choose_port(lambda port: first.bind(port, HOST))
            first.connect(*listener.getsockname())
            peer, _ = listener.accept()
        peer.close()
        with Client() as second:
            second.open()
            with fails(second, errno.EADDRINUSE):
                second.bind(port, HOST)
            second.set_option(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            second.bind(port, HOST)
            assert second.get_sock_name() == (HOST, port)


@every_bindable
def test_row_012_reuse_set_after_bind_changes_nothing(kind: type[Bindable]) -> None:
    """SO_REUSEADDR may be set on a bound socket, to no effect."""
    with bound(kind) as target, unchanged(target):
        target.set_option(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


@every_bindable
def test_row_013_bind_gives_an_open_socket_its_address(kind: type[Bindable]) -> None:
    """bind(port) of an open socket leads to `bound`, on the same descriptor."""
    with kind() as target:
        target.open()
        descriptor = target.fileno()
        port = choose_port(lambda port: target.bind(port, HOST))
        assert (target.state, target.fileno()) == ("bound", descriptor)
        assert target.get_sock_name() == (HOST, port)


@every_bindable
def test_row_014_bind_of_a_bound_socket_is_refused(kind: type[Bindable]) -> None:
    """A second bind() raises IllegalCall, and the first address stays."""
    with bound(kind) as target, refused(target, "bind", "WSAEINVAL"):
        target.bind(0, HOST)  # type: ignore[attr-defined]


@every_class
@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("bind", (0, HOST)),
        ("listen", ()),
        ("connect", (HOST, 9)),
        ("send", (b"data",)),
        ("receive", ()),
        ("shut_down", ()),
        ("get_sock_name", ()),
    ],
)
def test_row_015_calls_of_an_empty_object_are_refused(kind: type[OsSocket], call: str, arguments: tuple[object, ...]) -> None:
    """An object without a socket refuses every call that needs one: Winsock would answer WSAENOTSOCK."""
    with kind() as target, refused(target, call, "WSAENOTSOCK"):
        getattr(target, call)(*arguments)


def test_row_016_nothing_has_to_be_initialised() -> None:
    """There is no AfxSocketInit: the first call of a program may be create(), and no refusal speaks of WSANOTINITIALISED."""
    program = "from lifecycle import Server\nwith Server() as server: server.create(0, '127.0.0.1'); print(server.state)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["bound"]
    answers = {
        answer
        for role in ROLES.values()
        for state in role.states
        for call in role.calls
        for answer in platform_answers(role.name, state.name, call.name).values()
    }
    assert "WSANOTINITIALISED" not in answers


@every_bindable
def test_row_017_bind_without_an_address_takes_every_interface(kind: type[Bindable]) -> None:
    """bind(port, None) means 0.0.0.0, and so does create(); a server's means both families, where the system can do that."""
    with opened(kind) as target, kind() as created:
        target.bind(0, None)  # type: ignore[attr-defined]
        created.create()
        assert target.get_sock_name().host == "0.0.0.0"
        assert created.get_sock_name().host in ({"::", "0.0.0.0"} if issubclass(kind, Server) else {"0.0.0.0"})


@every_bindable
def test_row_018_bind_resolves_a_local_name(kind: type[Bindable], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where MFC takes dotted numbers only, bind() resolves names too, and keeps `open` when there is nothing to be found."""
    with kind() as target:
        target.open()
        monkeypatch.setattr(socket, "getaddrinfo", resolves_nothing)
        for nonsense in ("1.2.3", "256.1.1.1"):
            with bad_input(target, ValueError):
                target.bind(0, nonsense)
        with fails(target, socket.EAI_NONAME):
            target.bind(0, "no-such-host.invalid")
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, port, *_: [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (HOST, port))]
        )
        target.bind(0, "not.dotted")
        assert target.get_sock_name().host == HOST


@every_bindable
def test_row_019_create_of_a_closed_object_is_refused(kind: type[Bindable]) -> None:
    """MFC creates a closed object afresh; here closed is final, and the refusal says so."""
    with kind() as target:
        target.create(0, HOST)
        target.close()
        for call in ("create", "open"):
            with refused(target, call):
                getattr(target, call)()
            assert target.role.reason("closed", call) == "Closed is final: make a new object"
            assert target.role.remedy("closed", call) is None


@every_class
def test_row_020_an_object_is_not_copied(kind: type[OsSocket]) -> None:
    """Copying and pickling raise TypeError (MFC's assignment is private), whether the object has a socket or not."""
    target: Any
    with kind() as target:
        for _ in range(2):
            for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
                with bad_input(target, TypeError):
                    duplicate(target)
            if hasattr(target, "create") and target.state == "empty" and "create" in target.legal:
                target.create(0, HOST)
