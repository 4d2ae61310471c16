"""The page of a running program: a server on loopback, which hands on the lines that the program's processes write.

A request without the token that the page's address has gets nothing, nor does a page of another site: the name of the host is
checked, and no other origin may read an answer.
"""

from __future__ import annotations

import hmac
import json
import linecache
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from lifecycle.checking.live_lines import LIVE
from lifecycle.diagrams import explorer_page
from lifecycle.roles.python.observed import OBSERVED_DATAGRAM, OBSERVED_SOCKET, OBSERVED_STREAM

HOST = "127.0.0.1"
EVERY = 0.1  # seconds between looks at the file
MOST_AT_ONCE = 2000  # records in one message
FAREWELL = 2.0  # seconds in which pages can read the last records


class LivePage:
    """Serves the page from its making to close(). port: 0 lets the system choose.

    Raises OSError where the port is taken.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._token = secrets.token_urlsafe(16)
        self._lines: list[tuple[str, dict[str, Any]]] = []
        self._changed = threading.Condition()
        self._farewell = ""
        self._readers = 0
        (folder / LIVE).touch(mode=0o600)
        self._file = (folder / LIVE).open(encoding="utf-8")
        self._server = ThreadingHTTPServer((HOST, port), type("Handler", (_Handler,), {"page": self}))
        self._server.daemon_threads = True
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._read, daemon=True), threading.Thread(target=self._server.serve_forever)]
        for thread in self._threads:
            thread.start()

    @property
    def address(self) -> str:
        """The URL of the page."""
        return f"http://{HOST}:{self._server.server_address[1]}/?token={self._token}"

    def close(self, farewell: str) -> None:
        """Pass on the remaining records and a last message, then end. An open page keeps its records."""
        self._is_over.set()
        self._threads[0].join()
        with self._changed:
            self._farewell = farewell
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._readers, FAREWELL)
        self._server.shutdown()
        self._server.server_close()
        self._file.close()

    def admits(self, token: str, host: str) -> bool:
        """Whether a request has the token, and was sent to this server by its own name."""
        names = {f"{name}:{self._server.server_address[1]}" for name in (HOST, "localhost")}
        return host in names and hmac.compare_digest(token.encode(), self._token.encode())

    def html(self) -> str:
        """The page."""
        roles = [each.real for each in (OBSERVED_STREAM, OBSERVED_DATAGRAM, OBSERVED_SOCKET)]
        return explorer_page(roles, title="Socket calls, live", live=f"events?token={self._token}")

    def stream(self, write: Any) -> None:
        """Pass on all records, from the first one, until the program has ended or the page was closed."""
        with self._changed:
            self._readers += 1
        place = 0
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: len(self._lines) > place or self._farewell, 5.0)  # noqa: B023 - called at once
                    batch, farewell = self._lines[place : place + MOST_AT_ONCE], self._farewell
                place += len(batch)
                for event in ("message", "found"):
                    data = [each for kind, each in batch if kind == event]
                    if data:
                        write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())
                if not batch:
                    write(f"event: end\ndata: {farewell}\n\n".encode() if farewell else b": alive\n\n")
                    if farewell:
                        return
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    def _read(self) -> None:
        """Read the lines that the processes of the program write, until close()."""
        rest = ""
        is_last = False
        while not is_last:
            is_last = self._is_over.wait(EVERY)
            *lines, rest = (rest + self._file.read()).split("\n")
            if not lines:
                continue
            taken = [_taken(json.loads(line)) for line in lines]
            with self._changed:
                self._lines += taken
                self._changed.notify_all()


def _taken(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """("found", a finding) or ("message", a record with the line of the program)."""
    if "found" in data:
        return "found", data["found"]
    return "message", data | {"source": linecache.getline(data["file"], data["line"]).strip()[:200]}


class _Handler(BaseHTTPRequestHandler):
    page: ClassVar[LivePage]
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        """Answer with the page, or with the stream of records."""
        found = urlsplit(self.path)
        token = parse_qs(found.query).get("token", [""])[0]
        if not self.page.admits(token, self.headers.get("Host", "")) or found.path not in ("/", "/events"):
            self.send_error(403)
            return
        body = self.page.html().encode() if found.path == "/" else b""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8" if body else "text/event-stream")
        for name, value in (
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()
        try:
            if body:
                self.wfile.write(body)
            else:
                self.page.stream(self.wfile.write)
        except OSError:  # the page was closed
            self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Log nothing: standard error is the program's."""
