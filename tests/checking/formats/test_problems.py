"""Problems: what silences them, and the formats in which they are written."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from schemas import validated

from lifecycle.checking.formats.codes import CODES, code_named, code_of
from lifecycle.checking.formats.problems import Problem, new_problems, not_ignored, project_settings, write_baseline
from lifecycle.checking.formats.writers import WRITERS
from lifecycle.checking.kinds import FindingKind
from lifecycle.roles.client import CLIENT

HOSTILE = 'a"b<c>&\n::error::%\u202e\x1b[31m]]>'


def problem(file: Path | str, line: int = 1, code: str = "LC101", message: str = "send() after close()") -> Problem:
    """A problem at that line."""
    return Problem(code, "order", str(file), line, 0, message, (f"why: {message}",))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("comment", "is_silent"),
    [("# lifecycle: ignore", True), ("# lifecycle: ignore[LC101]", True), ("# lifecycle: ignore[LC102, lc101]", True),
     ("# lifecycle: ignore[LC102]", False), ("# lifecycle", False), ("", False)],
)  # fmt: skip
def test_comment_silences_its_line(project: Path, comment: str, is_silent: bool) -> None:
    """A comment silences all problems of its line, or those with its codes."""
    (project / f"{len(comment)}.py").write_text(f"s.send(b'')  {comment}\n", encoding="utf-8")
    left = not_ignored([problem(project / f"{len(comment)}.py")], project_settings(project))
    assert (not left) is is_silent


def test_settings_silence_codes_and_paths(project: Path) -> None:
    """[tool.lifecycle] silences a code everywhere, or below a path."""
    (project / "pyproject.toml").write_text(
        '[tool.lifecycle]\nignore = ["LC401"]\n[tool.lifecycle.per-path-ignores]\n"tests/*" = ["LC101"]\n', encoding="utf-8"
    )
    settings = project_settings(project)
    given = [problem("tests/a.py"), problem("src/a.py"), problem("src/b.py", code="LC401"), problem("tests/c.py", code="LC102")]
    assert [each.file for each in not_ignored(given, settings)] == ["src/a.py", "tests/c.py"]


@pytest.mark.parametrize("table", ['ignore = ["LC999"]', "select = []"])
def test_settings_that_are_not_understood_are_refused(project: Path, table: str) -> None:
    """An unknown code or setting is an error that names the file."""
    (project / "pyproject.toml").write_text(f"[tool.lifecycle]\n{table}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"pyproject.toml, \[tool.lifecycle\]"):
        project_settings(project)


def test_baseline_knows_problems_by_their_line_text(project: Path) -> None:
    """What a baseline knows is not new when lines are added above it; a second one like it, and another one, are."""
    (project / "known.py").write_text("s.send(b'')\n", encoding="utf-8")
    write_baseline(project / "baseline.json", [problem("known.py")])
    (project / "moved.py").write_text("# new line\ns.send(b'')\n", encoding="utf-8")
    known = problem("known.py")
    assert new_problems(project / "baseline.json", [known]) == []
    assert new_problems(project / "baseline.json", [known, known]) == [known]
    assert new_problems(project / "baseline.json", [problem("known.py", code="LC102")]) != []


def test_baseline_of_another_version_is_refused(project: Path) -> None:
    """A file that is not a baseline is an error, rather than one that knows nothing."""
    (project / "old.json").write_text('{"version": 0}', encoding="utf-8")
    with pytest.raises(ValueError, match="is not a baseline"):
        new_problems(project / "old.json", [])


@pytest.mark.parametrize("name", WRITERS)
def test_formats_survive_hostile_text(project: Path, name: str) -> None:
    """No text of a program breaks a format, moves the cursor, or begins a command of its own."""
    text = WRITERS[name]([problem("a,b:c.py", message=HOSTILE), problem(f"{HOSTILE}\udc80.py")], [HOSTILE])
    assert "\x1b" not in text
    assert not any(line.startswith("::error::%") for line in text.splitlines())
    if name in ("json", "sarif"):
        validated(name if name == "sarif" else "problems", text)
    elif name == "junit":
        assert len(ElementTree.fromstring(text).findall("testcase")) == 2


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "text"])
def test_formats_say_what_was_not_seen(project: Path, name: str) -> None:
    """Each format for programs has the words for what the checker lost sight of; the text is under a summary that has them."""
    lost = "the sockets of uvloop"
    assert lost in WRITERS[name]([], [lost])
    assert "seen" not in WRITERS[name]([], []).replace("unseen", "")


def test_sarif_names_every_rule(project: Path) -> None:
    """Each result refers to its rule by name and place, with a line and a column that begin at 1."""
    run = json.loads(WRITERS["sarif"]([problem("x.py", 3)], []))["runs"][0]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "LC101"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 1}


def test_nothing_found_is_a_pass_in_junit(project: Path) -> None:
    """A suite without problems has one case that passed: some servers reject an empty suite."""
    suite = ElementTree.fromstring(WRITERS["junit"]([], []))
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")


def test_every_illegal_cell_has_a_code() -> None:
    """Each cell that a role forbids has a code of its kind, and a closed object has the first."""
    for state in CLIENT.states:
        for call in CLIENT.illegal(state.name):
            for kind in (FindingKind.ORDER, FindingKind.PORTABILITY):
                code = code_of(kind, state.facts, call)
                assert code.kind is kind
                assert (code.name[-1] == "1") is state.facts.over


def test_codes_are_unique_and_explained() -> None:
    """Each code has a name of its own, a title and an explanation, and is found by its name in any case."""
    assert len({code.name for code in CODES}) == len(CODES)
    assert all(code.title and code.explanation for code in CODES)
    assert code_named("lc101") is CODES[0]
    assert code_named("LC999") is None
