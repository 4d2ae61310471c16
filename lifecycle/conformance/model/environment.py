"""The environment of an object as data: the actions of its peers, how each call is provoked, and its expected outcome.

A role's table lists the possible outcomes of a call in a state. Which of them is expected depends on the object's surroundings:
whether data has arrived, whether a peer listens, whether the caller waits. These are the *facts*, a small set of words. Peer
actions and calls add and remove facts; others are derived from the facts of the state.
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
"""Circumstances that take time or disturb other processes: walks leave them to the exhaustive driver."""

ANYTHING: Any = object()
"""The value of a call that is not compared."""


ALL: Any = "all of it"
"""The value of a call that has sent everything it was given."""


class Place(str):
    """Arguments that the suite fills in, by name: the address of a peer, a lot of data."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its name."""
        return str(self)

    def __repr__(self) -> str:
        return f"Place({super().__repr__()})"


@dataclass(frozen=True, slots=True)
class Handle:
    """An argument that the suite fills in: a socket of the system in that state of the role, or for "" another object."""

    state: str


@dataclass(frozen=True, slots=True)
class Ending:
    """The expected end of a call if all facts of `where` hold and none of `unless`, and how it changes the facts.

    gives: the value that the caller gets, if it is known; bytes for received data.
    """

    outcome: str
    where: Facts = frozenset()
    unless: Facts = frozenset()
    adds: Facts = frozenset()
    drops: Facts = frozenset()
    gives: Any = ANYTHING

    def holds(self, facts: Facts) -> bool:
        """Whether this end is expected with these facts, if no earlier one is."""
        return self.where <= facts and not self.unless & facts

    def changed(self, facts: Facts) -> Facts:
        """The facts after it."""
        return (facts - self.drops) | self.adds


def ends(outcome: str, *, where: str = "", unless: str = "", adds: str = "", drops: str = "", gives: Any = ANYTHING) -> Ending:
    """An Ending whose facts are given as words separated by spaces."""
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
    """whether the suite fills in some of its arguments"""
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
        """The expected end with these facts; None if there is none."""
        return next((ending for ending in self.endings if ending.holds(facts)), None)


@dataclass(frozen=True, slots=True)
class PeerAction:
    """An action of a peer, possible if all facts of `where` hold and none of `unless`."""

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
        """Whether the peer can do it now."""
        return self.where <= facts and not self.unless & facts

    def changed(self, facts: Facts) -> Facts:
        """The facts after it."""
        return (facts - self.drops) | self.adds


def peer(name: str, *, where: str = "", unless: str = "", adds: str = "", drops: str = "") -> PeerAction:
    """A PeerAction whose facts are given as words separated by spaces."""
    return PeerAction(name, _words(where), _words(unless), _words(adds), _words(drops))


Step = Provocation | PeerAction


@dataclass(frozen=True, slots=True)
class Follows:
    """A fact that holds exactly if all facts of `where` hold and none of `unless`."""

    fact: str
    where: Facts
    unless: Facts = frozenset()


def _no_words(state_facts: Any) -> Facts:
    return frozenset()


@dataclass(frozen=True, eq=False)
class Environment:
    """The environment of one role: how its calls are provoked, and the actions of its peers.

    words_of: turns the facts of a state of the role into words. follows: facts that follow from others. Raises ValueError,
    naming the label, if two steps have the same one.
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
        """The facts, with those that follow from them."""
        for each in self.follows:
            if each.where <= facts and not each.unless & facts:
                facts |= {each.fact}
        return facts


def _words(text: str) -> Facts:
    return frozenset(text.split())


def plainly(call: str, *arguments: Any, how: str = "", gives: Any = ANYTHING, adds: str = "", drops: str = "") -> Provocation:
    """A call that ends in `ok`."""
    return Provocation(call, how, arguments, Under.AT_ONCE, (ends("ok", gives=gives, adds=adds, drops=drops),))


def failing(call: str, *arguments: Any, how: str, adds: str = "") -> Provocation:
    """A call that ends in `failed` because of its arguments."""
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
    """A call that may have to wait: made without waiting, with a short time-out, and cancelled while it waits.

    endings: its ends if it does not have to wait. If none of them holds, but the facts `where` do and none of `unless`, it ends
    in `pending`, `timed_out` or `cancelled`, depending on the circumstances, and adds the facts `adds`; otherwise it ends as in
    `otherwise`.
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
