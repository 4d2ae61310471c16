"""Output files: the old one or the new one is there whole; what is shown has no characters that act."""

from __future__ import annotations

import os
import re
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import lifecycle
from lifecycle.system import output
from lifecycle.system.output import annotation_text, printable, printable_lines, write_whole

ROOT = Path(lifecycle.__file__).parent

OLD, NEW = b"the old content\n", "the new content \N{SNOWMAN}\n"

UNWRITTEN = {
    "checking/settings.py": "writes into the folder that it has just made",
}
"""file -> why it writes files without write_whole()"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with the old content, which only its owner and group may read."""
    path = tmp_path / "report.json"
    path.write_bytes(OLD)
    path.chmod(0o640)
    return path


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process can grow beyond ten bytes; a fixture would end after the test runner has written its dot."""
    resource = pytest.importorskip("resource", reason="only POSIX limits the size of files")
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_the_content_is_replaced_and_the_mode_is_kept(file: Path) -> None:
    """The new content is there with the old file's mode, and nothing is left beside it."""
    write_whole(file, NEW)
    assert file.read_text(encoding="utf-8") == NEW
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(file.parent) == [file.name]


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    """A file that was not there gets the mode that the umask leaves."""
    (tmp_path / "plain").write_bytes(b"")
    write_whole(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_file_of_another_is_not_taken_for_a_new_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file has the name beside it already, that one stays as it is, and another name is used."""
    strange = file.parent / f".lifecycle-{os.getpid()}-7"
    strange.write_text("strange", encoding="utf-8")
    monkeypatch.setattr(output, "_NUMBERS", iter((7, 8)))
    write_whole(file, "new")
    assert (file.read_text(encoding="utf-8"), strange.read_text(encoding="utf-8")) == ("new", "strange")


def test_a_full_disk_leaves_the_old_file(file: Path) -> None:
    """Where the new content does not fit, OSError is raised, the old one stays, and nothing is left beside it."""
    with full_disk(), pytest.raises(OSError, match="too large"):
        write_whole(file, NEW)
    assert file.read_bytes() == OLD
    assert os.listdir(file.parent) == [file.name]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_a_kill_leaves_the_old_file(file: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed before the rename, after whatever step, leaves the old content."""
    child = os.fork()
    if not child:
        monkeypatch.setattr(output.os, step, lambda *arguments: os.kill(os.getpid(), signal.SIGKILL))
        write_whole(file, NEW)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert file.read_bytes() == OLD


def test_a_symbolic_link_stays_one(file: Path) -> None:
    """What a link leads to is replaced, whether it is there or not."""
    for name, target in (("link", file), ("dangling", file.with_name("new"))):
        link = file.with_name(name)
        link.symlink_to(target.name)
        write_whole(link, NEW)
        assert link.is_symlink()
        assert target.read_text(encoding="utf-8") == NEW


def test_a_folder_and_a_file_in_none_are_refused(file: Path) -> None:
    """A folder is not replaced, and none is made."""
    for path, error in ((file.parent, IsADirectoryError), (file.with_name("none") / "a", FileNotFoundError)):
        with pytest.raises(error):
            write_whole(path, NEW)
    assert os.listdir(file.parent) == [file.name]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write every file")
def test_a_file_that_may_not_be_written_is_not_replaced(file: Path) -> None:
    """A read-only file in a folder that can be written stays."""
    file.chmod(0o400)
    with pytest.raises(PermissionError):
        write_whole(file, NEW)
    assert file.read_bytes() == OLD


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_or_a_device_is_written_to(tmp_path: Path) -> None:
    """What is not an ordinary file gets the content, and stays what it is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, NEW)
        assert os.read(reading, 100).decode() == NEW
    finally:
        os.close(reading)
    write_whole("/dev/null", NEW)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "\u202egnp", "\udcff\udcfe", "-o", "x" * 255], ids=ascii)
def test_odd_names_are_names(tmp_path: Path, name: str) -> None:
    """A file of any name that the system takes is written."""
    for _ in range(2):
        write_whole(tmp_path / name, "\ud800")
    assert (tmp_path / name).read_bytes() == b"\\ud800"


def test_every_output_file_is_written_whole() -> None:
    """No other function of the package opens a file to write it."""
    writes = re.compile(r"""\.write_(text|bytes)\(|\bopen\([^()]*['"][wax]b?\+?['"]""")
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if writes.search(path.read_text("utf-8"))}
    assert found - {"system/output.py"} == set(UNWRITTEN)


@pytest.mark.parametrize("write", [printable, printable_lines, annotation_text])
def test_no_character_acts(write: Callable[[str], str]) -> None:
    """Control characters, those that turn the direction of writing, and surrogates are written as their escapes."""
    shown = write("".join(map(chr, (*range(0x2100), 0xD800, 0xDFFF, 0xFEFF, 0xFFFE, 0xE0001, 0x10FFFF))))
    assert "".join(shown.split("\n")).isprintable()
    assert all(escape in shown for escape in ("\\x1b", "\\x7f", "\\x9b", "\\u202e", "\\ud800", "\\ufffe", "\\U0010ffff"))


TEXTS: dict[str, tuple[str, str]] = {
    "plain é text": ("plain é text", "plain é text"),
    "a\nb": ("a\\nb", "a\nb"),
    "a\tb\r\n\x1b\x7f\x9b": ("a\\tb\\r\\n\\x1b\\x7f\\x9b", "a\\tb\\r\n\\x1b\\x7f\\x9b"),
    "\xad\u0378\u2028\ud800\uffff\U000e0001": ("\\xad\\u0378\\u2028\\ud800\\uffff\\U000e0001",) * 2,
    "\xa0 \u3000\\": ("\\xa0 \\u3000\\",) * 2,
    "": ("", ""),
    "\n": ("\\n", "\n"),
}


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_texts_are_escaped(text: str) -> None:
    """Unprintable characters as their shortest escapes; printable_lines() keeps line ends, and only those."""
    assert (printable(text), printable_lines(text)) == TEXTS[text]


def test_annotations_are_escaped() -> None:
    """Per cent signs and line ends of a message, and commas and colons of a property, are written in hexadecimal."""
    assert annotation_text("50% a,b: c\nd\x1b") == "50%25 a,b: c%0Ad\\x1b"
    assert annotation_text("50% a,b: c\nd", is_property=True) == "50%25 a%2Cb%3A c%0Ad"
