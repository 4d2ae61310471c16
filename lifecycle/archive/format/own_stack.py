"""A function on a stack of its own, in a thread that runs only while its caller waits for it: it can pause anywhere within.

serialize() methods and functions that decode a message are plain functions, which cannot stop for more bytes and go on by
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
    """Ends a function whose result nobody waits for any longer."""


class OwnStack:
    """A call of `function`; what it passes to request() is for the caller of resume() to answer.

    The two threads take turns, so that the function is never at work while its caller is.
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
        """Go on until the function ends, or makes a request; whether it has ended. answer: gives what request() returns, or
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
        """What the function asks for."""
        return self._request

    @property
    def result(self) -> Any:
        """What the function returned."""
        return self._result

    def request(self, what: Any) -> Any:
        """Called by the function: pause until there is an answer."""
        self._request = what
        self._asks.release()
        self._resumes.acquire()
        return self._answer()

    def abandon(self) -> None:
        """End the function, by an exception where it waits for an answer."""
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
    """The answer to a request for so many bytes: what receive() gives, or raises."""
    try:
        chunk = receive(size)
    except BaseException as error:
        return partial(_raise, error)
    return lambda: chunk


def _raise(error: BaseException) -> None:
    raise error


def load_apart(decoder: Decoder, function: Callable[[], Any]) -> None:
    """Call `function`, which loads from the decoder, on a stack of its own; bytes are received on the caller's."""
    stack, receive = OwnStack(function), decoder.receive
    decoder.receive = stack.request
    try:
        is_over = stack.resume()
        while not is_over:
            is_over = stack.resume(answer_of(receive, stack.asked))
    finally:
        stack.abandon()
        decoder.receive = receive
