"""Builds the agents that are shipped, each once a session; a test that needs a compiler which is missing is skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

import lifecycle.conformance.agents as agents

SOURCES = Path(agents.__file__).parent / "sources"
LWIP = Path("/usr/include/lwip/lwip/tcpip.h")
GOCODE = Path("/usr/share/gocode")
NETSTACK = GOCODE / "src" / "inet.af" / "netstack"


def _run(*command: object, env: Mapping[str, str] | None = None) -> None:
    subprocess.run([str(each) for each in command], check=True, capture_output=True, timeout=120, env=env)


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="agents-"))


def _compiler(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@cache
def posix() -> str:
    """The command of the agent in C over this system's sockets."""
    if sysconfig.get_platform().startswith("win"):
        pytest.skip("the agent in C is for POSIX here")
    program = _folder() / "posix"
    _run(_compiler("cc"), "-O2", "-o", program, SOURCES / "agent.c")
    return str(program)


@cache
def lwip() -> str:
    """The command of the agent in C over lwIP."""
    if not LWIP.exists():
        pytest.skip("liblwip-dev is not installed")
    program = _folder() / "lwip"
    _run(
        _compiler("cc"),
        "-O2",
        "-DLWIP",
        f"-I{LWIP.parent.parent}",
        "-o",
        program,
        SOURCES / "agent.c",
        SOURCES / "lwip.c",
        "-llwip",
    )
    return str(program)


@cache
def go_net() -> str:
    """The command of the agent in Go."""
    program = _folder() / "go-net"
    _run(_compiler("go"), "build", "-o", program, SOURCES / "agent.go")
    return str(program)


@cache
def netstack() -> str:
    """The command of the agent over gVisor's netstack."""
    if not NETSTACK.exists():
        pytest.skip("golang-inet-netstack-dev is not installed")
    program, old = _folder() / "netstack", {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOCODE)}
    _run(_compiler("go"), "build", "-o", program, SOURCES / "netstack.go", env=old)
    return str(program)


@cache
def java_nio() -> str:
    """The command of the agent in Java."""
    folder = _folder() / "java"
    _run(_compiler("javac"), "-d", folder, SOURCES / "Agent.java")
    return f"{_compiler('java')} -Xshare:auto -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp {folder} Agent"


@cache
def node_net() -> str:
    """The command of the agent in JavaScript."""
    return f"{_compiler('node')} {SOURCES / 'agent.js'}"


@cache
def winsock() -> str:
    """The command of the agent in C over Winsock, under Wine where this is no Windows."""
    program = _folder() / "winsock.exe"
    _run(_compiler("x86_64-w64-mingw32-gcc"), "-O2", "-o", program, SOURCES / "agent.c", "-lws2_32")
    return f"env WINEDEBUG=-all {_compiler('wine')} {program}"
