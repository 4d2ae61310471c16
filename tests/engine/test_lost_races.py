"""Races of the engine that were lost once: each of these was a bug that threads found."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest
from long_form import part
from loopback import HOST, LONG, Background
from racing import frequent_switches, race

from lifecycle import ClosedDuringCall, Datagram, Journal, Lifecycle, Role
from lifecycle.engine import STANDARD_OUTCOMES, Call, State


@pytest.fixture(autouse=True)
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    with frequent_switches():
        sys.setswitchinterval(1e-6)
        yield


def lamp() -> Role:
    """A new role each time, so that its first objects can be made again."""
    return Role(
        name="lamp",
        doc="A lamp.",
        states=(State("off", "No light."), State("on", "Light."), State("closed", "Gone.")),
        calls=(
            Call("light", "Off to on."),
            Call("fit", "Another bulb.", exclusive=True),
            Call("close", "End.", settles="before"),
        ),
        outcomes=STANDARD_OUTCOMES,
        initial="off",
        final=frozenset({"closed"}),
        closes="close",
        rows=(
            ("off", "light", {"ok": "on"}),
            ("on", "fit", {"ok": "on"}),
            ("off", "close", {"ok": "closed"}),
            ("on", "close", {"ok": "closed"}),
            ("closed", "close", {"ok": "closed"}),
        ),
    )


LAMP = lamp()


class Lamp(Lifecycle, role=LAMP):
    """Its fit() waits until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.go_on, self.bulbs = threading.Event(), threading.Event(), 0

    def light(self) -> None: ...

    def fit(self) -> None:
        self.entered.set()
        assert self.go_on.wait(LONG)
        self.bulbs += 1

    def close(self) -> None:
        self._release()

    def _release(self) -> None:
        self.bulbs = 0


def test_exclusive_call_that_keeps_the_state_is_overtaken_by_close() -> None:
    """An exclusive call during which the object was closed says so, also when it would have kept the state."""
    with Lamp() as lamp:
        lamp.light()
        fitting = Background(lamp.fit)
        assert lamp.entered.wait(LONG)
        lamp.close()
        lamp.go_on.set()
        with pytest.raises(ClosedDuringCall):
            fitting.result()


def test_first_objects_of_a_role_are_observed() -> None:
    """Objects that many threads make at the same moment, the first ones of their role, are all observed."""
    for _ in range(40):

        class First(Lifecycle, role=lamp()):
            def light(self) -> None: ...
            def fit(self) -> None: ...
            def close(self) -> None: ...

        made = race(*[First] * 8)
        with Journal() as journal:
            for each in made:
                each.light()
        for each in made:
            each.close()
        assert len(journal.records) == 8


def test_one_name_per_object() -> None:
    """The journal names an object once, whichever thread calls it first."""
    for _ in range(part(400, 80)):
        objects = [Datagram() for _ in range(4)]
        for each in objects:
            each.create(0, HOST)
        with Journal() as journal:
            race(*[each.get_sock_name for each in objects] * 4)
        for each in objects:
            each.close()
        assert {record.subject for record in journal.records} == {f"Datagram#{n}" for n in range(1, 5)}


def test_record_of_an_overtaken_call() -> None:
    """A call that was overtaken by a close has not ended ok in the journal."""
    with Journal() as journal:

        class Slow(Datagram):
            def _before_bind(self, sock: object) -> None:
                self.close()

        slow = Slow()
        with pytest.raises(ClosedDuringCall):
            slow.create(0, HOST)
        (record,) = [each for each in journal.records if each.call == "create"]
        assert record.outcome != "ok"
