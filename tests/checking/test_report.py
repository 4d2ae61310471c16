"""The report of a run in this process: what is printed, which files are written, and when the run fails."""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lifecycle.checking import Finding, checked_sockets
from lifecycle.checking.charts import recorded
from lifecycle.checking.checkers import Checker
from lifecycle.checking.report import NOTHING_CHECKED, report_run
from lifecycle.checking.settings import FILE, Mode, Settings, environment, read_settings
from lifecycle.checking.unseen import OWN_SOCKETS, sockets_of_the_process, unseen


@pytest.fixture
def found() -> list[Finding]:
    """An error of the order and a leak of two sockets."""
    made = []
    with checked_sockets() as findings:
        for _ in range(2):
            made.append(socket.socket())
            with pytest.raises(OSError, match="Invalid argument"):
                made[-1].accept()
    for sock in made:
        sock.close()
    return findings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checker_with(findings: list[Finding]) -> Checker:
    """A checker that has found these, and three of which it kept nothing."""
    checker = Checker(Mode.OBSERVE)
    checker.findings += findings
    checker.left_out = 3
    return checker


def reported(capfd: pytest.CaptureFixture[str], findings: list[Finding], *children: tuple[str, Any], **options: Any) -> str:
    """What a run prints on standard error."""
    has_begun, lost = options.pop("has_begun", True), options.pop("unseen", ())
    report_run(Settings(**options), checker_with(findings), children, lost, has_begun=has_begun)
    printed, told = capfd.readouterr()
    assert printed == ""
    return told


def test_summary_has_the_findings_of_children(capfd: pytest.CaptureFixture[str], found: list[Finding], folder: Path) -> None:
    """The findings of this process and of its children are counted together, and what was left out and not seen is named."""
    told = reported(capfd, found)
    assert told.startswith("lifecycle: 4 findings at 2 places (2 order errors, 2 leaks), and 3 more of the same\n\n")
    child = ("finding", found[0].as_data() | {"line": 1})
    told = reported(capfd, found, child, ("recorded", []), unseen=("this", "that"))
    headline = "lifecycle: 5 findings at 3 places (3 order errors, 2 leaks), and 3 more of the same; not seen: this, that"
    assert told.splitlines()[0] == headline
    assert reported(capfd, []) == "lifecycle: no findings\n"
    assert reported(capfd, found, quiet=True) == ""


def test_program_that_did_not_begin(capfd: pytest.CaptureFixture[str], folder: Path) -> None:
    """Where nothing was checked, that is said instead of a summary, also of a quiet run, and in the report."""
    report = folder / "report.json"
    for is_quiet in (False, True):
        told = reported(capfd, [], has_begun=False, quiet=is_quiet, report=str(report), unseen=("this",))
        assert told == NOTHING_CHECKED
        assert json.loads(report.read_text(encoding="utf-8"))["unseen"] == ["the program, which did not begin", "this"]


def test_report_has_every_finding(capfd: pytest.CaptureFixture[str], found: list[Finding], folder: Path) -> None:
    """The file has the version, all findings in full, and how many sockets there were; what is silenced is left out."""
    report = folder / "report.json"
    reported(capfd, found, report=str(report))
    data = json.loads(report.read_text(encoding="utf-8"))
    assert data == {
        "version": 1, "findings": json.loads(json.dumps([each.as_data() for each in found])), "left_out": 3, "sockets": 0,
        "unseen": [],
    }  # fmt: skip
    (folder / "pyproject.toml").write_text('[tool.lifecycle]\nignore = ["LC301"]\n', encoding="utf-8")
    reported(capfd, found, report=str(report), start=str(folder))
    assert [each["kind"] for each in json.loads(report.read_text(encoding="utf-8"))["findings"]] == ["order", "order"]


@pytest.mark.parametrize("form", ["json", "github", "text"])
def test_format_goes_to_its_file(capfd: pytest.CaptureFixture[str], found: list[Finding], folder: Path, form: str) -> None:
    """Another format than text is printed alone, or written to the file that was asked for; then nothing is printed."""
    told = reported(capfd, found, output_format=form)
    assert told.startswith({"json": '{\n  "version": 1', "github": "::error file=", "text": "lifecycle: 4 findings"}[form])
    assert reported(capfd, found, output_format=form, output=str(folder / "out")) == ""
    written = (folder / "out").read_text(encoding="utf-8")
    assert written == told


@pytest.mark.parametrize("option", ["report", "chart", "html", "output", "write_baseline"])
def test_file_that_cannot_be_written_is_named(
    capfd: pytest.CaptureFixture[str], found: list[Finding], folder: Path, option: str
) -> None:
    """The run goes on, and says which file could not be written, and why."""
    path = str(folder / "missing" / "file.txt")
    told = reported(capfd, found, **{option: path})
    expected = f"cannot write {path}: No such file or directory" if option != "write_baseline" else str(folder / "missing")
    assert expected in told
    assert "lifecycle: 4 findings" in told


def test_broken_settings_of_the_project_hide_nothing(
    capfd: pytest.CaptureFixture[str], found: list[Finding], folder: Path
) -> None:
    """Where the project's settings or the baseline cannot be read, that is said, and everything is reported."""
    (folder / "pyproject.toml").write_text("[tool.lifecycle]\nselect = []\n", encoding="utf-8")
    told = reported(capfd, found, start=str(folder))
    assert told.splitlines()[0].startswith("lifecycle: ")
    assert "select is not a setting" in told.splitlines()[0]
    assert told.splitlines()[1].startswith("lifecycle: 4 findings at 2 places")
    (folder / "pyproject.toml").unlink()
    told = reported(capfd, found, baseline=str(folder / "gone.json"))
    assert "gone.json" in told.splitlines()[0]
    assert told.splitlines()[1].startswith("lifecycle: 4 findings at 2 places")


@pytest.mark.parametrize(("kinds", "fails"), [((), False), (("order",), True), (("leak", "race"), True), (("race",), False)])
def test_run_fails_by_the_kinds_that_were_named(
    found: list[Finding], folder: Path, kinds: tuple[str, ...], fails: bool
) -> None:
    """A run fails where it has a finding of a kind that matters, of this process or of a child."""
    settings = Settings(quiet=True, fail_on=kinds)
    assert report_run(settings, checker_with(found), []) is fails
    assert report_run(settings, checker_with([]), [("finding", each.as_data()) for each in found]) is fails
    assert not report_run(settings, checker_with([]), [("recorded", [])])


def test_chart_has_the_sockets_of_children(capfd: pytest.CaptureFixture[str], folder: Path) -> None:
    """What children recorded is drawn with what this process did."""
    with checked_sockets() as _, socket.socket() as sock:
        from lifecycle.checking.registry import track_of

        track = track_of(sock)
        assert track is not None
        child = [each.as_data() for each in recorded([track], 77)]
    checker = checker_with([])
    checker.tracks.append(track)
    report_run(
        Settings(quiet=True, chart=str(folder / "chart.txt")), checker, [("recorded", child), ("finding", {"kind": "x"})][:1]
    )
    text = (folder / "chart.txt").read_text(encoding="utf-8")
    assert f"{track.name} of 77" in text
    assert text.splitlines().count(track.name) == 1
    assert capfd.readouterr().err == ""


def test_settings_go_the_way_to_other_processes(folder: Path) -> None:
    """What one process writes of the settings another reads, and it finds the package that begins the check."""
    settings = Settings(
        mode=Mode.ENFORCE, systems=("linux", "winsock"), fail_on=("order",), report="r", strict=True, connection=3, live=True
    )
    given = environment(settings, {"PYTHONPATH": "here", "OTHER": "1"})
    (shared,) = (Path(value) for name, value in given.items() if name not in ("PYTHONPATH", "OTHER"))
    assert read_settings(shared) == settings
    assert given["OTHER"] == "1"
    following, rest = given["PYTHONPATH"].split(os.pathsep)
    assert (Path(following, "sitecustomize.py").exists(), rest) == (True, "here")
    assert environment(settings, {})["PYTHONPATH"] == following
    assert replace(settings, chart="c").keeps_all
    assert replace(settings, html="c").keeps_all
    assert not settings.keeps_all
    assert FILE in os.listdir(shared)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux shows the sockets of a process")
def test_what_was_lost_sight_of_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets that no object of Python made, descriptors that were handed out, and libraries with sockets of their own."""
    import _socket

    for module in OWN_SOCKETS:
        monkeypatch.delitem(sys.modules, module, raising=False)
    with checked_sockets(open_is_leak=False):
        before = sockets_of_the_process()
        assert unseen(before) == []
        with socket.socket() as own:
            assert len(sockets_of_the_process() - before) == 1
            strange = [_socket.socket()]
            assert unseen(before) == ["1 open socket that Python's socket did not make"]
            strange.append(_socket.socket())
            assert unseen(before) == ["2 open sockets that Python's socket did not make"]
            number = own.detach()
            assert unseen(before)[1] == "1 socket handed out by detach()"
            os.close(number)
        for each in strange:
            each.close()
        monkeypatch.setitem(sys.modules, "uvloop", sys)
        monkeypatch.setitem(sys.modules, "pycurl", sys)
        assert unseen(sockets_of_the_process()) == ["the sockets of libcurl, uvloop"]
