"""Names, argument orders and errors as users of Python's sockets meet them."""

from __future__ import annotations

import errno
import pickle
import socket
from typing import Any

import pytest
from loopback import HOST, LONG, listening

from lifecycle import (
    Accepted,
    Address,
    BlockingCallCancelled,
    Client,
    Datagram,
    MessageTruncated,
    SendTimedOut,
    SendWouldBlock,
    Server,
    aio,
)
from lifecycle.net.os_socket import NAMES_HERE
from lifecycle.roles import CLIENT, words
from lifecycle.system.outcomes import outcome_of_error, system_error

EVERY_CLASS = (Server, Client, Accepted, Datagram, aio.Server, aio.Client, aio.Accepted, aio.Datagram)


@pytest.mark.parametrize("kind", EVERY_CLASS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_a_name_of_the_socket_module_is_answered_with_the_name_here(kind: Any) -> None:
    """recv, sendall, setsockopt and their like raise AttributeError, which says what the call is named on these objects."""
    subject = kind()
    for name, here in NAMES_HERE.items():
        assert hasattr(socket.socket, name) or name == "ioctl"  # which Windows has
        assert not hasattr(subject, name)
        with pytest.raises(AttributeError, match=f"has no attribute '{name}': here it is ") as failure:
            getattr(subject, name)
        assert str(failure.value).endswith(here)
    with pytest.raises(AttributeError, match=r"has no attribute 'no_such_name'$"):
        subject.no_such_name  # noqa: B018


@pytest.mark.parametrize("kind", [Client, aio.Client])
def test_set_option_takes_the_order_of_setsockopt_or_keywords(kind: Any) -> None:
    """set_option(level, option, value) sets what setsockopt() does; the level may be left out with keywords."""
    with kind() as client:
        client.open()
        client.set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        assert client.get_option(socket.SO_KEEPALIVE) == 1
        client.set_option(option=socket.SO_KEEPALIVE, value=0)
        assert client.get_option(socket.SO_KEEPALIVE) == 0
        client.set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert client.get_option(socket.TCP_NODELAY, level=socket.IPPROTO_TCP) == 1


def test_set_option_refuses_what_looks_like_another_order() -> None:
    """(option, value) and (option, value, level) are refused, in a sentence that says the order, and set nothing."""
    with Client() as client:
        client.open()
        with pytest.raises(TypeError, match=r"\(level, option, value\), as setsockopt\(\)"):
            client.set_option(socket.SO_KEEPALIVE, 1)
        for wrong in ((socket.SO_KEEPALIVE, 1, socket.SOL_SOCKET), (socket.TCP_NODELAY, 1, socket.IPPROTO_TCP)):
            with pytest.raises(ValueError, match=r"\(level, option, value\), as setsockopt\(\)"):
                client.set_option(*wrong)
        with pytest.raises(TypeError, match="positional"):
            client.get_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE)  # type: ignore[misc]
        assert client.get_option(socket.SO_KEEPALIVE) == client.get_option(socket.SO_DEBUG) == 0


@pytest.mark.parametrize(
    "error",
    [
        SendTimedOut(7),
        SendWouldBlock(8),
        BlockingCallCancelled(9),
        MessageTruncated(b"head", Address(HOST, 1)),
        MessageTruncated(b"head", None),
    ],
    ids=repr,
)
def test_errors_pickle(error: OSError) -> None:
    """An error arrives in another process as it was, text, number and attributes."""
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.errno, vars(copy)) == (type(error), str(error), error.errno, vars(error))


@pytest.mark.parametrize("name", ["EADDRNOTAVAIL", "EADDRINUSE", "EACCES", "EPERM", "EINVAL", "EFAULT", "EMFILE", "EPROTOTYPE"])
def test_what_this_machine_lacks_or_forbids_is_not_a_refusal(name: str) -> None:
    """A connect is `refused` where the network said no; what this machine lacks or forbids is `failed`."""
    assert outcome_of_error(CLIENT.call(words.CONNECT.name).errors, system_error(getattr(errno, name))) == "failed"
    assert outcome_of_error(CLIENT.call(words.CONNECT.name).errors, system_error(errno.ECONNREFUSED)) == "refused"


class Mine(Accepted):
    """An accepted connection of a class of its own."""

    __slots__ = ()


def test_a_server_accepts_objects_of_the_class_that_it_is_given() -> None:
    """accept() and iteration make objects of `accepts`; another class than one of Accepted is refused at once."""
    with listening(timeout=LONG, accepts=Mine) as server:
        for _ in range(2):
            with socket.create_connection(server.get_sock_name(), LONG), next(iter(server)) as accepted:
                assert type(accepted) is Mine
    for kind, wrong in ((Server, Client), (Server, aio.Accepted), (aio.Server, Accepted), (aio.Server, "Accepted")):
        with pytest.raises(TypeError, match="accepts is a subclass of Accepted"):
            kind(accepts=wrong)  # type: ignore[arg-type]


def test_a_target_of_the_other_twin_is_refused_before_the_system_is_asked() -> None:
    """accept(aio.Accepted()) is a TypeError; the connection stays in the queue, and its peer connected."""
    with listening(timeout=LONG) as server, socket.create_connection(server.get_sock_name(), LONG) as peer:
        target = aio.Accepted()
        with pytest.raises(TypeError, match="accept"):
            server.accept(target)  # type: ignore[arg-type]
        assert target.state == "empty"
        with server.accept() as accepted:
            peer.sendall(b"still here")
            assert accepted.receive() == b"still here"


def test_calls_are_seen_where_they_are_written() -> None:
    """The code that runs for send() and receive() is that of their handlers' file, so that debuggers and coverage see it."""
    for kind in (Client, Accepted, aio.Client, aio.Accepted):
        for name in (words.SEND.name, words.RECEIVE.name):
            method = getattr(kind, name)
            assert method.__code__.co_filename == method.__handler__.__code__.co_filename
            assert method.__code__.co_firstlineno >= method.__handler__.__code__.co_firstlineno
