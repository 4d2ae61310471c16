"""The calls of awaited sockets that do not wait: awaiting one of them says so, and not that NoneType cannot be awaited."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn


class _NotAwaitable(type):
    """Hides `__await__` from isinstance(x, Awaitable): what awaits all that it can, as anyio's portals do, leaves it alone."""

    @property
    def __mro__(cls) -> tuple[type, ...]:
        return (object,)


class DoesNotWait(metaclass=_NotAwaitable):
    """What a call returns that has nothing to return and does not wait: false, as None is, and awaiting it is a TypeError."""

    __slots__ = ("_call",)

    def __init__(self, call: str) -> None:
        self._call = call

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<{self._call}() does not wait>"

    def __await__(self) -> NoReturn:
        raise TypeError(f"{self._call}() does not wait: call it without `await`")


NOTHING: Final = frozenset({None, "None"})
"""Annotations of a call that returns nothing"""


def refuse_awaiting(kind: type, calls: Iterable[str]) -> None:
    """Have each of the plain calls among `calls` that `kind` itself has, and that return nothing, return a DoesNotWait."""
    for call in calls:
        method = vars(kind).get(call)
        if not inspect.isfunction(method) or inspect.iscoroutinefunction(method):
            continue
        if inspect.get_annotations(method).get("return", "") in NOTHING:
            setattr(kind, call, _refusing_to_be_awaited(method, DoesNotWait(f"{kind.__name__}.{call}")))


def _refusing_to_be_awaited(method: Callable[..., Any], answer: DoesNotWait) -> Callable[..., Any]:
    @functools.wraps(method)
    def plain(*arguments: Any, **keywords: Any) -> Any:
        result = method(*arguments, **keywords)
        return answer if result is None else result

    return plain
