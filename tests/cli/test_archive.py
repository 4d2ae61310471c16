"""`lifecycle archive dump`: the structure of an archive file, to read or as data."""

from __future__ import annotations

import json
import os
import subprocess
import zlib
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli.command import COMMAND, environment, invoke, run_command
from compound_files import compound_file
from loopback import PROGRAM_ENDS

from lifecycle.archive.dump.scanning import dump
from lifecycle.cli import archive as command

REAL = bytes.fromhex("39300000 fffeff087a00680061006e006700730061006e00 0c000000")
OBJECTS = bytes.fromhex("ffff0100040043416765 1500 0180 1600 0200 0000 0300")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A file that a program of MFC wrote."""
    path = tmp_path / "person.dat"
    path.write_bytes(REAL)
    return path


def test_a_page_has_the_summary_first_and_then_what_is_where(archive: Path) -> None:
    """The piped command prints how much was told, strings and build, then one line a finding, undecided bytes with readings."""
    ran = run_command("archive", "dump", str(archive))
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[0] == f"{archive}: 28 bytes, of which 20 (71%) identified"
    assert lines[1] == "  strings: 1 in UTF-16, 0 in ANSI: the writer was built for Unicode"
    assert lines[-3:] == [
        "         0         4           39 30 00 00              90..      DWORD 12345",
        "         4        20  certain  'zhangsan' (UTF-16)",
        "        24         4           0c 00 00 00              ....      DWORD 12",
    ]


def test_a_page_lists_classes(tmp_path: Path) -> None:
    """Classes come with schema, objects and place, and objects say of which class they are and how sure that is."""
    path = tmp_path / "ages.dat"
    path.write_bytes(OBJECTS)
    page = invoke("archive", "dump", str(path)).stdout
    assert "    CAge        1         2         0" in page.splitlines()
    assert "certain  class CAge, schema 1, number 1" in page
    assert "likely   object of CAge, number 3" in page


def test_json_has_every_finding(archive: Path) -> None:
    """The JSON is one object: the file, the summary, and all that dump() finds."""
    data = json.loads(run_command("archive", "dump", "--json", str(archive)).stdout)
    assert (data["file"], data["summary"]["size"], data["summary"]["build"]) == (str(archive), 28, "unicode")
    assert [(each["offset"], each["length"], each["kind"], each["text"], each["confidence"]) for each in data["findings"]] == [
        (each.offset, each.length, each.kind, each.text, each.confidence) for each in dump(REAL)
    ]


def tags(findings: list[dict[str, Any]]) -> Any:
    """The offsets of the objects, each with those within it, and with how many bytes it has without them."""
    return {
        each["offset"]: (sum(part["length"] for part in each["parts"] if "parts" not in part), tags(each["parts"]))
        for each in findings
        if "parts" in each
    }


def test_json_is_a_tree_as_its_schema_says(tmp_path: Path) -> None:
    """An object holds its bytes, and the objects that its class is mostly followed by; another archive is no part of it.

    The published schema allows nothing else, and the layouts' JSON is in it, too.
    """
    path = tmp_path / "drawing.dat"
    described = bytes.fromhex("ffff00000500434c6f6f70 0500 ffff000005004345646765 0600")  # a loop, and an edge in it
    again = b"\1\x80\7\0" + b"\3\x80\x08\0" * 2  # another loop, with two edges
    path.write_bytes(b"\2\0" + described + again + described)
    schema = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "archive-dump.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    data, layouts = (
        json.loads(invoke("archive", "dump", "--json", *options, str(path)).stdout) for options in ((), ("--layout",))
    )
    for each in (data, layouts):
        jsonschema.validate(each, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**each, "schema_version": 2}, schema)
    assert data["findings"][0]["text"] == "0200"
    loops: Any = {2: (2, {15: (2, {})}), 28: (2, {32: (2, {}), 36: (2, {})}), 40: (2, {53: (2, {})})}
    assert tags(data["findings"]) == loops


def test_standard_input_is_a_file_named_dash(archive: Path) -> None:
    """- reads standard input, from a file as from a pipe, and an empty one is an archive of no bytes."""
    for data in (REAL, b""):
        ran = subprocess.run(
            (*COMMAND, "archive", "dump", "--json", "-"),
            env=environment(), input=data, capture_output=True, timeout=PROGRAM_ENDS, check=True,
        )  # fmt: skip
        told = json.loads(ran.stdout)
        assert (told["file"], told["summary"]["size"], len(told["findings"])) == ("-", len(data), len(dump(data)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    """A file that is not on a disk is read too, as by `dump <(unpack drawing)`."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with subprocess.Popen((*COMMAND, "archive", "dump", str(path)), env=environment(), stdout=subprocess.PIPE) as running:
        path.write_bytes(REAL)
        page, _ = running.communicate(timeout=PROGRAM_ENDS)
    assert b"'zhangsan' (UTF-16)" in page


@pytest.mark.parametrize("missing", ["no-such-file.dat", "."])
def test_what_cannot_be_read_is_wrong_usage(missing: str, tmp_path: Path) -> None:
    """A missing file and a folder exit with 2 and one line that says why."""
    ran = run_command("archive", "dump", str(tmp_path / missing))
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert ran.stderr.startswith(f"Error: cannot read {tmp_path / missing}: ")


@pytest.mark.parametrize("encoding", ["no-such-encoding", "hex", "utf-16"])
def test_what_is_no_code_page_is_wrong_usage(archive: Path, encoding: str) -> None:
    """An encoding that cannot be an ANSI code page exits with 2."""
    assert invoke("archive", "dump", "--encoding", encoding, str(archive)).exit_code == 2


def test_the_code_page_is_an_option(tmp_path: Path) -> None:
    """ANSI strings are shown in the code page that is given."""
    path = tmp_path / "old.dat"
    text = "Привет, мир"
    path.write_bytes(b"\1\0" + bytes((len(text),)) + text.encode("cp1251") + b"\1\0")
    assert text in invoke("archive", "dump", "--encoding", "cp1251", str(path)).stdout


@pytest.mark.parametrize("columns", [80, 120])
def test_long_things_are_cut_unless_all_is_asked_for(tmp_path: Path, columns: int) -> None:
    """Long strings and runs of bytes fit the width and a few rows; --all prints everything."""
    path = tmp_path / "long.dat"
    text = "A long sentence. " * 20
    path.write_bytes(bytes(300) + b"\xff" + len(text).to_bytes(2, "little") + text.encode() + bytes(range(128, 136)))
    page = invoke("archive", "dump", str(path), columns=columns).stdout
    assert max(map(len, page.splitlines()[1:])) <= columns
    assert "bytes more" in page
    assert text not in page
    whole = invoke("archive", "dump", "--all", str(path), columns=columns).stdout
    assert text in whole
    assert "bytes more" not in whole
    assert whole.count("00 00 00 00") > page.count("00 00 00 00")


def test_hostile_text_cannot_move_the_cursor(tmp_path: Path) -> None:
    """Control characters and lone surrogates of a string are escaped, also where standard output is ASCII."""
    path = tmp_path / "hostile.dat"
    text = "\x1b[2J\ud800é"
    path.write_bytes(b"\xff\xfe\xff" + bytes((len(text),)) + text.encode("utf-16-le", "surrogatepass"))
    ran = subprocess.run(
        (*COMMAND, "archive", "dump", str(path)),
        env={**environment(), "PYTHONIOENCODING": "ascii"}, capture_output=True, timeout=PROGRAM_ENDS, check=True,
    )  # fmt: skip
    assert rb"'\x1b[2J\ud800\xe9' (UTF-16)" in ran.stdout
    assert b"\x1b" not in ran.stdout


@pytest.mark.parametrize("arguments", [("archive",), ("archive", "dump")], ids=" ".join)
def test_help_shows_examples(arguments: tuple[str, ...]) -> None:
    """Both help texts end with examples that can be copied, and fit 80 columns."""
    shown = invoke(*arguments, "--help")
    examples = [line.strip() for line in shown.stdout.split("Examples:\n")[1].splitlines()]
    assert len(examples) >= 2
    assert all(example.startswith(" ".join(("lifecycle", *arguments))) for example in examples)
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_a_large_file_shows_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar shows in steps how many of the bytes were read; a small file has none."""
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(command, "LONG", 1 << 10)
    monkeypatch.setattr(command, "progress_bar", lambda: nullcontext(lambda what, done, total: told.append((done, total))))
    path = tmp_path / "marks.dat"
    for size, steps in ((1 << 10, 0), (1 << 12, 64)):
        path.write_bytes((b"\xff\xfe\xff\5" + "words".encode("utf-16-le") + b"\1\0").ljust(16, b"\1") * (size // 16))
        assert invoke("archive", "dump", str(path)).exit_code == 0
        assert len(told) <= steps
    assert told == sorted(told)
    assert len(told) > 8
    assert {total for _, total in told} == {1 << 12}


@pytest.fixture
def compound(tmp_path: Path) -> Path:
    path = tmp_path / "drawing.doc"
    path.write_bytes(compound_file({"Contents": OBJECTS, "Data": bytes(16) + zlib.compress(OBJECTS * 20)}))
    return path


@pytest.mark.parametrize(
    ("options", "path", "objects"),
    [
        ((), ["OLE compound file", "stream 'Data'", "inflated from offset 16"], 40),
        (("--stream", "Contents"), ["OLE compound file", "stream 'Contents'"], 2),
        (("--stream", "Data", "--offset", "16", "--inflate"),
         ["OLE compound file", "stream 'Data'", "from offset 16", "inflated from offset 0"], 40),
    ],
)  # fmt: skip
def test_a_container_is_named_and_read_into(compound: Path, options: tuple[str, ...], path: list[str], objects: int) -> None:
    """A compound file's stream with most classes is shown, or the one asked for, inflated where it is compressed."""
    told = json.loads(invoke("archive", "dump", "--json", *options, str(compound)).stdout)
    assert (told["schema_version"], told["container"]["path"]) == (1, path)
    assert [each["name"] for each in told["container"]["streams"]] == ["Contents", "Data"]
    assert told["summary"]["classes"][0]["objects"] == objects
    page = invoke("archive", "dump", *options, str(compound)).stdout
    assert f"container: {', '.join(path)}" in page


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--stream", "None"), "there is no stream 'None': there are 'Contents', 'Data'"),
        (("--offset", "99999"), "--offset 99999 is not within the"),
        (("--offset", "1", "--inflate"), "no zlib or gzip data begins"),
    ],
)
def test_a_part_that_is_not_there_is_wrong_usage(compound: Path, options: tuple[str, ...], why: str) -> None:
    """A stream, an offset or compressed bytes that a file does not have exit with 2 and one line that says why."""
    ran = invoke("archive", "dump", *options, str(compound))
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
    assert why in ran.stderr
