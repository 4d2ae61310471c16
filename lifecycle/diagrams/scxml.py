"""The graph as SCXML, the state charts of the W3C: flat, each state with all of its transitions.

Events are named call.outcome, like the engine's triggers. A name that is not a valid XML identifier gets one;
the names themselves, and the system's errors that mean an outcome, are in attributes of a separate namespace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lifecycle.diagrams.graph import Graph, StateBox
from lifecycle.diagrams.lettering import identifiers, visible, xml_text
from lifecycle.system.output import printable

NAMESPACE = "http://www.w3.org/2005/07/scxml"
OWN_NAMESPACE = "urn:lifecycle:role"


def scxml(graph: Graph) -> str:
    """The graph as an SCXML document."""
    return "".join(f"{line}\n" for line in _lines(graph))


def _lines(graph: Graph) -> Iterator[str]:
    states = identifiers(node.name for node in graph.nodes)
    calls = identifiers(dict.fromkeys(call for _, call, _, _ in graph.cells))
    outcomes = identifiers(dict.fromkeys(outcome for _, _, outcome, _ in graph.cells))
    errors = {(entry.name, outcome): names for entry in graph.calls for outcome, names in entry.errors}
    leaving: dict[str, list[str]] = defaultdict(list)
    for state, call, outcome, after in graph.cells:
        names = f'lc:call="{_name(call)}" lc:outcome="{_name(outcome)}"'
        target = "" if after == state else f' target="{states[after]}"'
        if errors.get((call, outcome)):
            names += f' lc:errors="{_text(" ".join(errors[call, outcome]))}"'
        leaving[state].append(f'event="{calls[call]}.{outcomes[outcome]}"{target} {names}')
    initial = next(states[node.name] for node in graph.nodes if node.is_initial)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<scxml xmlns="{NAMESPACE}" xmlns:lc="{OWN_NAMESPACE}" version="1.0" datamodel="null" initial="{initial}"'
    yield f'       lc:name="{_name(graph.name)}" lc:doc="{_text(graph.doc)}">'
    for node in graph.nodes:
        yield from _state(node, states[node.name], leaving[node.name])
    yield "</scxml>"


def _state(node: StateBox, id: str, leaving: list[str]) -> Iterator[str]:
    """A final state of SCXML has no transitions: its legal calls are in elements of the separate namespace."""
    element, inner = ("final", "lc:stays") if node.is_final else ("state", "transition")
    yield f'  <{element} id="{id}" lc:name="{_name(node.name)}" lc:doc="{_text(node.doc)}">'
    yield from (f"    <{inner} {transition}/>" for transition in leaving)
    yield f"  </{element}>"


def _name(name: str) -> str:
    return xml_text(visible(name))


def _text(text: str) -> str:
    return xml_text(printable(text))
