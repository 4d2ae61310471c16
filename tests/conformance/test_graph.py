"""The graph of a role among its surroundings: derived, whole, and with the shortest way to each cell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import roles

from lifecycle import ROLES, SERVER, Role
from lifecycle.conformance import ENVIRONMENTS, Environment, Provocation, Under, ends, plainly
from lifecycle.conformance.model.environment import PeerAction
from lifecycle.conformance.model.graph import ILLEGAL, Model, UnlistedEnding, cells_of
from lifecycle.conformance.model.local_environments import LOCAL_ENVIRONMENTS

LOCAL = {name: Model(ROLES[name], environment) for name, environment in LOCAL_ENVIRONMENTS.items()}
"""role -> its model over Unix-domain sockets, which alone reach some cells"""

MODELS = {name: Model(role, ENVIRONMENTS[name]) for name, role in ROLES.items()}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_cell_of_every_role_can_be_provoked(model: Model) -> None:
    """No (state, call, outcome) of a table is without a sequence that leads to it, and no illegal call without one."""
    local = set(LOCAL[model.role.name].first_edges) if model.role.name in LOCAL else set()
    assert set(model.first_edges) | local == set(cells_of(model.role))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_sequence_is_a_walk_of_the_table(model: Model) -> None:
    """Each step of the sequence to a cell is legal where it stands, or is the illegal one that it leads to."""
    for cell in model.first_edges:
        node = model.start
        *before, last = model.sequence_for(cell)
        for edge in before:
            assert edge.source is node
            assert edge.outcome != ILLEGAL
            node = edge.target
        assert (last.source, last.cell) == (node, cell)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_no_shorter_way_leads_to_a_node(model: Model) -> None:
    """Breadth first: an edge never leads to a node that is more than one step farther than its source."""
    far = {node: len(model.way_to(node)) for node in model.nodes}
    assert all(far[edge.target] <= far[node] + 1 for node in model.nodes for edge in node.edges)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_legal_edges_lead_where_the_table_says(model: Model) -> None:
    """An edge of a legal call has an outcome of its row and its next state; one of an illegal call stays."""
    for node in model.nodes:
        for edge in node.edges:
            if edge.is_call:
                state, call, outcome = edge.cell
                row = model.role.table[state].get(call)
                assert (row is None) == (outcome == ILLEGAL)
                assert edge.target.state == (state if row is None else row[outcome])


@given(role=roles())
def test_any_role_has_a_graph(role: Role) -> None:
    """For any valid role whose calls simply succeed, each `ok` that they can reach is in the graph, and each refusal."""
    listed = [call.name for call in role.calls if any("ok" in row.get(call.name, {}) for row in role.table.values())]
    always = [call for call in listed if all("ok" in row[call] for row in role.table.values() if call in row)]
    model = Model(role, Environment(tuple(plainly(call) for call in always)))
    reached = {node.state for node in model.nodes}
    for state in reached:
        for call in always:
            outcome = "ok" if call in role.table[state] else ILLEGAL
            assert (state, call, outcome) in model.first_edges


@given(data=st.data())
def test_following_labels_is_the_inverse_of_a_way(data: st.DataObject) -> None:
    """The labels of any way lead along that way again; a label that is impossible somewhere leads nowhere."""
    model = MODELS[data.draw(st.sampled_from(sorted(MODELS)))]
    way = model.way_to(data.draw(st.sampled_from(model.nodes)))
    labels = tuple(edge.label for edge in way)
    assert model.follow(labels) == way
    assert model.follow((*labels, "no such step")) is None


def test_surroundings_that_contradict_the_table_are_refused() -> None:
    """An ending that a row does not list names the row and what it lists."""
    wrong = Environment((Provocation("open", "", (), Under.AT_ONCE, (ends("eof"),)),))
    with pytest.raises(UnlistedEnding, match=r"'open' ends in 'eof' in 'empty' with nothing, and its row lists ok, failed"):
        Model(SERVER, wrong)


def test_two_steps_of_one_label_are_refused() -> None:
    """Labels name steps in reports and programs, so that each stands for one."""
    with pytest.raises(ValueError, match="two steps are labelled 'open'"):
        Environment((plainly("open"),), (PeerAction("open"),))
