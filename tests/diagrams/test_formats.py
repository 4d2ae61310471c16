"""The formats of state diagrams: each shows the whole role, and no name breaks any of them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections import deque
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest
from diagrams.overlapping import BOXES, overlap
from diagrams.programs import RealMermaid, dot_json, needs_dot
from diagrams.readers import (
    OWN,
    SCXML,
    Cell,
    decoded,
    markdown_tables,
    read_dot,
    read_markdown,
    read_mermaid,
    read_plantuml,
    read_scxml,
    read_text,
)
from hypothesis import HealthCheck, example, given, settings
from long_form import part
from strategies import awkward_names, roles

from lifecycle import Role, Server
from lifecycle.diagrams import UnknownFormat, explorer_page, state_diagram, state_png
from lifecycle.diagrams.extraction import graph_of
from lifecycle.diagrams.graph import Group, group_label, labels
from lifecycle.diagrams.lettering import cells, visible
from lifecycle.diagrams.mermaid import RESERVED
from lifecycle.diagrams.plantuml import RESERVED as RESERVED_IN_PLANTUML
from lifecycle.engine import Call, Outcome, Record, State
from lifecycle.roles import ROLES

READERS: dict[str, Callable[[str], list[Cell]]] = {
    "mermaid": read_mermaid,
    "plantuml": read_plantuml,
    "dot": read_dot,
    "scxml": read_scxml,
    "markdown": read_markdown,
    "text": read_text,
}

PERCENT_AND_BRACKETS = Role(
    name="%",
    doc="Names that Graphviz reads in ways of its own.",
    states=tuple(State(name, ".") for name in ("]", "]]", "%", "%3", "]]>")),
    calls=(Call("]", "."), Call("%", ".")),
    rows=(
        ("]", "%", {"ok": "]]"}),
        ("]]", "]", {"ok": "%", "failed": "]]"}),
        ("%", "%", {"ok": "%3", "failed": "%"}),
        ("%3", "%", {"ok": "]]>"}),
    ),
    initial="]",
    final=frozenset({"]]>"}),
)

NC_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)


@pytest.mark.parametrize("format", READERS)
@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_every_format_reads_back_as_the_roles_table(role: Role, format: str) -> None:
    """What a diagram shows, read by the format's own rules, is every (state, call, outcome, next state) of the role."""
    assert sorted(READERS[format](state_diagram(role, format, width=1000))) == sorted(role.cells())


taken = {word.lower() for word in (*RESERVED, *RESERVED_IN_PLANTUML)}


@pytest.mark.parametrize("format", READERS)
@settings(max_examples=part(25, 10), suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(role=roles())
def test_every_format_of_any_role_reads_back(format: str, role: Role) -> None:
    """The same for generated roles, with names of letters."""
    if taken & {state.name for state in role.states} or any(state.name.startswith("n") for state in role.states):
        return
    assert sorted(READERS[format](state_diagram(role, format, width=1000))) == sorted(role.cells())


@given(roles(awkward_names))
@settings(max_examples=part(60, 20))
def test_no_name_breaks_scxml(role: Role) -> None:
    """SCXML is well-formed, its ids are unique names of XML, its targets resolve, its events are unique within a state."""
    text = state_diagram(role, "scxml")
    root = ElementTree.fromstring(text)
    ids = [state.get("id") or "" for state in root]
    assert len(set(ids)) == len(ids)
    assert all(NC_NAME.fullmatch(each) for each in ids)
    assert root.get("initial") in ids
    assert root.tag == f"{SCXML}scxml"
    for state in root:
        assert (state.tag == f"{SCXML}final") == any(each.get("id") == state.get("id") for each in root.iter(f"{SCXML}final"))
        events = [transition.get("event") or "" for transition in state]
        assert len(set(events)) == len(events)
        assert all(re.fullmatch(r"[\w]+\.[\w]+", event, re.ASCII) for event in events)
        if state.tag == f"{SCXML}final":
            assert all(transition.tag.startswith(OWN) for transition in state)
    shown = [tuple(map(visible, cell)) for cell in role.cells()]
    assert sorted(read_scxml(text)) == sorted(shown)


@given(roles(awkward_names))
@settings(max_examples=part(60, 20))
def test_no_name_breaks_markdown(role: Role) -> None:
    """A Markdown parser finds four tables, with a row for each state, call, legal call and refused call, and their names."""
    states, calls, legal, refused = markdown_tables(state_diagram(role, "markdown"))
    assert [row[0] for row in states[1:]] == [squeezed(visible(state.name)) for state in role.states]
    used = [call.name for call in role.calls if not role.never_legal(call.name)]
    assert [row[0] for row in calls[1:]] == [squeezed(visible(name)) for name in used]
    expected = [(state, call) for state in role.table for call in role.table[state]]
    assert [(row[0], row[1]) for row in legal[1:]] == [(squeezed(visible(s)), squeezed(visible(c))) for s, c in expected]
    for (state, call), row in zip(expected, legal[1:], strict=True):
        for outcome, after in role.table[state][call].items():
            assert squeezed(visible(outcome)) in row[2]
            assert squeezed(visible(after)) in row[2]
    assert len(refused) - 1 == sum(len(role.illegal(state)) for state in role.table)
    assert {len(row) for row in refused} == {4}


def test_outcomes_that_name_their_states_are_one_clause() -> None:
    """Several are listed once with that remark; one alone is followed by its state, as any other outcome."""
    role = Role(
        name="switch",
        doc="Turned by its user.",
        states=(State("off", "."), State("on", "."), State("gone", ".")),
        calls=(Call("turn", "."), Call("look", ".")),
        rows=(("off", "turn", {"on": "on", "gone": "gone"}), ("off", "look", {"on": "on"}), ("on", "look", {"ok": "gone"})),
        initial="off",
        final=frozenset({"gone"}),
        outcomes=(Outcome("on", "."), Outcome("gone", "."), Outcome("ok", ".")),
    )
    legal = markdown_tables(state_diagram(role, "markdown"))[2]
    assert [row[2] for row in legal[1:]] == [
        "on, gone: the state it names",
        "on \N{RIGHTWARDS ARROW} on",
        "ok \N{RIGHTWARDS ARROW} gone",
    ]


def dense(text: str) -> str:
    """A text without spaces, which a broken label has elsewhere."""
    return "".join(text.split())


def squeezed(text: str) -> str:
    """A text as a table's cell has it, without spaces at its ends."""
    return text.strip()


@given(roles(awkward_names))
@settings(max_examples=part(60, 20))
def test_no_name_breaks_mermaid_or_plantuml(role: Role) -> None:
    """Every line is one statement, with identifiers for states, and its label is the graph's once its numbers are letters."""
    graph = graph_of(role)
    expected = sorted(dense("".join(labels(edge.endings))) for edge in graph.edges)
    for format, arrow, line_break in (("mermaid", r"-->", "<br/>"), ("plantuml", r"-(?:\[[^\]]*\])?->", "\\n")):
        text = state_diagram(role, format)
        assert all(line.isprintable() for line in text.splitlines())
        edges = re.findall(rf"^ *(?!PART_\d+ )(\w+) {arrow} (?!PART_\d+ )(\w+) : (.*)$", text, re.MULTILINE)
        boxes = set(re.findall(rf"^ *\w+ {arrow} (\w+)$", text, re.MULTILINE))  # at the ends of edges without labels
        lines = dict(re.findall(r"^ *(\w+) : (.*)$", text, re.MULTILINE))  # the last of each: a box has a name, then the label
        shown = [*(label for _, _, label in edges), *(lines[box] for box in boxes)]
        assert sorted(dense("".join(map(decoded, label.split(line_break)))) for label in shown) == expected
        titles = re.findall(r'state "([^"]*)" as', text)
        assert {group_label(group) for group in graph.groups} <= set(map(decoded, titles))


@needs_dot
@example(PERCENT_AND_BRACKETS)
@given(roles(awkward_names))
@settings(max_examples=part(25, 10))
def test_no_name_breaks_dot(role: Role) -> None:
    """Graphviz itself reads every state by its name, and every edge between the right states, with its label."""
    graph = graph_of(role)
    read = json.loads(dot_json(state_diagram(role, "dot")))
    names = {each["_gvid"]: re.sub(r"^\\%", "%", unescaped(each["name"])) for each in read["objects"]}
    boxes = {name for name in names.values() if name and not name.startswith("cluster")}
    names = {number: re.sub(r"^ \d+ ", "", name) for number, name in names.items()}
    assert {visible(node.name) for node in graph.nodes} <= boxes
    edges = [edge for edge in read.get("edges", []) if edge.get("id", "").startswith("edge-")]
    assert len(edges) == len(graph.edges)
    for edge, drawn in zip(graph.edges, sorted(edges, key=lambda each: int(each["id"].removeprefix("edge-"))), strict=True):
        label = re.sub(r"\\(.)", lambda found: "" if found[1] == "l" else found[1], unescaped(drawn["label"]))
        assert re.sub(r"\s", "", label) == re.sub(r"\s", "", "".join(labels(edge.endings)))
        if not isinstance(edge.source, Group):
            assert names[drawn["tail"]] == visible(edge.source)
        if not isinstance(edge.target, Group):
            assert names[drawn["head"]] == visible(edge.target)
        assert ("dashed" in drawn.get("style", "")) == edge.is_failure


def unescaped(text: str) -> str:
    """A text of DOT, in which what looks like an entity is written as one."""
    return re.sub(r"&amp;(?=#?\w+;)", "&", text)


@pytest.mark.parametrize("format", ["markdown", "dot", "scxml"])
def test_the_errors_of_an_outcome_are_in_the_diagram(format: str) -> None:
    """Which of the system's errors mean `refused` and `broken` is in the formats that have a place for it."""
    role = ROLES["client"]
    text = state_diagram(role, format)
    for call in role.calls:
        moving = {outcome for state, name, outcome, after in role.cells() if name == call.name and after != state}
        for names in (names for outcome, names in call.errors.items() if outcome in moving):  # others have no arrow
            assert names == () or ", ".join(names) in text or " ".join(names) in text


@given(role=roles(awkward_names))
@settings(max_examples=part(40, 12), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_real_mermaid_reads_any_role(mermaid_itself: RealMermaid, role: Role) -> None:
    """Mermaid itself draws what is written, and finds every state and every edge with its label."""
    graph = graph_of(role)
    text = state_diagram(role, "mermaid")
    assert "<svg" in mermaid_itself.drawn(text)
    parsed = mermaid_itself.parsed(text)
    expected = sorted(dense("".join(labels(edge.endings))) for edge in graph.edges if not edge.is_short)
    titles = [
        title.replace("<br>", "")
        for *ends, title in parsed["relations"]
        if title and not any(re.fullmatch(r"PART_\d+", end) for end in ends)
    ]
    assert sorted(dense(entities(title)) for title in titles) == expected
    shown = {entities(texts[0]) for texts in parsed["states"].values() if texts}
    assert {squeezed(visible(node.name)) for node in graph.nodes} <= shown


def entities(text: str) -> str:
    """A text of Mermaid's own, in which it marks numbered letters in its own way until it draws them."""
    return re.sub("\ufb02\xb0\xb0(\\d+)\xb6\xdf", lambda found: chr(int(found[1])), text)


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_the_real_mermaid_draws_our_roles(mermaid_itself: RealMermaid, role: Role) -> None:
    """It draws a box for each state and every label, none on top of another, and dashes the lines of failures."""
    graph = graph_of(role)
    mermaid_itself.drawn(state_diagram(role, "mermaid"))
    outside = sum(len(picture.outside) for picture in graph.pictures) + sum(edge.is_short for edge in graph.edges)
    assert mermaid_itself.ask("document.querySelectorAll('g.node').length") == len(graph.nodes) + outside + 2
    dashes = mermaid_itself.ask(
        "[...document.querySelectorAll('path.transition')].map(e => getComputedStyle(e).strokeDasharray)"
    )
    links = [link for picture in graph.pictures for link in picture.links]
    assert sum("6" in dash for dash in dashes) == sum(each.is_failure for each in (*graph.edges, *links))
    shown = dense(mermaid_itself.ask("document.getElementById('place').textContent"))
    for edge in graph.edges:
        assert all(dense(text) in shown for text in labels(edge.endings))
    texts = mermaid_itself.ask(f"({BOXES})('.edgeLabel foreignObject > div')")
    boxes = mermaid_itself.ask(f"({BOXES})('g.node')")
    texts = [text for text in texts if text[0].strip()]
    on_texts = [(one[0], other[0]) for one, other in combinations(texts, 2) if overlap(one, other)]
    on_boxes = [(text[0], box[0]) for text in texts for box in boxes if overlap(text, box)]
    assert on_texts + on_boxes == []


@pytest.mark.parametrize("word", sorted({*RESERVED, "END", "State", "n1", "GROUP", "x1", "__proto__", "constructor"}))
def test_words_of_the_formats_can_be_names(mermaid_itself: RealMermaid, word: str) -> None:
    """A state that is named like a word of Mermaid is drawn like any other."""
    role = Role(
        name=word,
        doc="Named like a word of the language.",
        states=(State(word, "."), State("direction TB", "."), State("over", ".")),
        calls=(Call(word, "."), Call("go", ".")),
        rows=((word, "go", {"ok": "direction TB"}), ("direction TB", word, {"ok": "over"})),
        initial=word,
        final=frozenset({"over"}),
    )
    text = state_diagram(role, "mermaid")
    assert len([edge for edge in mermaid_itself.parsed(text)["relations"] if edge[2]]) == 2
    assert word in mermaid_itself.drawn(text)


@given(roles(awkward_names))
def test_the_text_keeps_to_its_width(role: Role) -> None:
    """However long the names are, a line has at most the columns asked for, unless it is a box's."""
    for line in state_diagram(role, "text", width=60).splitlines():
        assert cells(line) <= 60 or line.startswith(("|", "+-"))


def test_an_unknown_format_names_the_known_ones() -> None:
    """A wrong format is answered with the right ones."""
    with pytest.raises(UnknownFormat, match=r"no format 'sgv'. Did you mean 'svg'\? Known formats: mermaid, dot"):
        state_diagram(ROLES["server"], "sgv")
    with pytest.raises(UnknownFormat, match=r"PNG is drawn by state_png\(\)"):
        state_diagram(ROLES["server"], "png")


@pytest.mark.parametrize("thing", ["server", Server], ids=["name", "class"])
@pytest.mark.parametrize("use", [state_diagram, state_png, lambda thing: explorer_page([thing])], ids=["text", "png", "page"])
def test_a_name_or_a_class_is_not_a_role(use: Callable[[Any], object], thing: object) -> None:
    """A role's name, or a class that has one, is a TypeError that says that the role itself is wanted."""
    with pytest.raises(TypeError, match="is not a Role: give the role itself"):
        use(thing)


def test_the_page_may_have_one_role() -> None:
    """A role that is given alone is the only one in the page."""
    assert explorer_page(ROLES["archive"]) == explorer_page([ROLES["archive"]])


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_interpreter_of_scxml_runs_our_roles(role: Role) -> None:
    """An interpreter that somebody else wrote, sent the events of each path, ends in the states that the table says."""
    processors = pytest.importorskip("statemachine.io.scxml.processor", reason="python-statemachine is not installed")
    processor = processors.SCXMLProcessor()
    processor.parse_scxml(role.name, state_diagram(role, "scxml"))
    for way, state in walks(role):
        machine = processor.start()
        for event in way:
            machine.send(event)
        assert {each.id for each in machine.configuration} == {state}


def walks(role: Role) -> Iterator[tuple[list[str], str]]:
    """For each state, the events that lead to it by the shortest way, then all that keep it, and where that ends."""
    ways: dict[str, list[str]] = {role.initial: []}
    queue = deque([role.initial])
    while queue:
        state = queue.popleft()
        kept = [f"{call}.{outcome}" for before, call, outcome, after in role.cells() if before == after == state]
        yield [*ways[state], *([] if state in role.final else kept)], state
        for before, call, outcome, after in role.cells():
            if before == state:
                if after not in ways:
                    ways[after] = [*ways[state], f"{call}.{outcome}"]
                    queue.append(after)
                elif after != state:
                    yield [*ways[state], f"{call}.{outcome}"], after


@needs_dot
@example(PERCENT_AND_BRACKETS)
@given(roles(awkward_names))
@settings(max_examples=part(15, 6))
def test_no_name_breaks_svg_or_the_page(role: Role) -> None:
    """The SVG is well-formed and shows every state and every label; the page's data has every cell."""
    graph = graph_of(role)
    root = ElementTree.fromstring(state_diagram(role, "svg"))
    shown = dense("".join(root.itertext()))
    for text in [visible(node.name) for node in graph.nodes] + [text for edge in graph.edges for text in labels(edge.endings)]:
        assert dense(text) in shown
    page = explorer_page([role])
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])["roles"][0]  # type: ignore[index]
    rows = [(s, c, o, after) for s, calls in data["table"].items() for c, row in calls.items() for o, after in row.items()]
    assert tuple(rows) == role.cells()


@pytest.mark.parametrize(
    ("format", "present", "taken"),
    [
        ("mermaid", "class bound present", "stroke-width: 3px; stroke: #0b6bb8"),
        ("dot", 'fillcolor="#ffe08a"', "penwidth=2.5 color="),
        ("plantuml", 'state "bound" as bound #FFE08A', "[#0B6BB8,bold]"),
        ("markdown", "| `bound` | the present state |", "| `empty` | initial, visited |"),
        ("text", "| bound | <== is here", "+== create ==> bound"),
    ],
)
def test_a_highlight_shows_in_each_format(format: str, present: str, taken: str) -> None:
    """The present state and the path taken are drawn in the format's own way, and only where they are asked for."""
    record = Record("server", "Server#1", "empty", "create", "main", "p", 1, "", 0.0, 0.1, "ok", "bound")
    role = ROLES["server"]
    highlighted, plain = state_diagram(role, format, highlight=[record]), state_diagram(role, format)
    for sign in (present, taken):
        assert sign in highlighted
        assert sign not in plain
