"""TLS under the checker: each hazard in a few lines, and the right way, over a pair of sockets."""

from __future__ import annotations

import asyncio
import linecache
import os
import select
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
import trustme
from loopback import Background

from lifecycle.checking import Finding, checked_sockets
from lifecycle.checking.formats.codes import code_of_hazard
from lifecycle.roles.python import tls_hazards as hazards
from lifecycle.roles.python.hazards import Hazard

AUTHORITY, STRANGER = trustme.CA(), trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("localhost")
LIMIT = 5.0  # seconds that a socket waits


def client_side(authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    """The context of a client that trusts the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


def server_side() -> ssl.SSLContext:
    """The context of a server with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(context)
    return context


Program = Callable[[ssl.SSLSocket, ssl.SSLSocket], object]


def secured(program: Program) -> list[Finding]:
    """What is found while `program` uses a client and a server between which TLS is up."""
    with checked_sockets(open_is_leak=False) as findings:
        left, right = socket.socketpair()
        left.settimeout(LIMIT)
        right.settimeout(LIMIT)
        accepting = Background(lambda: server_side().wrap_socket(right, server_side=True))
        client = client_side().wrap_socket(left, server_hostname="localhost")
        with client, accepting.result() as server, suppress(OSError, ValueError):
            program(client, server)
    return findings


def shut_down(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """Half close by shutdown()."""
    client.shutdown(socket.SHUT_WR)
    server.sendall(b"answer")
    client.recv(100)


def goes_on_in_the_clear(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """Both directions are shut, and yet it receives."""
    client.shutdown(socket.SHUT_RDWR)
    client.recv(100)


def unwraps_too_early(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """The server's greeting is unread."""
    server.sendall(b"greeting")
    time.sleep(0.05)
    client.unwrap()


def takes_a_cut_for_the_end(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """The server closes without close_notify."""
    server.sendall(b"half")
    server.close()
    while client.recv(100):
        pass


def waits_with_data(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """A part of the record is read, and select() is asked for the rest."""
    server.sendall(b"12345")
    client.recv(1)
    select.select([client], [], [], 0.01)
    client.recv(100)


def waits_with_data_by_a_selector(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """The same with a selector that has the socket."""
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ)
        server.sendall(b"12345")
        client.recv(1)
        selector.select(0.01)
        client.recv(100)


def waits_with_data_by_poll(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """The same with poll()."""
    poll = select.poll()
    poll.register(client, select.POLLIN)
    server.sendall(b"12345")
    client.recv(1)
    poll.poll(10)
    client.recv(100)


def detaches(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """The descriptor is handed out, and TLS goes on."""
    number = client.detach()
    with suppress(OSError):
        client.recv(1)
    os.close(number)


def closes_unread(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """It sends and closes; the tickets of the server are unread."""
    client.sendall(b"all")
    client.close()


WRONG: tuple[tuple[Program, Hazard], ...] = (
    (shut_down, hazards.DROPPED),
    (goes_on_in_the_clear, hazards.PLAIN_AFTER),
    (unwraps_too_early, hazards.UNREAD),
    (takes_a_cut_for_the_end, hazards.TRUNCATED),
    (waits_with_data, hazards.WAIT_WITH_PENDING),
    (waits_with_data_by_a_selector, hazards.WAIT_WITH_PENDING),
    (waits_with_data_by_poll, hazards.WAIT_WITH_PENDING),
    (detaches, hazards.ORDER),
    (closes_unread, hazards.MAY_RESET),
)


@pytest.mark.parametrize(("program", "hazard"), WRONG, ids=lambda value: getattr(value, "__name__", ""))
def test_hazard_of_a_secured_connection_is_found(program: Program, hazard: Hazard) -> None:
    """Each hazard is found once, in the function that has it, by its code and with what helps."""
    (found,) = secured(program)
    assert (found.code, found.kind, found.place.function) == (code_of_hazard(hazard).name, "tls", program.__name__)
    assert found.help == hazard.remedy


def talks(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """Question, answer, and the end by unwrap() on both sides."""
    client.sendall(b"question")
    server.recv(100)
    server.sendall(b"answer")
    client.recv(100)
    ending = Background(server.unwrap)
    client.unwrap()
    ending.result()


def ends_hard(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """shutdown() just before close() is a habit, and no hazard."""
    server.sendall(b"x")
    client.recv(1)
    client.shutdown(socket.SHUT_RDWR)
    client.close()


def asks_both(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """It asks the descriptor, which does not wait, and TLS; and it waits only when TLS has nothing, or to write."""
    poll = select.poll()
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ)
        poll.register(client, select.POLLOUT)
        server.sendall(b"12345")
        selector.select(1)
        for _ in range(5):
            assert client.recv(1)
            poll.poll(10)
            assert select.select([client], [], [], 0)[0] or selector.select(0) or client.pending() or client.gettimeout()
        selector.select(0.01)


def ends_the_wait_of_a_thread(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
    """shutdown() wakes the thread that receives: the end that it receives is the program's own."""
    server.sendall(b"x")
    client.recv(1)
    waiting = Background(lambda: (client.recv(1), client.recv(1)))
    time.sleep(0.05)
    client.shutdown(socket.SHUT_RDWR)
    assert waiting.result() == (b"", b"")


RIGHT = (talks, ends_hard, asks_both, ends_the_wait_of_a_thread)


@pytest.mark.parametrize("program", RIGHT, ids=lambda program: program.__name__)
def test_right_program_is_left_alone(program: Program) -> None:
    """What a careful program does with TLS is not a finding."""
    assert secured(program) == []


def test_questions_before_the_handshake_and_calls_after_a_failed_one() -> None:
    """What has no answer before the handshake, and all but close() after a failed one, is out of order."""
    with checked_sockets(open_is_leak=False) as findings:
        left, right = socket.socketpair()
        accepting = Background(lambda: server_side().wrap_socket(right, server_side=True))
        context = client_side(STRANGER)
        with context.wrap_socket(left, server_hostname="localhost", do_handshake_on_connect=False) as client:
            assert client.version() is None
            with pytest.raises(ssl.SSLCertVerificationError):
                client.do_handshake()
            with suppress(OSError):
                client.do_handshake()
        with suppress(OSError):
            accepting.result()
    assert [(found.code, found.call) for found in findings] == [("LC503", "version"), ("LC503", "do_handshake")]


def in_memory(authority: trustme.CA, data: bool) -> list[Finding]:
    """What is found while a client shakes hands over memory, with or without sending what it wants to send."""
    with checked_sockets(open_is_leak=False) as findings:
        left, right = socket.socketpair()
        accepting = Background(lambda: server_side().wrap_socket(right, server_side=True))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = client_side(authority).wrap_bio(incoming, outgoing, server_hostname="localhost")
        with suppress(ssl.SSLCertVerificationError), left:
            for _ in range(5):
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    if data:
                        left.sendall(outgoing.read())
                        incoming.write(left.recv(1 << 16))
        if data:
            with suppress(OSError):
                accepting.result().close()
        right.close()
    return findings


def test_memory_that_is_not_written_or_not_sent() -> None:
    """TLS that wants to read thrice without anything new, and an alert that is never sent, are found."""
    assert [found.code for found in in_memory(AUTHORITY, data=False)] == [code_of_hazard(hazards.END_NOT_TOLD).name]
    (left,) = in_memory(STRANGER, data=True)
    assert left.code == code_of_hazard(hazards.ALERT_LEFT).name
    assert "suppress(ssl.SSLCertVerificationError)" in linecache.getline(left.file, left.line), "where the error is taken"
    assert in_memory(AUTHORITY, data=True) == []


@pytest.mark.parametrize("before", [True, False], ids=["duplicated before", "made of its number"])
def test_data_below_tls(before: bool) -> None:
    """What another object over the descriptor sends below TLS is reported, once; an object that only asks is not."""
    with checked_sockets(open_is_leak=False) as findings:
        left, right = socket.socketpair()
        left.settimeout(LIMIT)
        right.settimeout(LIMIT)
        copy = left.dup() if before else None
        accepting = Background(lambda: server_side().wrap_socket(right, server_side=True))
        client = client_side().wrap_socket(left, server_hostname="localhost")
        with client, accepting.result(), copy or socket.fromfd(client.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as below:
            below.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            assert findings == []
            below.sendall(b"in the clear")
            below.sendall(b"in the clear")
    assert {found.code for found in findings} == {code_of_hazard(hazards.UNDER_TLS).name}


def test_data_after_the_end_of_tls() -> None:
    """What another object sends when unwrap() has said the end of TLS, or a receive meets after it, is no hazard."""

    def goes_on(client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
        client.setblocking(False)
        with suppress(ssl.SSLWantReadError):
            client.unwrap()
        with socket.fromfd(client.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as plain:
            plain.sendall(b"in the clear")
        server.close()
        client.recv(1)

    assert secured(goes_on) == []


def test_plain_data_that_a_reader_holds_when_tls_begins() -> None:
    """A line that came before the handshake and is still in a reader's buffer is told at wrap_socket(), and stays readable."""
    with checked_sockets(open_is_leak=False) as findings:
        left, right = socket.socketpair()
        with left, right, left.makefile("rb") as lines:
            right.sendall(b"STARTTLS\r\nmore\r\n")
            assert lines.readline() == b"STARTTLS\r\n"
            left.setblocking(False)
            with server_side().wrap_socket(left, server_side=True, do_handshake_on_connect=False):
                assert lines.readline() == b"more\r\n"
    assert [found.code for found in findings] == [code_of_hazard(hazards.PLAIN_LEFT).name]


async def over_streams() -> bytes:
    """A question and the answer over asyncio's streams; the client closes twice, and waits until that has ended."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"answer")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_side())
    async with server:
        address = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*address, ssl=client_side(), server_hostname="localhost")
        writer.write(b"question")
        answered = await reader.read(100)
        writer.close()
        writer.close()  # CPython's transport has no protocol from here on
        await writer.wait_closed()
    return answered


def test_asyncio_over_tls_ends_as_it_does_without_the_checker() -> None:
    """A stream over TLS that is closed twice ends, and the last callback of its reader raises nothing."""
    with checked_sockets() as findings:
        assert asyncio.run(asyncio.wait_for(over_streams(), LIMIT)) == b"answer"
    assert findings == []
