"""Stacks of functions in files of any name: what stands around a call in a program, a package and the standard library."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any, TypeVar

from lifecycle.checking.call_sites import SOCKET, SSL, STDLIB

Answer = TypeVar("Answer")

Layer = tuple[str, str]
"""whose code it is, with the function's name where it matters ("package close"), and its source, in which CALL() goes on"""

_FILES = {"socket": SOCKET, "ssl": SSL, "loop": os.path.join(STDLIB, "threading.py")}
_FOLDERS = {"program": "/work/stack{}/", "package": "/env/stack{}/site-packages/", "standard": STDLIB + "stack{}/"}
_stacks = count()


def asked(layers: tuple[Layer, ...], question: Callable[[FrameType], Answer], **names: Any) -> Answer:
    """What `question` answers for the frame of the last of these layers, each of which calls the next. names: their globals.

    A loop calls the first, so that the test's own code is no part of the stack.
    """
    stack = next(_stacks)
    answers: list[Answer] = []

    def call() -> None:
        answers.append(question(sys._getframe(1)))

    for number, (owner, source) in reversed([*enumerate((("loop run", "CALL()"), *layers))]):
        whose, _, name = owner.partition(" ")
        file = _FILES.get(whose) or f"{_FOLDERS[whose].format(stack)}layer{number}.py"
        text = f"def {name or 'function'}():\n" + "".join(f"    {line}\n" for line in source.splitlines())
        if whose in _FOLDERS:
            linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        scope: dict[str, Any] = {"CALL": call, "__name__": "layer", **names}
        exec(compile(text, file, "exec"), scope)
        call = scope[name or "function"]
    call()
    return answers[0]
