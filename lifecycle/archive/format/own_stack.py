"""Runs a function on its own stack, in a thread that runs only while its caller waits for it, so that it can pause anywhere.

serialize() methods and functions that decode a message are plain functions, which cannot pause for more bytes by
themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from threading import Lock, Thread
from typing import Any

from lifecycle.archive.format.decoder import Decoder


class Abandoned(BaseException):
    """Ends a function whose result is not needed any more."""


class OwnStack:
    """A call of `function`; the caller of resume() answers what it passes to request().

    The two threads take turns, so that the function never runs at the same time as its caller.
    """

    __slots__ = ("_answer", "_asks", "_error", "_has_begun", "_is_over", "_request", "_result", "_resumes", "_thread")

    def __init__(self, function: Callable[[], Any]) -> None:
        self._asks = Lock()
        self._resumes = Lock()
        self._asks.acquire()
        self._resumes.acquire()
        self._is_over = False
        self._result: Any = None
        self._request: Any = None
        self._error: BaseException | None = None
        self._answer: Callable[[], Any] = lambda: None
        self._thread = Thread(target=copy_context().run, args=(self._run, function), daemon=True)
        self._has_begun = False

    def resume(self, answer: Callable[[], Any] = lambda: None) -> bool:
        """Continue until the function ends or makes a request; return whether it has ended. answer: makes request()'s result or
        raises.

        Raises what the function raises.
        """
        self._answer = answer
        if not self._has_begun:
            self._has_begun = True
            self._thread.start()
        self._resumes.release()
        self._wait()
        if self._is_over:
            self._thread.join()
            error, self._error = self._error, None
            try:
                if error is not None:
                    raise error
            finally:
                del error  # its traceback holds this frame
        return self._is_over

    @property
    def asked(self) -> Any:
        """The function's request."""
        return self._request

    @property
    def result(self) -> Any:
        """The function's result."""
        return self._result

    def request(self, what: Any) -> Any:
        """Called by the function: pause until there is an answer."""
        self._request = what
        self._asks.release()
        self._resumes.acquire()
        return self._answer()

    def abandon(self) -> None:
        """End the function, by raising an exception in it where it waits for an answer."""
        while self._has_begun and not self._is_over:
            try:
                self.resume(_abandon)
            except BaseException:
                return

    def _wait(self) -> None:
        try:
            self._asks.acquire()
        except BaseException:  # of a signal's handler: the function has to pause before anyone else may go on
            self._asks.acquire()
            raise

    def _run(self, function: Callable[[], Any]) -> None:
        self._resumes.acquire()
        try:
            self._answer()
            self._result = function()
        except BaseException as error:
            self._error = error
        self._is_over = True
        self._asks.release()


def _abandon() -> None:
    raise Abandoned


def answer_of(receive: Callable[[int], Any], size: int) -> Callable[[], Any]:
    """The answer to a request for bytes: what receive() returns or raises."""
    try:
        chunk = receive(size)
    except BaseException as error:
        return partial(_raise, error)
    return lambda: chunk


def _raise(error: BaseException) -> None:
    raise error


def load_apart(decoder: Decoder, function: Callable[[], Any]) -> None:
    """Call `function`, which loads from the decoder, on its own stack; bytes are received on the caller's."""
    stack, receive = OwnStack(function), decoder.receive
    decoder.receive = stack.request
    try:
        is_over = stack.resume()
        while not is_over:
            is_over = stack.resume(answer_of(receive, stack.asked))
    finally:
        stack.abandon()
        decoder.receive = receive
