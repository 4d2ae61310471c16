"""The answers of Winsock, this system and MFC to refused calls, for the texts of errors.

answers.txt is made from the matrices, and read at import: when an error is shown, the process may have no descriptor
left, or another root.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

SYSTEMS = ("winsock", "linux", "macos", "freebsd", "mfc")
"""The columns of answers.txt, behind a role, a state and a call; the last may be several words"""

THIS_SYSTEM = {"linux": ("linux",), "darwin": ("macos",), "freebsd": ("freebsd",)}
"""sys.platform, without the number after it -> the system that refusals name in addition to Winsock"""

UNKNOWN = "-"

# Not by pathlib, whose import takes a twentieth of the time that importing the sockets does.
with open(os.path.join(os.path.dirname(__file__), "answers.txt"), encoding="utf-8") as _file:
    _text = _file.read()


def systems_here() -> tuple[str, ...]:
    """Winsock, and this system where something is known of it."""
    return ("winsock", *THIS_SYSTEM.get(sys.platform.rstrip("0123456789."), ()))


def answers_here(role: str, state: str, call: str) -> Mapping[str, str]:
    """System -> "ok", "blocks" or the error's name, where it is known; see platform_answers.platform_answers().

    For Winsock, this system, and "mfc" if it differs from Winsock: the answer of MFC's release build, which has side effects
    now and then, such as "TRUE: the earlier handle leaks; a debug build asserts".
    """
    key = f"{role} {state} {call} "
    begin = 0 if _text.startswith(key) else _text.find(f"\n{key}") + 1
    if not _text.startswith(key, begin):
        return {}
    row, _, _ = _text[begin + len(key) :].partition("\n")
    answers: dict[str, str] = dict(zip(SYSTEMS, row.split(" ", len(SYSTEMS) - 1), strict=True))
    here = systems_here() if answers["mfc"] == answers["winsock"] else (*systems_here(), "mfc")
    return {system: answers[system] for system in here if answers[system] != UNKNOWN}
