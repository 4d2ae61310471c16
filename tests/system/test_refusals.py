"""The answers of systems that a refusal names."""

from __future__ import annotations

import sys

import pytest
from states import SOCKET_ROLES

from lifecycle.system.platform_answers import platform_answers
from lifecycle.system.refusals import answers_here

PLATFORMS = {"linux": "linux", "darwin": "macos", "freebsd14": "freebsd", "freebsd14.1": "freebsd", "sunos5": ""}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_refusal_names_winsock_this_system_and_mfc_where_it_differs(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers are those of the matrices, but not of MFC where it answers as Winsock."""
    monkeypatch.setattr(sys, "platform", platform)
    systems = ("winsock", *([PLATFORMS[platform]] if PLATFORMS[platform] else []), "mfc")
    for name, role in SOCKET_ROLES.items():
        for state in role.table:
            for call in role.illegal(state):
                expected = platform_answers(name, state, call, systems=systems)
                if expected.get("mfc") == expected.get("winsock"):
                    expected.pop("mfc", None)
                assert answers_here(name, state, call) == expected
