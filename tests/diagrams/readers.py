"""Readers of the formats: each gives back the cells that a diagram shows, so that they can be compared with the role's.

A label is read as `call, call [outcome, outcome]`, which only names without commas and brackets allow.
"""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator

from lifecycle.diagrams.graph import NAMED_STATE

Cell = tuple[str, str, str, str]
"""(state, call, outcome, next state)"""

SCXML = "{http://www.w3.org/2005/07/scxml}"
OWN = "{urn:lifecycle:role}"
ANY = "any of these"
TAKES = "each of these takes "
LABEL = re.compile(r"([^\[\]()]+?)(?: \(by [^)]*\))?(?: \[([^\]]*)\])?")


def pairs(label: str) -> Iterator[tuple[str, str]]:
    """Every (call, outcome) of one label."""
    found = LABEL.fullmatch(label)
    assert found, label
    calls, outcomes = found[1].split(", "), (found[2] or "ok").split(", ")
    return ((call, outcome) for call in calls for outcome in outcomes)


class Read:
    """What was read so far. `groups` has the states for which each name of a group stands."""

    def __init__(self) -> None:
        self.groups: dict[str, tuple[str, ...]] = {}
        self.cells: list[Cell] = []

    def keeps(self, state: str, label: str) -> None:
        """A call that keeps its state."""
        for each in self._states(state):
            self.cells += [(each, call, outcome, each) for call, outcome in pairs(label)]

    def edge(self, source: str, target: str, label: str) -> None:
        """A call that leads elsewhere."""
        for state in self._states(source):
            for call, outcome in pairs(label):
                if outcome == NAMED_STATE:
                    self.cells += [(state, call, each, each) for each in self._states(target)]
                else:
                    self.cells.append((state, call, outcome, target))

    def _states(self, name: str) -> tuple[str, ...]:
        return self.groups.get(name, (name,))


def read_mermaid(text: str) -> list[Cell]:
    """The cells of a Mermaid state diagram whose states have their names as ids."""
    read = Read()
    for title, name, inside in re.findall(r'state "(.*?)" as (GROUP\w*) \{\n(.*?)\n    \}', text, re.DOTALL):
        read.groups[name] = tuple(state for state in inside.split() if not state.startswith("PART_"))
        for label in decoded(title).partition(TAKES)[2].split("; "):
            if label:
                read.keeps(name, label)
    named = set()
    sources = {end: source for source, end in re.findall(r"^    (\w+) --> (PART_1\d\d\d_\w+)$", text, re.MULTILINE)}
    for line in text.splitlines():
        if edge := re.fullmatch(r"    (\w+) --> (\w+) : (.*)", line):
            if "PART" in (edge[1].rstrip("_0123456789"), edge[2].rstrip("_0123456789")):
                continue  # it stands for edges in the part
            ends = [re.sub(r"^PART_\d+_", "", end) for end in (edge[1], edge[2])]
            for label in unbroken(edge[3].split("<br/>")):
                read.edge(ends[0], ends[1], decoded(label))
        elif kept := re.fullmatch(r"    (\w+) : (.*)", line):
            if kept[1] in named and kept[1] in sources:
                for label in unbroken(kept[2].split("<br/>")):
                    read.edge(re.sub(r"^PART_\d+_", "", sources[kept[1]]), re.sub(r"^PART_\d+_", "", kept[1]), decoded(label))
            elif kept[1] in named:
                read.keeps(kept[1], " ".join(decoded(kept[2]).split("<br/>")))
            named.add(kept[1])
    return read.cells


def unbroken(lines: Iterable[str]) -> list[str]:
    """Lines of labels, those put together that belong to one: it goes on behind a comma, and before a bracket."""
    found: list[str] = []
    for line in lines:
        if found and (
            found[-1].endswith(",")
            or line.startswith(("[", "("))
            or found[-1].count("[") > found[-1].count("]")
            or found[-1].endswith("(by")
        ):
            found[-1] += f" {line}"
        else:
            found.append(line)
    return found


def read_plantuml(text: str) -> list[Cell]:
    """The cells of a PlantUML state diagram whose states have their names as ids."""
    read = Read()
    for title, name, inside in re.findall(r'state "([^"]*)" as (GROUP\w*) \{\n(.*?)\n\}', text, re.DOTALL):
        read.groups[name] = tuple(re.findall(r'" as (\w+)', inside))
        for label in decoded(title).partition(TAKES)[2].split("; "):
            if label:
                read.keeps(name, label)
    for line in text.splitlines():
        if edge := re.fullmatch(r"(\w+) -(?:\[.*?\])?-> (\w+) : (.*)", line):
            for label in edge[3].split("\\n"):
                read.edge(edge[1], edge[2], decoded(label))
        elif kept := re.fullmatch(r"(\w+) : (.*)", line):
            read.keeps(kept[1], decoded(kept[2]))
    return read.cells


def read_dot(text: str) -> list[Cell]:
    """The cells of a `digraph`; broken lines of labels are put together again."""
    read = Read()
    for name, title, inside in re.findall(
        r'subgraph (cluster_group\w*) \{\n +graph \[label="(.*?)" (.*?)\n +\}', text, re.DOTALL
    ):
        read.groups[name] = tuple(re.findall(r'^ +"([^ ].*?)" \[', inside, re.MULTILINE))
        for label in title.removesuffix("\\l").replace("\\l", " ").partition(TAKES)[2].split("; "):
            if label:
                read.keeps(name, label)
    for line in text.splitlines():
        if edge := re.fullmatch(r'    "(.+?)" -> "(.+?)" \[label="(.*?)" (id=.*)\]', line):
            clipped = dict(re.findall(r"(ltail|lhead)=(\w+)", edge[4]))
            source, target = (re.sub(r"^ \d+ ", "", end) for end in (edge[1], edge[2]))
            source, target = clipped.get("ltail", source), clipped.get("lhead", target)
            for label in joined(part.removeprefix("  ").removesuffix("  ") for part in edge[3].split("\\l") if part):
                read.edge(source, target, label)
        elif box := re.fullmatch(r' +"([^ ].*?)" \[label=<(.*)> fillcolor=.*\]', line):
            small = re.search(r"<FONT[^>]*>(.*?)</FONT>", box[2])
            for label in joined(part for part in small[1].split('<BR ALIGN="LEFT"/>') if part) if small else ():
                read.keeps(box[1], label)
    return read.cells


def joined(lines: Iterable[str]) -> list[str]:
    """Lines of which the indented ones continue those before them."""
    found: list[str] = []
    for line in lines:
        if line.startswith(" "):
            found[-1] += " " + line.strip()
        else:
            found.append(line)
    return found


def read_text(text: str) -> list[Cell]:
    """The cells of the text format, which was given enough width."""
    read = Read()
    for box, name, states in re.findall(rf"(\| ({ANY}.*) \|\n\+-.*\n  \| (.*))", text):
        read.groups[name] = tuple(states.split(", "))
        text = text.replace(box, f"| {name} |", 1)
    state = ""
    for line in text.splitlines():
        if box := re.match(r"\| (?:\([ox]\) )?(.*?) \|", line):
            state = box[1]
        elif kept := re.fullmatch(r"  \| (.*)", line):
            read.keeps(state, kept[1])
        elif edge := re.fullmatch(r"  \+(?:--|\.\.|==) (.*) (?:--|\.\.|==)> (.*)", line):
            read.edge(state, edge[2], edge[1])
    return read.cells


def read_scxml(text: str) -> list[Cell]:
    """The cells of an SCXML document, by the names that stand beside its ids."""
    root = ElementTree.fromstring(text)
    names = {each.get("id"): each.get(f"{OWN}name", "") for each in root}
    cells = []
    for state in root:
        for transition in state:
            after = names[transition.get("target", state.get("id"))]
            call, outcome = (transition.get(f"{OWN}{each}", "") for each in ("call", "outcome"))
            cells.append((names[state.get("id")], call, outcome, after))
    return cells


def read_markdown(text: str) -> list[Cell]:
    """The cells of the table of legal calls, as a Markdown parser reads it."""
    cells = []
    for state, call, endings in markdown_tables(text)[2][1:]:
        for clause in endings.split("; "):
            outcomes, _, after = clause.partition(" \N{RIGHTWARDS ARROW} ")
            if outcomes.endswith(f": {NAMED_STATE}"):
                outcomes = outcomes.removesuffix(f": {NAMED_STATE}")
            cells += [(state, call, outcome, after or outcome) for outcome in outcomes.split(", ")]
    return cells


def markdown_tables(text: str) -> list[list[list[str]]]:
    """The tables of a page: their rows' texts, without markup."""
    from markdown_it import MarkdownIt

    tables: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        match token.type:
            case "table_open":
                tables.append([])
            case "tr_open":
                tables[-1].append([])
            case "inline" if tables and token.level > 2:
                tables[-1][-1].append("".join(child.content for child in token.children or ()))
    return tables


def decoded(text: str) -> str:
    """A label of Mermaid or PlantUML with its numbered letters as letters; those are not read once more."""
    return re.sub(r"#(\d+);|<U\+([0-9A-F]+)>", lambda found: chr(int(found[1])) if found[1] else chr(int(found[2], 16)), text)


DOT_TOKEN = re.compile(r'\s*(?:"((?:\\.|[^"\\])*)"|([A-Za-z_][\w.]*|-?[\d.]+|->|[\[\]{}=]))')


def dot_statements(text: str) -> list[list[str]]:
    """The lines of a `digraph` as tokens, by the rules of its lexer but without Graphviz; strings without their quotes.

    An HTML-like string begins with `<`, ends where its brackets are balanced, and is given back with both.
    """
    return [list(_dot_tokens(line)) for line in text.splitlines()]


def _dot_tokens(line: str) -> Iterator[str]:
    place = 0
    while place < len(line):
        if line[place] == "<":
            end, level = place + 1, 1
            while level:
                level += {"<": 1, ">": -1}.get(line[end], 0)
                end += 1
            yield line[place:end]
            place = end
            continue
        found = DOT_TOKEN.match(line, place)
        assert found, line[place:]
        place = found.end()
        yield found[2] or found[1].replace('\\"', '"')


def dot_attributes(statement: list[str]) -> dict[str, str]:
    """The attributes between the brackets of a statement."""
    inner = statement[statement.index("[") + 1 : -1] if "[" in statement else []
    signs = [place for place, token in enumerate(inner[:-1]) if token == "=" and place]
    return {inner[place - 1]: inner[place + 1] for place in signs}


def dot_text(text: str) -> str:
    """A string of DOT as Graphviz shows it: its entities as letters, its escapes resolved, its line ends left out."""
    letters = re.sub(r"&#?\w+;", lambda found: html.unescape(found[0]), text)
    return re.sub(r"\\(.)", lambda found: "" if found[1] == "l" else found[1], letters)
