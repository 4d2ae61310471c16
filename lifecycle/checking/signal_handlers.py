"""Signals that end a program without a handler: a replacement of the default action reports first, then lets the signal act.

The program does not see the replacement: signal.getsignal() and signal.signal() return the default action in its place, and
_thread.interrupt_main(), which calls Python handlers only, ignores it.
"""

from __future__ import annotations

import _thread
import functools
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_NAMES = ("SIGTERM", "SIGHUP")

_own_signal = signal.signal
_own_getsignal = signal.getsignal
_own_interrupt = _thread.interrupt_main


class ReplacedDefaults:
    """Replaces the default action of the signals that end a process by one that calls `before` first."""

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before
        self._numbers: set[int] = set()

    def install(self) -> None:
        """Replace the actions that are the default now. Does nothing outside the main thread, which alone may set handlers."""
        if threading.current_thread() is not threading.main_thread():
            return
        present = (getattr(signal, name, None) for name in _NAMES)
        self._numbers = {number for number in present if number is not None and _own_getsignal(number) is signal.SIG_DFL}
        if self._numbers:
            for number in self._numbers:
                _own_signal(number, self._handle)
            signal.signal = _named_like(_own_signal, self._signal)
            signal.getsignal = _named_like(_own_getsignal, self._getsignal)
            _thread.interrupt_main = _named_like(_own_interrupt, self._interrupt)

    def remove(self) -> None:
        """Restore the default action where the program has set no handler meanwhile."""
        for number in self._numbers:
            if _own_getsignal(number) == self._handle:
                _own_signal(number, signal.SIG_DFL)
        self._numbers.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._before()
        _own_signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _signal(self, signalnum: Any, handler: Any) -> Any:
        is_replaced = handler is signal.SIG_DFL and signalnum in self._numbers
        return self._visible(_own_signal(signalnum, self._handle if is_replaced else handler))

    def _getsignal(self, signalnum: Any) -> Any:
        return self._visible(_own_getsignal(signalnum))

    def _interrupt(self, *numbers: Any) -> None:
        if not any(number in self._numbers and _own_getsignal(number) == self._handle for number in numbers):
            _own_interrupt(*numbers)

    def _visible(self, handler: Any) -> Any:
        return signal.SIG_DFL if handler == self._handle else handler


def _named_like(original: Callable[..., Any], replacement: Callable[..., Any]) -> Any:
    @functools.wraps(original)
    def function(*arguments: Any, **keywords: Any) -> Any:
        return replacement(*arguments, **keywords)

    return function
