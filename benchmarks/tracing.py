"""How much live tracing slows programs down: plain, strace alone, and `lifecycle trace`, and what the latter finds in them.

    python -m benchmarks.tracing             every program that is installed
    python -m benchmarks.tracing redis curl  some of them

A script of its own, since it needs servers, strace, and root for bpftrace. Each cell has two ratios to the plain program: of
the time that the load takes, and of the processor time of the program and its tracer, which a busy machine disturbs less. Exit
code 1 where a trace finds something.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lifecycle.checking.traces.strace import strace_command

LIFECYCLE = [sys.executable, "-m", "lifecycle", "trace"]


def _strace(*, narrow: bool) -> list[str]:
    command = strace_command(only_life_cycle=narrow, stacks=False, output=os.devnull)
    return [*command, "--seccomp-bpf", "--"]


WAYS = {
    "plain": [],
    "strace": _strace(narrow=False),
    "trace": [*LIFECYCLE],
    "strace, narrow": _strace(narrow=True),
    "trace --narrow": [*LIFECYCLE, "--narrow"],
    "trace --bpf": [*LIFECYCLE, "--bpf"],
}
"""how a program is started"""

ROUNDS = 5
REQUESTS = 2000  # of curl; where it is traced itself, its beginning, which is taken off, is little beside them
_PATIENCE = 120.0  # seconds; a traced server may take long to begin


@dataclass(frozen=True)
class Trial:
    """server: its command, from a folder and a port. load: what is timed; seconds of it are told by `seconds`, or measured."""

    server: Callable[[Path, int], Sequence[str]]
    load: Callable[[Path, int], Sequence[str]]
    needs: tuple[str, ...]


def _nginx(folder: Path, port: int) -> Sequence[str]:
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/errors; events {{}}\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{port} backlog=511; location / {{ return 200 'hello'; }} }} }}\n"
    )
    return ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "errors")]


def _sshd(folder: Path, port: int) -> Sequence[str]:
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    Path("/run/sshd").mkdir(exist_ok=True)
    options = {"HostKey": folder / "host", "AuthorizedKeysFile": folder / "authorized", "StrictModes": "no",
               "PermitRootLogin": "yes", "PidFile": folder / "pid", "UsePAM": "no", "ListenAddress": "127.0.0.1"}  # fmt: skip
    sshd = shutil.which("sshd") or "sshd"
    return [sshd, "-D", "-e", "-f", os.devnull, "-p", str(port), *(f"-o{key}={value}" for key, value in options.items())]


def _postgres(folder: Path, port: int) -> Sequence[str]:
    shutil.chown(folder, "postgres")
    folder.chmod(0o755)
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    made = [*as_user, "initdb", "-D", str(folder / "data"), "-A", "trust", "-N"]
    subprocess.run(made, check=True, capture_output=True, cwd=folder)
    return [*as_user, "postgres", "-D", str(folder / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]


TRIALS = {
    "redis": Trial(
        lambda folder, port: ["redis-server", "--port", str(port), "--save", "", "--dir", str(folder)],
        lambda folder, port: ["redis-benchmark", "-p", str(port), "-n", "50000", "-c", "20", "-t", "get", "-q"],
        ("redis-server", "redis-benchmark"),
    ),
    "nginx": Trial(
        _nginx,
        lambda folder, port: ["curl", "-s", "-H", "Connection: close", "-o", os.devnull, f"http://127.0.0.1:{port}/?[1-{REQUESTS}]"],
        ("nginx", "curl"),
    ),
    "sshd": Trial(
        _sshd,
        lambda folder, port: ["ssh", "-p", str(port), "-i", str(folder / "user"), "-oStrictHostKeyChecking=no",
                              f"-oUserKnownHostsFile={folder}/known", "root@127.0.0.1", "true"],
        ("sshd", "ssh", "ssh-keygen"),
    ),
    "postgres": Trial(
        _postgres,
        lambda folder, port: ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-c", "select 1"],
        ("postgres", "initdb", "psql"),
    ),
}  # fmt: skip
CLIENT = "curl"
"""the program among them that is traced itself, against an untraced nginx"""


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def _serving(command: Sequence[str], port: int, words: Path) -> Iterator[int]:
    """The process of the server or its tracer, once it answers. words: the file for its standard error."""
    with words.open("w") as file, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=file) as server:
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > end or server.poll() is not None:
                    server.kill()
                    sys.exit(f"{command} does not answer: {words.read_text()}")
                time.sleep(0.05)
        try:
            yield server.pid
        finally:
            os.kill(_server_of(server.pid) or server.pid, signal.SIGTERM)  # a tracer ends after it


def _server_of(process: int) -> int | None:
    """The server itself, which a tracer may have started."""
    if Path(f"/proc/{process}/comm").read_text().strip() in NAMES:
        return process
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return next((found for child in children if (found := _server_of(int(child)))), None)


NAMES = ("redis-server", "nginx", "sshd", "postgres")


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and seconds of a processor."""

    clock: float
    processor: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.clock - other.clock, self.processor - other.processor)

    def beside(self, plain: Cost) -> str:
        """Both as multiples of a plain run's; "-" where that is too short for the system's count of processor time."""
        processor = f"{self.processor / plain.processor:.1f}" if plain.processor else "-"
        return f"{self.clock / plain.clock:.1f}, {processor}"


def _least(costs: Sequence[Cost]) -> Cost:
    return Cost(min(each.clock for each in costs), min(each.processor for each in costs))


def _own() -> float:
    """The processor time of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _of_tree(process: int) -> float:
    """The processor time of a process and of what it has started, so far. What was waited for counts as its parent's."""
    children = Path(f"/proc/{process}/task/{process}/children")
    while True:
        listed = children.read_text()
        with suppress(FileNotFoundError):  # a child that has ended since it was listed
            of_children = sum(_of_tree(int(child)) for child in listed.split())
            ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:15]
            if children.read_text() == listed:
                return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") + of_children


def _timed(command: Sequence[str], used: Callable[[], float] = _own) -> Cost:
    """used: the processor time that counts, by default that of the command."""
    before, began = used(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr}")
    return Cost(time.perf_counter() - began, used() - before)


def _problems(text: str) -> int:
    found = re.search(r"lifecycle: (\d+) problem", text)
    if found and int(found[1]):
        print(text)
    return int(found[1]) if found else 0


def measure(name: str, way: str) -> tuple[Cost, int]:
    """What the load costs, the least of some rounds, and how many problems a trace finds."""
    with tempfile.TemporaryDirectory() as place:
        folder, port = Path(place), _free_port()
        words = folder / "words"
        if name != CLIENT:
            trial = TRIALS[name]
            with _serving([*WAYS[way], *trial.server(folder, port)], port, words) as server:
                costs = [_timed(trial.load(folder, port), lambda: _of_tree(server)) for _ in range(ROUNDS)]
            return _least(costs), _problems(words.read_text())
        with _serving(TRIALS["nginx"].server(folder, port), port, words):
            begin = _least([_timed([*WAYS[way], "curl", "-V"]) for _ in range(ROUNDS)])
            url = f"http://127.0.0.1:{port}/?[1-{REQUESTS}]"
            load = [*WAYS[way], "curl", "-s", "-o", os.devnull, "-H", "Connection: close", url]
            return _least([_timed(load) for _ in range(ROUNDS)]) - begin, 0


def main() -> int:
    """The command."""
    names = sys.argv[1:] or [*TRIALS, CLIENT]
    problems = 0
    print("| program | " + " | ".join(WAYS) + " |\n|" + "---|" * (len(WAYS) + 1))
    for name in names:
        missing = [each for each in TRIALS.get(name, TRIALS["nginx"]).needs if shutil.which(each) is None]
        if missing:
            print(f"| {name} | {missing[0]} is not installed |")
            continue
        figures = [measure(name, way) for way in WAYS]
        problems += sum(found for _, found in figures)
        plain = figures[0][0]
        cells = [f"{plain.clock * 1000:.0f}, {plain.processor * 1000:.0f} ms", *(cost.beside(plain) for cost, _ in figures[1:])]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print(f"{problems} problems found; load of the machine before and after: {BEFORE[0]:.1f}, {os.getloadavg()[0]:.1f}")
    return int(bool(problems))


BEFORE = os.getloadavg()


if __name__ == "__main__":
    sys.exit(main())
