"""`lifecycle matrix`: this machine's answers as a page, as data, and beside a shipped table."""

from __future__ import annotations

import json
import sys

import pytest
from cli.command import invoke, run_command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the shipped table in full is that of Linux")


def test_the_page_tells_every_state_of_a_kind() -> None:
    """Each call is listed with its answers, and each answer with its states."""
    page = invoke("matrix", "--family", "inet", "--kind", "stream").stdout
    assert "inet stream: 29 states, 25 calls" in page
    assert "EINVAL" in page
    assert all(state in page for state in ("created", "bound", "listening", "reset_fetched"))


def test_json_is_the_table() -> None:
    """--json prints the cells with the columns of the shipped table."""
    cells = json.loads(invoke("matrix", "--family", "inet", "--kind", "dgram", "--json").stdout)["cells"]
    assert len(cells) == 450
    assert set(cells[0]) == {"family", "kind", "state", "call", "result"}


def test_beside_the_shipped_table_nothing_is_unexplained() -> None:
    """--diff linux ends with 0 differences unexplained, lists what the system accepts beyond the contract, and exits with 0."""
    ran = run_command("matrix", "--diff", "linux", columns=160)
    assert ran.returncode == 0
    assert "4250 cells measured" in ran.stdout
    assert "passes: 0 differences unexplained" in ran.stdout
    assert "this system accepts" in ran.stdout
    assert "server[open] listen" in ran.stdout


def test_a_difference_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that nothing explains is reported, and the exit code is 1."""
    from lifecycle.conformance.campaigns import compare_platforms as comparing

    cell = ("inet", "dgram", "created", "listen")
    shipped = {**comparing.shipped_results("linux"), cell: "ok"}
    monkeypatch.setattr(comparing, "shipped_results", lambda platform: shipped)
    ran = invoke("matrix", "--diff", "linux", "--family", "inet", "--kind", "dgram")
    assert ran.exit_code == 1
    assert "UNEXPLAINED inet dgram created listen: ok, here EOPNOTSUPP" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--diff", "plan9"), "'linux', 'winsock'"),
        (("--family", "ipx"), "'inet'"),
        (("--family", "inet", "--kind", "seqpacket"), "no such sockets"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], text: str) -> None:
    """Exit code 2, with what is known instead."""
    ran = invoke("matrix", *arguments, columns=160)
    assert ran.exit_code == 2
    assert text in ran.stderr
