"""Servers under load, checked and plain in turns: the processor time of the server for each request.

    python -m benchmarks.checked_servers             http.server and aiohttp, with and without keep-alive
    python -m benchmarks.checked_servers http        one of them

A script of its own, since it starts processes. LOAD_REQUESTS: how many requests a round has. Exit code 1 where a run finds
something.
"""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVERS = {
    "http": """
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
        class Handler(BaseHTTPRequestHandler):
            protocol_version, disable_nagle_algorithm = "HTTP/1.1", True
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"hello")
                if self.path == "/end":
                    used()
                    threading.Thread(target=server.shutdown).start()
            def log_message(self, *arguments):
                pass
        class Server(ThreadingHTTPServer):
            request_queue_size = 128
        with Server(("127.0.0.1", 0), Handler) as server:
            ready(server.server_address[1])
            server.serve_forever()
        """,
    "aiohttp": """
        import asyncio
        from aiohttp import web
        async def main():
            ended = asyncio.Event()
            async def answer(request):
                if request.path == "/end":
                    used()
                    ended.set()
                return web.Response(text="hello")
            app = web.Application()
            app.router.add_get("/{name}", answer)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            ready(site._server.sockets[0].getsockname()[1])
            await ended.wait()
            await runner.cleanup()
        asyncio.run(main())
        """,
}
"""name -> a program that answers every request, and ends behind one for /end"""

PREFACE = """
import os, pathlib, sys, threading, time
def ready(port):
    pathlib.Path("port.new").write_text(str(port))
    os.replace("port.new", "port")
    global began
    began = time.process_time()
def used():
    pathlib.Path("processor").write_text(str(time.process_time() - began))
"""

LIMITS = {True: 1.1, False: 1.35}
"""whether a connection is kept -> how many times a plain run's processor time a checked one may use"""

REQUESTS, ROUNDS, PATIENCE = int(os.environ.get("LOAD_REQUESTS", "2000")), 5, 60.0


def run(program: str, requests: int, *, keep: bool, checked: bool) -> float:
    """The seconds of processor time that a server takes for that many requests."""
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        lines = program.splitlines()
        (at / "server.py").write_text(PREFACE + "\n".join(line[8:] for line in lines))
        command = [sys.executable, *(["-m", "lifecycle", "run", "--report", "report.json"] if checked else []), "server.py"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as server:
            deadline = time.monotonic() + PATIENCE
            while not (at / "port").exists():
                if server.poll() is not None or time.monotonic() > deadline:
                    sys.exit("the server does not begin")
                time.sleep(0.01)
            port = int((at / "port").read_text())
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            for number in range(requests + 1):
                is_last = number == requests
                connection.request("GET", "/end" if is_last else "/x", headers={} if keep else {"Connection": "close"})
                connection.getresponse().read()
                if not keep or is_last:
                    connection.close()
            server.wait(PATIENCE)
        if server.returncode:
            sys.exit(f"the {'checked' if checked else 'plain'} run ended with {server.returncode}")
        return float((at / "processor").read_text())


def measure(name: str, *, keep: bool) -> float:
    """The median of the ratios of both runs, which are made in turns."""
    program, ratios = SERVERS[name], []
    for _ in range(ROUNDS):
        plain, checked = (run(program, REQUESTS, keep=keep, checked=checked) for checked in (False, True))
        ratios.append(checked / plain)
    return statistics.median(ratios)


def main() -> int:
    """The command."""
    for name in sys.argv[1:] or SERVERS:
        for keep, limit in LIMITS.items():
            ratio = measure(name, keep=keep)
            how, missed = "kept" if keep else "a connection for each request", "" if ratio <= limit else ", missed"
            print(f"{name}, {how}: {ratio:.2f}, limit {limit}{missed}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
