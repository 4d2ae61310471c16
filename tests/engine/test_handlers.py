"""What can be a handler: each kind of function works, or is refused when the class is made, with what to write."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from door import DOOR, door_class
from turnstile import Turnstile

from lifecycle import IllegalCall, Journal, Lifecycle, Role
from lifecycle.engine import Call, State, settled


def generator(self: Any) -> Iterator[int]:
    """A generator function."""
    yield 1


def wrapped_coroutine() -> Callable[..., Any]:
    """A coroutine function behind a plain decorator."""

    async def push(self: Any) -> None: ...

    @functools.wraps(push)
    def wrapper(*arguments: Any) -> Any:
        return push(*arguments)

    return wrapper


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (staticmethod(lambda: 1), "Door.push is a staticmethod, and a call is one of an object: write `def push(self, ...)`"),
        (classmethod(lambda cls: 1), "Door.push is a classmethod, and a call is one of an object"),
        (functools.partialmethod(lambda self, x: x, 5), "Door.push is a partialmethod, not a function: write `def push"),
        (functools.lru_cache(lambda self: 1), "Door.push is a _lru_cache_wrapper, not a function: write `def push(self, ...)`"),
        (generator, "Door.push is a generator, which runs after its call has ended: write `def push(self, ...)` that returns"),
        (wrapped_coroutine(), "Door.push is a coroutine function behind a plain decorator: make what wraps it `async def`"),
        (lambda *arguments: 1, "has no parameter for its object: write `def"),
        (lambda self, _lc_node: 1, "rename its parameter '_lc_node', which generated code uses"),
        (None, "Door has no method push(), which its role 'door' declares"),
    ],
    ids=["staticmethod", "classmethod", "partialmethod", "lru_cache", "generator", "coroutine", "no self", "name", "missing"],
)  # fmt: skip
def test_what_cannot_be_a_handler_is_refused_with_what_to_write(handler: Any, said: str) -> None:
    """A handler that the engine could not check is a TypeError when the class is made."""
    with pytest.raises(TypeError) as caught:
        door_class(handler)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["import", "_push", "a b", "legal"])
def test_a_call_whose_name_cannot_be_a_method_is_refused(name: str) -> None:
    """A keyword, a private name, a text with a blank or a name of Lifecycle's own is refused as a call of a class."""
    role = Role(
        name="odd",
        doc="Odd.",
        states=(State("on", "On."),),
        calls=(Call(name, "Odd."),),
        rows=(("on", name, {"ok": "on"}),),
        initial="on",
        final=frozenset({"on"}),
    )
    with pytest.raises(TypeError, match=r"cannot be the name of a method|would hide Lifecycle"):
        type("Odd", (Lifecycle,), {name: lambda self: None}, role=role)  # type: ignore[call-overload]


def test_a_second_role_on_a_subclass_is_refused() -> None:
    """A class has one role: a base class that has one cannot be given another."""
    with pytest.raises(TypeError, match="Both has the role 'turnstile' already"):

        class Both(Turnstile, role=DOOR): ...


def test_a_plain_handler_that_returns_a_coroutine_is_an_error() -> None:
    """The state does not move for a coroutine that has not begun: the call raises TypeError, and closes it."""

    async def later() -> None:
        raise AssertionError("it ran")

    door = door_class(lambda self: later())()
    with pytest.raises(TypeError, match=r"push\(\) is a plain method and returned a coroutine: make it `async def`"):
        door.push()
    with Journal(), pytest.raises(TypeError, match="returned a coroutine"):
        door.push()
    assert door.state == "open"
    door.remove()


def test_a_dataclass_is_governed() -> None:
    """A dataclass, whose __init__() calls no other one and which cannot be hashed, is governed and observed as any class."""

    @dataclass
    class Door(Lifecycle, role=DOOR):
        width: int = 3

        def push(self) -> int:
            return self.width

        def pull(self) -> None: ...

        def remove(self) -> None: ...

    with Journal() as journal, Door(4) as door, Door(4) as other:
        assert door == other
        assert door.push() == 4
        other.push()
    assert [(r.subject, r.call) for r in journal.records[:2]] == [("Door#1", "push"), ("Door#2", "push")]
    assert door.state == other.state == "gone"


def test_a_forgotten_super_init_does_no_harm() -> None:
    """An object whose class does not call super().__init__() is governed."""

    class Own(Door):
        def __init__(self) -> None:
            self.own = 1

    with Own() as own:
        assert own.push() == 1
    with pytest.raises(IllegalCall):
        own.push()


@pytest.mark.parametrize("names", ["handler", "_handler, _Settled, _settle, _row, _result, _error", "node, after, kind"])
def test_parameters_may_have_any_name(names: str) -> None:
    """A parameter cannot hide what the generated method uses: the handler runs with the arguments that were given."""
    namespace: dict[str, Any] = {}
    exec(f"def push(self, {names}): return ({names},)", namespace)
    count = names.count(",") + 1
    with door_class(namespace["push"])() as door:
        assert door.push(*range(count)) == tuple(range(count))


# -- overrides ------------------------------------------------------------------------------------------------------------


class Door(Lifecycle, role=DOOR):
    """Its push() returns a number."""

    def push(self) -> int:
        """Push it."""
        return 1

    def pull(self) -> None:
        """Pull it."""

    def remove(self) -> None:
        """Remove it."""


def cells_of(journal: Journal) -> list[tuple[str, str | None]]:
    """The calls that were recorded, with their outcomes."""
    return [(record.call, record.outcome) for record in journal.records]


def test_an_override_that_makes_another_call_is_settled_by_itself() -> None:
    """What an override returns settles its own call, whatever other calls of the object it has made meanwhile."""

    class Odd(Door):
        def push(self) -> int:
            self.pull()
            return settled("failed", 7)

    with Odd() as odd:
        assert odd.push() == 7
        assert odd.state == "ajar"
    with Journal() as journal, Odd() as odd:
        odd.push()
    assert cells_of(journal) == [("push", "failed"), ("pull", "ok"), ("remove", "ok")]


def test_a_call_that_was_handed_on_is_recorded_once() -> None:
    """An override, also of an override, that calls super() makes one record; a second call of super() is a call of its own."""

    class Loud(Door):
        def push(self) -> int:
            return 10 * super().push()

    class Twice(Loud):
        def push(self) -> int:
            return super().push() + super().push()

    with Journal() as journal, Twice() as door:
        assert door.push() == 20
    assert cells_of(journal) == [("push", "ok"), ("push", "ok"), ("remove", "ok")]


def test_an_override_can_say_goodbye_before_it_closes() -> None:
    """An override of a call that settles before its handler finds the state as it was until it hands the call on."""
    states = []

    class Polite(Door):
        def remove(self) -> None:
            if self.is_legal("push"):
                self.push()
            states.append(self.state)
            super().remove()
            states.append(self.state)

    Polite().remove()
    assert states == ["open", "gone"]


def test_threads_do_not_take_each_others_overrides() -> None:
    """A call in another thread while an override runs is a call of its own, with its own record."""
    from threading import Thread

    class Slow(Door):
        def push(self) -> int:
            if not self.asked:
                self.asked = True
                other = Thread(target=lambda: Door.push(self))
                other.start()
                other.join()
            return super().push()

        asked = False

    with Journal() as journal, Slow() as door:
        door.push()
    assert cells_of(journal) == [("push", "ok"), ("push", "ok"), ("remove", "ok")]
    assert len({record.thread for record in journal.records}) == 2
