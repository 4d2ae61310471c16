"""The formats in which problems are reported: text, JSON, GitHub annotations, SARIF 2.1.0, JUnit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from urllib.parse import quote

import lifecycle
from lifecycle.checking.formats.codes import CODES
from lifecycle.checking.formats.problems import SCHEMA_VERSION, Problem, source_line
from lifecycle.system.output import annotation_text, printable


def as_text(problems: Sequence[Problem], unseen: Sequence[str] = ()) -> str:
    """A block for each problem: place, message, line with a caret, reason and advice; the summary says what is unseen."""
    return "\n".join("\n".join(_block(problem)) + "\n" for problem in problems)


def _block(problem: Problem) -> list[str]:
    doubt = "" if problem.must else " (on some paths)"
    lines = [
        f"{printable(problem.path)}:{problem.line}:{problem.column + 1}: {problem.code} {printable(problem.message)}{doubt}"
    ]
    source = source_line(problem.file, problem.line)
    if source.strip():
        number = f"{problem.line:>5} | "
        indent = len(source) - len(source.lstrip())
        lines.append(number + printable(source.strip()))
        lines.append(
            " " * (len(number) - 2) + "| " + " " * max(0, problem.column - indent) + _underline(source, problem.column)
        )
    return lines + [f"      {printable(line)}" for line in problem.advice]


def _underline(source: str, column: int) -> str:
    """A caret under each letter of the name that stands there."""
    found = re.match(r"\w*", source[column:])
    return "^" * max(1, len(found[0]) if found else 1)


def as_json(problems: Sequence[Problem], unseen: Sequence[str] = ()) -> str:
    """An object with the version of its schema, the problems, and what was not seen."""
    data = {
        "version": SCHEMA_VERSION,
        "problems": [problem.as_data() for problem in problems],
        "unseen": list(unseen),
    }
    return json.dumps(data, indent=2) + "\n"


def as_github(problems: Sequence[Problem], unseen: Sequence[str] = ()) -> str:
    """Workflow commands that GitHub shows beside the lines of a change; what was not seen is a notice."""
    shown = "".join(
        f"::{'error' if problem.must else 'warning'} file={annotation_text(problem.path, is_property=True)},"
        f"line={problem.line},col={problem.column + 1},title={problem.code}::"
        f"{annotation_text(chr(10).join((problem.message, *problem.advice)))}\n"
        for problem in problems
    )
    return shown + "".join(f"::notice title=lifecycle::not seen: {annotation_text(each)}\n" for each in unseen)


def as_sarif(problems: Sequence[Problem], unseen: Sequence[str] = ()) -> str:
    """A log of the Static Analysis Results Interchange Format (OASIS, version 2.1.0)."""
    rules = [
        {
            "id": code.name,
            "name": code.title.title().replace(" ", "").replace("(", "").replace(")", ""),
            "shortDescription": {"text": code.title},
            "fullDescription": {"text": code.explanation},
        }
        for code in CODES
    ]
    places = {code.name: place for place, code in enumerate(CODES)}
    results = [
        {
            "ruleId": problem.code,
            "ruleIndex": places[problem.code],
            "level": "error" if problem.must else "warning",
            "message": {"text": "\n".join((problem.message, *problem.advice))},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(problem.path.replace("\\", "/"), errors="surrogateescape")},
                        "region": {"startLine": max(1, problem.line), "startColumn": problem.column + 1},
                    }
                }
            ],
            "partialFingerprints": {"lifecycle/v1": problem.fingerprint()},
        }
        for problem in problems
    ]
    driver = {"name": "lifecycle", "version": lifecycle.__version__, "rules": rules}
    notes = [{"level": "note", "message": {"text": f"not seen: {each}"}} for each in unseen]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "results": results,
    }
    data = {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(data, indent=2) + "\n"


def as_junit(problems: Sequence[Problem], unseen: Sequence[str] = ()) -> str:
    """A test suite in which each problem is a failed case; one that passed where there is none. What was not seen is output."""
    cases = [
        f"  <testcase classname={_attribute(problem.path)} name={_attribute(f'{problem.code} line {problem.line}')} "
        f'file={_attribute(problem.path)} line="{problem.line}">\n'
        f"    <failure message={_attribute(problem.message)}>{_content(problem.advice)}</failure>\n"
        "  </testcase>\n"
        for problem in problems
    ] or ['  <testcase classname="lifecycle" name="no problems"/>\n']
    head = f'<testsuite name="lifecycle" tests="{len(cases)}" failures="{len(problems)}" errors="0" skipped="0">\n'
    words = "".join(f"not seen: {escape(printable(each))}\n" for each in unseen)
    output = f"  <system-out>{words}</system-out>\n" if words else ""
    return f'<?xml version="1.0" encoding="utf-8"?>\n{head}{"".join(cases)}{output}</testsuite>\n'


def _content(lines: Sequence[str]) -> str:
    return escape("\n".join(map(printable, lines)), quote=False)


def _attribute(text: str) -> str:
    return f'"{escape(printable(text))}"'


WRITERS: Mapping[str, Callable[[Sequence[Problem], Sequence[str]], str]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
    "junit": as_junit,
}
"""name of a format -> the function that writes the problems, and what was not seen"""
