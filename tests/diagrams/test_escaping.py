"""No name breaks any format: each output is read by the format's own rules, without a browser, Graphviz or Mermaid."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from diagrams.readers import decoded, dot_attributes, dot_statements, dot_text
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from strategies import awkward_names, roles

from lifecycle import Role
from lifecycle.diagrams import CHART_FORMATS, DIAGRAM_FORMATS, explorer_page, pictures, sequence_chart, state_diagram
from lifecycle.diagrams.extraction import graph_of
from lifecycle.diagrams.graph import Group, labels
from lifecycle.diagrams.lettering import cells, visible
from lifecycle.engine import Call, Record, State

MERMAID_WORDS = ("end", "END", "state", "note", "class", "direction", "style", "click", "default", "fork", "constructor")
PLANTUML_WORDS = ("end", "End", "state", "note", "title", "skinparam", "legend", "hide", "as", "footer")


def role_of(*names: str) -> Role:
    """A role with these states in a row and with calls of the same names; the role is named like its first state."""
    return Role(
        name=names[0],
        doc=f"Its names are hostile: {names[0]}",
        states=tuple(State(name, f"Doc of {name}") for name in names),
        calls=tuple(Call(name, f"Doc of {name}", reason=f"Not {name}") for name in names),
        rows=tuple((before, before, {"ok": after, "failed": before}) for before, after in pairwise(names)),
        initial=names[0],
        final=frozenset({names[-1]}),
    )


MARKUP = role_of("</script><b>", "&amp;", "&#93;", '"', "\\", "a  b", "\u202eabc", "\x00\x1b[31m", "x" * 300)
"""What each format has to escape, whatever Hypothesis draws"""


def record_of(role: Role) -> Record:
    """A call of the role that failed with a hostile error."""
    first = role.states[0].name
    return Record(
        role.name, f"{first}#1", first, first, first, first, 1, repr(first), 1.0, 1.5, "failed", first, f"{first}: {first}"
    )


def dense(text: str) -> str:
    """A text without spaces: lines are broken at them."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("format", [each for each in DIAGRAM_FORMATS if each != "svg"])
@settings(max_examples=40, deadline=None)
@example(role=MARKUP)
@given(role=roles(awkward_names))
def test_a_diagram_has_printable_lines_only(format: str, role: Role) -> None:
    """No control byte and no bidirectional override of a name is left in a diagram: every line of it is printable."""
    text = state_diagram(role, format)
    assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("format", CHART_FORMATS)
@settings(max_examples=40, deadline=None)
@example(names=[state.name for state in MARKUP.states])
@given(names=st.lists(awkward_names, min_size=2, max_size=4, unique=True))
def test_a_chart_has_printable_lines_only(format: str, names: list[str]) -> None:
    """The same of charts, whose texts are also names of objects, arguments and errors."""
    text = sequence_chart([record_of(role_of(*names))], format)
    assert all(line.isprintable() for line in text.split("\n"))
    if format == "svg":
        tags = {element.tag.partition("}")[2] for element in ElementTree.fromstring(text).iter()}
        assert tags <= {"svg", "title", "style", "rect", "line", "text", "path"}


@settings(max_examples=60, deadline=None)
@example(role=MARKUP)
@given(role=roles(awkward_names))
def test_no_name_breaks_dot_by_the_rules_of_its_lexer(role: Role) -> None:
    """Every box has its state's name, every edge its ends and its label, as Graphviz would read them."""
    graph = graph_of(role)
    statements = dot_statements(state_diagram(role, "dot"))
    found = {dot_attributes(each)["id"]: each for each in statements if each[1:2] == ["["] and "id" in dot_attributes(each)}
    boxes = {id: each for id, each in found.items() if not each[0].startswith(" ")}
    assert len(boxes) == len(graph.nodes)
    names = {}
    for number, node in enumerate(graph.nodes):
        statement = boxes[f"state-{number}"]
        name = re.sub(r"&#?\w+;", lambda found: html.unescape(found[0]), statement[0])
        assert name.removeprefix("\\") == visible(node.name) if name.startswith("\\%") else name == visible(node.name)
        names[node.name] = statement[0]
        label = ElementTree.fromstring(f"<label>{dot_attributes(statement)['label'][1:-1]}</label>")
        assert dense("".join(label.itertext())) == dense(visible(node.name) + "".join(labels(node.keeps)))
    edges = {dot_attributes(each)["id"]: each for each in statements if each[1:2] == ["->"] and "id" in dot_attributes(each)}
    assert len(edges) == len(graph.edges)
    for number, edge in enumerate(graph.edges):
        statement = edges[f"edge-{number}"]
        assert dense(dot_text(dot_attributes(statement)["label"])) == dense("".join(labels(edge.endings)))
        if not isinstance(edge.source, Group):
            assert own(statement[0]) == own(names[edge.source])
        if not isinstance(edge.target, Group):
            assert own(statement[2]) == own(names[edge.target])


def own(name: str) -> str:
    """The name in DOT of a state or of its second box in a part's picture, which begins with a space and a number."""
    return re.sub(r"^ \d+ |^\\(?=%)", "", name)


@pytest.mark.parametrize(
    ("format", "word", "id"),
    [
        *(("mermaid", word, r"^ *(?:\[\*\] --> )?(\w+)(?: -->| :|$)") for word in MERMAID_WORDS),
        *(("plantuml", word, r"(?:as |^\[\*\] --> |^)(\w+)(?: -| :|$)") for word in PLANTUML_WORDS),
    ],
)
def test_no_word_of_the_format_is_an_id(format: str, word: str, id: str) -> None:
    """A state that is named like a word of the language has another id, under its own name."""
    text = state_diagram(role_of(word, "over"), format)
    ids = {found.lower() for line in text.splitlines() for found in re.findall(id, line)}
    assert "over" in ids
    assert word.lower() not in ids
    assert word in decoded(text)


class Elements(HTMLParser):
    """The elements of a page, the text of its scripts by their ids, and its title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: dict[str, str] = {}
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Part of HTMLParser."""
        self.tags.append(tag)
        self._open = f"{tag} {dict(attrs).get('id') or ''}".strip()

    def handle_endtag(self, tag: str) -> None:
        """Part of HTMLParser."""
        self._open = ""

    def handle_data(self, data: str) -> None:
        """Part of HTMLParser."""
        self.texts[self._open] = self.texts.get(self._open, "") + data


@settings(max_examples=30, deadline=None)
@example(names=[state.name for state in MARKUP.states])
@given(names=st.lists(awkward_names, min_size=2, max_size=4, unique=True))
def test_no_name_breaks_the_page(names: list[str]) -> None:
    """Whatever a role, a record and a title say, the page has the same elements, and its data is what they say."""
    role = role_of(*names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "PROGRAMS", ())
        plain = Elements(explorer_page([role_of("a", "b")], title="plain"))
        page = Elements(explorer_page([role], [record_of(role)], title=names[0]))
    assert page.tags == plain.tags
    data = json.loads(page.texts["script data"])
    assert [state["name"] for state in data["roles"][0]["states"]] == names
    assert f"{names[0]}: {names[0]}" in data["texts"]
    assert page.texts["title"] == names[0]


@example("a b", "a  b")
@example("a", " a")
@example("\\n", "\n")
@example("\\x20a", " a")
@given(awkward_names, awkward_names)
def test_no_two_names_look_alike(one: str, other: str) -> None:
    """Different names are written differently, also where spaces at the ends and beside others are dropped."""
    assume(one != other)
    assert " ".join(visible(one).split()) != " ".join(visible(other).split())


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("\u65e5\u672c", 4), ("e\u0301", 1), ("\uff21b", 3), ("\u00e4", 1)])
def test_width_of_letters(text: str, columns: int) -> None:
    """Wide letters of East Asia take two columns, combining marks none, all others one."""
    assert cells(text) == columns


def test_text_has_eighty_columns_by_default() -> None:
    """A diagram as text is for a terminal of 80 columns where no width is given."""
    role = role_of("x" * 200, "over")
    assert state_diagram(role, "text") == state_diagram(role, "text", width=80) != state_diagram(role, "text", width=81)
