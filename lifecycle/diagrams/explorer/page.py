"""Builds the page: the roles and a recorded run as data, the style sheet and the scripts."""

from __future__ import annotations

import json
import linecache
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from importlib.resources import files
from typing import Any

from lifecycle.diagrams import pictures
from lifecycle.diagrams.details import call_details
from lifecycle.diagrams.dot import dot, edge_id, node_id
from lifecycle.diagrams.extraction import graph_of
from lifecycle.diagrams.graph import Graph
from lifecycle.diagrams.lettering import visible, xml_text
from lifecycle.engine import Record, Role
from lifecycle.engine.role import checked_role
from lifecycle.roles import ROLES

SCRIPTS = ("role.js", "explore.js", "records.js", "run.js", "page.js")
OURS = tuple(ROLES.values())
MOST_CALLS = 50_000
"""Of a run on the page, about 6 MB"""

MOST_LETTERS = 200
SYSTEMS = {"winsock": "Winsock", "linux": "Linux"}


def explorer_page(
    roles: Role | Iterable[Role] = OURS,
    records: Iterable[Record] = (),
    *,
    title: str = "Explore the legal order of calls",
    findings: Iterable[Mapping[str, Any]] = (),
    live: str = "",
    about: str = "",
) -> str:
    """The page, as the text of one HTML file.

    roles: those that can be selected, in this order, or a single one. records: a recorded run to step through, by default the
    demo's run; the page can load another one. Of a longer run the page has the first MOST_CALLS, and its title says so.
    findings: the findings of the run: socket, call, file, line, text, count. live: the address from which the page gets the
    records of a running program. about: text at the top. The page shows the roles' diagrams if Graphviz can draw them, else
    their states.
    """
    run = sorted(records, key=lambda record: record.began)
    if len(run) > MOST_CALLS:
        title = f"{title}: the first {MOST_CALLS:,} of {len(run):,} calls"
    opens = "replay" if run or live else "explore"
    if opens == "explore":
        run = [Record(**json.loads(line)) for line in _part("demo.jsonl").splitlines()]
        sources = json.loads(_part("demo-lines.json"))
    else:
        sources = dict(lines_of(run[:MOST_CALLS]))
    texts: dict[str, int] = {}
    rows = [[_packed(getattr(record, name), texts) for name in _FIELDS] for record in run[:MOST_CALLS]]
    data = {
        "roles": [_role_data(checked_role(role)) for role in ((roles,) if isinstance(roles, Role) else roles)],
        "texts": list(texts),
        "run": rows,
        "sources": sources,
        "findings": list(findings),
        "live": live,
        "opens": opens,
    }
    parts = {
        "title": title.replace("&", "&amp;").replace("<", "&lt;"),
        "about": f"<pre>{xml_text(about)}</pre>" if about else "",
        "source": "; connect-src 'self'" if live else "",
        "style": _part("page.css"),
        "data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        "script": "\n".join(map(_part, SCRIPTS)),
    }
    return re.sub("@([a-z]+)@", lambda found: parts[found[1]], _part("page.html"))


_FIELDS = [field.name for field in fields(Record)]


def _packed(value: Any, texts: dict[str, int]) -> Any:
    """The number of a text among `texts`, by which the page finds it."""
    return texts.setdefault(value, len(texts)) if isinstance(value, str) else value


def lines_of(records: Iterable[Record]) -> Iterator[tuple[str, str]]:
    """("file:line", the line of the program), if the source is on this machine or in linecache."""
    for file, line in {(record.file, record.line): None for record in records}:
        is_source = file.isprintable() and (file.endswith(".py") or re.fullmatch("<.*>", file))
        text = linecache.getline(file, line).strip() if is_source else ""
        if text:
            yield f"{file}:{line}", text[:MOST_LETTERS]


def _part(name: str) -> str:
    return (files("lifecycle.diagrams.explorer") / name).read_text(encoding="utf-8")


def _role_data(role: Role) -> dict[str, Any]:
    graph = graph_of(role)
    return {
        "name": role.name,
        "doc": role.doc,
        "class": "".join(word.title() for word in role.name.split("_")) if ROLES.get(role.name) is role else "",
        "initial": role.initial,
        "final": sorted(role.final),
        "states": [{"name": state.name, "doc": state.doc} for state in role.states],
        "calls": [
            {
                "name": call.name,
                "doc": " ".join((call.doc, *call_details(call))),
                "fired_by": call.fired_by,
                "errors": {outcome: list(names) for outcome, names in call.errors.items()},
            }
            for call in role.calls
        ],
        "kinds": {outcome.name: outcome.kind.value for outcome in role.outcomes},
        "table": {state: {call: dict(outcomes) for call, outcomes in calls.items()} for state, calls in role.table.items()},
        "refused": _refused(graph),
        "picture": _picture(dot(graph)),
        "nodes": {node.name: node_id(number) for number, node in enumerate(graph.nodes)},
        "edges": [[*cell, edge_id(number)] for number, edge in enumerate(graph.edges) for cell in edge.cells()],
        "visible": {name: visible(name) for name in _names(role)},
    }


def _picture(text: str) -> str:
    try:
        return pictures.svg(text)
    except pictures.NoRenderer:
        return ""


def _names(role: Role) -> list[str]:
    return [role.name, *(each.name for kind in (role.states, role.calls, role.outcomes) for each in kind)]


def _refused(graph: Graph) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {node.name: {} for node in graph.nodes}
    for note in graph.notes:
        answers = [[SYSTEMS[system], answer] for system, answer in note.answers if system in SYSTEMS]
        found[note.state][note.call] = {"reason": note.reason, "remedy": note.remedy, "answers": answers}
    return found
