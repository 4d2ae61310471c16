"""How far a checker has followed a socket: its state, and which of its calls were noted in that state.

Many sockets get equally far, so they share a Milestone, as they share the states of a role. The next milestone after a call is
computed once for each milestone, and is a dictionary look-up from then on. So the first calls of a connection cost little, too.
"""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakSet

from lifecycle.checking.observed import ObservedState
from lifecycle.roles.python.words import ASKED, FREQUENT, SENDING, SETS_OPTION, WITH_ADDRESS
from lifecycle.roles.words import ACCEPT

Ended = str | tuple[str, str | None]
"""how a call has ended: its name where that was `ok`, else its name and its outcome"""


def ended_so(call: str, outcome: str | None) -> Ended:
    """The name of the call for the outcome `ok`, which is usual, else both."""
    return call if outcome == "ok" else (call, outcome)


class Reached(NamedTuple):
    """The parts of a milestone.

    before: the state before this one. noted: the ends of the calls that were noted in this state. has_sent: whether one has
    sent, in any state. watched: the program has the descriptor, and may wait for it. shared: another object has the same
    socket.
    """

    family: int
    state: ObservedState
    before: ObservedState
    noted: frozenset[Ended] = frozenset()
    has_sent: bool = False
    watched: bool = False
    shared: bool = False


class Milestone:
    """How far a socket has been followed.

    steps: what has ended -> the next milestone, where the outcome says nothing else than that; else None. The name of a
    frequent call: whether it is noted, and changes nothing. accept: the same. accepts: the first milestone of what this socket
    accepts. curious: whether fileno() changes something. may_reset: whether close() may take back what was sent.
    """

    __slots__ = (*FREQUENT, "__weakref__", "accept", "accepts", "curious", "may_reset", "reached", "state", "steps")

    accept: bool

    def __init__(self, reached: Reached) -> None:
        state = self.state = reached.state
        self.reached = reached
        self.steps = Steps(self)
        self.curious = not reached.watched or "fileno" not in state.keeps
        self.may_reset = state.may_reset and reached.has_sent
        self.accepts: Milestone | None = None
        self.look_again()
        _all.add(self)

    def look_again(self) -> None:
        """Compute again which calls need not be noted."""
        self.steps.clear()
        for call in (*FREQUENT, ACCEPT.name):
            setattr(self, call, not keeps_all and call in self.reached.noted and call in self.state.keeps)

    def entering(self, state: ObservedState) -> Milestone:
        """The milestone in which `state` is entered, if it is another one."""
        if state is self.state:
            return self
        return self.but(state=state, before=self.state, noted=frozenset())

    def noting(self, ended: Ended) -> Milestone:
        """The milestone in which this was noted, too."""
        call = ended if isinstance(ended, str) else ended[0]
        return self.but(noted=self.reached.noted | {ended}, has_sent=self.reached.has_sent or call in SENDING)

    def but(self, **changes: object) -> Milestone:
        """The milestone that differs in these parts."""
        return milestone_of(self.reached._replace(**changes))  # type: ignore[arg-type] # the fields' own types


class Steps(dict[Ended, "Milestone | None"]):
    """What has ended -> the next milestone; None where that is not all, or where every call is to be looked at."""

    __slots__ = ("_milestone",)

    def __init__(self, milestone: Milestone) -> None:
        self._milestone = milestone

    def __missing__(self, ended: Ended) -> Milestone | None:
        milestone = self._milestone
        state, (call, outcome) = milestone.state, (ended, "ok") if isinstance(ended, str) else ended
        is_more = keeps_all or looks_at_all or milestone.reached.shared or outcome in (None, "pending", "eof", ASKED.name)
        is_more = is_more or call in _LOOKED_AT or call not in state.legal or state.misleads(call, outcome or "")
        self[ended] = step = None if is_more else milestone.entering(state.after(call, outcome or "")).noting(ended)
        return step


_LOOKED_AT = frozenset({*WITH_ADDRESS, SETS_OPTION})
"""the calls whose arguments matter, whatever their outcome"""

_all: WeakSet[Milestone] = WeakSet()
_milestones: dict[Reached, Milestone] = {}
_MANY = 5_000

keeps_all = False
"""whether some active checker keeps every call of every socket"""

looks_at_all = False
"""whether there is a watcher of noted calls, which therefore must not be noted in the fast path"""


def milestone_of(reached: Reached) -> Milestone:
    """The milestone, which is made once."""
    milestone = _milestones.get(reached)
    if milestone is None:
        if len(_milestones) > _MANY:
            _milestones.clear()
        milestone = _milestones.setdefault(reached, Milestone(reached))
    return milestone


def keep_all(is_on: bool) -> None:
    """Note every call from now on, or only those with new information."""
    global keeps_all
    keeps_all = is_on
    _look_again()


def look_at_all() -> None:
    """Note no call in the fast path from now on."""
    global looks_at_all
    looks_at_all = True
    _look_again()


def _look_again() -> None:
    for milestone in tuple(_all):
        milestone.look_again()
