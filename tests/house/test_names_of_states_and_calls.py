"""Rules about sockets stand in roles/ alone: no other file names a state or a call to know something of it."""

from __future__ import annotations

import ast
from pathlib import Path

import lifecycle
from lifecycle import ROLES

ROOT = Path(lifecycle.__file__).parent

ORDINARY = {
    "abort", "archive", "bind", "close", "create", "duplicate", "flush", "get_length", "load", "open", "read", "seek", "send",
    "serialize", "store", "tell", "truncate", "write",
}  # fmt: skip
"""Names of calls that are words of Python and of files, too"""

OUTCOMES = {outcome.name for role in ROLES.values() for outcome in role.outcomes if outcome.kind != "success"}
"""Names of outcomes, which handlers report; `broken` is a state, too"""

NAMES = {thing.name for role in ROLES.values() for thing in (*role.states, *role.calls)} - ORDINARY - OUTCOMES - set(ROLES)

ALLOWED = {
    "checking/drop_in.py": "the methods of socket.socket that the checker does more about than look",
    "conformance/adapters/platform_lines.py": "the words of the measured matrices, which are not the tables'",
    "conformance/adapters/session.py": "how the suite provokes calls on sockets",
    "conformance/adapters/table_states.py": "the words of the measured matrices for states",
    "conformance/adapters/sockets.py": "the methods of an implementation that is made like socket.socket",
    "conformance/campaigns/bare_calls.py": "the methods that are called on bare sockets",
    "conformance/campaigns/measure.py": "the words of the measured matrices for calls",
    "conformance/model/archive_environment.py": "how the calls of archives are provoked",
    "conformance/model/environments.py": "how the calls of sockets and files are provoked",
    "system/platform_answers.py": "the words of the measured matrices, set beside the facts of the tables",
}
"""file -> why it has to name states or calls"""


def names_in(path: Path) -> list[str]:
    """The string constants of a file that are names of states or calls, but for names of its own slots."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    slots = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__slots__"
        for name in ast.walk(node)
    }
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in slots)
    return [value for value in constants if value in NAMES]


def test_states_and_calls_are_named_in_roles_alone() -> None:
    """Outside roles/ only the files of the list, at most ten and each with its reason, have such names; and each has some."""
    files = [path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] != "roles"]
    found = {str(path.relative_to(ROOT)): names for path in files if (names := names_in(path))}
    assert {file: names for file, names in found.items() if file not in ALLOWED} == {}
    assert set(ALLOWED) <= set(found)
    assert len(ALLOWED) <= 10
    assert all(ALLOWED.values())
