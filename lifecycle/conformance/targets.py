"""The targets of conformance runs, by name: the built-in implementations, and `module:factory` for your own."""

from __future__ import annotations

import importlib
import inspect
import re
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

from lifecycle.conformance.adapters.abilities import are_the_systems
from lifecycle.conformance.adapters.governed import CLASSES, GovernedAdapter
from lifecycle.conformance.adapters.known import Known
from lifecycle.conformance.adapters.outcomes import ANY_ERROR, error_text
from lifecycle.conformance.adapters.platform_lines import WINSOCK
from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.adapters.setup_states import Factory
from lifecycle.conformance.adapters.sockets import SocketAdapter, lacking
from lifecycle.conformance.agents.adapter import CONTRACT, WITHOUT_SYSTEM, AgentAdapter
from lifecycle.conformance.agents.process import BadAgent
from lifecycle.conformance.campaigns.bare_calls import Implementation, KnownDifference
from lifecycle.engine import Lifecycle, Role
from lifecycle.engine.table import default_engine
from lifecycle.roles import ROLES
from lifecycle.roles.words import CONNECT, RECEIVE_FROM
from lifecycle.system.local_sockets import LOCAL_FAMILY

PLATFORM = {"linux": "linux", "win32": WINSOCK}.get(sys.platform)
"""the system whose table has the answers of this machine's sockets; None if there is none"""

LIKE = ("linux", "winsock", "mfc", CONTRACT)
"""the systems with which answers to illegal calls can be compared"""

PACKAGE_ROLES: tuple[Role, ...] = tuple(ROLES.values())

AS_SOCKETS = (socket.AF_INET, socket.SOCK_STREAM)
"""the arguments with which sockets are made"""

NAMED = re.compile(r"(?!\d)\w+(\.(?!\d)\w+)*:(?!\d)\w+(\.(?!\d)\w+)*")
"""module:factory, either with dots"""

KNOWN_ON: Mapping[str | None, tuple[Known, ...]] = {
    WINSOCK: (
        Known("wine: SO_ERROR is not cleared by reading it", "data: get_option: SO_ERROR reports it once"),
        Known("wine: WSAESHUTDOWN of a receive of no bytes outlasts a reset", RECEIVE_FROM.name, got="broken (WSAESHUTDOWN)"),
    )
}
"""system -> behaviour of its own sockets beyond its table; real Windows is documented to differ from Wine here"""

BAD_ARGUMENTS = frozenset({"send a text", "recv a text", "bind a text"})

GEVENT_KNOWN = (
    KnownDifference("gevent: settimeout(0) on a closed socket succeeds", frozenset({"settimeout 0"}), "EBADF", "None", True),
    KnownDifference("gevent: on a closed socket EBADF comes before TypeError", BAD_ARGUMENTS, "TypeError", "EBADF", True),
)

_AWAITED, _NOT_A_TUPLE = "trio: connect() is awaited to its end", "trio: an address that is not a tuple is a ValueError"
TRIO_KNOWN = (
    KnownDifference(_AWAITED, frozenset({CONNECT.name}), "would block", "None"),
    KnownDifference(_AWAITED, frozenset({"connect to nobody"}), "would block", "ECONNREFUSED"),
    KnownDifference(_NOT_A_TUPLE, frozenset({"bind a text"}), "TypeError", "ValueError", True),
)


AGENT = "agent:"
"""the prefix of the command of an agent"""


class UnknownTarget(ValueError):
    """A name does not lead to an implementation; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """An implementation that can be put under test.

    adapter: makes a fresh adapter. watched: makes one that also checks the objects' own reports, once for every cell; None if
    they report nothing, or `adapter` checks them already. bare: makes the implementation whose bare calls are compared with the
    standard library's; None if there are none. roles: the possible roles. local: makes an adapter of Unix-domain sockets; None
    if there are none.
    """

    name: str
    adapter: Callable[[], Adapter]
    watched: Callable[[], Adapter] | None = None
    bare: Callable[[Adapter], Implementation] | None = None
    roles: tuple[Role, ...] = PACKAGE_ROLES
    local: Callable[[], Adapter] | None = None

    def making(self, *, local: bool) -> Callable[[], Adapter]:
        """The function that makes its adapter, over IP or over a path. Raises ValueError if it has no local sockets."""
        if not local:
            return self.adapter
        if self.local is None:
            raise ValueError(f"{self.name} has no sockets over a path here")
        return self.local

    def role_named(self, name: str) -> Role | None:
        """Its role of that name, or None."""
        return next((role for role in self.roles if role.name == name), None)


def target_named(name: str, *, engine: str | None = None, like: str | None = None, host: str | None = None) -> Target:
    """The target of that name.

    engine: which engine runs governed objects. like: one of LIKE. host: where sockets are bound. Raises UnknownTarget.
    """
    if name in BUILT_IN:
        found = BUILT_IN[name](engine)
        return found if like is None and host is None else _judged_otherwise(found, like, host)
    if name.startswith(AGENT):
        found = _agent(name.removeprefix(AGENT))
    elif NAMED.fullmatch(name):
        found = target_of(name, _loaded(name), engine)
    else:
        raise UnknownTarget(f"no target {name!r}: give module:factory, or one of {', '.join(BUILT_IN)}, or agent:COMMAND")
    return found if like is None and host is None else _judged_otherwise(found, like, host)


def target_of(name: str, thing: Any, engine: str | None = None) -> Target:
    """The target for an object of a user's module.

    The object may be a class with a role; a class with the methods of `socket.socket`, or a function of a family and a kind
    that makes such sockets; or a function without arguments that returns one of these or an Adapter. Raises UnknownTarget for
    anything else.
    """
    is_class = isinstance(thing, type)
    if is_class and issubclass(thing, Lifecycle):
        return _governed_class(name, thing, engine)
    if is_class and issubclass(thing, socket.socket):
        return Target(name, lambda: SocketAdapter(thing, name=name, platform=PLATFORM, known=KNOWN_ON.get(PLATFORM, ())))
    _refuse_asynchronous(name, thing)
    makes_sockets = callable(thing) and _takes(thing, *AS_SOCKETS)
    if makes_sockets and is_class and hasattr(thing, "recv"):
        return _sockets(name, lambda: cast(Factory, thing))
    if callable(thing) and _takes(thing):
        made: Any = _made(name, thing)
        if hasattr(made, "stage") and hasattr(made, "verdict"):
            made.close()
            return Target(name, cast(Callable[[], Adapter], thing), roles=getattr(made, "roles", PACKAGE_ROLES))
        if hasattr(made, "recv") and makes_sockets:  # whose class has its methods by __getattr__()
            _refuse_asynchronous(name, made)
            made.close()
            return _sockets(name, lambda: cast(Factory, thing))
        if callable(made):
            return _sockets(name, cast(Callable[[], Factory], thing))
    elif makes_sockets:
        return _sockets(name, lambda: cast(Factory, thing))
    lacks = ""
    if is_class:
        lacks = ": its objects have no recv()"
        if not makes_sockets:
            lacks = ": it cannot be made with a family and a kind, as in socket.socket(AF_INET, SOCK_STREAM)"
    raise UnknownTarget(f"{name} is neither a class or a factory of sockets, nor the factory of an adapter{lacks}")


def _judged_otherwise(target: Target, like: str | None, host: str | None) -> Target:
    """The target whose illegal calls are compared with another system, or whose sockets are bound elsewhere."""

    def adapter() -> Adapter:
        made = target.adapter()
        if not isinstance(made, SocketAdapter):
            made.close()
            raise UnknownTarget(f"{target.name} is not made of sockets: it is always compared with the contract, on 127.0.0.1")
        if like is not None:
            made.judge_like(None if like == CONTRACT else like)
        if host is not None:
            made.be_at(host)
        return made

    return replace(target, adapter=adapter, watched=None)


def _made(name: str, make: Callable[..., Any], *arguments: object) -> Any:
    """The result of a user's factory; UnknownTarget if it raises an error."""
    try:
        return make(*arguments)
    except ANY_ERROR as error:
        raise UnknownTarget(f"{name} cannot be made: {error_text(error)}") from error


def _governed_class(name: str, kind: type[Lifecycle], engine: str | None) -> Target:
    role = kind.role
    if ROLES.get(role.name) is not role:
        raise UnknownTarget(
            f"{name} is governed by a role of its own, {role.name!r}, and nothing says how its calls are provoked: give the"
            " factory of an ObjectAdapter"
        )
    return _governed(name, {role.name: kind}, engine)


def _governed(name: str, classes: Mapping[str, type[Any]], engine: str | None) -> Target:
    def watched() -> Adapter:
        return GovernedAdapter(classes, name=name, engine=engine, watched=True)

    def unwatched() -> Adapter:
        return GovernedAdapter(classes, name=name, engine=engine)

    def local() -> Adapter:
        return GovernedAdapter(classes, name=name, engine=engine, local=True)

    goes_one_way = (engine or default_engine()) == "reference"  # whether objects are observed or not
    found = Target(name, watched) if goes_one_way else Target(name, unwatched, watched)
    return replace(found, local=local if LOCAL_FAMILY != -1 else None)


def _refuse_asynchronous(name: str, sock: Any) -> None:
    if inspect.iscoroutinefunction(getattr(sock, "recv", None)):
        raise UnknownTarget(f"{name} is asynchronous: write an adapter, as docs/conformance.md shows for asyncio")


def _sockets(name: str, make: Callable[[], Factory]) -> Target:
    """The target for your own sockets: with peers of the system if they have its descriptors, otherwise of the same kind."""

    def adapter() -> Adapter:
        new = make()
        one = _made(f"a socket of {name}", new, *AS_SOCKETS)
        _refuse_asynchronous(name, one)
        with suppress(*ANY_ERROR):  # the suite judges how it closes
            one.close()
        lacks = _made(f"a socket of {name}", lacking, new)
        peers = socket.socket if are_the_systems(new) else new
        return SocketAdapter(new, name=name, peers=peers, circumstances=WITHOUT_SYSTEM, lacks=lacks)

    return Target(name, adapter)


def _agent(command: str) -> Target:
    """The target for the sockets of an agent."""

    def adapter() -> Adapter:
        try:
            return AgentAdapter(command)
        except BadAgent as error:
            raise UnknownTarget(str(error)) from error

    return Target(AGENT + command, adapter)


def _takes(thing: Callable[..., Any], *arguments: object) -> bool:
    try:
        inspect.signature(thing).bind(*arguments)
    except (TypeError, ValueError):  # ValueError: it has no signature
        return False
    return True


def _aio(engine: str | None) -> Target:
    _needed("anyio", "socket-lifecycle[aio]")
    from lifecycle.conformance.adapters.awaited import AwaitedAdapter

    return Target(
        "aio",
        lambda: AwaitedAdapter(engine=engine),
        lambda: AwaitedAdapter(engine=engine, watched=True),
        local=(lambda: AwaitedAdapter(engine=engine, local=True)) if LOCAL_FAMILY != -1 else None,
    )


def _gevent(engine: str | None) -> Target:
    gevent_socket = _needed("gevent.socket", "gevent").socket
    return Target(
        "gevent",
        lambda: SocketAdapter(gevent_socket, name="gevent", platform=PLATFORM),
        bare=lambda adapter: Implementation("gevent", gevent_socket, known=GEVENT_KNOWN),
    )


def _trio(engine: str | None) -> Target:
    _needed("trio", "trio")
    from lifecycle.conformance.adapters.trio_sockets import TRIO_LACKS, TrioAdapter

    def bare(adapter: Adapter) -> Implementation:
        assert isinstance(adapter, TrioAdapter)
        return Implementation("trio", adapter.new, TRIO_LACKS, TRIO_KNOWN)

    return Target("trio", TrioAdapter, bare=bare)


def _ssl(engine: str | None) -> Target:
    _needed("trustme", "trustme")
    from lifecycle.conformance.adapters.tls_sockets import SecuredAdapter

    return Target("ssl", lambda: SecuredAdapter(PLATFORM))


def _tls_streams(name: str) -> Target:
    for module in ("trustme", name.partition(".")[0]):
        _needed(module, module)
    from lifecycle.conformance.adapters.tls_streams import StreamAdapter

    return Target(name, lambda: StreamAdapter(name))


def _memory(engine: str | None) -> Target:
    from lifecycle.conformance.memory import MemorySockets

    return _sockets("memory", MemorySockets)


BUILT_IN: Mapping[str, Callable[[str | None], Target]] = {
    "lifecycle": lambda engine: _governed("lifecycle", CLASSES, engine),
    "aio": _aio,
    "socket": lambda engine: target_of("socket", socket.socket),
    "gevent": _gevent,
    "trio": _trio,
    "memory": _memory,
    "ssl": _ssl,
    "anyio.tls": lambda engine: _tls_streams("anyio.tls"),
    "trio.ssl": lambda engine: _tls_streams("trio.ssl"),
}
"""name -> (engine) -> the target"""


def _needed(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnknownTarget(f'{module} is not installed: pip install "{package}"') from error


def _loaded(name: str) -> Any:
    module, _, path = name.partition(":")
    with suppress(ValueError):
        sys.path.remove("")
    sys.path.insert(0, "")  # modules of the present folder can be named, as for `python -m`
    try:
        thing: Any = importlib.import_module(module)
    except ImportError as error:
        raise UnknownTarget(f"cannot import {module!r}: {error}") from error
    except ANY_ERROR as error:  # any error of a user's module
        raise UnknownTarget(f"cannot import {module!r}: {error_text(error)}") from error
    for part in path.split("."):
        try:
            thing = getattr(thing, part)
        except AttributeError:
            raise UnknownTarget(f"{module!r} has no {path!r}") from None
    return thing
