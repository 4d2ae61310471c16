"""Programs that `lifecycle run` checks in a process of their own, and what it reports of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli.command import run_command

FAULTY = "import socket\nwith socket.socket() as sock:\n    try:\n        sock.accept()\n    except OSError:\n        pass\n"

CHILDREN = """
import multiprocessing, os, socket, subprocess, sys

CODE = "import socket; s = socket.socket(); s.send(b'x')"

def work():
    with socket.socket() as sock:
        try:
            sock.listen(); sock.send(b"x")
        except OSError:
            pass

if __name__ == "__main__":
    for method in multiprocessing.get_all_start_methods():
        process = multiprocessing.get_context(method).Process(target=work)
        process.start()
        process.join()
        assert process.exitcode == 0
    subprocess.run([sys.executable, "-c", CODE], stderr=subprocess.DEVNULL, env={**os.environ, "MORE": "1"})
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and fork() are POSIX's")


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def write(folder: Path, text: str, name: str = "program.py") -> str:
    """A program in a file; its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def run_with_report(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """`lifecycle run --report`: its result, and the findings."""
    report = folder / "report.json"
    done = run_command("run", "--report", str(report), *arguments)
    return done, json.loads(report.read_text(encoding="utf-8"))["findings"]
