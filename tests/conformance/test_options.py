"""For continuous integration: baselines, budgets, other systems, and the forms of a report."""

from __future__ import annotations

import json
import os
import signal
import socket
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cli.command import run_command
from schemas import validated

from lifecycle import SERVER
from lifecycle.conformance import conform, target_named
from lifecycle.conformance.campaigns.baseline import BadBaseline, read_baseline
from lifecycle.conformance.reports import github_annotations, junit_xml

HERE = "conformance.test_options"
SHORT = ("--role", "server", "--depth", "1", "--walks", "0")


class BindsTwice(socket.socket):
    """Answers a second bind() as if it were the first."""

    def bind(self, address: object) -> None:
        if self.getsockname()[1] == 0:
            super().bind(address)  # type: ignore[arg-type]


def test_a_baseline_lets_only_new_causes_fail(tmp_path: Path) -> None:
    """What was written is accepted; another fault is not."""
    file = tmp_path / "known.json"
    ran = run_command("conform", "socket", "--like", "contract", *SHORT, "--write-baseline", str(file))
    assert ran.returncode == 1
    validated("conform-baseline", file.read_text(encoding="utf-8"))
    assert run_command("conform", "socket", "--like", "contract", *SHORT, "--baseline", str(file)).returncode == 0
    ran = run_command("conform", f"{HERE}:BindsTwice", "--like", "contract", *SHORT, "--baseline", str(file), "--json")
    assert ran.returncode == 1
    assert {each["call"] for each in json.loads(ran.stdout)["unexplained"]} == {"bind"}


def test_a_baseline_that_is_written_anew_keeps_what_it_accepted(tmp_path: Path) -> None:
    """Read and written in one run, a baseline has the causes that are still found."""
    file = str(tmp_path / "known.json")
    options = "conform", "socket", "--like", "contract", *SHORT, "--write-baseline", file
    assert run_command(*options).returncode == 1
    before = read_baseline(Path(file))
    assert run_command(*options, "--baseline", file).returncode == 0
    assert read_baseline(Path(file)) == before


def test_annotations_and_cases_say_why_a_run_is_not_whole() -> None:
    """Where nothing differs and the run fails nevertheless, the reason is an annotation and a failure of JUnit."""
    report = conform(target_named("memory"), [SERVER], depth=1, walks=0)
    assert list(github_annotations(report)) == []
    report.stopped = "stopped by SIGTERM"
    assert [each.partition("::partial: ")[2] for each in github_annotations(report)] == [
        "stopped by SIGTERM, and the rest was not tried"
    ]
    assert 'failures="1"' in junit_xml(report)
    report.stopped = ""
    report.roles[0].reached.clear()
    assert "never reached: server[empty]-create-ok" in "".join(github_annotations(report))
    report.stopped = "time is over"
    assert report.passes
    assert list(github_annotations(report)) == []
    assert 'failures="0"' in junit_xml(report)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 1}', '{"version": 99, "known": []}', '{"version": 1, "known": [{"line": 3}]}']
)
def test_what_is_not_a_baseline_is_refused(tmp_path: Path, text: str) -> None:
    """It says so, rather than accepting everything or nothing."""
    (file := tmp_path / "bad.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadBaseline, match=r"is (not )?a baseline"):
        read_baseline(file)


def test_a_budget_ends_the_run_with_a_partial_report() -> None:
    """What was run is judged, and the report says that it is partial."""
    report = conform(target_named("socket"), [SERVER], depth=3, walks=10**6, seconds=0.2)
    assert report.stopped == "time is over"
    assert report.seconds < 5
    assert report.passes


class Stops(socket.socket):
    """Its first listen() in a run sends SIGTERM to its own process."""

    signals: ClassVar[list[int]] = [signal.SIGTERM]

    def listen(self, backlog: int = 0) -> None:
        while self.signals:
            os.kill(os.getpid(), self.signals.pop())
        super().listen(backlog)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="only POSIX sends signals to itself like this")
def test_a_signal_ends_the_run_with_a_partial_report() -> None:
    """SIGTERM ends the command after the step under way: it prints what it has, and fails."""
    from click.testing import CliRunner

    from lifecycle.cli.conform import conform as command

    ran = CliRunner().invoke(command, [f"{HERE}:Stops", "--role", "server", "--depth", "3", "--walks", "1000000"])
    assert ran.exit_code == 1
    assert "partial: stopped by SIGTERM" in ran.output


@pytest.mark.parametrize("system", ["winsock", "mfc", "contract"])
def test_illegal_calls_are_compared_with_another_system(system: str) -> None:
    """The standard library's sockets accept here what others refuse: the run fails, and says what was expected."""
    report = conform(target_named("socket", like=system), [SERVER], depth=1, walks=0)
    assert not report.passes
    assert "listen" in {each.call for each in report.unexplained}


def test_an_unknown_system_is_refused() -> None:
    """The refusal lists the systems."""
    ran = run_command("conform", "socket", "--like", "minix", columns=200)
    assert ran.returncode == 2
    assert "known: linux, winsock, mfc, contract" in ran.stderr


def test_a_page_and_annotations_have_each_cause(tmp_path: Path) -> None:
    """The page needs nothing else; the annotations are one line a cause."""
    page = tmp_path / "report.html"
    ran = run_command("conform", f"{HERE}:BindsTwice", *SHORT, "--github", "--html", str(page))
    assert ran.returncode == 1
    assert all(line.startswith("::error title=") for line in ran.stdout.splitlines())
    assert "bind" in page.read_text(encoding="utf-8")


def test_the_data_has_a_version_and_says_what_was_left_out() -> None:
    """Readers can tell which form it has."""
    ran = run_command("conform", "memory", *SHORT, "--json")
    data = json.loads(ran.stdout)
    assert data["version"] == 1
    assert {"what": "detach", "why": "no detach()", "role": ""} in data["left_out"]
    assert data["unprovoked"] == []


def test_sockets_can_be_bound_elsewhere() -> None:
    """--host says where, for the sockets under test and for their peers."""
    target = target_named(f"{HERE}:Noting", host="127.0.0.2")
    assert conform(target, [SERVER], depth=1, walks=0).passes
    assert import_module(HERE).Noting.seen == {"127.0.0.2"}


class Noting(socket.socket):
    """Keeps the hosts at which it was bound."""

    seen: ClassVar[set[str]] = set()

    def bind(self, address: Any) -> None:
        self.seen.add(address[0])
        super().bind(address)
