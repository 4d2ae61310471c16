"""Sends that count what they have sent from the moment they are called, before their coroutine begins."""

from __future__ import annotations

from functools import wraps
from inspect import CO_COROUTINE
from types import FunctionType
from typing import Any, cast


def counting(send: FunctionType) -> FunctionType:
    """A call that counts from the moment it is made: its coroutine may be cancelled before it begins.

    It passes for the coroutine function that it calls, and belongs to the line of its `def`.
    """

    def begin(self: Any, data: Any, *arguments: Any, **keywords: Any) -> Any:
        self._sent = 0
        return send(self, data, *arguments, **keywords) if arguments or keywords else send(self, data)

    code = begin.__code__.replace(
        co_filename=send.__code__.co_filename,
        co_firstlineno=send.__code__.co_firstlineno,
        co_flags=begin.__code__.co_flags | CO_COROUTINE,
    )
    return cast(FunctionType, wraps(send)(FunctionType(code, globals(), closure=begin.__closure__)))
