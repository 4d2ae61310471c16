"""Loops that read on after the end of an asyncio stream: a read returns b'' at once, and no other task of the program runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from types import CodeType
from typing import Any
from weakref import ref

from lifecycle.checking import checkers
from lifecycle.checking.call_sites import FileKind, call_site, kind_of
from lifecycle.checking.track import SocketTrack
from lifecycle.roles.python.hazards import READS_ON
from lifecycle.roles.python.words import ENDS_OF_A_LOOP

_READS = ("read", "readline")  # readexactly() and readuntil() raise at the end


def count_after_the_end(reader: Any, track: SocketTrack | None) -> None:
    """The stream of the reader has ended: count its reads from now on. track: that of its socket."""
    counted = Counted(reader, track)
    for name in _READS:
        vars(reader).setdefault(name, counted.of(name))


class Counted:
    """The reads of one reader that has ended. here: the place of the last one that returned b''. in_a_row: how often it did."""

    def __init__(self, reader: Any, track: SocketTrack | None) -> None:
        self.reader, self.kind, self.track = ref(reader), type(reader), track
        self.here: tuple[CodeType, int] | None = None
        self.in_a_row = 0

    def of(self, name: str) -> Callable[..., Any]:
        """The method of that name with counting."""

        @wraps(getattr(self.kind, name))
        async def read(*arguments: Any, **keywords: Any) -> Any:
            data = await getattr(self.kind, name)(self.reader(), *arguments, **keywords)
            if not data and 0 not in arguments:
                self.count(name)
            return data

        return read

    def count(self, name: str) -> None:
        """A read has returned b''."""
        caller = sys._getframe(2)
        if kind_of(caller.f_code.co_filename) is not FileKind.PROGRAM:
            return
        here = caller.f_code, caller.f_lasti
        self.in_a_row = self.in_a_row + 1 if here == self.here else 1
        self.here = here
        if self.in_a_row == ENDS_OF_A_LOOP:
            checkers.report_hazard(READS_ON, self.track, name, call_site(caller))
