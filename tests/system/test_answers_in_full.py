"""How often each answer stands in the matrices, and which is told of each state of each role: golden/answers.txt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from golden_texts import GoldenTexts
from states import SOCKET_ROLES

from lifecycle.system import matrices
from lifecycle.system.platform_answers import SYSTEMS, platform_answers, platform_cells

golden = GoldenTexts(Path(__file__).parent / "golden")


def counted(things: Iterable[Any]) -> str:
    """How often each thing is there, on a line of its own."""
    return "".join(f"{count} {thing}\n" for thing, count in sorted(Counter(map(str, things)).items()))


@pytest.mark.parametrize("name", ["linux", "winsock", "mfc", "documented"])
def test_the_answers_of_a_matrix(name: str) -> None:
    """Each answer of each kind of socket stands there as often as expected, with its source, mark and note."""
    cells = getattr(matrices, name)().values()
    text = counted((each.family, each.kind, each.answer, each.mark.value, each.source[:30], each.note[:30]) for each in cells)
    assert text == golden("answers", name, text)


def test_the_results_of_winsock_and_linux() -> None:
    """The results in full, in the words of Linux's table, with where they were measured or documented."""
    winsock, linux = matrices.winsock_results(), matrices.shipped_results("linux")
    text = counted((kind, where, answer) for (kind, _, _), found in winsock.items() for where, answer in found.items())
    text += counted((family, kind, result) for (family, kind, _, _), result in linux.items())
    assert text == golden("answers", "results", text)
    with pytest.raises(KeyError):
        matrices.shipped_results("windows")


@pytest.mark.parametrize("name", SOCKET_ROLES)
def test_the_answers_of_a_role(name: str) -> None:
    """Of each state, the answers of all systems to all calls, and those of Linux to a Unix-domain socket."""
    role, lines = SOCKET_ROLES[name], []
    for state in role.states:
        cells = [platform_cells(name, state.name, call.name) for call in role.calls]
        told = [platform_answers(name, state.name, call.name, systems=SYSTEMS) for call in role.calls]
        local = [platform_cells(name, state.name, call.name, systems=("linux",), family="unix")["linux"] for call in role.calls]
        for system in SYSTEMS:
            answers = Counter(each[system].answer for each in cells)
            lines.append(f"{state.name} {system} {dict(sorted(answers.items()))}")
            lines.append(f"  told {dict(sorted(Counter(each[system] for each in told if system in each).items()))}")
        lines.append(f"{state.name} unix {dict(sorted(Counter(each.answer for each in local).items()))}")
    text = "\n".join(lines) + "\n"
    assert text == golden("answers", f"role {name}", text)
