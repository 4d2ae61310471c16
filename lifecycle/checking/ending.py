"""Signals that end a program which has no handler for them: a stand-in for the default action tells first what was found.

The program cannot tell: signal.getsignal() and signal.signal() speak of the default where the stand-in stands, and
_thread.interrupt_main(), which calls handlers only, does not call it.
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


class StandIn:
    """Stands in for the default action of the deadly signals, and calls `before` when one of them comes."""

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before
        self._numbers: set[int] = set()

    def take_place(self) -> None:
        """Begin, where the program is started with the default action. Only the main thread can."""
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

    def give_way(self) -> None:
        """End, and leave the default action where the program has put nothing else."""
        for number in self._numbers:
            if _own_getsignal(number) == self._handle:
                _own_signal(number, signal.SIG_DFL)
        self._numbers.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._before()
        _own_signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _signal(self, signalnum: Any, handler: Any) -> Any:
        stands_in = handler is signal.SIG_DFL and signalnum in self._numbers
        return self._shown(_own_signal(signalnum, self._handle if stands_in else handler))

    def _getsignal(self, signalnum: Any) -> Any:
        return self._shown(_own_getsignal(signalnum))

    def _interrupt(self, *numbers: Any) -> None:
        if not any(number in self._numbers and _own_getsignal(number) == self._handle for number in numbers):
            _own_interrupt(*numbers)

    def _shown(self, handler: Any) -> Any:
        return signal.SIG_DFL if handler == self._handle else handler


def _named_like(own: Callable[..., Any], stand_in: Callable[..., Any]) -> Any:
    @functools.wraps(own)
    def function(*arguments: Any, **keywords: Any) -> Any:
        return stand_in(*arguments, **keywords)

    return function
