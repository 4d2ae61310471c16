"""Many threads on one object of a role that knows no sockets: checking and setting is one step, and every call is recorded."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from loopback import LONG, Background, until
from racing import THREADS, frequent_switches, race

from lifecycle import IllegalCall, Journal, Lifecycle, Role
from lifecycle.engine import STANDARD_OUTCOMES, Call, CallInProgress, ClosedDuringCall, Outcome, State

RUNGS = 40


@pytest.fixture(autouse=True)
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    with frequent_switches():
        yield


LADDER = Role(
    name="ladder",
    doc="Climbed rung by rung; nobody climbs above the top.",
    states=(*(State(f"rung_{n}", f"{n} rungs were climbed.") for n in range(RUNGS + 1)), State("closed", "Put away.")),
    calls=(
        Call("climb", "Go one rung up.", exclusive=False),
        Call("look", "See where we are."),
        Call("put_away", "End it, once.", settles="before"),
    ),
    outcomes=STANDARD_OUTCOMES,
    initial="rung_0",
    final=frozenset({"closed"}),
    rows=(
        *((f"rung_{n}", "climb", {"ok": f"rung_{n + 1}"}) for n in range(RUNGS)),
        *((f"rung_{n}", "look", {"ok": f"rung_{n}"}) for n in range(RUNGS + 1)),
        *((f"rung_{n}", "put_away", {"ok": "closed"}) for n in range(RUNGS + 1)),
    ),
)


class Ladder(Lifecycle, role=LADDER):
    """Counts how often it was put away."""

    def __init__(self) -> None:
        super().__init__()
        self.put_aways: list[int] = []

    def climb(self) -> None:
        """Go one rung up."""

    def look(self) -> str:
        """See where we are."""
        return "fine"

    def put_away(self) -> None:
        """End it, once."""
        self.put_aways.append(1)


SWITCH = Role(
    name="switch",
    doc="Is off, is on, and may be fitted with one lamp at a time.",
    states=(State("off", "No light."), State("on", "Light."), State("closed", "Unscrewed.")),
    calls=(
        Call("toggle", "Off to on, on to off.", exclusive=False),
        Call("fit", "Put a lamp in; slow.", exclusive=True),
        Call("replace", "Put another lamp in; slow.", exclusive=True),
        Call("close", "Unscrew it.", settles="before"),
    ),
    outcomes=(*STANDARD_OUTCOMES, Outcome("dark", "It fitted badly.")),
    initial="off",
    final=frozenset({"closed"}),
    closes="close",
    rows=(
        ("off", "toggle", {"ok": "on"}),
        ("on", "toggle", {"ok": "off"}),
        ("off", "fit", {"ok": "on", "dark": "off", "failed": "off"}),
        ("on", "replace", {"ok": "on", "failed": "off"}),
        ("off", "close", {"ok": "closed"}),
        ("on", "close", {"ok": "closed"}),
        ("closed", "close", {"ok": "closed"}),
    ),
)


class Switch(Lifecycle, role=SWITCH):
    """Holds lamps; `taken` and `given_back` have every one that was."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = 0
        self.most_inside = 0
        self.lamps: list[object] = []
        self.taken: list[object] = []
        self.given_back: list[object] = []

    def toggle(self) -> None:
        """Off to on, on to off."""

    def fit(self) -> None:
        """Put a lamp in."""
        self._slowly()

    def replace(self) -> None:
        """Put another lamp in."""
        self._slowly()

    def close(self) -> None:
        """Unscrew it."""
        self._release()

    def _release(self) -> None:
        """Give all lamps back."""
        with suppress(IndexError):
            while True:
                self.given_back.append(self.lamps.pop())

    def _slowly(self) -> None:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        threading.Event().wait(0.0005)
        self.taken.append(object())
        self.lamps.append(self.taken[-1])
        self.inside -= 1


def tried(call: Callable[[], object]) -> str:
    """How a call ended that may be refused."""
    try:
        call()
    except IllegalCall as refusal:
        return type(refusal).__name__
    return "done"


def test_as_many_successes_as_steps() -> None:
    """64 threads climb a ladder of 40 rungs: 40 climbs succeed, in whichever threads, and all others are refused."""
    for _ in range(10):
        ladder = Ladder()
        results = race(*[lambda ladder=ladder: [tried(ladder.climb) for _ in range(3)]] * THREADS)  # type: ignore[misc]
        ended = Counter(each for result in results for each in result)
        refused = ended["IllegalCall"] + ended["StateChangedDuringCall"]
        assert (ended["done"], refused, ended.total()) == (RUNGS, 3 * THREADS - RUNGS, 3 * THREADS)
        assert ladder.state == f"rung_{RUNGS}"


@pytest.mark.parametrize("times", [20, 21])
def test_no_toggle_is_lost(times: int) -> None:
    """Toggles of 64 threads all happen: an even number of them changes nothing, an odd one does."""
    switch = Switch()

    def toggle(count: int) -> None:
        for _ in range(count):
            switch.toggle()

    race(*[lambda: toggle(20)] * (THREADS - 1), lambda: toggle(times))
    assert switch.state == ("off" if times % 2 == 0 else "on")
    switch.close()


def test_a_call_at_once_is_taken_once() -> None:
    """Of 64 threads that make a call which ends the object at once, one runs the handler; climbers never bring it back."""
    for _ in range(10):
        ladder = Ladder()
        seen: list[str] = []

        def climb(ladder: Ladder = ladder, seen: list[str] = seen) -> str:
            while True:
                ended = tried(ladder.climb)
                if ladder.put_aways:
                    seen.append(ladder.state)
                if ended != "done" and ladder.state in ("closed", f"rung_{RUNGS}"):
                    return ended

        results = race(*[lambda ladder=ladder: tried(ladder.put_away)] * 16, *[climb] * 48)  # type: ignore[misc]
        assert Counter(results[:16])["done"] == len(ladder.put_aways) == 1
        assert set(seen) <= {"closed"}
        assert ladder.state == "closed"


def test_a_closed_object_is_never_revived() -> None:
    """Whatever runs while an object is closed, it stays closed, and what a late call installed is given back."""
    for _ in range(15):
        switch = Switch()
        calls = [switch.toggle, switch.fit]
        running = [lambda call=calls[n % 2]: [tried(call) for _ in range(5)] for n in range(THREADS - 1)]

        def close(switch: Switch = switch) -> str:
            switch.close()
            return switch.state

        *_, state = race(*running, close)
        assert state == switch.state == "closed"
        assert not switch.lamps
        assert set(switch.taken) == set(switch.given_back)


def test_exclusive_calls_one_at_a_time() -> None:
    """Of the exclusive calls of 64 threads one runs at a time; the others are refused as in progress, or by the state."""
    for _ in range(10):
        switch = Switch()
        results = Counter(race(*[lambda switch=switch: tried(switch.fit)] * THREADS))  # type: ignore[misc]
        assert results["done"] == 1
        assert set(results) <= {"done", "IllegalCall", "CallInProgress"}
        results = Counter(race(*[lambda switch=switch: tried(switch.replace)] * THREADS))  # type: ignore[misc]
        assert results["done"] >= 1
        assert set(results) <= {"done", "CallInProgress"}
        assert switch.most_inside == 1
        assert switch.state == "on"
        switch.close()


class Stubborn(Switch):
    """Its exclusive call waits until the test lets it go on, and may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.error: BaseException | None = None

    def _slowly(self) -> None:
        self.entered.set()
        assert self.go_on.wait(LONG)
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("error", [None, OSError("broken"), ValueError("wrong"), KeyboardInterrupt()])
def test_a_claim_ends_with_its_call(error: BaseException | None) -> None:
    """While an exclusive call runs, others are refused and told which one; however it ends, the next one may run."""
    switch = Stubborn()
    switch.error = error
    fitting = Background(switch.fit)
    assert switch.entered.wait(LONG)
    with pytest.raises(CallInProgress) as refused:
        switch.fit()
    assert refused.value.running == "fit"
    switch.go_on.set()
    if error is None:
        fitting.result()
    else:
        with pytest.raises(type(error)):
            fitting.result()
    switch.error = None
    assert tried(switch.fit if switch.state == "off" else switch.replace) == "done"
    switch.close()


def test_a_running_call_learns_that_it_was_overtaken() -> None:
    """A call that was running when its object was closed says so; one that came later is simply illegal."""
    switch = Stubborn()
    fitting = Background(switch.fit)
    assert switch.entered.wait(LONG)
    switch.close()
    switch.go_on.set()
    with pytest.raises(ClosedDuringCall):
        fitting.result()
    with pytest.raises(IllegalCall) as later:
        switch.fit()
    assert type(later.value) is IllegalCall


def test_journal_of_a_race() -> None:
    """Every call of 64 threads has one record, which has begun, has ended, and tells its outcome or that it was illegal."""
    ladder, switch = Ladder(), Switch()
    ladder.look()
    with Journal() as journal:
        ladder.look()
        switch.toggle()
        results = race(
            *[lambda: [tried(ladder.climb), tried(ladder.look), tried(switch.toggle), tried(switch.fit)]] * (THREADS - 1),
            lambda: [tried(switch.close)],
        )
    calls = 2 + sum(len(result) for result in results)
    assert len(journal.records) == calls
    for record in journal.records:
        assert record.ended is not None
        assert record.began <= record.ended
        assert record.outcome is not None or record.error
        assert record.outcome != "illegal" or record.error
        assert record.subject in ("Ladder#1", "Switch#1")
    refused = sum(each != "done" for result in results for each in result)
    assert sum(record.error != "" for record in journal.records) == refused
    assert len([json.loads(line) for line in journal.lines()]) == calls


def test_observers_come_and_go() -> None:
    """Whether somebody observes changes nothing for 64 threads that are at it."""
    ladder, switch = Ladder(), Switch()
    done = threading.Event()

    def observe() -> int:
        rounds = 0
        while not done.is_set():
            with Journal():
                rounds += 1
        return rounds

    observing = Background(observe)
    results = race(
        *[lambda: [tried(ladder.climb) for _ in range(20)]] * (THREADS // 2),
        *[lambda: [tried(switch.toggle) for _ in range(20)]] * (THREADS // 2),
    )
    done.set()
    assert observing.result()
    assert Counter(each for result in results[: THREADS // 2] for each in result)["done"] == RUNGS
    assert {each for result in results[THREADS // 2 :] for each in result} == {"done"}
    assert (ladder.state, switch.state) == (f"rung_{RUNGS}", "off")
    switch.close()
    until(lambda: not observing.is_running())
