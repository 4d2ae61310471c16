"""`lifecycle doctor`, `lifecycle types`, and roles of one's own in `lifecycle show`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from cli.command import invoke

import lifecycle
from lifecycle import CLIENT


def test_doctor_says_what_is_there() -> None:
    """It names the versions, each extra with what installs it, and what the system offers; --json has the same."""
    text = invoke("doctor").stdout
    assert text.startswith(f"lifecycle {lifecycle.__version__} on ")
    assert "extra [cli]: installed" in text
    data = json.loads(invoke("doctor", "--json").stdout)
    assert data["version"] == 1
    assert data["extras"]["cli"] == []
    assert "transitions" in data["packages"]


def test_an_extra_that_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages that are not there are named, and the command that installs them."""
    from lifecycle.cli import doctor

    monkeypatch.setattr(doctor, "requires", lambda name: ["no-such-package>=1; extra == 'ole'"])
    assert 'extra [ole]: not installed (no-such-package): pip install "socket-lifecycle[ole]"' in invoke("doctor").stdout


def test_types_are_those_of_the_table() -> None:
    """The module that is printed has the role's states, calls and outcomes in its order."""
    space: dict[str, object] = {}
    exec(invoke("types", "client").stdout, space)
    assert get_args(space["ClientState"]) == tuple(state.name for state in CLIENT.states)
    assert get_args(space["ClientCall"]) == tuple(call.name for call in CLIENT.calls)


def test_a_role_of_ones_own_is_shown(tmp_path: Path) -> None:
    """module:NAME and FILE.toml are taken by show and types as by diagram; an unknown one is wrong usage."""
    file = tmp_path / "once.toml"
    file.write_text(
        'name = "once"\ndoc = "Runs once."\ninitial = "new"\nfinal = ["done"]\nstates = {new = "New.", done = "Done."}\n'
        'calls = {run = "Run."}\nrows = {new = {run = {ok = "done"}}}\n',
        encoding="utf-8",
    )
    assert "once: Runs once." in invoke("show", str(file)).stdout
    assert invoke("show", str(tmp_path / "none.toml")).exit_code == 2
    assert "turnstile: Lets one person through" in invoke("show", "examples.turnstile:TURNSTILE").stdout
    assert "TurnstileState = Literal[" in invoke("types", "examples.turnstile:TURNSTILE").stdout
    assert invoke("show", "examples.turnstile:NOTHING").exit_code == 2
