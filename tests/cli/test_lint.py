"""`lifecycle lint` and `lifecycle explain`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lifecycle.cli.app import app

WRONG = "import socket\ns = socket.socket()\ns.close()\ns.send(b'')\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one wrong program and one right one, which is the working directory."""
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    (tmp_path / "right.py").write_text("import socket\nsocket.socket().close()\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint(*arguments: str) -> tuple[int, str]:
    """The exit code and the standard output."""
    result = CliRunner().invoke(app, ["lint", *arguments])
    return result.exit_code, result.stdout


def test_problem_is_shown_with_its_line(folder: Path) -> None:
    """A problem has its place, code, message, line with a caret, and advice; the exit code is 1."""
    code, text = lint(".")
    assert code == 1
    assert "wrong.py:4:1: LC101 send() on a stream in state 'closed', made in line 2" in text
    assert "s.send(b'')" in text
    assert "^" in text


def test_right_program_passes(folder: Path) -> None:
    """Nothing is printed, and the exit code is 0."""
    assert lint("right.py") == (0, "")


def test_file_that_cannot_be_parsed_is_wrong_usage(folder: Path) -> None:
    """Its exit code is 2, as the program was not checked."""
    (folder / "broken.py").write_text("import socket\nsocket.socket(", encoding="utf-8")
    assert lint("broken.py")[0] == 2


def test_baseline_makes_known_problems_pass(folder: Path) -> None:
    """After --write-baseline only what is new fails."""
    assert lint("--write-baseline", "known.json", ".")[0] == 0
    assert lint("--baseline", "known.json", ".") == (0, "")
    (folder / "new.py").write_text(WRONG, encoding="utf-8")
    code, text = lint("--baseline", "known.json", ".")
    assert code == 1
    assert "new.py:4" in text
    assert "wrong.py" not in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--write-baseline", str(Path("nowhere", "known.json"))),
            f"cannot write {Path('nowhere', 'known.json')}: No such file or directory",
        ),
        (("--baseline", "nowhere.json"), "cannot read nowhere.json: No such file or directory"),
        (("--baseline", "list.json"), "list.json is not a baseline of version 1: write it again"),
    ],
)
@pytest.mark.parametrize("command", [("lint", "wrong.py"), ("trace", "--read", "calls.strace")])
def test_baseline_that_cannot_be_used_is_wrong_usage(
    command: tuple[str, ...], options: tuple[str, str], said: str, folder: Path
) -> None:
    """The error names the file, and the exit code is 2."""
    (folder / "list.json").write_text("[]", encoding="utf-8")
    (folder / "calls.strace").write_text("1 close(3) = 0\n", encoding="utf-8")
    result = CliRunner().invoke(app, [*command, *options])
    assert (result.exit_code, result.stderr) == (2, f"Error: {said}\n")


def test_json_has_a_version(folder: Path) -> None:
    """The JSON names its schema's version and lists the problems."""
    data = json.loads(lint("--output-format", "json", ".")[1])
    assert data["version"] == 1
    assert [(each["code"], each["line"]) for each in data["problems"]] == [("LC101", 4)]


def test_role_of_ones_own_is_followed(folder: Path) -> None:
    """--role and --class check the objects of a class of the user's."""
    (folder / "shop.py").write_text(
        "from lifecycle.roles import ROLES\nSESSION = ROLES['server']\nclass Session: ...\n", encoding="utf-8"
    )
    (folder / "use.py").write_text("from shop import Session\ns = Session()\ns.listen()\n", encoding="utf-8")
    assert lint("--role", "shop:SESSION", "--class", "shop.Session", "use.py")[0] == 1
    assert lint("--role", "shop:SESSION", "use.py")[0] == 2
    assert lint("--role", "shop:NOTHING", "--class", "shop.Session", "use.py")[0] == 2


def test_explain_says_what_a_code_means() -> None:
    """`explain` explains one code, or lists all; an unknown one is wrong usage."""
    run = CliRunner().invoke
    assert "use after close" in run(app, ["explain", "lc101"]).stdout
    assert "LC302" in run(app, ["explain"]).stdout
    assert run(app, ["explain", "LC999"]).exit_code == 2
