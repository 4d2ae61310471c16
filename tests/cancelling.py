"""Cancelling a call at one of its awaits."""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import anyio


class NotReached(Exception):
    """The call ended before it came to the await at which it should have been cancelled."""


async def cancelled_at(
    number: int, call: Coroutine[Any, Any, Any], *, before: Callable[[], object], meanwhile: Callable[[], object]
) -> Any:
    """Cancel `call` at its await of that number, counted from 1; what it returned nevertheless, or None.

    before: what happens at the awaits before that one, so that they end. meanwhile: what happens as it is cancelled. Raises
    NotReached, unless the call raises something itself, when it has fewer awaits.
    """
    result = None
    reached = False
    with anyio.CancelScope() as scope:

        def at_await(count: int) -> None:
            nonlocal reached
            if count < number:
                before()
            elif count == number:
                reached = True
                meanwhile()
                scope.cancel()

        result = await _watched(call, at_await)
    if not reached:
        raise NotReached
    return result


@types.coroutine
def _watched(call: Coroutine[Any, Any, Any], at_await: Callable[[int], None]) -> Generator[Any, Any, Any]:
    """Run `call` as `await` does, and report each of its awaits before it begins."""
    count = 0
    sent: Any = None
    thrown: BaseException | None = None
    while True:
        try:
            wanted = call.send(sent) if thrown is None else call.throw(thrown)
        except StopIteration as ended:
            return ended.value
        finally:
            thrown = None
        count += 1
        at_await(count)
        try:
            sent = yield wanted
        except BaseException as error:  # thrown into the call, where it was awaiting
            sent, thrown = None, error
