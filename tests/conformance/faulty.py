"""Implementations with one fault each, for tests of what the suite finds."""

from __future__ import annotations

from lifecycle import Client, Lifecycle
from lifecycle.conformance import (
    Environment,
    GovernedAdapter,
    ObjectAdapter,
    Provocation,
    SocketAdapter,
    Under,
    ends,
    peer,
    plainly,
)
from lifecycle.conformance.memory import MemorySockets, MemoryStream
from lifecycle.conformance.model.environments import MESSAGE
from lifecycle.conformance.targets import WITHOUT_SYSTEM
from lifecycle.engine import Call, Role, State


class HalfShut(Client):
    """Ends only its receives where both directions were to be ended."""

    def shut_down(self, how: str = "sends") -> None:
        super().shut_down("receives" if how == "both" else how)


def half_shut() -> GovernedAdapter:
    """A governed client that goes to the wrong state."""
    return GovernedAdapter({"client": HalfShut}, name="half shut")


class Forgetful(Client):
    """Sends one byte of everything that is neither short, nor the suite's own message, nor a flood."""

    def send(self, data: bytes, flags: int = 0) -> int:
        if data == MESSAGE or not 1 < len(data) < 1000:
            return super().send(data, flags)
        return super().send(data[:1], flags)


def forgetful() -> GovernedAdapter:
    """A governed client that conforms as long as no test chooses what it sends."""
    return GovernedAdapter({"client": Forgetful}, name="forgetful")


class BindsTwice(MemoryStream):
    """A socket in memory that can be bound again."""

    def bind(self, address: tuple[str, int]) -> None:
        self.port = 0
        super().bind(address)


def binds_twice() -> MemorySockets:
    """Sockets in memory, the streams of which can be bound again."""
    return MemorySockets(BindsTwice)


class SilentEnd(MemoryStream):
    """A socket in memory that does not report the end of a stream: it would block instead."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        data = super().recv(size, flags)
        if size and not data:
            raise self.would_wait()
        return data


def silent_end() -> SocketAdapter:
    """An adapter's factory, as one hands it to the command line."""
    sockets = MemorySockets(SilentEnd)
    return SocketAdapter(sockets, name="silent end", peers=sockets, circumstances=WITHOUT_SYSTEM)


LAMP = Role(
    name="lamp",
    doc="Shines until its bulb breaks.",
    states=(
        State("dark", "Off."),
        State("bright", "On."),
        State("broken", "Off for good.", reason="The bulb is broken"),
        State("thrown_away", "Gone.", reason="There is no lamp any more"),
    ),
    calls=(
        Call("switch_on", "Light it."),
        Call("switch_off", "Put it out.", reason="It is dark already"),
        Call("throw_away", "Be rid of it."),
    ),
    rows=(
        ("dark", "switch_on", {"ok": "bright", "broken": "broken"}),
        ("bright", "switch_off", {"ok": "dark"}),
        ("dark", "throw_away", {"ok": "thrown_away"}),
        ("bright", "throw_away", {"ok": "thrown_away"}),
        ("broken", "throw_away", {"ok": "thrown_away"}),
    ),
    initial="dark",
    final=frozenset({"thrown_away"}),
    closes="throw_away",
)


class BulbBroke(Exception):
    """The bulb broke."""


class Lamp(Lifecycle, role=LAMP):
    """A lamp."""

    def __init__(self, *, engine: str | None = None) -> None:
        super().__init__(engine=engine)
        self.is_overheated = False

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        return "broken" if isinstance(error, BulbBroke) else super().outcome_of(call, error)

    def switch_on(self) -> str:
        if self.is_overheated:
            raise BulbBroke
        return "light"

    def switch_off(self) -> None: ...

    def throw_away(self) -> None: ...


class TougherLamp(Lamp):
    """A lamp that does not break when it should."""

    def switch_on(self) -> str:
        self.is_overheated = False
        return super().switch_on()


LAMP_ENVIRONMENT = Environment(
    provocations=(
        Provocation("switch_on", "", (), Under.AT_ONCE, (ends("broken", where="hot"), ends("ok", gives="light"))),
        plainly("switch_off"),
        plainly("throw_away"),
    ),
    peer_actions=(peer("overheats", unless="hot", adds="hot"),),
)


def overheat(lamp: Lamp) -> None:
    """What the peer action does."""
    lamp.is_overheated = True


def lamps() -> ObjectAdapter:
    """The adapter of a sound class with a role of its own."""
    return ObjectAdapter(Lamp, LAMP_ENVIRONMENT, {"overheats": overheat})


def tougher_lamps() -> ObjectAdapter:
    """The adapter of a class that misses an outcome of its role."""
    return ObjectAdapter(TougherLamp, LAMP_ENVIRONMENT, {"overheats": overheat})
