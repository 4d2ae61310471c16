"""What can be put under test, by name or as a thing, and what is said where it cannot."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest
from conformance.faulty import LAMP, LAMP_ENVIRONMENT, HalfShut, Lamp, binds_twice, lamps, silent_end
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import CLIENT, ROLES, SERVER
from lifecycle.conformance import ObjectAdapter, conform, target_named, target_of
from lifecycle.conformance.targets import BUILT_IN, UnknownTarget

SHORT = {"depth": 1, "walks": 0}


def open_socket(family: int, kind: int) -> socket.socket:
    """A function that makes sockets."""
    return socket.socket(family, kind)


class Wrapped:
    """A class that is not socket.socket and has its methods, and its defaults."""

    def __init__(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> None:
        self._sock = socket.socket(family, kind)

    def recv(self, size: int, flags: int = 0) -> bytes:
        return self._sock.recv(size, flags)

    def accept(self) -> tuple[Any, Any]:
        return self._sock.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_built_in_name_is_a_target(name: str) -> None:
    """Every name that is listed makes an adapter, which can be closed."""
    target = target_named(name)
    target.adapter().close()
    assert target.roles == tuple(ROLES.values())


@pytest.mark.parametrize(
    ("thing", "role"),
    [
        (socket.socket, SERVER),
        (binds_twice, CLIENT),
        (silent_end, CLIENT),
        (open_socket, SERVER),
        (Wrapped, SERVER),
        (lamps, LAMP),
    ],
    ids=[
        "class",
        "factory of sockets",
        "factory of an adapter",
        "function",
        "class with defaults",
        "own role",
    ],
)
def test_what_makes_sockets_or_an_adapter_is_a_target(thing: Any, role: Any) -> None:
    """A class, a factory, an adapter's factory: each is understood and run."""
    report = conform(target_of("it", thing), [role], **SHORT)
    assert [result.role for result in report.roles] == [role.name]
    assert report.roles[0].reached


def test_a_governed_class_runs_the_roles_that_it_has() -> None:
    """A class of one role is not asked for the others."""
    report = conform(target_of("half", HalfShut), tuple(ROLES.values()), **SHORT)
    assert [result.role for result in report.roles] == ["client"]


def test_a_class_with_a_role_of_its_own_needs_to_be_told_how_its_calls_are_made() -> None:
    """The refusal says what to hand over instead."""
    with pytest.raises(UnknownTarget, match=r"governed by a role of its own, 'lamp'.*ObjectAdapter"):
        target_of("lamp", Lamp)


def test_an_object_adapter_wants_governed_objects() -> None:
    """Anything else is refused when the adapter is made."""
    with pytest.raises(TypeError, match="expected an object of a class with a role, not"):
        ObjectAdapter(dict, LAMP_ENVIRONMENT)


class HandsOn:
    """A class that has no methods itself, and objects that have all of them."""

    def __init__(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> None:
        self._sock = socket.socket(family, kind)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def test_a_class_that_hands_its_methods_on_is_one_of_sockets() -> None:
    """It has no recv() itself, but its objects do: they are put under test, and the cells are reached."""
    (result,) = conform(target_of("hands on", HandsOn), [SERVER], **SHORT).roles
    assert result.legal.reached > 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sockets", "give module:factory, or one of lifecycle, aio, socket"),
        ("no_such_module:thing", "cannot import 'no_such_module'"),
        ("socket:no_such_thing", "'socket' has no 'no_such_thing'"),
        ("socket:SOL_SOCKET", "neither a class or a factory of sockets, nor the factory of an adapter"),
        ("socket:", "give module:factory"),
        (":socket", "give module:factory"),
        (".socket:socket", "give module:factory"),
        ("lifecycle.conformance.memory:MemoryStream", "cannot be made with a family and a kind"),
        ("", "give module:factory"),
        ("fractions:Fraction", r"its objects have no recv\(\)"),
        ("json:dumps", "neither a class or a factory of sockets"),
    ],
)
def test_an_unknown_target_is_told(name: str, text: str) -> None:
    """UnknownTarget says what is wrong with the name, and what could be given."""
    with pytest.raises(UnknownTarget, match=text):
        target_named(name)


NAMES = st.lists(st.text(max_size=9) | st.sampled_from(["x", "y_z", "."]), min_size=1, max_size=3).map(":".join)


@given(name=NAMES.filter(lambda name: name not in BUILT_IN))
def test_any_text_is_a_target_or_an_unknown_one(name: str) -> None:
    """No name crashes the look-up: it is one of the built-in ones, or UnknownTarget."""
    with pytest.raises(UnknownTarget):
        target_named(name)


def test_what_needs_an_extra_names_it() -> None:
    """Without hypothesis, the machine's import says which extra has it, and the rest of the package works."""
    program = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import lifecycle.conformance as c; c.conform, c.ObjectAdapter\n"
        "try:\n    c.conformance_machine\n"
        "except ModuleNotFoundError as error:\n    print(error)\n"
    )
    ran = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, timeout=60, check=True)
    install = 'pip install "socket-lifecycle[conformance]"'
    assert ran.stdout == f"lifecycle.conformance.conformance_machine needs hypothesis: {install}\n"
