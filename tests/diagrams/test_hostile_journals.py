"""Nothing in a journal breaks a chart, acts on the terminal or ends the command; thousands of calls take linear time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cli.command import invoke

from lifecycle import Role
from lifecycle.diagrams import explorer_page, sequence_chart, state_diagram
from lifecycle.diagrams.explorer import page
from lifecycle.engine import Call, Record, State

RECORD = {
    "role": "client", "subject": "Client#1", "state": "empty", "call": "create", "thread": "main", "file": "a.py", "line": 1,
    "arguments": "", "began": 0.0, "ended": 0.1, "outcome": "ok", "next_state": "bound", "error": "",
}  # fmt: skip
TEXTS = ("subject", "state", "call", "thread", "file", "arguments", "error", "role", "next_state", "outcome")


def _with(**changed: Any) -> str:
    return json.dumps(RECORD | changed) + "\n"


def _all(text: str) -> str:
    return _with(**dict.fromkeys(TEXTS, text))


JOURNALS: dict[str, tuple[str | bytes, int]] = {
    "markup": (_all("</script><script>alert(1)</script>\"'<img src=x>{{7*7}}%s%n"), 0),
    "control characters": (_all("a\0\1\b\x0b\x1b[31m\x1b]0;t\x07\x7f\x85\x9b31m\u2028\u202eb\ufffe\uffff"), 0),
    "lone surrogates": (_all("\ud800x\udfff"), 0),
    "nothing in the texts": (_all(""), 0),
    "long texts": (_all("long" * 30_000), 0),
    "an end before the begin": (_with(began=5.0, ended=1.0), 0),
    "objects that end before they begin": ("".join(_with(subject=f"S{n}", began=n) for n in range(40)), 0),
    "times beyond all numbers": (_with(began=10**400), 2),
    "a line beyond all numbers": (_with(line=10**400), 2),
    "an infinite time": (_with(ended=1e999), 2),
    "no number as time": (_with(began=float("nan")), 2),
    "lists within lists": ("[" * 100_000, 2),
    "lists within a field": ('{"role":' + "[" * 5000 + "]" * 5000 + "}", 2),
    "digits without end": ('{"role":"client","began":' + "9" * 5000 + "}", 2),
    "a mark of byte order": ("\ufeff" + _with(), 2),
    "another encoding": ('{"role":"\xe9"}'.encode("latin-1"), 2),
    "null bytes": (b"\0" * 100, 2),
    "nothing": ("", 0),
    "roles that nobody knows": (_with(role="nosuch", state="??", call="!!"), 0),
}
"""what a journal holds -> its bytes, and the exit code: it is charted, or wrong usage"""


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        *((name, suffix) for name in JOURNALS for suffix in ("txt", "mmd", "svg")),
        ("markup", "html"),
        ("lone surrogates", "html"),
    ],
)
def test_a_journal_is_charted_or_refused(name: str, suffix: str, tmp_path: Path) -> None:
    """Each is written as a file of its format without characters that act, or is wrong usage that is explained in a line."""
    journal, code = JOURNALS[name]
    run, drawn = tmp_path / "run.jsonl", tmp_path / f"drawn.{suffix}"
    run.write_bytes(journal if isinstance(journal, bytes) else journal.encode("utf-8", "surrogatepass"))
    format = "text" if suffix == "txt" else "mermaid" if suffix == "mmd" else suffix
    ran = invoke("diagram", "--run", str(run), "-f", format, "-o", str(drawn))
    assert ran.exit_code == code, ran.output
    assert "".join(ran.output.split("\n")).isprintable()
    assert len(ran.output) < 1000
    if code:
        assert not drawn.exists()
        return
    text = drawn.read_text(encoding="utf-8")
    assert not {"\0", "\b", "\x1b", "\x9b", "\u202e", "\ufffe"} & set(text)
    if suffix == "svg":
        ElementTree.fromstring(text)
    if suffix == "html":
        assert "<script>alert" not in text


def _in_a_row(count: int) -> list[Record]:
    ends = (("broken" if number % 7 == 6 else "ok") for number in range(count))
    return [Record("client", "C", "connected", "send", "t", "f", 1, "x", n, n + 0.5, end, end) for n, end in enumerate(ends)]


def _one_after_the_other(count: int) -> list[Record]:
    return [Record("client", f"C{n}", "empty", "create", "t", "f", 1, "", n, n + 0.5, "ok", "bound") for n in range(count)]


def _at_once(count: int) -> list[Record]:
    return [
        Record("client", f"C{n}", "empty", "create", f"t{n}", "f", 1, "", n, 2.0 * count, "ok", "bound") for n in range(count)
    ]


def _chain(count: int) -> Role:
    return Role(
        name="chain",
        doc="Many states.",
        states=tuple(State(f"s{number}", "one") for number in range(count)),
        calls=(Call("next", "on"), Call("stop", "end")),
        rows=(
            *((f"s{number}", "next", {"ok": f"s{number + 1}"}) for number in range(count - 1)),
            *((f"s{number}", "stop", {"ok": f"s{count - 1}"}) for number in range(count)),
        ),
        initial="s0",
        final=frozenset({f"s{count - 1}"}),
    )


@pytest.mark.parametrize(
    ("draw", "size"),
    [
        *((partial(lambda form, make, n: sequence_chart(make(n), form), form, make), 120)
          for make in (_in_a_row, _one_after_the_other, _at_once) for form in ("text", "svg")),
        (_chain, 500),
        *((partial(lambda form, n: state_diagram(_chain(n), form), form), 80) for form in ("text", "mermaid", "dot", "scxml")),
    ],
)  # fmt: skip
def test_sizes_in_the_thousands_stay_linear(draw: Callable[[int], object], size: int) -> None:
    """Four times as many calls, objects or states take at most eight times as long; sixteen times would be quadratic."""
    few, many = (min(_seconds(draw, count) for _ in range(2)) for count in (size, 4 * size))
    assert many < 8 * few + 0.02


def _seconds(draw: Callable[[int], object], count: int) -> float:
    began = time.process_time()
    draw(count)
    return time.process_time() - began


def test_a_page_of_a_long_run_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more calls than MOST_CALLS the page has the first, and its title says of how many."""
    monkeypatch.setattr(page, "MOST_CALLS", 10)
    drawn = explorer_page([], _in_a_row(1234))
    assert "the first 10 of 1,234 calls" in drawn
    data = json.loads(re.search(r'id="data">(.*?)</script>', drawn, re.DOTALL)[1])  # type: ignore[index]
    assert len(data["run"]) == 10
