"""`lifecycle show` and `lifecycle roles`: the tables as text and as data."""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import pytest
from cli.command import invoke, run_command

from lifecycle import ROLES, Role


def test_show_json_prints_every_role() -> None:
    """The piped command prints one JSON object with all roles by name, in their order."""
    ran = run_command("show", "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert list(json.loads(ran.stdout)) == ["version", *ROLES]


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_show_json_is_the_roles_data(role: Role) -> None:
    """Every field equals the role's own data, cell by cell."""
    data = json.loads(invoke("show", role.name, "--json").stdout)
    assert data.pop("version") == 1
    assert data == json.loads(invoke("show", "--json").stdout)[role.name]
    assert (data["name"], data["doc"], data["initial"], data["closes"]) == (role.name, role.doc, role.initial, role.closes)
    assert set(data["final"]) == role.final
    assert [(state["name"], state["doc"]) for state in data["states"]] == [(state.name, state.doc) for state in role.states]
    for shown, state in zip(data["states"], role.states, strict=True):
        assert shown["facts"] == asdict(state.facts)
        assert set(shown["events"]) == role.events(state.name)
    for shown, call in zip(data["calls"], role.calls, strict=True):
        assert shown == {
            "name": call.name,
            "doc": call.doc,
            "exclusive": call.exclusive,
            "at_once": call.settles_before,
            "external": call.external,
            "fired_by": call.fired_by,
            "fires": call.fires,
            "settles": call.settles,
            "waits_for": call.waits_for,
            "errors": {outcome: list(names) for outcome, names in call.errors.items()},
            "announced_by": list(call.announced_by),
            "enables": list(call.enables),
            "refuses_flags": list(call.refuses_flags),
            "payload": call.payload,
            "never_legal": role.never_legal(call.name),
        }
    assert [(each["name"], each["doc"], each["kind"]) for each in data["outcomes"]] == [
        (each.name, each.doc, each.kind) for each in role.outcomes
    ]
    cells = [
        (state, call, outcome, after)
        for state, calls in data["rows"].items()
        for call, outcomes in calls.items()
        for outcome, after in outcomes.items()
    ]
    assert cells == list(role.cells())
    for state in role.table:
        assert tuple(data["legal"][state]) == role.legal(state)
        assert tuple(data["illegal"][state]) == role.illegal(state)
        for call, cell in data["illegal"][state].items():
            remedy = None if cell["remedy"] is None else tuple(cell["remedy"])
            assert (cell["reason"], remedy) == (role.reason(state, call), role.remedy(state, call))


def test_show_accepted_has_the_calls_it_refuses() -> None:
    """The page of an accept target says that it never takes create(), and why."""
    data = json.loads(invoke("show", "accepted", "--json").stdout)
    assert "never created" in data["illegal"]["empty"]["create"]["reason"]
    page = invoke("show", "accepted", columns=200).stdout
    refused = page.split("Refused in every state")[1].split("In state")[0]
    assert re.search(r"\bcreate\n +An accept target gets its handle .* never created\.", refused)


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_a_page_has_every_cell(role: Role, columns: int) -> None:
    """Each state's part of the page names its legal calls with every outcome and next state, and all refused ones."""
    page = invoke("show", role.name, columns=columns).stdout
    assert page.isascii()
    assert max(map(len, page.splitlines())) <= columns
    everywhere = words_of(page.partition("Refused in every state")[2].split("\nIn state ")[0])
    parts = {part.split()[0]: part for part in page.split("\nIn state ")[1:]}
    assert list(parts) == list(role.table)
    for state, part in parts.items():
        legal, _, refused = part.partition("  Refused:")
        for call, outcomes in role.table[state].items():
            assert call in words_of(legal) or role.call(call).fired_by is not None
            assert set(outcomes) <= words_of(legal)
        for call in role.illegal(state):
            assert call in words_of(refused) | everywhere
    assert f"In state {role.initial} (initial)" in page
    assert all(f"In state {state} (final)" in page for state in role.final)


def words_of(text: str) -> set[str]:
    """The words of a part of a page."""
    return set(re.findall(r"\w+", text))


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_a_page_has_reasons_and_documentation(role: Role) -> None:
    """Every reason and every line of documentation that the role has stands on its page."""
    page = " ".join(invoke("show", role.name).stdout.split())
    for state in role.states:
        assert state.doc in page
        for call in role.illegal(state.name):
            assert role.reason(state.name, call) in page
    for call_ in role.calls:
        assert call_.doc in page or role.never_legal(call_.name)


@pytest.mark.parametrize(
    "words",
    [
        "Waits until readable.",
        "refused: ECONNREFUSED, ECONNRESET.",
        "Notifications: announced by read, close; enables read, oob.",
        "Refuses the flags: MSG_OOB.",
        "The state changes before the handler runs.",
        "[handle, address, link peer, sends, receives open]",
    ],
)
def test_a_page_has_the_words_of_calls_and_states(words: str) -> None:
    """What the table says of a datagram's calls and states beside its rows stands on its page."""
    assert words in " ".join(invoke("show", "datagram").stdout.split())


def test_show_without_a_role_is_every_page() -> None:
    """Without a role, the pages of all roles follow each other."""
    pages = [invoke("show", name).stdout for name in ROLES]
    assert invoke("show").stdout == "\n".join(pages)


def test_a_narrow_terminal_still_gets_a_page() -> None:
    """At any width, every state is on the page."""
    for columns in (0, 1, 40):
        page = invoke("show", "server", columns=columns).stdout
        assert page.count("In state ") == len(ROLES["server"].states)


def test_roles_lists_each_role_on_a_line() -> None:
    """`lifecycle roles` has a line for each role, with its documentation."""
    lines = invoke("roles", columns=120).stdout.splitlines()
    assert [line.split(maxsplit=1) for line in lines] == [[role.name, role.doc] for role in ROLES.values()]


def test_roles_json() -> None:
    """`lifecycle roles --json` is the same list as data."""
    listed = json.loads(invoke("roles", "--json").stdout)
    assert listed["roles"] == [{"name": role.name, "doc": role.doc} for role in ROLES.values()]
