"""Lifecycle, the base class that attaches a class's own methods to a role as its side-effect handlers.

How one call travels: the method generated for it looks its name up in the node of the present state; where it is absent, an
IllegalCall is raised and nothing was touched; the handler runs; its result or exception is classified to an outcome; the node
gives the next state; observers are notified; the caller gets the handler's own return value or exception.
"""

from __future__ import annotations

import inspect
import keyword
import warnings
from collections.abc import Awaitable
from types import FunctionType, TracebackType
from typing import Any, ClassVar, NoReturn, Self, cast

from lifecycle.engine.calls import Governed
from lifecycle.engine.deferred import Deferred, compile_methods
from lifecycle.engine.journal import Observer
from lifecycle.engine.methods import checked_method, making_method, overriding_method
from lifecycle.engine.role import Role, checked_role
from lifecycle.engine.table import StateNode, initial_node
from lifecycle.engine.vocabulary import Call


class Lifecycle(Governed):
    """Base class of objects whose calls are governed by a role.

    `class Door(Lifecycle, role=DOOR)` defines a method for each call of DOOR that is legal in some state; each is replaced by
    a checked one of the same signature. Calls that are never legal need no method: they refuse with the table's reason.
    A subclass may override a handler and stays checked.

    engine: "compiled" (the default) or "reference", which asks transitions at every step. journal: a Journal or another
    Observer of the calls of this object; the calls of other objects do not become slower.
    """

    __slots__ = ()

    _first_nodes: ClassVar[dict[str, StateNode]]
    _deferred: ClassVar[list[Deferred]]
    _allocate: ClassVar[Any] = object.__new__
    _fresh_names: ClassVar[tuple[str, ...]] = ()
    _closing_is_awaited: ClassVar[bool] = False

    def __init_subclass__(cls, role: Role | None = None, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        cls._allocate = staticmethod(super().__new__)  # of the next base, looked up once
        cls._deferred = []
        governed = getattr(cls, "role", None)
        if role is not None:
            cls.role = checked_role(role)
            if governed is not None and {call.name for call in governed.calls} != {call.name for call in role.calls}:
                raise TypeError(
                    f"{cls.__name__} has the role {governed.name!r} already, from a base class, and {role.name!r} has other "
                    f"calls: write `class {cls.__name__}(Lifecycle, role=...)`"
                )
            cls._fired = {call.fired_by: call.name for call in role.calls if call.fired_by is not None}
            cls._specs = {call.name: call for call in role.calls}
            cls._first_nodes = {}
            for call in role.calls:
                _attach(cls, call)
        elif governed is not None:
            overridden = {name for name, call in cls._specs.items() if _attach_override(cls, call)}
            cls._overridden = cls._overridden | overridden
            cls._first_nodes = {}
        if hasattr(cls, "role"):
            fresh = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).get("_fresh", {}).items()}
            if tuple(fresh) != cls._fresh_names:
                cls._fresh_names = tuple(fresh)
                cls.__new__ = making_method(fresh)  # type: ignore[method-assign]
            if cls.role.closes is not None:
                cls._closing_is_awaited = inspect.iscoroutinefunction(getattr(cls, cls.role.closes))

    def __new__(cls, *arguments: Any, **keywords: Any) -> Self:
        # a class with a role has one that makes its objects
        raise TypeError(f"{cls.__name__} has no role: write `class {cls.__name__}(Lifecycle, role=...)`")

    def __init__(self, *, engine: str | None = None, journal: Observer | None = None) -> None:
        if engine is not None:
            self._node = self._first_nodes.get(engine) or self._first_node(engine)
        if journal is not None:
            self._record_in(journal)

    def _record_in(self, journal: Observer | None) -> None:
        """Have this object, which is new, record its calls: in its own kind of nodes every call takes the path that records."""
        if journal is not None:
            if not hasattr(journal, "began"):
                raise TypeError(f"a journal is a Journal, or another object with began() and ended(), not {journal!r}")
            self._journal = journal
            self._node = initial_node(self.role, self.engine, frozenset(self._specs))

    @property
    def facts(self) -> Any:
        """The facts of the present state, as its table declares them; None where it does not."""
        return self._node._facts

    @property
    def legal(self) -> tuple[str, ...]:
        """The calls that are legal in the present state, in the table's order."""
        return self._node._legal

    @property
    def engine(self) -> str:
        """Which engine runs this object: "compiled" or "reference"."""
        return self._node._engine

    def is_legal(self, call: str) -> bool:
        """Whether the present state takes `call`."""
        return self._node._allows(call)

    @classmethod
    def _first_node(cls, engine: str | None) -> StateNode:
        compile_methods(cls)
        node = initial_node(cls.role, engine, cls._overridden)
        cls._first_nodes[node._engine] = node
        return node

    def __enter__(self) -> Self:
        if self._closing_is_awaited:
            raise TypeError(f"{type(self).__name__}.{self.role.closes}() is awaited: write `async with`")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._close_if_legal()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        closing = self._close_if_legal()
        if isinstance(closing, Awaitable):
            await closing

    def __del__(self) -> None:
        try:
            if self._node._holds_nothing:
                return
        except AttributeError:  # it was never made
            return
        try:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
        finally:
            self._forgotten()
            if self._closing_is_awaited:  # and nothing is left to await it
                self._release()
            else:
                self._close_if_legal()

    def _forgotten(self) -> None:
        """It is collected while open, and will be closed."""

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__qualname__} {self.state}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds something live and cannot be copied or pickled")

    def _close_if_legal(self) -> object:
        closes = self.role.closes
        if closes is not None and self._node._allows(closes):
            return getattr(self, closes)()
        return None


# -- attaching ------------------------------------------------------------------------------------------------------------


def _attach(cls: type[Lifecycle], call: Call) -> None:
    """Replace the handler of `call` by its checked method; TypeError where that cannot be."""
    name = call.name
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise TypeError(f"{cls.__name__}: {name!r} cannot be the name of a method, so its role cannot be attached")
    if hasattr(Lifecycle, name):
        raise TypeError(f"{cls.__name__}: a call named {name!r} would hide Lifecycle.{name}")
    if call.fired_by is not None:
        return
    found = _attribute(cls, name)
    found = getattr(found, "__handler__", found)
    if found is None:
        if not cls.role.never_legal(name):
            raise TypeError(f"{cls.__name__} has no method {name}(), which its role {cls.role.name!r} declares")
        found = _refusing_handler(cls.role, call)
    handler = _checked_handler(cls, name, found)
    awaited = inspect.iscoroutinefunction(handler)
    _install(cls, call, handler, checked_method(cls.role, call, handler, cls._deferred, awaited=awaited))


def _attach_override(cls: type[Lifecycle], call: Call) -> bool:
    """Check a subclass's own method for `call`, wherever it comes from; whether there is one."""
    found = _attribute(cls, call.name)
    if call.fired_by is not None or hasattr(found, "__handler__"):
        return False
    override = _checked_handler(cls, call.name, found)
    # A plain override of an awaited method hands an awaitable on.
    awaited = inspect.iscoroutinefunction(override) or any(
        inspect.iscoroutinefunction(vars(base).get(call.name)) for base in cls.__mro__[1:]
    )
    _install(cls, call, override, overriding_method(call, override, cls._deferred, awaited=awaited))
    return True


def _attribute(cls: type[Lifecycle], name: str) -> object:
    """The attribute of a class or its nearest base without calling __get__(); None if there is none."""
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)


def _checked_handler(cls: type[Lifecycle], name: str, found: object) -> FunctionType:
    """`found`, which stands under a call's name, if it is a plain or an async method; TypeError, with what to write, if not."""
    where = f"{cls.__name__}.{name}"
    write = f"write `def {name}(self, ...)`"
    if isinstance(found, staticmethod | classmethod):
        raise TypeError(f"{where} is a {type(found).__name__}, and a call is one of an object: {write}")
    if not isinstance(found, FunctionType):
        raise TypeError(f"{where} is a {type(found).__name__}, not a function: {write} that calls it")
    if found.__code__.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        raise TypeError(f"{where} is a generator, which runs after its call has ended: {write} that returns an iterator")
    if inspect.iscoroutinefunction(inspect.unwrap(found)) and not inspect.iscoroutinefunction(found):
        raise TypeError(f"{where} is a coroutine function behind a plain decorator: make what wraps it `async def`")
    return found


def _install(cls: type[Lifecycle], call: Call, handler: FunctionType, method: Any) -> None:
    method.__handler__ = handler
    method.__doc__ = handler.__doc__ or call.doc
    method.__qualname__ = f"{cls.__qualname__}.{call.name}"
    setattr(cls, call.name, method)


def _refusing_handler(role: Role, call: Call) -> FunctionType:
    """The handler of a call that no state allows: it exists to be refused, with its reason, and never runs."""

    def never(self: Lifecycle, *arguments: object, **keywords: object) -> NoReturn:
        raise AssertionError(f"{role.name}.{call.name} is legal nowhere, so its handler cannot be reached")

    never.__name__ = call.name
    never.__doc__ = f"Never legal: {call.reason or call.doc}"
    return cast(FunctionType, never)
