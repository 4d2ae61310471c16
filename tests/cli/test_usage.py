"""What holds for the whole command: help, version, wrong usage, exit codes, and readers that stop reading."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest
from cli.command import COMMAND, environment, invoke, run_command
from click.testing import CliRunner
from loopback import PROGRAM_ENDS

import lifecycle
from lifecycle import ROLES
from lifecycle.cli.app import app

SUBCOMMANDS = ("demo", "show", "roles", "diagram", "archive", "archive dump", "run")


@pytest.mark.parametrize("arguments", [(), *(tuple(name.split()) for name in SUBCOMMANDS)], ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_shows_examples_on_lines_of_their_own(arguments: tuple[str, ...], option: str) -> None:
    """Every help text ends with examples that can be copied, and fits 80 columns."""
    shown = invoke(*arguments, option)
    assert shown.exit_code == 0
    examples = [line.strip() for line in shown.stdout.split("Examples:\n")[1].splitlines()]
    assert len(examples) >= 2
    for example in examples:
        assert " ".join(("lifecycle", *arguments)) in example
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert shown.stdout.isascii()


def test_help_has_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every command, nested ones too, headings and options are styled where colours are; not with NO_COLOR."""
    for words in ((), ("show",), ("archive", "dump")):
        shown = CliRunner().invoke(app, [*words, "--help"], color=True).stdout
        assert "\x1b[1mOptions\x1b[0m:" in shown
        assert click.unstyle(shown) == CliRunner().invoke(app, [*words, "--help"]).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in CliRunner().invoke(app, ["show", "--help"], color=True).stdout


def test_help_names_every_subcommand() -> None:
    """The command's own help lists its subcommands."""
    shown = invoke("--help").stdout
    assert all(f"  {name} " in shown for name in SUBCOMMANDS if " " not in name)


def test_version() -> None:
    """`lifecycle --version` prints the package's version."""
    shown = run_command("--version")
    assert (shown.returncode, shown.stdout) == (0, f"lifecycle {lifecycle.__version__}\n")


def test_an_unknown_role_is_wrong_usage() -> None:
    """An unknown role exits with 2, names the nearest and all known ones, and shows no traceback."""
    ran = run_command("show", "servr")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "Did you mean 'server'?" in ran.stderr
    assert f"Known roles: {', '.join(ROLES)}." in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("name", ["archives", "x", "--json=yes", ""])
def test_other_wrong_usage(name: str) -> None:
    """A name unlike every role, or an unknown option, exits with 2 too."""
    assert invoke("show", name).exit_code == 2


@pytest.mark.parametrize("arguments", [(), ("shw",), ("show", "server", "client"), ("demo", "--jsn"), ("roles", "all")])
def test_wrong_usage_of_the_command(arguments: tuple[str, ...]) -> None:
    """No subcommand, an unknown one, a surplus argument or an unknown option exit with 2."""
    assert invoke(*arguments).exit_code == 2


def test_a_role_may_be_named_like_its_class() -> None:
    """Capital letters make no difference: Server is server."""
    assert invoke("show", "Server").stdout == invoke("show", "server").stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows reports a closed pipe only while writing")
@pytest.mark.parametrize("arguments", [("show",), ("demo", "--json")], ids=" ".join)
def test_a_reader_that_stops_reading_is_not_a_failure(arguments: tuple[str, ...]) -> None:
    """`lifecycle show | head -1` ends quietly, also when the pipe is closed at once."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as nobody:
        ran = subprocess.run(
            (*COMMAND, *arguments), env=environment(), stdout=nobody, stderr=subprocess.PIPE, timeout=PROGRAM_ENDS, check=False
        )
    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
@pytest.mark.parametrize("arguments", [("show",), ("--help",)], ids=" ".join)
def test_output_that_cannot_be_written_is_a_failure(arguments: tuple[str, ...]) -> None:
    """A full disk exits with 1 and one line that says so."""
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            (*COMMAND, *arguments), env=environment(), stdout=full, stderr=subprocess.PIPE, timeout=PROGRAM_ENDS, check=False
        )
    assert ran.returncode == 1
    assert ran.stderr.startswith(b"Error: cannot write the output: ")
    assert ran.stderr.count(b"\n") == 1


def test_the_package_does_not_need_the_command() -> None:
    """Importing and using the package pulls in neither click nor rich."""
    program = "import sys, lifecycle; lifecycle.Server().close(); print(sorted({'rich', 'click'} & set(sys.modules)))"
    ran = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, timeout=PROGRAM_ENDS, check=True)
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize("missing", [("click",), ("click", "rich")], ids=" ".join)
def test_command_without_its_extra_names_the_extra(missing: tuple[str, ...]) -> None:
    """Where click or rich is not installed, the command says in one line what to install, and exits with 2."""
    program = f"import sys; sys.modules.update(dict.fromkeys({missing!r})); from lifecycle.cli import main; main()"
    ran = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, timeout=PROGRAM_ENDS, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f'The command needs {" and ".join(missing)}: pip install "socket-lifecycle[cli]"\n'
