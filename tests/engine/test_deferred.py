"""Checked methods are compiled when the first object of their class is made, and nobody can tell by the function."""

from __future__ import annotations

import inspect
import os
import signal
import sys
import warnings
from collections.abc import Callable
from threading import Barrier, Event, Thread
from types import CodeType, FunctionType
from typing import Any
from unittest import mock

import pytest

from lifecycle import Accepted, Client, Datagram, IllegalCall, Lifecycle, Role, Server, aio
from lifecycle.engine import Call, State, inlined, inlining
from lifecycle.engine.deferred import Deferred
from lifecycle.roles import SERVER

LONG = 60

DOOR = Role(
    name="door",
    doc="Is pushed until it is removed.",
    states=(State("open", "It is open."), State("gone", "It was removed.")),
    calls=(Call("push", "Push it."), Call("remove", "Remove it.", settles="before")),
    rows=(
        ("open", "push", {"ok": "open", "failed": "open"}),
        ("open", "remove", {"ok": "gone"}),
        ("gone", "remove", {"ok": "gone"}),
    ),
    initial="open",
    final=frozenset({"gone"}),
    closes="remove",
)
LATCH = Role(
    name="latch",
    doc="Is closed once.",
    states=(State("open", "It is open."), State("shut", "It is shut.")),
    calls=(Call("shut", "Shut it."),),
    rows=(("open", "shut", {"ok": "shut", "failed": "open"}),),
    initial="open",
    final=frozenset({"shut"}),
)


def door_class(push: Any) -> Any:
    """A class under DOOR with this handler of push()."""
    return type("Door", (Lifecycle,), {"push": push, "remove": lambda self: None}, role=DOOR)  # type: ignore[call-overload]


def push(self: Any, first: int, /, second: int = 2, *rest: int, third: int, fourth: int = 4, **others: int) -> tuple[Any, ...]:
    """Push it."""
    return first, second, rest, third, fourth, others


async def push_awaited(self: Any, first: int, *, second: int = 2) -> tuple[int, int]:
    """Push it."""
    return first, second


def shut(self: Any, early: bool) -> int:
    """Returns in two places."""
    if early:
        return 1
    self.closed = True
    return 2


def is_compiled(method: Any) -> bool:
    """Whether a method has the code that checks its call."""
    return "_lc_node" in method.__code__.co_names + method.__code__.co_varnames or "_run_" in str(method.__code__.co_names)


def parameters_of(code: CodeType) -> tuple[object, ...]:
    """What callers see of a function's parameters."""
    flags = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_COROUTINE)
    count = code.co_argcount + code.co_kwonlyargcount
    return code.co_name, code.co_argcount, code.co_posonlyargcount, code.co_varnames[:count], flags


@pytest.mark.parametrize("handler", [push, push_awaited, inlined(lambda self, a, *, b=1: a)])
def test_the_method_is_the_same_function_before_and_after(handler: Any) -> None:
    """Its first object compiles it; the class has the same function then, with the same signature, parameters and source."""
    kind = door_class(handler)
    method = vars(kind)["push"]
    before = parameters_of(method.__code__)
    assert not is_compiled(method)
    assert inspect.signature(method) == inspect.signature(handler)
    assert inspect.getfullargspec(method) == inspect.getfullargspec(handler)
    assert inspect.getsource(method) == inspect.getsource(handler)
    assert method.__code__.co_filename == __file__
    assert inspect.iscoroutinefunction(method) == inspect.iscoroutinefunction(handler)
    kind().remove()
    assert vars(kind)["push"] is method
    assert is_compiled(method)
    assert parameters_of(method.__code__) == before
    assert inspect.getfullargspec(method) == inspect.getfullargspec(handler)


def test_the_object_of_a_subclass_compiles_the_methods_of_its_bases() -> None:
    """A subclass that overrides nothing, and one whose method calls super(), work with the first object."""
    kind, other = door_class(push), door_class(push)
    plain = type("Plain", (kind,), {})()
    assert plain.push(1, third=3) == (1, 2, (), 3, 4, {})
    overriding = type("Overriding", (other,), {"push": lambda self: other.push(self, 5, third=3)})()
    assert overriding.push() == (5, 2, (), 3, 4, {})
    plain.remove()
    overriding.remove()


def test_only_the_classes_that_are_used_are_compiled() -> None:
    """An object of one class leaves the methods of another one as they are."""
    used, unused = door_class(push), door_class(push)
    used().remove()
    assert is_compiled(used.push)
    assert not is_compiled(unused.push)


@pytest.mark.parametrize(
    ("arguments", "keywords"), [((1,), {"third": 3}), ((1, 5, 6, 7), {"third": 3, "fourth": 8, "fifth": 9})]
)
def test_a_method_that_is_called_before_there_is_an_object_is_compiled_by_that_call(arguments: Any, keywords: Any) -> None:
    """It gets what it was given: a checked method of another class's object, or of something that is not governed."""
    other, kind = door_class(push)(), door_class(push)
    assert kind.push(other, *arguments, **keywords) == push(other, *arguments, **keywords)
    assert is_compiled(kind.push)
    other.remove()
    with pytest.raises(AttributeError, match="_node"):
        door_class(push).push(object(), 1, third=3)
    with pytest.raises(TypeError, match="third"):
        door_class(push).push(object(), 1)


def test_an_awaited_method_that_is_called_before_there_is_an_object_is_compiled_by_that_call() -> None:
    """The same when it is awaited."""
    other = door_class(push_awaited)()
    with pytest.raises(StopIteration) as ended:
        door_class(push_awaited).push(other, 1).send(None)
    assert ended.value.value == (1, 2)
    other.remove()


def test_a_patch_before_the_first_object_is_a_patch() -> None:
    """mock.patch finds the signature, its method is the one that is called, and the checked one is back afterwards."""
    kind = door_class(push)
    with mock.patch.object(kind, "push", autospec=True, return_value="patched") as patched:
        thing = kind()
        assert thing.push(1, third=3) == "patched"
        with pytest.raises(TypeError, match="third"):
            thing.push(1)
        patched.assert_called_once_with(thing, 1, third=3)
    assert thing.push(1, third=3) == (1, 2, (), 3, 4, {})
    thing.remove()


def deferred(make: Callable[[], FunctionType]) -> Deferred:
    """A method that `make` compiles."""
    return Deferred("push", make.__code__ and (lambda self: None), make, globals(), {}, awaited=False)


def test_an_interrupt_while_it_compiles_leaves_it_to_be_compiled() -> None:
    """Nothing is half done: the next object, or the next call, compiles it."""
    interrupts = [KeyboardInterrupt]

    def make() -> FunctionType:
        if interrupts:
            raise interrupts.pop()
        return lambda self: "compiled"  # type: ignore[return-value]

    waiting = deferred(make)
    before = waiting.method.__code__
    with pytest.raises(KeyboardInterrupt):
        waiting.compile()
    assert waiting.method.__code__ is before
    assert waiting.method(None) == "compiled"


def test_an_interrupt_while_the_first_object_is_made_leaves_it_to_the_next() -> None:
    """At whatever line of what compiles a trace function raises, the next object has all its methods."""
    raised = 0
    for stop in range(1, 4000, 3):
        kind = door_class(push)
        left = stop

        def trace(frame: Any, event: str, argument: object) -> Any:
            nonlocal left
            if frame.f_code.co_filename.endswith(("deferred.py", "methods.py", "templates.py", "signatures.py")):
                left -= 1
                if left == 0:
                    raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            thing = kind()
        except KeyboardInterrupt:
            raised += 1
            thing = kind()
        finally:
            sys.settrace(before)
        assert thing.push(1, third=3) == (1, 2, (), 3, 4, {})
        thing.remove()
        if left > 0:
            break
    assert raised > 5


def test_threads_that_make_the_first_objects_at_once_have_all_methods() -> None:
    """One of them compiles, and the others wait for it; the function gets its code once."""
    kinds = [door_class(push) for _ in range(30)]
    start, wrong = Barrier(4), []

    def work() -> None:
        for kind in kinds:
            start.wait()
            with kind() as thing:
                if thing.push(1, third=3) != (1, 2, (), 3, 4, {}):
                    wrong.append(kind)

    threads = [Thread(target=work) for _ in range(start.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong

    waiting = deferred(lambda: lambda self: None)  # type: ignore[arg-type, return-value]
    waiting.compile()
    code = waiting.method.__code__
    waiting.compile()
    assert waiting.method.__code__ is code


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork()")
def test_a_child_that_is_forked_while_a_thread_compiles_can_compile() -> None:
    """The thread that holds the lock is not in the child, which goes on without it."""
    entered, go_on = Event(), Event()

    def make() -> FunctionType:
        entered.set()
        go_on.wait(LONG)
        return lambda self: None  # type: ignore[return-value]

    thread = Thread(target=deferred(make).compile)
    thread.start()
    assert entered.wait(LONG)
    kind = door_class(push)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 has one for fork() beside threads
        child = os.fork()
    if child == 0:
        signal.alarm(LONG)  # ends the child, if it waits
        thing = kind()
        thing.remove()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    go_on.set()
    thread.join()
    assert status == 0


def test_each_class_has_code_of_its_own() -> None:
    """CPython specializes code where it runs: two classes with one handler do not share it."""
    kinds = [door_class(push) for _ in range(2)]
    for kind in kinds:
        kind().remove()
    assert kinds[0].push.__code__ is not kinds[1].push.__code__


def test_the_free_variables_of_compiled_methods_are_what_they_are_called() -> None:
    """The cells were made before the code: they stand in the order of its names."""
    kinds: list[type[Lifecycle]] = [Client, Server, Accepted, Datagram, aio.Client, aio.Server, aio.Accepted, aio.Datagram]
    found = 0
    for kind in kinds:
        kind()
        for call in kind.role.calls:
            method = getattr(kind, call.name, None)
            while hasattr(method, "__wrapped__") and method.__wrapped__ is not method.__handler__:
                method = method.__wrapped__
            for name, cell in zip(method.__code__.co_freevars, method.__closure__ or (), strict=True) if method else ():
                meaning = cell.cell_contents
                known = {"_lc_default": "_new_accepted", "_lc_partners": "Accepted", "_lc_process": None, "_lc_fired": None}
                expected = known.get(name, name.removeprefix("_lc_"))
                assert expected is None or getattr(meaning, "__name__", "").lower() in (expected.lower(), "coroutine")
                found += 1
    assert found > 20


def test_a_handler_that_returns_too_early_to_be_inlined_is_refused_when_the_class_is_made() -> None:
    """Of a call that changes the state it may return at its end only."""
    with pytest.raises(TypeError, match="can only return at its end"):
        type("Latch", (Lifecycle,), {"shut": inlined(shut)}, role=LATCH)  # type: ignore[call-overload]


def test_without_their_source_inlined_handlers_have_frames_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of call works then: those that keep the state, change it before or after the handler, or fire another."""
    Client(), Server(), Accepted()  # these are compiled before
    monkeypatch.setattr(inlining, "_definition_of", lambda handler: None)

    class Plain(Client, role=Client.role):
        pass

    class PlainServer(Server, role=SERVER):
        pass

    with PlainServer(timeout=5) as server, Plain(timeout=5) as client:
        server.create(0, "127.0.0.1")
        server.listen()
        client.open()
        client.connect(*server.get_sock_name())
        with server.accept() as accepted:
            client.send(b"data")
            assert accepted.receive() == b"data"
            with pytest.raises(TypeError, match="Accepted"):
                server.accept(client)  # type: ignore[arg-type]
            client.shut_down("sends")
            assert client.state == "send_shut"
            with pytest.raises(IllegalCall):
                client.send(b"more")
    assert (server.state, client.state) == ("closed", "closed")
    for method in (Plain.send, Plain.connect, Plain.shut_down, PlainServer.accept):
        assert is_compiled(inspect.unwrap(method, stop=lambda each: each.__wrapped__ is each.__handler__))


def test_the_source_that_is_read_has_to_be_that_of_the_code(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was changed meanwhile, if only in a constant, is not inlined: the handler that was loaded runs."""
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "changed_meanwhile.py"
    file.write_text("from lifecycle.engine import inlined\n\n@inlined\ndef push(self):\n    return 1\n")
    import changed_meanwhile  # type: ignore[import-not-found]

    kind = door_class(changed_meanwhile.push)
    file.write_text(file.read_text().replace("1", "2"))
    with kind() as door:
        assert door.push() == 1


def test_what_is_wrong_is_refused_when_the_class_is_made() -> None:
    """As before: parameters that the method cannot have do not wait for the first object."""
    for handler, said in (
        (lambda: 1, "no parameter for its object"),
        (lambda self, *, _lc_a: 1, "rename its parameter '_lc_a'"),
    ):
        with pytest.raises(TypeError, match=said):
            door_class(handler)
