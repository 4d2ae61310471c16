"""TLS with peers of other makers: OpenSSL's programs, Node, and Go's crypto/tls."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from loopback import LONG, Background, listening, until
from secured import TLS_1_2, VERSIONS

from lifecycle import Client, open_connection
from lifecycle.conformance.adapters.certificates import authority, client_context, server_context

PROGRAMS = Path(__file__).parent.parent / "tls_trials"
NODE = shutil.which("node")
OPENSSL = shutil.which("openssl")
GO_PEER = os.environ.get("LIFECYCLE_GO_PEER")
"""Compiled, since a compiler would take more time than the tests"""

BUILD = "LIFECYCLE_GO_PEER names no program: `go build -o peer tests/tls_trials/peer.go` makes it"

needs_node = pytest.mark.skipif(not NODE, reason="node is not installed")
needs_go = pytest.mark.skipif(not GO_PEER, reason=BUILD)

PEERS = pytest.mark.parametrize(
    "peer",
    [
        pytest.param((NODE, str(PROGRAMS / "peer.mjs")), marks=needs_node, id="node"),
        pytest.param((GO_PEER,), marks=needs_go, id="go"),
    ],
)
needs_openssl = pytest.mark.skipif(not OPENSSL, reason="openssl is not installed")

QUESTION = b"the question " * 20_000
"""Longer than what the buffers of a system take at once"""


@dataclass(frozen=True)
class Files:
    """A server's certificate and key, and the authority that a client trusts, as files."""

    certificate: str
    key: str
    authority: str


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Certificates that contexts of these tests trust."""
    folder, made = tmp_path_factory.mktemp("certificates"), authority().issue_cert("localhost", "127.0.0.1")
    for name, pem in (
        ("certificate", made.cert_chain_pems[0]),
        ("key", made.private_key_pem),
        ("authority", authority().cert_pem),
    ):
        pem.write_to_path(folder / name)
    return Files(str(folder / "certificate"), str(folder / "key"), str(folder / "authority"))


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program, which is ended with the block."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    ) as program:
        try:
            yield program
        finally:
            program.kill()


@PEERS
@VERSIONS
def test_server_of_another_maker(peer: tuple[str, ...], version: ssl.TLSVersion, files: Files) -> None:
    """A long question, the end of sends, the whole answer, and the peer's end."""
    with running(*peer, "serve", version.name, files.certificate, files.key) as program:
        assert program.stdout is not None
        with open_connection("127.0.0.1", int(program.stdout.readline()), timeout=LONG) as client:
            client.start_tls(client_context(version, checks_name=True), server_hostname="localhost")
            client.send(QUESTION)
            client.shut_down("sends")
            assert b"".join(iter(client.receive, b"")) == QUESTION.upper()
            assert client.state == "secured_ended"
        assert (program.wait(LONG), program.stdout.read()) == (0, b"")


@PEERS
@VERSIONS
def test_client_of_another_maker(peer: tuple[str, ...], version: ssl.TLSVersion, files: Files) -> None:
    """The question is received to the peer's end, and the answer after it arrives whole."""
    with ExitStack() as stack:
        server = stack.enter_context(listening(timeout=LONG))
        command = (*peer, "ask", version.name, files.authority, str(server.get_sock_name().port))
        with running(*command) as program:
            assert program.stdin is not None
            assert program.stdout is not None
            program.stdin.write(b"question")
            program.stdin.close()
            with server.accept() as accepted:
                accepted.start_tls(server_context(version, tickets=2))
                assert b"".join(iter(accepted.receive, b"")) == b"question"
                accepted.send(QUESTION)
                accepted.shut_down("sends")
                assert program.stdout.read() == QUESTION
            assert program.wait(LONG) == 0


@contextmanager
def asking_openssl(version: ssl.TLSVersion, files: Files) -> Iterator[tuple[Client, subprocess.Popen[bytes]]]:
    """A client over TLS, and the `openssl s_server` that serves it: its input is sent, or is a command."""
    flag = f"-{version.name.lower().removeprefix('tlsv').join(('tls', ''))}"
    arguments = ("-accept", "127.0.0.1:0", "-cert", files.certificate, "-key", files.key, "-naccept", "1", flag)
    with running(str(OPENSSL), "s_server", *arguments) as program:
        assert program.stdout is not None
        port = next(int(line.rpartition(b":")[2]) for line in program.stdout if line.startswith(b"ACCEPT"))
        with open_connection("127.0.0.1", port, timeout=LONG) as client:
            client.start_tls(client_context(version, checks_name=True), server_hostname="localhost")
            yield client, program


def tell(program: subprocess.Popen[bytes], line: bytes) -> None:
    """Give a program of OpenSSL a line, and wait until it has taken it: what is there with a command is dropped."""
    import fcntl  # systems without it have no such programs either
    import termios

    assert program.stdin is not None
    pipe = program.stdin.fileno()
    program.stdin.write(line + b"\n")
    until(lambda: fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)) == bytes(4))


def told(program: subprocess.Popen[bytes], line: bytes) -> bool:
    """Whether a program prints a line, among what else it prints."""
    assert program.stdout is not None
    return any(each.strip() == line for each in program.stdout)


@needs_openssl
@pytest.mark.parametrize("command", [b"k", b"K", b"r"], ids=["KeyUpdate", "KeyUpdate with an answer", "renegotiation"])
def test_new_keys(command: bytes, files: Files) -> None:
    """KeyUpdate of TLS 1.3, with and without an answer, and a renegotiation of TLS 1.2: what is sent and received is whole.

    One thread waits to receive meanwhile, and takes what the send of another waits for.
    """
    version = TLS_1_2 if command == b"r" else ssl.TLSVersion.TLSv1_3
    with asking_openssl(version, files) as (client, program):
        for number in range(3):
            reading = Background(lambda: client.receive_until(b"\n"))
            tell(program, command)
            client.send(b"answer %d\n" % number)
            assert told(program, b"answer %d" % number)
            tell(program, b"line %d" % number)
            assert reading.result() == b"line %d" % number
        assert client.state == "secured"


@needs_openssl
def test_client_that_renegotiates(files: Files) -> None:
    """OpenSSL refuses a client's renegotiation: what came before it was received, and the client's alert is the error."""
    with ExitStack() as stack:
        server = stack.enter_context(listening(timeout=LONG))
        arguments = ("-connect", f"127.0.0.1:{server.get_sock_name().port}", "-CAfile", files.authority, "-tls1_2")
        program = stack.enter_context(running(str(OPENSSL), "s_client", *arguments))
        accepted = stack.enter_context(server.accept())
        accepted.start_tls(server_context(TLS_1_2))
        tell(program, b"question")
        assert accepted.receive_until(b"\n") == b"question"
        tell(program, b"R")
        try:
            assert accepted.receive() == b""
        except ConnectionError as error:
            print("E", repr(error))
        print(accepted.state)
