"""What the commands print and write as JSON has a version, and is of the form that its published schema says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from cli.command import invoke, run_command
from schemas import FOLDER, schema, validated

FAULTY = "import socket\ns = socket.socket()\ns.close()\ns.send(b'')\n"

PRINTED = [
    ("show", "show", "client", "--json"),
    ("show", "show", "server", "--platforms", "--json"),
    ("show", "show", "--json"),
    ("roles", "roles", "--json"),
    ("doctor", "doctor", "--json"),
    ("explain", "explain", "--json"),
    ("matrix", "matrix", "--family", "inet", "--kind", "dgram", "--json"),
    ("matrix", "matrix", "--family", "inet", "--kind", "dgram", "--diff", "winsock", "--json"),
    ("conform-report", "conform", "memory", "--role", "server", "--walks", "1", "--json"),
]


@pytest.mark.parametrize("name", sorted(file.name.removesuffix(".schema.json") for file in FOLDER.glob("*.schema.json")))
def test_a_schema_is_one(name: str) -> None:
    """Each published schema is of the draft that it names, and is in the documentation's list."""
    jsonschema.validators.validator_for(schema(name)).check_schema(schema(name))
    assert f"({name}.schema.json)" in (FOLDER / "json.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "command"), [(name, command) for name, *command in PRINTED], ids=str)
def test_what_is_printed_is_of_its_schema(name: str, command: list[str]) -> None:
    """The output of a command validates, and has a version."""
    assert validated(name, invoke(*command).stdout)["version"] == 1


def test_a_schema_refuses_what_is_not_of_its_form() -> None:
    """A role without its rows, and a problem with a field that nobody knows, do not validate."""
    role = json.loads(invoke("show", "server", "--json").stdout)
    del role["illegal"]
    for name, data in (
        ("show", role),
        ("show", {"version": 1, "server": {}}),
        ("problems", {"version": 1, "problems": [{}], "unseen": []}),
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(data, schema(name))


def test_the_journal_is_of_its_schema() -> None:
    """Each line of `lifecycle demo --json` validates."""
    lines = invoke("demo", "--json").stdout.splitlines()
    assert lines
    for line in lines:
        validated("journal-record", line)


def test_problems_are_of_their_schemas(tmp_path: Path) -> None:
    """Problems as JSON and as SARIF, and the baseline, validate, with awkward names of files too; so does a log of none."""
    file = tmp_path / "fö ü%#?.py"
    file.write_text(FAULTY, encoding="utf-8")
    for name in ("problems", "sarif"):
        form = "json" if name == "problems" else name
        found = validated(name, invoke("lint", "--output-format", form, str(file)).stdout)
        assert len(found["problems"] if name == "problems" else found["runs"][0]["results"]) == 1
        file.with_name("empty.py").write_text("")
        validated(name, invoke("lint", "--output-format", form, str(file.with_name("empty.py"))).stdout)
    baseline = tmp_path / "known.json"
    assert invoke("lint", "--write-baseline", str(baseline), str(file)).exit_code == 0
    validated("baseline", baseline.read_text(encoding="utf-8"))


def test_a_run_is_of_its_schemas(tmp_path: Path) -> None:
    """The report of `lifecycle run`, and what it prints as SARIF, validate, with findings of several kinds."""
    program, report = tmp_path / "program.py", tmp_path / "report.json"
    program.write_text("import socket\nlost = socket.socket()\ntry:\n    lost.accept()\nexcept OSError:\n    pass\n")
    sarif = tmp_path / "run.sarif"
    options = ("--report", str(report), "--output-format", "sarif", "--output", str(sarif))
    assert run_command("run", *options, str(program)).returncode == 0
    kinds = {each["kind"] for each in validated("run-report", report.read_text())["findings"]}
    assert kinds == {"order", "leak"}
    assert {each["ruleId"] for each in validated("sarif", sarif.read_text())["runs"][0]["results"]} == {"LC104", "LC301"}
