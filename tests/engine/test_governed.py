"""Attaching a class to a role: what its methods then do, and what they still are."""

from __future__ import annotations

import copy
import gc
import inspect
import linecache
import pickle
import traceback
import weakref
from contextlib import suppress

import pytest
from turnstile import TURNSTILE, BentCoin, Turnstile

from lifecycle.engine import (
    Call,
    ClosedDuringCall,
    IllegalCall,
    Lifecycle,
    Role,
    State,
    UnlistedOutcome,
    default_engine,
    settled,
)

DOOR = Role(
    name="door",
    doc="A door.",
    states=(State("shut", "Shut."), State("open", "Open."), State("gone", "Gone.")),
    calls=(Call("swing", "Open or shut it."), Call("burn", "Burn it.")),
    rows=(
        ("shut", "swing", {"ok": "open"}),
        ("open", "swing", {"ok": "shut"}),
        ("shut", "burn", {"ok": "gone"}),
        ("open", "burn", {"ok": "gone"}),
    ),
    initial="shut",
    final=frozenset({"gone"}),
)


@pytest.fixture
def turnstile() -> Turnstile:
    """A new turnstile; it goes without a warning, for it was never left in a middle state."""
    return Turnstile()


def test_call_returns_what_the_handler_returns(turnstile: Turnstile) -> None:
    """The caller gets the handler's own value, and the state has moved."""
    assert turnstile.coin(5, 6) == 11
    assert turnstile.state == "unlocked"
    assert turnstile.push() == "through"
    assert turnstile.state == "locked"


def test_settled_outcome_leads_elsewhere(turnstile: Turnstile) -> None:
    """A handler that returns settled(outcome, value) moves by that outcome; the caller gets the value alone."""
    assert turnstile.coin(2, currency="DEM") == 2
    assert turnstile.state == "jammed"
    turnstile.remove()


def test_failure_follows_its_row_and_raises_the_handlers_own_exception(turnstile: Turnstile) -> None:
    """An exception of the handler is classified, its row is followed, and the caller gets that same exception."""
    turnstile.coin(1, currency="DEM")
    with pytest.raises(BentCoin):
        turnstile.repair("hammer")
    assert turnstile.state == "jammed"
    turnstile.repair()
    assert turnstile.state == "locked"


def test_refused_arguments_change_nothing(turnstile: Turnstile) -> None:
    """ValueError and TypeError of a handler mean that nothing happened: the state is kept."""
    with pytest.raises(ValueError, match="worth"):
        turnstile.coin(-1)
    with pytest.raises(TypeError):
        turnstile.coin("x")  # type: ignore[arg-type]
    assert (turnstile.state, turnstile.takings) == ("locked", 0)


def test_illegal_call_is_refused_before_the_handler_runs(turnstile: Turnstile) -> None:
    """A call that the row lacks raises IllegalCall, and its handler has not run."""
    turnstile.coin(1)
    with pytest.raises(IllegalCall):
        turnstile.coin(1)
    assert turnstile.takings == 1
    turnstile.push()


def test_call_that_is_never_legal_needs_no_handler(turnstile: Turnstile) -> None:
    """A declared call without any row exists, refuses with its reason whatever it is given, and says so in its help."""
    with pytest.raises(IllegalCall, match="never right to kick"):
        turnstile.kick("hard", twice=True)  # type: ignore[attr-defined]
    assert "never right to kick" in str(inspect.getdoc(Turnstile.kick))  # type: ignore[attr-defined]


def test_signature_docstring_and_name_survive() -> None:
    """help(), editors and tracebacks see the handler's own signature, documentation, name and annotations."""
    assert str(inspect.signature(Turnstile.coin)) == (
        "(self, value: 'int' = 1, /, *more: 'int', currency: 'str' = 'EUR', **notes: 'str') -> 'int'"
    )
    assert Turnstile.coin.__doc__ == "Pay `value` and more."
    assert Turnstile.coin.__qualname__ == "Turnstile.coin"
    assert Turnstile.coin.__module__ == "turnstile"


def test_generated_source_shows_in_tracebacks(turnstile: Turnstile) -> None:
    """The generated frame has its source in a traceback."""
    try:
        turnstile.coin(-1)
    except ValueError as error:
        text = "".join(traceback.format_exception(error))
    assert "<lifecycle coin" in text
    assert any(
        "def coin(" in line
        for name in linecache.cache
        if name.startswith("<lifecycle coin")
        for line in linecache.getlines(name)
    )


def test_arguments_arrive_as_they_were_given(turnstile: Turnstile) -> None:
    """Wrong arguments raise the usual TypeError that names the call, and change nothing."""
    with pytest.raises(TypeError, match=r"coin\(\)|push\(\)"):
        turnstile.push(1)  # type: ignore[call-arg]
    assert turnstile.state == "locked"


def test_unlisted_outcome_of_a_result_is_an_error() -> None:
    """A handler that claims an outcome its row does not list gets UnlistedOutcome, and the state is kept."""

    class Odd(Lifecycle, role=DOOR):
        def swing(self) -> None:
            return settled("eof", None)

        def burn(self) -> None: ...

    odd = Odd()
    with pytest.raises(UnlistedOutcome, match="swing cannot end in 'eof'"):
        odd.swing()
    assert odd.state == "shut"


def test_missing_handler_is_refused_at_class_creation() -> None:
    """A class that lacks a method for a call that is legal somewhere cannot be made; the text names the call."""
    with pytest.raises(TypeError, match=r"no method burn\(\)"):

        class Half(Lifecycle, role=DOOR):
            def swing(self) -> None: ...


@pytest.mark.parametrize("name", ["two words", "_private", "state"])
def test_names_that_are_no_methods_cannot_be_attached(name: str) -> None:
    """A role whose call cannot be a public method of its own is fine for diagrams, and refused for a class."""
    role = Role(
        "odd", "", (State("a", ""), State("b", "")), (Call(name, ""),), (("a", name, {"ok": "b"}),), "a", frozenset({"b"})
    )
    with pytest.raises(TypeError, match=r"cannot be the name of a method|would hide"):
        type("Odd", (Lifecycle,), {name: lambda self: None}, role=role)


def test_subclass_may_override_and_stays_checked() -> None:
    """An override is refused where the call is illegal, and settles the call itself or through super()."""

    class Loud(Turnstile):
        heard: list[str]

        def coin(self, value: int = 1, /, *more: int, currency: str = "EUR", **notes: str) -> int:
            self.heard = ["coin"]
            return super().coin(value, *more, currency=currency, **notes)

        def push(self) -> str:
            return "THROUGH"  # does not ask super()

    loud = Loud()
    with pytest.raises(IllegalCall):
        loud.push()
    assert loud.coin(3) == 3
    assert (loud.heard, loud.state) == (["coin"], "unlocked")
    assert loud.push() == "THROUGH"
    assert loud.state == "locked"
    assert loud.coin(3, currency="DEM") == 6
    assert loud.state == "jammed"
    with pytest.raises(IllegalCall):
        loud.coin()
    loud.remove()


def test_override_that_swallows_a_failure_does_not_succeed() -> None:
    """When super() failed and the override swallowed it, the failure's row holds, and not the one of `ok`."""

    class Calm(Turnstile):
        def repair(self, tool: str = "screwdriver") -> None:
            try:
                super().repair(tool)
            except BentCoin:
                return

    calm = Calm()
    calm.coin(1, currency="DEM")
    calm.repair("hammer")
    assert calm.state == "jammed"
    calm.remove()


def test_override_that_swallows_a_refusal_does_not_succeed() -> None:
    """When super() refused the arguments, or the call, and the override swallowed it, nothing has happened."""

    class Forgiving(Turnstile):
        def coin(self, value: int = 1, /, *more: int, currency: str = "EUR", **notes: str) -> int:
            with suppress(ValueError):
                return super().coin(-1)
            return 0

        def repair(self, tool: str = "screwdriver") -> None:
            with suppress(IllegalCall):
                super().kick()  # type: ignore[misc]

    forgiving = Forgiving()
    assert forgiving.coin(1) == 0
    assert forgiving.state == "locked"


class Held(Lifecycle, role=Role(
    name="held",
    doc="Something that is got, used, and handed out or closed.",
    states=(State("none", "Nothing yet."), State("some", "It is held."), State("over", "It is gone.")),
    calls=(
        Call("get", "Get it.", exclusive=True),
        Call("use", "Use it."),
        Call("hand_out", "Hand it out.", settles="before"),
        Call("close", "End it.", settles="before"),
    ),
    rows=(
        ("none", "get", {"ok": "some"}),
        ("none", "close", {"ok": "over"}),
        ("some", "use", {"ok": "some", "failed": "some"}),
        ("some", "hand_out", {"ok": "over"}),
        ("some", "close", {"ok": "over"}),
        ("over", "close", {"ok": "over"}),
    ),
    initial="none",
    final=frozenset({"over"}),
)):  # fmt: skip
    """Calls that do something else in their middle."""

    def __init__(self, middle: str = "") -> None:
        super().__init__()
        self.middle = middle
        self.releases = 0

    def get(self) -> None:
        """Get it; the object may be closed meanwhile."""
        if self.middle == "get":
            self.close()

    def use(self) -> None:
        """Use it; it may be handed out meanwhile, which makes the use fail."""
        self.hand_out()
        raise OSError

    def hand_out(self) -> None:
        """Hand it out."""

    def close(self) -> None:
        """End it."""

    def _release(self) -> None:
        self.releases += 1


def test_call_that_installs_into_a_closed_object_gives_it_back() -> None:
    """A first call that ends on an object that was closed meanwhile says so, and what it got is released."""
    held = Held("get")
    with pytest.raises(ClosedDuringCall):
        held.get()
    assert (held.state, held.releases) == ("over", 1)


def test_call_that_was_overtaken_takes_nothing_from_the_overtaker() -> None:
    """A call that fails because another one hands the thing out releases nothing: it is not its own any more."""
    held = Held()
    held.get()
    with pytest.raises(ClosedDuringCall):
        held.use()
    assert (held.state, held.releases) == ("over", 0)


def test_context_manager_closes() -> None:
    """Leaving the block makes the closing call, also after an error, and once more does nothing wrong."""
    with pytest.raises(BentCoin), Turnstile() as turnstile:
        turnstile.coin(1)
        raise BentCoin
    assert (turnstile.state, turnstile.removals) == ("removed", 1)
    with turnstile:
        pass
    assert turnstile.state == "removed"


def test_forgotten_object_closes_and_warns() -> None:
    """An object that is dropped in the middle of its life warns, and makes its closing call."""
    turnstile = Turnstile()
    turnstile.coin(1)
    with pytest.warns(ResourceWarning, match="unclosed .*Turnstile unlocked"):
        del turnstile
        gc.collect()


def test_object_that_never_began_goes_in_silence() -> None:
    """An object in its initial state holds nothing: dropping it warns of nothing (warnings are errors here)."""
    Turnstile()
    gc.collect()


def test_objects_are_freed_at_once() -> None:
    """No reference cycle and no registry keeps an object: it dies with its last reference."""
    turnstile = Turnstile()
    turnstile.coin(1)
    turnstile.push()
    gone = weakref.ref(turnstile)
    gc.disable()
    try:
        del turnstile
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_objects_are_not_copied(turnstile: Turnstile, duplicate: object) -> None:
    """Copying and pickling raise TypeError: an object holds one live thing."""
    with pytest.raises(TypeError, match="cannot be copied or pickled"):
        duplicate(turnstile)  # type: ignore[operator]


def test_unknown_engine_is_refused() -> None:
    """An engine that does not exist is a ValueError that names those that do."""
    with pytest.raises(ValueError, match="compiled, reference"):
        Turnstile(engine="quantum")


def test_engine_is_told() -> None:
    """An object tells its engine; the default one is the suite's."""
    assert Turnstile().engine == default_engine()
    assert Turnstile(engine="reference").engine == "reference"


def test_legal_follows_the_state(turnstile: Turnstile) -> None:
    """`legal` is the tuple of legal calls in the table's order, in every state."""
    assert turnstile.legal == TURNSTILE.legal("locked") == ("coin", "look", "remove")
    turnstile.remove()
    assert turnstile.legal == ("remove",)


def test_class_without_a_role_says_so() -> None:
    """Making an object of a class that was given no role is a TypeError that shows how to give it one."""

    class Roleless(Lifecycle): ...

    with pytest.raises(TypeError, match=r"class Roleless\(Lifecycle, role=\.\.\.\)"):
        Roleless()


def test_attributes_are_found_the_fast_way() -> None:
    """No class defines __getattr__ or __getattribute__, which would cost CPython its specialised attribute look-ups."""
    for kind in (Lifecycle, Turnstile, *Turnstile.__mro__):
        assert "__getattr__" not in vars(kind)
        assert kind is object or "__getattribute__" not in vars(kind)


def test_a_class_needs_the_role_itself() -> None:
    """A role's name in its place is a TypeError when the class is made."""
    with pytest.raises(TypeError, match="'turnstile' is not a Role: give the role itself"):
        type("Door", (Lifecycle,), {}, role="turnstile")
