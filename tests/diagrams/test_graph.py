"""The extraction: nothing of a role is lost, and what is highlighted is what happened."""

from __future__ import annotations

import pytest
from hypothesis import given
from strategies import awkward_names, identifiers, roles

from lifecycle import CLIENT, SERVER, Client, Journal, Role, Server
from lifecycle.diagrams import WrongHighlight
from lifecycle.diagrams.extraction import graph_of
from lifecycle.diagrams.graph import Group, Mark
from lifecycle.diagrams.highlight import highlight_of
from lifecycle.engine import Call, Record, State
from lifecycle.roles import ROLES


@given(roles(awkward_names))
def test_a_drawing_stands_for_every_cell_of_any_role(role: Role) -> None:
    """Nodes, group and edges together are the role's table: no cell is lost, none is there twice, and none is made up."""
    graph = graph_of(role)
    assert sorted(graph.drawn()) == sorted(role.cells())
    assert [node.name for node in graph.nodes] == list(role.table)


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_a_drawing_stands_for_every_cell_of_our_roles(role: Role) -> None:
    """The same of the package's own roles."""
    assert sorted(graph_of(role).drawn()) == sorted(role.cells())


@given(roles(identifiers))
def test_failures_and_successes_have_edges_apart(role: Role) -> None:
    """No edge has both; an edge is a failure's exactly when all of its outcomes are failures."""
    for edge in graph_of(role).edges:
        kinds = {role.outcome(outcome).kind == "failure" for _, _, outcome, _ in edge.cells()}
        assert edge.is_failure in kinds
        assert len(kinds) == 1 or isinstance(edge.target, Group)


def test_states_that_close_alike_are_a_group() -> None:
    """The states with a socket, all of which detach() and close() end, share one edge, and attach() has one edge to them."""
    graph = graph_of(SERVER)
    (group,) = graph.groups
    assert group.states == ("open", "bound", "listening")
    (leaving,) = (edge for edge in graph.edges if edge.source == group)
    assert (leaving.target, leaving.endings[0].calls) == ("closed", ("detach", "close"))
    (entering,) = (edge for edge in graph.edges if edge.target == group)
    assert (entering.source, entering.endings[0].calls, entering.endings[0].finds) == ("empty", ("attach",), True)


def test_states_of_tls_have_a_picture_of_their_own() -> None:
    """The main picture of a client has one box for them; what they touch of the others stands in theirs once more."""
    main, tls = graph_of(CLIENT).pictures
    assert tls.name == "TLS"
    assert set(tls.states) == {state.name for state in CLIENT.states if not state.facts.is_plain}
    assert tls.outside == ("connected", "closed"), "failures lead to boxes of their own that name the state"
    assert {edge.target for edge in tls.edges if edge.is_short} == {"broken", "truncated"}
    assert not {end for edge in main.edges for end in (edge.source, edge.target)} & set(tls.states)
    links = {(link.state, link.enters, link.text) for link in tls.links}
    assert links == {
        ("connected", True, "start_tls"),
        ("connected", False, "stop_tls"),
        ("broken", False, "[refused, broken]"),
        ("closed", False, "close"),
    }


def test_two_states_are_not_a_group() -> None:
    """A group of two would save nothing."""
    role = Role(
        name="pair",
        doc="Two states that end alike.",
        states=(State("one", "."), State("two", "."), State("over", ".")),
        calls=(Call("go", "."), Call("end", ".")),
        rows=(("one", "go", {"ok": "two"}), ("one", "end", {"ok": "over"}), ("two", "end", {"ok": "over"})),
        initial="one",
        final=frozenset({"over"}),
    )
    assert graph_of(role).groups == ()


def test_the_present_state_of_an_object_is_marked() -> None:
    """An object marks its state; a name does the same."""
    with Server() as server:
        server.create(0, "127.0.0.1")
        by_object = graph_of(SERVER, highlight_of(SERVER, server))
    assert by_object == graph_of(SERVER, highlight_of(SERVER, "bound"))
    assert {node.name: node.mark for node in by_object.nodes if node.mark} == {"bound": Mark.PRESENT}


def test_the_path_of_an_object_is_marked() -> None:
    """The records of one object mark the edges it took, the states it was in, and the one it is in; refusals mark nothing."""
    with Journal() as journal, Client() as client:
        client.open()
        client.bind(0, "127.0.0.1")
        with pytest.raises(client_refusal()):
            client.listen()
    graph = graph_of(CLIENT, highlight_of(CLIENT, journal.records))
    assert {node.name: str(node.mark) for node in graph.nodes if node.mark} == {
        "empty": "visited",
        "open": "visited",
        "bound": "visited",
        "closed": "present",
    }
    taken = {
        (str(edge.source), str(edge.target)) for edge in graph.edges if edge.is_taken and not isinstance(edge.source, Group)
    }
    assert taken == {("empty", "open"), ("open", "bound")}
    assert [edge.target for edge in graph.edges if edge.is_taken and isinstance(edge.source, Group)] == ["closed"]


def client_refusal() -> type[Exception]:
    """The error of a call out of order."""
    from lifecycle import IllegalCall

    return IllegalCall


def test_an_object_of_another_role_cannot_be_highlighted() -> None:
    """A wrong object, state or journal is refused, and the error says why."""
    with Client() as client, pytest.raises(WrongHighlight, match="of the role 'client', not 'server'"):
        highlight_of(SERVER, client)
    with pytest.raises(WrongHighlight, match="no state 'connected' in the role 'server'; known: empty, open"):
        highlight_of(SERVER, "connected")
    with pytest.raises(WrongHighlight, match="no call on an object of the role 'server'"):
        highlight_of(SERVER, [])
    with Journal() as journal, Server(), Server():
        pass
    with pytest.raises(WrongHighlight, match="several objects: Server#1, Server#2"):
        highlight_of(SERVER, journal.records)


def test_a_call_that_led_nowhere_is_not_of_the_path() -> None:
    """A refused call and one that had not ended mark neither an edge nor a state."""
    records = [
        Record("server", "Server#1", "empty", "create", "main", "p", 1, "", 0.0, 0.1, "ok", "bound"),
        Record("server", "Server#1", "bound", "accept", "main", "p", 1, "", 0.2, 0.2, "illegal", "bound"),
        Record("server", "Server#1", "bound", "listen", "main", "p", 1, "", 0.3),
    ]
    found = highlight_of(SERVER, records)
    assert (found.present, found.taken) == ("bound", {("empty", "create", "ok")})
    assert found.visited == {"empty", "bound"}
