"""`lifecycle diagram` and the charts that other subcommands write."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli.command import COMMAND, environment, invoke
from long_form import WHOLE, combinations
from loopback import PROGRAM_ENDS

from lifecycle import ROLES
from lifecycle.cli.diagram import FORMATS
from lifecycle.diagrams import DIAGRAM_FORMATS, explorer_page, pictures, state_diagram, state_png

BEGINNINGS = {
    "text": "{role}: ",
    "mermaid": "---\nconfig:",
    "dot": 'digraph "{role}" {{',
    "plantuml": "@startuml",
    "scxml": "<?xml",
    "markdown": "# `{role}`",
    "svg": "<svg",
    "html": "<!DOCTYPE html>",
}

SUFFIXES = {
    "text": ".txt", "mermaid": ".mmd", "dot": ".dot", "plantuml": ".puml", "scxml": ".scxml", "markdown": ".md", "svg": ".svg",
    "png": ".png", "html": ".html",
}  # fmt: skip


def skip_undrawn(format: str) -> None:
    """The formats that are pictures need a program that draws."""
    if format in ("svg", "png") and pictures.program() is None:
        pytest.skip("neither dot (Graphviz) nor graphviz-pure is installed")


@pytest.mark.parametrize(("format", "role"), combinations(FORMATS, ROLES))
def test_every_role_and_every_format_to_a_file(role: str, format: str, tmp_path: Path) -> None:
    """Each is written to the file, in the format that the file's suffix asks for."""
    skip_undrawn(format)
    file = tmp_path / f"picture{SUFFIXES[format]}"
    assert invoke("diagram", role, "-o", str(file)).exit_code == 0
    written = file.read_bytes()
    if format == "png":
        assert written.startswith(b"\x89PNG\r\n\x1a\n")
    else:
        assert written.decode().startswith(BEGINNINGS[format].format(role=role))


def test_a_format_that_is_asked_for_counts_more_than_a_suffix(tmp_path: Path) -> None:
    """--format writes its format into whatever file."""
    file = tmp_path / "picture.svg"
    assert invoke("diagram", "server", "--format", "DOT", "-o", str(file)).exit_code == 0
    assert file.read_text() == state_diagram(ROLES["server"], "dot")


@pytest.mark.parametrize("format", FORMATS if WHOLE else ["text", "png", "html"])
def test_formats_to_standard_output(format: str) -> None:
    """The piped command writes what the library gives, bytes where the picture is bytes, and nothing else."""
    skip_undrawn(format)
    ran = subprocess.run(
        (*COMMAND, "diagram", "server", "-f", format), env=environment(), capture_output=True, timeout=PROGRAM_ENDS, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    role = ROLES["server"]
    if format == "png":
        assert ran.stdout == state_png(role)
    else:
        expected = explorer_page([role]) if format == "html" else state_diagram(role, format)
        assert ran.stdout.decode() == (expected.replace("\n", os.linesep) if format == "text" else expected)


def test_the_encoding_of_the_output_breaks_nothing(tmp_path: Path) -> None:
    """Files are UTF-8 whatever standard output is; in the text for a terminal, what that cannot show is an escape."""
    (tmp_path / "foreign.py").write_text(FOREIGN, encoding="utf-8")
    env = environment() | {"PYTHONIOENCODING": "ascii"}
    for format in ("text", "html"):
        ran = subprocess.run(
            (*COMMAND, "diagram", "foreign:ROLE", "-f", format), cwd=tmp_path, env=env, capture_output=True,
            timeout=PROGRAM_ENDS, check=False,
        )  # fmt: skip
        assert (ran.returncode, ran.stderr) == (0, b"")
        assert ("\\u03b5" in ran.stdout.decode("ascii")) if format == "text" else ran.stdout.decode("utf-8")


FOREIGN = """
from lifecycle.engine import Call, Role, State

ROLE = Role(
    name="\u03b5", doc="Names that no code page has all of: \\ud800.", initial="\u03b5", final=frozenset({"\\ud800"}),
    states=(State("\u03b5", "."), State("\\ud800", ".")), calls=(Call("\N{GRINNING FACE}", "."),),
    rows=(("\u03b5", "\N{GRINNING FACE}", {"ok": "\\ud800"}),),
)
"""


def test_without_a_format_it_is_text() -> None:
    """On a terminal or in a pipe, a role's diagram is text of the terminal's width, and ASCII."""
    shown = invoke("diagram", "client", columns=70).stdout
    assert shown == state_diagram(ROLES["client"], "text", width=70)
    assert shown.isascii()
    assert max(map(len, shown.splitlines())) <= 70


def test_an_unknown_role_or_format_names_the_known_ones() -> None:
    """Both are wrong usage, with the nearest and all known ones, and nothing on standard output."""
    for arguments, hint, known in (
        (("diagram", "clint"), "Did you mean 'client'?", f"Known roles: {', '.join(ROLES)}."),
        (("diagram", "client", "-f", "mermade"), "Did you mean 'mermaid'?", f"Known formats: {', '.join(FORMATS)}."),
        (("diagram", "client", "-o", "client.pdf"), "'client.pdf' has no suffix of a known format.", ".svg"),
        (("diagram", "session"), "For your own role, use module:NAME or FILE.toml.", f"Known roles: {', '.join(ROLES)}."),
        (("diagram", "client", "--highlight", "x"), "Invalid value for --highlight: no state 'x'", "empty, open, bound"),
        (("diagram",), "no role given.", f"Known roles: {', '.join(ROLES)}."),
    ):
        ran = invoke(*arguments, columns=200)
        assert (ran.exit_code, ran.stdout) == (2, "")
        assert hint in ran.stderr
        assert known in ran.stderr
        assert "Traceback" not in ran.stderr


OWN_ROLE = """
from lifecycle import Lifecycle, Role
from lifecycle.engine import Call, State

DOOR = Role(
    name="door",
    doc="A door.",
    states=(State("shut", "Shut."), State("open", "Open."), State("gone", "Gone.")),
    calls=(Call("open", "Open it."), Call("shut", "Shut it."), Call("remove", "Take it away.")),
    rows=(("shut", "open", {"ok": "open"}), ("open", "shut", {"ok": "shut"}), ("open", "remove", {"ok": "gone"})),
    initial="shut",
    final=frozenset({"gone"}),
)


class Door(Lifecycle, role=DOOR):
    def open(self): ...
    def shut(self): ...
    def remove(self): ...


KNOB = 3
"""


@pytest.fixture
def doors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module, in the present folder, that declares a role."""
    name = f"doors_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(OWN_ROLE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


@pytest.mark.parametrize("attribute", ["DOOR", "Door"])
def test_a_role_of_ones_own(doors: str, attribute: str) -> None:
    """module:NAME draws a role, or the role of a class, from a module in the present folder."""
    shown = invoke("diagram", f"{doors}:{attribute}").stdout
    assert shown.startswith("door: A door.")
    assert "+-- open --> open" in shown


def test_a_role_of_ones_own_that_is_not_there(doors: str, tmp_path: Path) -> None:
    """A missing module or name, an object that is not a role, and a role that contradicts itself are wrong usage."""
    (tmp_path / f"{doors}_wrong.py").write_text(OWN_ROLE.replace('"gone"})', '"lost"})'))
    for name, complaint in (
        ("no_such_module:DOOR", "cannot import 'no_such_module'"),
        (f"{doors}:WINDOW", f"'{doors}' has no role 'WINDOW'. Roles in it: DOOR."),
        (f"{doors}:KNOB", f"'{doors}' has no role 'KNOB'"),
        (f"{doors}_wrong:DOOR", "no state 'lost'"),
        (":DOOR", "cannot import ''"),
    ):
        ran = invoke("diagram", name, columns=300)
        assert ran.exit_code == 2
        assert complaint in ran.stderr


def test_a_state_can_be_highlighted() -> None:
    """--highlight marks the present state; an unknown one names those that are known."""
    assert "| bound | <== is here" in invoke("diagram", "server", "--highlight", "bound").stdout
    ran = invoke("diagram", "server", "--highlight", "connected", columns=200)
    assert ran.exit_code == 2
    assert "no state 'connected' in the role 'server'; known: empty, open, bound" in ran.stderr


@pytest.fixture(scope="module")
def demo_journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a demo."""
    file = tmp_path_factory.mktemp("demo") / "demo.jsonl"
    file.write_text(invoke("demo", "--json").stdout)
    return file


def test_a_recorded_run_is_charted(demo_journal: Path, tmp_path: Path) -> None:
    """--run draws a journal: as text, from standard input too, and by the suffix of the file as Mermaid, SVG or a page."""
    text = invoke("diagram", "--run", str(demo_journal)).stdout
    assert "Server#1" in text
    piped = subprocess.run(
        (*COMMAND, "diagram", "--run", "-"), input=demo_journal.read_text(), env=environment(), text=True, capture_output=True,
        timeout=PROGRAM_ENDS, check=False,
    )  # fmt: skip
    assert (piped.returncode, piped.stdout) == (0, text)
    for suffix, beginning in ((".mmd", "sequenceDiagram"), (".svg", "<svg"), (".html", "<!DOCTYPE html>")):
        file = tmp_path / f"run{suffix}"
        assert invoke("diagram", "--run", str(demo_journal), "-o", str(file)).exit_code == 0
        assert file.read_text().startswith(beginning)


def test_a_run_can_be_of_one_object_and_mark_its_path(demo_journal: Path) -> None:
    """With --object only its lane is drawn; with a role, its path is marked there."""
    assert re.search(r"Client#2|Server", invoke("diagram", "--run", str(demo_journal), "--object", "Client#1").stdout) is None
    marked = invoke("diagram", "client", "--run", str(demo_journal), "--object", "Client#1").stdout
    assert "(x) closed | <== is here" in marked
    assert "+== create ==> bound" in marked


def test_an_unusable_run_is_explained(demo_journal: Path, tmp_path: Path) -> None:
    """A missing file, one that is not a journal, an unknown object, several objects for a picture, a format of roles."""
    wrong, binary = tmp_path / "wrong.jsonl", tmp_path / "binary"
    wrong.write_text("{}\n")
    binary.write_bytes(b"\xff\xfe\x00")
    journal = str(demo_journal)
    for arguments, complaint in (
        (("--run", str(tmp_path / "missing")), "cannot read"),
        (("--run", str(wrong)), "line 1 has no 'arguments'"),
        (("--run", str(binary)), "it is not text"),
        (("--run", journal, "--object", "Nobody#1"), "no 'Nobody#1' in the run. Known: "),
        (("client", "--run", journal), "has several objects: choose one of Client#1, Client#2, Client#3 with --object"),
        (("--run", journal, "-f", "dot"), "a run has no dot. Known formats: text, mermaid, svg, html."),
    ):
        ran = invoke("diagram", *arguments, columns=300)
        assert ran.exit_code == 2
        assert complaint in ran.stderr


def test_the_page_to_explore(demo_journal: Path, tmp_path: Path) -> None:
    """--html writes the page with all roles, or with those asked for, and with a run."""
    file = tmp_path / "explore"
    for arguments, roles, calls in (
        ((), list(ROLES), 0),
        (("server",), ["server"], 0),
        (("--run", str(demo_journal)), list(ROLES), 26),
    ):
        assert invoke("diagram", *arguments, "--html", str(file)).exit_code == 0
        data = json.loads(re.search(r'id="data">(.*?)</script>', file.read_text(), re.DOTALL)[1])  # type: ignore[index]
        assert [role["name"] for role in data["roles"]] == roles
        assert len(data["run"]) >= calls


def test_options_that_have_no_meaning_together_are_wrong_usage(demo_journal: Path) -> None:
    """What would silently be ignored is refused."""
    for arguments in (
        ("server", "--object", "Server#1"),
        ("--highlight", "bound", "--run", str(demo_journal)),
        ("client", "--highlight", "bound", "--run", str(demo_journal)),
        ("client", "--highlight", "bound", "-f", "html"),
    ):
        assert invoke("diagram", *arguments).exit_code == 2


def test_the_command_knows_every_format_of_the_library() -> None:
    """A renderer that is added is found by its format's name."""
    assert set(FORMATS) == {*DIAGRAM_FORMATS, "png", "html"}


def test_the_page_has_one_way_to_be_asked_for() -> None:
    """--html with -o or with another format is wrong usage."""
    assert invoke("diagram", "--html", "a.html", "-o", "b.html").exit_code == 2
    assert invoke("diagram", "--html", "a.html", "-f", "svg").exit_code == 2
    assert invoke("diagram", "server", "--check", "a.mmd", "-o", "a.mmd").exit_code == 2


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """Exit code 1 and one line that says why."""
    for arguments in (("diagram", "server", "-o"), ("demo", "--chart")):
        ran = invoke(*arguments, str(tmp_path / "no" / "such" / "folder.txt"))
        assert ran.exit_code == 1
        assert re.search(r"^Error: cannot write .*folder\.txt: .+$", ran.stderr, re.MULTILINE)


def test_without_a_renderer_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 names Graphviz and the extra."""
    monkeypatch.setattr(pictures, "PROGRAMS", ())
    ran = invoke("diagram", "server", "-f", "svg", "--highlight", "bound", columns=200)
    assert ran.exit_code == 1
    assert "dot" in ran.stderr
    assert 'pip install "socket-lifecycle[diagrams]"' in ran.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_no_picture_on_a_terminal() -> None:
    """PNG for a terminal is wrong usage."""
    import pty

    controller, terminal = pty.openpty()
    try:
        ran = subprocess.run(
            (*COMMAND, "diagram", "server", "-f", "png"), env=environment(), stdout=terminal, stderr=subprocess.PIPE, text=True,
            timeout=PROGRAM_ENDS, check=False,
        )  # fmt: skip
    finally:
        os.close(terminal)
        os.close(controller)
    assert ran.returncode == 2
    assert "a terminal cannot show pictures" in ran.stderr


@pytest.mark.parametrize(
    ("suffix", "beginning"), [(".svg", "<svg"), (".mmd", "sequenceDiagram"), (".txt", ""), (".html", "<!DOCTYPE html>")]
)
def test_the_demo_writes_its_chart(suffix: str, beginning: str, tmp_path: Path) -> None:
    """`lifecycle demo --chart FILE` shows what it always shows, and charts every object of the run."""
    file = tmp_path / f"demo{suffix}"
    ran = invoke("demo", "--chart", str(file))
    assert ran.exit_code == 0
    assert "Calls out of order" in ran.stdout
    chart = file.read_text(encoding="utf-8")
    assert chart.startswith(beginning)
    for name in ("Server", "Client", "Accepted", "Datagram"):
        assert name in chart
    assert "not legal" in chart or "ILLEGAL" in chart


def test_a_chart_of_an_unknown_suffix_is_refused_before_the_demo_runs(tmp_path: Path) -> None:
    """Wrong usage is reported at once, with the suffixes that are known."""
    ran = invoke("demo", "--chart", str(tmp_path / "demo.gif"), columns=200)
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert "Known suffixes: .mmd, .mermaid, .txt, .svg, .html, .htm." in ran.stderr


@pytest.mark.parametrize("suffix", [".mmd", ".txt", ".svg"])
def test_a_file_is_checked(suffix: str, tmp_path: Path) -> None:
    """--check passes on what -o wrote, by any Graphviz; it fails with 1 and a line on another role's, and on none."""
    file = tmp_path / f"picture{suffix}"
    assert invoke("diagram", "server", "--check", str(file)).exit_code == 1
    assert invoke("diagram", "server", "-o", str(file)).exit_code == 0
    file.write_text(file.read_text(encoding="utf-8") + "\n" * (suffix == ".svg"), encoding="utf-8")
    assert invoke("diagram", "server", "--check", str(file)).exit_code == 0
    stale = invoke("diagram", "client", "--check", str(file))
    assert (stale.exit_code, stale.stderr) == (1, f"Error: {file} is out of date: draw it again with -o {file}\n")
