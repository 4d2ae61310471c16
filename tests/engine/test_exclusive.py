"""Several threads or tasks make the same call that changes the state: one handler runs, and every loser learns why it lost."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import pytest
from hypothesis import given
from loopback import LONG, Background
from strategies import roles

from lifecycle import CallInProgress, ClosedDuringCall, IllegalCall, Lifecycle, Role, StateChangedDuringCall
from lifecycle.engine import Call, Kind, State

SESSION_STATES = (State("idle", "No transaction."), State("open", "In one."), State("closed", "Over."))


def session(exclusive: bool | None = None) -> Role:
    """A session whose begin() changes the state; `exclusive` as in Call."""
    return Role(
        name="session",
        doc="One transaction after the other.",
        states=SESSION_STATES,
        calls=(
            Call("begin", "Begin one.", exclusive=exclusive),
            Call("ping", "Ask whether it lives."),
            Call("leave", "End it at once.", settles="before"),
            Call("close", "End it."),
        ),
        rows=(
            ("idle", "begin", {"ok": "open", "failed": "idle"}),
            ("idle", "ping", {"ok": "idle", "failed": "closed"}),
            ("open", "leave", {"ok": "closed"}),
            *((state.name, "close", {"ok": "closed"}) for state in SESSION_STATES),
        ),
        initial="idle",
        final=frozenset({"closed"}),
        closes="close",
    )


class Steps:
    """What the handlers of a session do: begin() waits until it is told to go on."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.ran = 0
        self.entered, self.go_on = threading.Semaphore(0), threading.Event()

    def begin(self) -> None:
        """Begin one."""
        self.ran += 1
        self.entered.release()
        assert self.go_on.wait(LONG)

    def ping(self) -> None:
        """Ask."""

    def leave(self) -> None:
        """End it at once."""

    def close(self) -> None:
        """End it."""


class Session(Steps, Lifecycle, role=session()):
    """Exclusive by default."""


class Shared(Steps, Lifecycle, role=session(exclusive=False)):
    """Its handlers may run at once."""


def test_default_of_a_session() -> None:
    """A call whose success changes the state is exclusive; not one that keeps it, settles before, or closes the object."""
    assert [call.name for call in session().calls if call.exclusive] == ["begin"]
    assert not session(exclusive=False).call("begin").exclusive


@given(roles())
def test_default_of_any_role(role: Role) -> None:
    """The default is what the rows say, for any role, and survives pickling."""
    for call in role.calls:
        changes = {
            after != state
            for state, name, outcome, after in role.cells()
            if name == call.name and role.outcome(outcome).kind is Kind.SUCCESS
        }
        assert call.exclusive is (True in changes)
    assert pickle.loads(pickle.dumps(role)).calls == role.calls


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_one_thread_begins(engine: str) -> None:
    """While one thread's handler runs, four others get CallInProgress, and their handlers do not run."""
    one = Session(engine=engine)
    first = Background(one.begin)
    assert one.entered.acquire(timeout=LONG)
    for _ in range(4):
        with pytest.raises(CallInProgress, match=r"cannot start while begin\(\) is still running"):
            one.begin()
    one.ping()
    one.go_on.set()
    first.result()
    assert (one.ran, one.state) == (1, "open")
    one.close()


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_handler_that_fails_gives_the_claim_up(engine: str) -> None:
    """After a handler that raised, the next call is made: no claim is left behind."""

    class Failing(Session):
        def begin(self) -> None:
            if not self.ran:
                self.ran = 1
                raise OSError("the disk is full")
            super().begin()

    one = Failing(engine=engine)
    one.go_on.set()
    with pytest.raises(OSError, match="disk"):
        one.begin()
    one.begin()
    assert (one.ran, one.state) == (2, "open")
    one.close()


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_loser_whose_handler_ran_says_so(engine: str) -> None:
    """With exclusive=False both handlers run; the one that ends last gets an error of its own kind, which pickles."""
    one = Shared(engine=engine)
    beginning = [Background(one.begin) for _ in range(2)]
    for _ in beginning:
        assert one.entered.acquire(timeout=LONG)
    one.go_on.set()
    lost = []
    for each in beginning:
        try:
            each.result()
        except IllegalCall as error:
            lost.append(error)
    (error,) = lost
    assert type(error) is StateChangedDuringCall
    assert str(error).startswith("Shared.begin() was running when another call changed the state to 'open'.")
    assert (error.state, error.call, one.state, one.ran) == ("open", "begin", "open", 2)
    assert str(pickle.loads(pickle.dumps(error, protocol=5))) == str(error)
    one.close()


def test_close_is_not_kept_waiting() -> None:
    """close() runs while an exclusive call does, which then gets ClosedDuringCall, a kind of StateChangedDuringCall."""
    one = Session()
    first = Background(one.begin)
    assert one.entered.acquire(timeout=LONG)
    one.close()
    one.go_on.set()
    with pytest.raises(ClosedDuringCall) as caught:
        first.result()
    assert isinstance(caught.value, StateChangedDuringCall)
    assert one.state == "closed"


def test_one_task_begins() -> None:
    """Of five tasks one runs its handler; the others get CallInProgress at once, also when the first is cancelled later."""

    class Awaited(Lifecycle, role=session()):
        ran = 0

        async def begin(self) -> None:
            self.ran += 1
            await asyncio.sleep(0)

        async def ping(self) -> None: ...
        def leave(self) -> None: ...
        def close(self) -> None: ...

    async def main() -> None:
        one = Awaited()
        results = await asyncio.gather(*(one.begin() for _ in range(5)), return_exceptions=True)
        assert [type(each) for each in results] == [type(None), *[CallInProgress] * 4]
        assert (one.ran, one.state) == (1, "open")
        one.close()
        two = Awaited()
        task = asyncio.ensure_future(two.begin())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await two.begin()
        assert two.state == "open"
        two.close()

    asyncio.run(main())
