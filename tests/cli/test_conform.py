"""`lifecycle conform`: what it prints, its reports, and its exit codes."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest
from cli.command import COMMAND, environment, invoke, run_command
from long_form import WHOLE
from loopback import LONG, PROGRAM_ENDS
from rich.console import Console
from schemas import validated

from lifecycle import ROLES, SERVER
from lifecycle.cli.conform import conform
from lifecycle.cli.conform_options import ABOUT
from lifecycle.cli.conform_page import mutants_page
from lifecycle.conformance.campaigns.mutation import OF_IMPLEMENTATIONS, Score, mutants
from lifecycle.conformance.model.graph import cells_of

QUICK = ("--depth", "1", "--walks", "20")
FAULTY = "conformance.faulty:half_shut"


def test_the_package_covers_every_role() -> None:
    """All cells of all roles are reached; the figure is printed role by role, and the exit code is 0.

    The short form leaves the largest roles to tests/conformance/test_driver.py.
    """
    roles = {name: role for name, role in ROLES.items() if WHOLE or name not in ("client", "accepted")}
    ran = invoke("conform", "lifecycle", *(f"--role={name}" for name in roles), *QUICK, columns=120)
    assert ran.exit_code == 0
    for name, role in roles.items():
        legal, illegal = len(list(role.cells())), len(cells_of(role)) - len(list(role.cells()))
        assert re.search(rf"{name} +{legal}/{legal} +{illegal}/{illegal} ", ran.stdout)
    total = sum(len(cells_of(role)) for role in roles.values())
    assert f"{total:,} of {total:,} cells covered (100.0%)" in ran.stdout
    assert "passes: nothing unexplained" in ran.stdout


def test_the_reference_engine_is_put_through_the_same() -> None:
    """--engine reference runs every step through transitions; an unknown engine is wrong usage."""
    assert invoke("conform", "lifecycle", "--engine", "reference", "--role", "server", *QUICK).exit_code == 0
    wrong = invoke("conform", "lifecycle", "--engine", "steam")
    assert wrong.exit_code == 2
    assert "compiled, reference" in wrong.stderr


def test_a_finding_is_one_line_a_cause_with_a_program() -> None:
    """Exit code 1; what was expected and got; the shortest sequence as a program that runs."""
    ran = run_command("conform", FAULTY, "--role", "client", "--depth", "1", columns=120)
    assert ran.returncode == 1
    assert re.search(r"\d+ x client\[connected, .*\] shut_down", ran.stdout)
    assert "expected then state shut" in ran.stdout
    assert "got      state receive_shut" in ran.stdout
    program = ran.stdout.partition("as a program:\n\n")[2].partition("\nFAILS")[0]
    again = subprocess.run(
        (sys.executable, "-c", program), env=environment(), capture_output=True, text=True, timeout=PROGRAM_ENDS, check=True
    )
    assert "got state receive_shut" in again.stdout


def test_json_has_everything() -> None:
    """--json prints coverage, clusters with their shortest sequence, and the seed to have it again."""
    ran = invoke("conform", FAULTY, "--role", "client", "--json", *QUICK)
    data = json.loads(ran.stdout)
    assert ran.exit_code == 1
    assert (data["target"], data["passes"], data["seed"]) == (FAULTY, False, 0)
    cluster = data["unexplained"][0]
    assert (cluster["call"], cluster["expected"], cluster["got"]) == ("shut_down", "then state shut", "state receive_shut")
    assert cluster["steps"] == ["attach connected", "shut_down both"]
    (role,) = data["roles"]
    assert "connected.shut_down.both" in role["missing"]
    assert role["legal"]["reached"] == role["legal"]["offered"] - len(role["missing"])


def test_junit_has_a_case_per_cell(tmp_path: Path) -> None:
    """--junit writes a document in which the failing cells are failing cases, and all others are not."""
    file = tmp_path / "report.xml"
    ran = invoke("conform", FAULTY, "--role", "client", "--junit", str(file), *QUICK)
    assert ran.exit_code == 1
    (suite,) = ElementTree.parse(file).getroot()
    assert suite.get("tests") == str(len(cells_of(ROLES["client"])))
    failing = [case.get("name") for case in suite if case.find("failure") is not None]
    assert "client[connected]-shut_down-both" in failing
    assert suite.get("failures") == str(len(failing))
    assert len(failing) < 5


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A folder that does not exist is wrong usage, told before anything is run."""
    ran = invoke("conform", "memory", "--role", "server", "--junit", str(tmp_path / "nowhere" / "report.xml"), *QUICK)
    assert ran.exit_code == 2
    assert "No such file or directory" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nothing",), "no target 'nothing'"),
        (("lifecycle", "--role", "sever"), "Invalid value for --role: no role 'sever'. Did you mean 'server'?"),
        (("memory", "--role", "archive"), "memory has none of these roles: archive"),
        (("lifecycle", "--depth", "4"), "4 is not in the range 1<=x<=3"),
        (("socket", "--mutants"), "breaks the package's own classes"),
        (("conformance.faulty:Lamp",), "ObjectAdapter"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], text: str) -> None:
    """Exit code 2, with what is known instead."""
    ran = invoke("conform", *arguments, columns=200)
    assert ran.exit_code == 2
    assert text in " ".join(ran.stderr.split())


HOUR = ("--campaign", "1")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((*HOUR, "--mutants"), "--campaign does not go with --mutants, which takes --role, --engine, --json"),
        (("--mutants", "--like", "linux"), "--like does not go with --mutants"),
        (("--mutants", "--junit", "report.xml"), "--junit does not go with --mutants"),
        (("--workers", "2"), "--workers needs --campaign"),
        (("--scheduler", "127.0.0.1:1"), "--scheduler needs --campaign"),
        (("--folder", "campaign"), "--folder needs --campaign"),
        ((*HOUR, "--seconds", "5"), "--seconds does not go with --campaign, which takes"),
        ((*HOUR, "--depth", "2"), "--depth does not go with --campaign"),
        ((*HOUR, "--workers", "2", "--scheduler", "127.0.0.1:1"), "--workers does not go with --scheduler"),
        (("--source", "c", "--json"), "--json does not go with --source, which takes no other option"),
        (("--github", "--json"), "--github does not go with --json"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: tuple[str, ...], text: str) -> None:
    """An option that would have no effect beside another one, or without one, is wrong usage; the error says which."""
    ran = invoke("conform", "lifecycle", *arguments, columns=300)
    assert ran.exit_code == 2
    assert text in ran.stderr


def test_every_option_says_what_it_is_about() -> None:
    """The table of what options go together has each option of the command."""
    options = {each.opts[0].removeprefix("--") for each in conform.params if isinstance(each, click.Option)}
    assert options == set(ABOUT)


def test_a_role_that_is_named_twice_is_run_once() -> None:
    """--role may be repeated, in capitals too: each role is run once, in the order given."""
    named = ("--role", "SERVER", "--role", "client", "--role", "server")
    data = json.loads(invoke("conform", "memory", *named, "--json", *QUICK).stdout)
    assert [each["role"] for each in data["roles"]] == ["server", "client"]
    cells = data["roles"][0]["legal"]["offered"] + data["roles"][0]["illegal"]["offered"]
    assert data["roles"][0]["sequences"] == cells + 20, "one for each cell, and the walks"


def test_a_role_of_ones_own_is_run() -> None:
    """An adapter's factory brings its own role."""
    ran = invoke("conform", "conformance.faulty:lamps", columns=120)
    assert ran.exit_code == 0
    assert re.search(r"lamp +6/6 +7/7", ran.stdout)


def test_mutants_are_counted() -> None:
    """--mutants prints how many of each breakage were caught, of how many, whole at 80 columns, and the time."""
    ran = run_command("conform", "lifecycle", "--mutants", "--role", "server", "--role", "socket_file")
    total = sum(len(list(mutants(ROLES[name]))) for name in ("server", "socket_file"))
    assert ran.returncode == 0
    assert re.search(rf"{total} of {total} mutants caught \(100\.0%\) in \d+\.\d s", ran.stdout)
    assert "…" not in ran.stdout
    (score,) = validated("conform-mutants", invoke("conform", "lifecycle", "--mutants", "--role", "server", "--json").stdout)[
        "roles"
    ]
    assert score["survivors"] == []
    assert score["total"] == len(list(mutants(SERVER)))


def test_the_mutants_of_large_tables_fit_80_columns() -> None:
    """Counts of five digits in every column are whole at 80 columns."""
    many = Score("socket_file", Counter(dict.fromkeys(OF_IMPLEMENTATIONS, 12_345)), seconds=123.4)
    shown = io.StringIO()
    Console(file=shown, width=80).print(*mutants_page([many]))
    assert "…" not in shown.getvalue()
    assert shown.getvalue().count("12,345") >= len(OF_IMPLEMENTATIONS)


def test_a_terminal_shows_a_progress_bar() -> None:
    """On a terminal, what is running is shown on standard error; piped, nothing is."""
    piped = run_command("conform", "memory", "--role", "client", *QUICK)
    assert piped.stderr == ""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            (*COMMAND, "conform", "memory", "--role", "client", *QUICK),
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            shown = _everything(ours)
            assert process.wait(PROGRAM_ENDS) == 0
    finally:
        os.close(ours)
    assert b"client" in shown
    assert b"/" in shown


def _everything(descriptor: int) -> bytes:
    shown = b""
    while select.select([descriptor], [], [], LONG)[0]:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # so Linux tells that the other side is closed
            return shown
        if not part:
            return shown
        shown += part
    raise AssertionError("the command went on and on")
