"""`lifecycle archive dump --layout` and `lifecycle archive load`: from an unknown file to a document as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from archive.test_layout import drawing
from cli.command import invoke

OWN = """
from dataclasses import dataclass
from lifecycle.archive import WORD, serializable

@serializable("COwn", 1)
@dataclass
class Own:
    years: WORD
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "drawing.dat"
    path.write_bytes(drawing())
    return path


def test_a_layout_becomes_a_module_that_loads_the_file(file: Path, tmp_path: Path) -> None:
    """The printed module is a reader: load prints the document with its fields."""
    module = tmp_path / "drawing.py"
    module.write_text(invoke("archive", "dump", "--layout", str(file)).stdout, encoding="utf-8")
    told = json.loads(invoke("archive", "load", "--classes", str(module), str(file), "--json").stdout)
    assert told["schema_version"] == 1
    assert told["document"]["head"] == b"DRAW".hex()
    assert told["document"]["objects"][1]["name"] == "CLine"


def test_a_layout_as_json_is_a_tree(file: Path) -> None:
    """Classes hold their fields, with a schema version before them."""
    told = json.loads(invoke("archive", "dump", "--layout", "--json", str(file)).stdout)
    assert told["schema_version"] == 1
    line = next(each for each in told["classes"] if each["name"] == "CLine")
    assert [each["kind"] for each in line["fields"]] == ["DWORD", "Bytes", "DOUBLE", "DOUBLE"]


def test_a_module_of_classes_loads_objects_to_the_end(tmp_path: Path) -> None:
    """Without a function load() of the module, the file is objects by pointer; another file exits with 1 and says where."""
    module, path = tmp_path / "own_ages.py", tmp_path / "ages.dat"
    module.write_text(OWN, encoding="utf-8")
    path.write_bytes(bytes.fromhex("ffff01000400434f776e 1500 0180 1600 0200"))
    told = json.loads(invoke("archive", "load", "--classes", str(module), str(path)).stdout)
    assert [each.get("years", each.get("again")) for each in told["document"]] == [21, 22, 2]
    path.write_bytes(b"\xff\xff\1\0\4\0CBad")
    ran = invoke("archive", "load", "--classes", str(module), str(path))
    assert (ran.exit_code, "CBad" in ran.stderr) == (1, True)


def test_a_module_that_is_not_there_is_wrong_usage(file: Path) -> None:
    """A module that cannot be imported exits with 2 and one line."""
    ran = invoke("archive", "load", "--classes", "no.such.module", str(file))
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)


def test_classes_of_sources_are_written_as_a_module(tmp_path: Path) -> None:
    """`archive classes` takes files and folders, prints the module, and its figures on standard error."""
    pytest.importorskip("tree_sitter_cpp", reason="the extra [cpp] is not installed")
    source = tmp_path / "src"
    source.mkdir()
    (source / "a.h").write_text("class CADoc : public CDocument { int m_a; void Serialize(CArchive& ar); };")
    (source / "a.cpp").write_text("void CADoc::Serialize(CArchive& ar) { if (ar.IsStoring()) ar << m_a; else ar >> m_a; }")
    ran = invoke("archive", "classes", str(source))
    assert ran.exit_code == 0
    assert "self.m_a = ar.load(INT)" in ran.stdout
    assert ran.stderr == "1 classes; 0 types not found, 0 statements to write by hand\n"
    (source / "a.cpp").unlink()
    assert invoke("archive", "classes", str(source)).exit_code == 2
