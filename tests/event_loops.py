"""The event loops on which the awaited sockets are tested, and how a test runs on each of them."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import inspect
import sys
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from long_form import combinations
from loopback import LONG


@dataclass(frozen=True)
class EventLoop:
    """An event loop by name, and how anyio is asked for it."""

    name: str
    backend: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def is_asyncio(self) -> bool:
        return self.backend == "asyncio"

    def run(self, main: Callable[[], Coroutine[Any, Any, Any]], seconds: float = LONG) -> Any:
        """Run `main` to its end, which must come in time."""

        async def in_time() -> Any:
            with anyio.fail_after(seconds):
                return await main()

        return anyio.run(in_time, backend=self.backend, backend_options=self.options)


LOOPS = [EventLoop("asyncio", "asyncio"), EventLoop("uvloop", "asyncio", {"use_uvloop": True}), EventLoop("trio", "trio")]
if sys.platform == "win32":  # asyncio's own choice there is the Proactor loop
    LOOPS.append(EventLoop("selector", "asyncio", {"loop_factory": asyncio.SelectorEventLoop}))

PROVIDED = {"selector": "asyncio"}
INSTALLED = {each.name: importlib.util.find_spec(PROVIDED.get(each.name, each.name)) is not None for each in LOOPS}


async def _nothing() -> None: ...


for _each in LOOPS:
    if INSTALLED[_each.name]:
        _each.run(_nothing)  # the first uvloop opens descriptors that stay as long as the process lives

LOOP_PARAMETERS = [
    pytest.param(each, marks=pytest.mark.skipif(not INSTALLED[each.name], reason=f"{each.name} is not installed"), id=each.name)
    for each in LOOPS
]

every_loop = pytest.mark.parametrize("event_loop", LOOP_PARAMETERS)


def every_loop_and(name: str, values: Iterable[str]) -> pytest.MarkDecorator:
    """Run a test on each event loop and with each of `values`: each at least once, all pairs in the whole form."""
    pairs = [
        pytest.param(loop.values[0], value, marks=loop.marks, id=f"{loop.id}-{value}")
        for loop, value in combinations(LOOP_PARAMETERS, values)
    ]
    return pytest.mark.parametrize(("event_loop", name), pairs)


def on_every_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Any:
    """Run an async test on each event loop; it may take the loop as its argument `event_loop`."""

    @functools.wraps(test)
    def run(event_loop: EventLoop, **arguments: Any) -> None:
        if "event_loop" in inspect.signature(test).parameters:
            arguments["event_loop"] = event_loop
        event_loop.run(functools.partial(test, **arguments))

    parameters = inspect.signature(test).parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    others = [each.replace(kind=keyword) for each in parameters if each.name != "event_loop"]
    run.__signature__ = inspect.Signature([inspect.Parameter("event_loop", keyword), *others])  # type: ignore[attr-defined]
    return every_loop(run)
