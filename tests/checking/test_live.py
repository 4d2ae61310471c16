"""`lifecycle run --live`: a page shows the program's sockets while it runs, to those who have its address alone."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli.command import COMMAND, environment
from diagrams.programs import chromium
from loopback import LONG, PROGRAM_ENDS

TALK = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
accepted, _ = server.accept()
client.sendall(b"?")
accepted.recv(1)
print("talking", flush=True)
input()
pairs = [socket.socketpair() for _ in range(500)]
print("many", flush=True)
input()
for pair in pairs:
    for each in pair:
        each.close()
lost = socket.socket()
lost.listen()
for each in (client, accepted, server):
    each.close()
raise SystemExit(3)
"""


@contextmanager
def running(tmp_path: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A program under `run --live`, and the address of its page."""
    script = tmp_path / "talk.py"
    script.write_text(TALK)
    command = (*COMMAND, "run", "--live", *options, str(script))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment(), **pipes) as process:
        assert process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", process.stderr.readline())
        assert found is not None
        try:
            yield process, found[0]
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """The next line of the program."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    """Let the program go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_conversation_is_shown_while_it_is_held(tmp_path: Path) -> None:
    """Calls appear as they are made, with the program's lines; with 1,000 sockets a step is quick; the end is reported."""
    with chromium() as browser, running(tmp_path) as (process, address):
        page = browser.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        assert said(process) == "talking"
        page.goto(address)
        page.locator("#events button", has_text="connect").first.wait_for()
        assert "socket.create_connection" in page.evaluate("JSON.stringify(Object.values(views.replay.sources))")
        go_on(process)
        assert said(process) == "many"
        page.locator("#only-object option").nth(1003).wait_for(state="attached")
        quick = page.evaluate(
            """() => {
                const begun = performance.now();
                for (let number = 0; number < 10; number++) document.getElementById('back').click();
                document.body.getBoundingClientRect();
                return (performance.now() - begun) / 10;
            }"""
        )
        assert quick < 100
        go_on(process)
        page.locator("#live", has_text="The program has ended with exit code 3.").wait_for()
        assert page.locator("#findings-list button", has_text="listen()").count() == 1
        assert process.wait(PROGRAM_ENDS) == 3
        assert page.is_enabled("#first")
        assert complaints == []


def test_the_page_is_for_those_who_have_its_address(tmp_path: Path) -> None:
    """Without the token, with a wrong one, and under another host's name there is no page and no stream."""
    with running(tmp_path) as (_, address):
        base, _, token = address.partition("?token=")
        other = urllib.request.Request(address, headers={"Host": "example.com"})
        for wrong in (base, f"{base}?token=x{token}", f"{base}events", f"{base}elsewhere?token={token}", other):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(wrong, timeout=LONG)
        with urllib.request.urlopen(address, timeout=LONG) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert b"connect-src 'self'" in answer.read()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_signal_ends_the_program_and_its_page(tmp_path: Path) -> None:
    """The command passes SIGTERM on, and ends by it as the program does."""
    with running(tmp_path) as (process, _):
        assert said(process) == "talking"
        process.terminate()
        assert process.wait(PROGRAM_ENDS) == -15
