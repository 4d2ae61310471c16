"""as_socket(): http.client, smtplib and ftplib of the standard library run over a connection, which stays governed."""

from __future__ import annotations

import ftplib
import http.client
import http.server
import io
import poplib
import smtplib
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import trustme
from loopback import HOST, Background, client_and_raw_peer, listening, open_descriptors, unused_port

from lifecycle import IllegalCall, open_connection


class Pages(http.server.BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def talking(script: Sequence[tuple[bytes, bytes]]) -> Iterator[int]:
    """The port of a server that greets, and answers each command that begins with the words of the script."""
    listener = socket.create_server((HOST, 0))

    def serve() -> list[bytes]:
        heard = []
        connection, _ = listener.accept()
        with listener, connection, connection.makefile("rwb", buffering=0) as file:
            for expected, answer in script:
                if expected:
                    line = b""
                    while not line.upper().startswith(expected):
                        line = file.readline()
                        assert line, expected
                    heard.append(line)
                file.write(answer)
        return heard

    server = Background(serve)
    yield listener.getsockname()[1]
    server.result()


def test_http_client() -> None:
    """http.client sends a request and reads its answer; the connection is closed when the response is read."""
    before = open_descriptors()
    with http.server.HTTPServer((HOST, 0), Pages) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        client = open_connection(HOST, server.server_port, timeout=20)
        connection = http.client.HTTPConnection(HOST)
        connection.sock = client.as_socket()  # type: ignore[assignment]
        connection.request("POST", "/", io.BytesIO(b"data" * 50_000), {"Content-Length": "200000"})
        response = connection.getresponse()
        assert client.state == "connected"
        assert response.read() == b"data" * 50_000
        assert client.state == "closed"
        thread.join()
    assert open_descriptors() == before


def test_smtplib() -> None:
    """smtplib delivers a message."""
    script = (
        (b"", b"220 here\r\n"), (b"EHLO", b"250 here\r\n"), (b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n"),
        (b"DATA", b"354 go\r\n"), (b".\r\n", b"250 ok\r\n"), (b"QUIT", b"221 bye\r\n"),
    )  # fmt: skip

    class Mail(smtplib.SMTP):
        def _get_socket(self, host: str, port: int, timeout: float) -> object:
            return open_connection(host, port, timeout=timeout).as_socket()

    with talking(script) as port, Mail(HOST, port, local_hostname="here", timeout=20) as mail:
        assert mail.sendmail("a@here", ["b@here"], "Subject: hello\r\n\r\nhello") == {}


def test_ftplib() -> None:
    """ftplib logs in and asks for the folder."""
    script = (
        (b"", b"220 here\r\n"), (b"USER", b"331 and\r\n"), (b"PASS", b"230 in\r\n"), (b"PWD", b'257 "/home"\r\n'),
        (b"QUIT", b"221 bye\r\n"),
    )  # fmt: skip
    with talking(script) as port, open_connection(HOST, port, timeout=20) as client, ftplib.FTP() as ftp:
        ftp.sock = client.as_socket()  # type: ignore[assignment]
        ftp.af = ftp.sock.family
        ftp.file = ftp.sock.makefile("r", encoding="latin-1")
        ftp.welcome = ftp.getresp()
        ftp.login("user", "word")
        assert ftp.pwd() == "/home"


def test_poplib() -> None:
    """poplib reads a message."""
    script = (
        (b"", b"+OK here\r\n"), (b"USER", b"+OK\r\n"), (b"PASS", b"+OK in\r\n"),
        (b"RETR", b"+OK\r\nSubject: hello\r\n\r\nhello\r\n.\r\n"), (b"QUIT", b"+OK bye\r\n"),
    )  # fmt: skip

    class Mailbox(poplib.POP3):
        def _create_socket(self, timeout: float) -> object:
            return open_connection(self.host, self.port, timeout=timeout).as_socket()

    with talking(script) as port:
        box = Mailbox(HOST, port, timeout=20)
        box.user("user")
        box.pass_("word")
        assert box.retr(1)[1] == [b"Subject: hello", b"", b"hello"]
        box.quit()


def test_handlers_of_socketserver() -> None:
    """A handler of socketserver, and so of http.server, serves an accepted connection; the connection is then closed."""

    class Upper(socketserver.StreamRequestHandler):
        timeout = 20
        disable_nagle_algorithm = True

        def handle(self) -> None:
            for line in self.rfile:
                self.wfile.write(line.upper())

    with listening() as server, open_connection(*server.local_address, timeout=20) as client:
        client.send(b"one\ntwo\n")
        client.shut_down()
        with server.accept() as accepted:
            Upper(accepted.as_socket(), accepted.peer_address, server)  # type: ignore[arg-type]
        assert client.receive_exactly(8) == b"ONE\nTWO\n"
        assert client.receive() == b""


def test_view_has_the_calls_of_a_socket() -> None:
    """Every call is that of the connection; where its table refuses, the view does."""
    with client_and_raw_peer() as (client, peer):
        view = client.as_socket()
        peer.sendall(b"0123456789")
        buffer = bytearray(4)
        assert (view.recv(2), view.recv_into(buffer), bytes(buffer)) == (b"01", 4, b"2345")
        assert (view.recv_into(buffer, 2), bytes(buffer)) == (2, b"6745")
        assert view.recvfrom(9) == (b"89", None)
        view.sendall(b"a")
        assert (view.send(b"b"), view.sendfile(io.BytesIO(b"xcd"), 1)) == (1, 2)
        assert peer.recv(9)[:1] == b"a"
        view.settimeout(0.01)
        assert (view.gettimeout(), view.timeout, client.timeout, view.getblocking()) == (0.01, 0.01, 0.01, True)
        with pytest.raises(socket.timeout):
            view.recv(1)
        view.setblocking(False)
        with pytest.raises(BlockingIOError):
            view.recv(1)
        view.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert view.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert (view.family, view.type, view.fileno()) == (socket.AF_INET, socket.SOCK_STREAM, client.fileno())
        assert (view.getsockname(), view.getpeername()) == (client.local_address, client.peer_address)
        view.shutdown(socket.SHUT_WR)
        with pytest.raises(IllegalCall, match="Sends were ended"):
            view.sendall(b"x")
        view.close()
        assert client.state == "closed"
        with pytest.raises(IllegalCall):
            view.recv(1)


def test_ssl_does_not_take_the_descriptor() -> None:
    """wrap_socket() of a view is refused with the remedy, before it takes the descriptor; the connection stays as it is."""
    with client_and_raw_peer() as (client, peer):
        before = open_descriptors()
        with pytest.raises(TypeError, match=r"start_tls\(\), and then as_socket\(\)"):
            ssl.create_default_context().wrap_socket(client.as_socket(), server_hostname="localhost")  # type: ignore[arg-type]
        assert open_descriptors() == before
        client.send(b"still here")
        assert peer.recv(10) == b"still here"


def test_files_keep_the_connection_open() -> None:
    """close() of the view closes the connection when the last file of makefile() is closed, as socket.socket does."""
    with client_and_raw_peer() as (client, peer):
        with client.as_socket() as view:
            binary, text = view.makefile("rwb"), view.makefile("w", encoding="ascii", newline="\n")
        assert client.state == "connected"
        binary.write(b"one\n")
        binary.close()
        text.write("two\n")
        text.close()
        assert client.state == "closed"
        assert peer.recv(9, socket.MSG_WAITALL) == b"one\ntwo\n"
        with pytest.raises(ValueError, match="invalid mode"):
            view.makefile("a")


def test_open_connection_fails_closed() -> None:
    """open_connection() to a port on which nobody listens raises ConnectionRefusedError and leaves no descriptor."""
    before = open_descriptors()
    with pytest.raises(ConnectionRefusedError):
        open_connection(HOST, unused_port())
    assert open_descriptors() == before


def test_open_connection_with_tls() -> None:
    """open_connection(tls=) makes the handshake too, against the name it connects to."""
    authority = trustme.CA()
    serving, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(HOST).configure_cert(serving)
    authority.configure_trust(asking)
    with listening() as server:

        def answer() -> bytes:
            with server.accept() as accepted:
                accepted.start_tls(serving)
                return accepted.receive_until(b"\n")

        answering = Background(answer)
        with open_connection(*server.local_address, tls=asking, timeout=20) as client:
            client.send(b"secret\n")
            assert (client.state, answering.result()) == ("secured", b"secret")
