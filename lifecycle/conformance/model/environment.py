"""The surroundings of an object as data: what its peers can do, how a call is provoked, and how it then ends.

A role's table says in which outcomes a call may end in a state. Which of them it will be depends on the surroundings of the
object: whether data has arrived, whether a peer listens, whether the caller waits. Those are the *facts*, a small set of words.
Peer actions and endings add and drop facts; what the state itself says is derived from the role's own facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Facts = frozenset[str]


class Under(StrEnum):
    """The circumstances of a call."""

    AT_ONCE = "at once"
    BRIEFLY = "waiting briefly"
    PATIENTLY = "waiting"
    CANCELLED = "cancelled"
    SCARCE = "without descriptors"


SLOW = frozenset({Under.BRIEFLY, Under.CANCELLED, Under.SCARCE})
"""Circumstances that cost time or disturb others: walks leave them to the exhaustive driver."""

ANYTHING: Any = object()
"""The value of a call that is not compared."""


ALL: Any = "all of it"
"""The value of a call that has sent everything it was given."""


class Place(str):
    """Arguments that the surroundings fill in, by name: the address of a peer, a lot of data."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its name."""
        return str(self)

    def __repr__(self) -> str:
        return f"Place({super().__repr__()})"


@dataclass(frozen=True, slots=True)
class Handle:
    """An argument that the surroundings fill in: a socket of the system in that state of the role; "" for what is not one."""

    state: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ends where all facts of `where` hold and none of `unless`; then the facts change.

    gives: the value that the caller gets, where it can be said; bytes for what is received.
    """

    outcome: str
    where: Facts = frozenset()
    unless: Facts = frozenset()
    adds: Facts = frozenset()
    drops: Facts = frozenset()
    gives: Any = ANYTHING

    def holds(self, facts: Facts) -> bool:
        """Whether this is how it ends under these facts, if no earlier ending holds."""
        return self.where <= facts and not self.unless & facts

    def changed(self, facts: Facts) -> Facts:
        """The facts afterwards."""
        return (facts - self.drops) | self.adds


def ends(outcome: str, *, where: str = "", unless: str = "", adds: str = "", drops: str = "", gives: Any = ANYTHING) -> Ending:
    """An Ending whose facts are written as words with spaces between them."""
    return Ending(outcome, _words(where), _words(unless), _words(adds), _words(drops), gives)


@dataclass(frozen=True, slots=True)
class Provocation:
    """One way of making a call, with its endings; the first that holds is the one expected.

    how: what distinguishes it from other ways of making the same call. costly: it takes milliseconds; walks leave it out.
    """

    call: str
    how: str
    arguments: tuple[Any, ...]
    under: Under
    endings: tuple[Ending, ...]
    costly: bool = False
    has_places: bool = field(init=False, compare=False, repr=False)
    """whether the surroundings fill in some of its arguments"""
    places: frozenset[Place] = field(init=False, compare=False, repr=False)
    """those of its arguments that are places"""
    label: str = field(init=False, compare=False, repr=False)
    """its name in reports and snippets; unique within a role"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "has_places", any(isinstance(each, Place | Handle) for each in self.arguments))
        object.__setattr__(self, "places", frozenset(each for each in self.arguments if isinstance(each, Place)))
        words = [self.call, self.how, "" if self.under is Under.AT_ONCE else f"({self.under})"]
        object.__setattr__(self, "label", " ".join(word for word in words if word))

    @property
    def is_slow(self) -> bool:
        """Whether it takes long enough that walks leave it out."""
        return self.costly or self.under in SLOW

    def ending(self, facts: Facts) -> Ending | None:
        """How it ends under these facts; None where no ending holds."""
        return next((ending for ending in self.endings if ending.holds(facts)), None)


@dataclass(frozen=True, slots=True)
class PeerAction:
    """An action of the other side, possible where all facts of `where` hold and none of `unless`."""

    name: str
    where: Facts = frozenset()
    unless: Facts = frozenset()
    adds: Facts = frozenset()
    drops: Facts = frozenset()

    @property
    def label(self) -> str:
        """Its name in reports and snippets."""
        return self.name

    def is_possible(self, facts: Facts) -> bool:
        """Whether the other side can do it now."""
        return self.where <= facts and not self.unless & facts

    def changed(self, facts: Facts) -> Facts:
        """The facts afterwards."""
        return (facts - self.drops) | self.adds


def peer(name: str, *, where: str = "", unless: str = "", adds: str = "", drops: str = "") -> PeerAction:
    """A PeerAction whose facts are written as words with spaces between them."""
    return PeerAction(name, _words(where), _words(unless), _words(adds), _words(drops))


Step = Provocation | PeerAction


@dataclass(frozen=True, slots=True)
class Follows:
    """A fact that is so just when all facts of `where` hold and none of `unless`."""

    fact: str
    where: Facts
    unless: Facts = frozenset()


def _no_words(state_facts: Any) -> Facts:
    return frozenset()


@dataclass(frozen=True, eq=False)
class Environment:
    """The whole vocabulary of one role: how its calls are provoked, and what its peers can do.

    words_of: what the facts of a state of the role say, as facts of the surroundings. follows: facts that follow from others.
    Raises ValueError, naming it, for a label that stands for two steps.
    """

    provocations: tuple[Provocation, ...]
    peer_actions: tuple[PeerAction, ...] = ()
    follows: tuple[Follows, ...] = ()
    words_of: Callable[[Any], Facts] = _no_words
    steps: Mapping[str, Step] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        steps: dict[str, Step] = {}
        every: tuple[Step, ...] = (*self.provocations, *self.peer_actions)
        for step in every:
            if step.label in steps:
                raise ValueError(f"two steps are labelled {step.label!r}")
            steps[step.label] = step
        object.__setattr__(self, "steps", steps)

    def following(self, facts: Facts) -> Facts:
        """The facts, and those that follow from them."""
        for each in self.follows:
            if each.where <= facts and not each.unless & facts:
                facts |= {each.fact}
        return facts


def _words(text: str) -> Facts:
    return frozenset(text.split())


def plainly(call: str, *arguments: Any, how: str = "", gives: Any = ANYTHING, adds: str = "", drops: str = "") -> Provocation:
    """A call that simply ends in `ok`."""
    return Provocation(call, how, arguments, Under.AT_ONCE, (ends("ok", gives=gives, adds=adds, drops=drops),))


def failing(call: str, *arguments: Any, how: str, adds: str = "") -> Provocation:
    """A call that ends in `failed`, because of its arguments."""
    return Provocation(call, how, arguments, Under.AT_ONCE, (ends("failed", adds=adds),))


def waits(
    call: str,
    *arguments: Any,
    endings: Iterable[Ending],
    how: str = "",
    adds: str = "",
    where: str = "",
    unless: str = "",
    briefly: bool = True,
    cancelled: str = "",
    costly: bool = False,
    otherwise: tuple[Ending, ...] = (),
) -> tuple[Provocation, ...]:
    """A call that may have to wait, provoked at once, waiting briefly, and cancelled while it waits.

    endings: how it ends where it need not wait. Where none holds, and the facts `where` do and none of `unless`, it ends in
    `pending`, `timed_out` or `cancelled` by the circumstances, and adds the facts `adds`; or else as `otherwise` says.
    """
    first = tuple(endings)
    circumstances = [(Under.AT_ONCE, "pending")]
    if briefly:
        circumstances.append((Under.BRIEFLY, "timed_out"))
    if cancelled:
        circumstances.append((Under.CANCELLED, cancelled))
    return tuple(
        Provocation(
            call, how, arguments, under, (*first, ends(waiting, where=where, unless=unless, adds=adds), *otherwise), costly
        )
        for under, waiting in circumstances
    )
