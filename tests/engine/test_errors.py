"""What a refusal says, word for word, and what can be done with it."""

from __future__ import annotations

import pickle

import pytest
from turnstile import Turnstile

from lifecycle import ROLES, CallInProgress, Client, ClosedDuringCall, Datagram, IllegalCall, LifecycleError, Server
from lifecycle.system.platform_answers import platform_answers


def refusal(role: str, state: str, call: str) -> IllegalCall:
    """The error of a call on an object of that role."""
    return IllegalCall(
        ROLES[role], state, call, role.title(), lambda *cell: platform_answers(*cell, systems=("winsock", "linux"))
    )


def test_text_of_a_refusal() -> None:
    """The text says what happened, why, what to do first, what is legal, and what systems would have answered."""
    assert str(refusal("server", "bound", "accept")) == (
        "Server.accept() is not legal in state 'bound'.\n"
        "  accept() takes connections from the queue that listen() opens.\n"
        "  Call listen() first. Legal here: listen, get_sock_name, set_option, get_option, detach, close.\n"
        "  Winsock would answer WSAEINVAL, Linux EINVAL."
    )


@pytest.mark.parametrize(
    ("role", "state", "call", "sentence"),
    [
        ("client", "empty", "send", "Call create(), then connect() first."),
        ("client", "bound", "finish_connect", "Call connect() first."),
        ("accepted", "empty", "receive", "Call server.accept() first."),
        ("client", "closed", "send", "No call leads from here to a state where send() is legal."),
        ("server", "open", "listen", "Winsock would answer WSAEINVAL, Linux would accept it."),
        ("datagram", "open", "receive", "Winsock would answer WSAEINVAL, Linux would wait for ever."),
        ("client", "send_shut", "send", "Winsock would answer WSAESHUTDOWN, Linux EPIPE."),
        ("accepted", "connected", "accepted", "Server.accept() with this Accepted is not legal in its state 'connected'."),
        ("accepted", "empty", "create", "it is never created."),
        ("accepted", "empty", "create", "No state of 'accepted' takes create()."),
    ],
)
def test_sentences_of_refusals(role: str, state: str, call: str, sentence: str) -> None:
    """Each situation has its own sentence: longer remedies, none at all, another role's call, systems that would go on."""
    assert sentence in str(refusal(role, state, call))


@pytest.mark.parametrize(
    ("role", "call", "answer"),
    [
        (Server, "accept", None),
        (Server, "create", "TRUE: the earlier handle leaks; a debug build asserts"),
        (Datagram, "receive", "blocks"),
    ],
)
def test_a_refusal_says_what_mfc_does(role: type[Server | Datagram], call: str, answer: str | None) -> None:
    """Where MFC's release build answers otherwise than Winsock, the refusal has it, in its text and as data."""
    with role() as thing:
        thing.open()
        with pytest.raises(IllegalCall) as caught:
            getattr(thing, call)()
    assert caught.value.platform_errors.get("mfc") == answer
    assert ("MFC would" in str(caught.value)) == (answer is not None)


def test_attributes_of_a_refusal() -> None:
    """A program can use what the text says: names, legal calls, reason, remedy, and answers by system."""
    error = refusal("server", "bound", "accept")
    assert (error.role, error.state, error.call, error.owner) == ("server", "bound", "accept", "Server")
    assert error.remedy == ("listen",)
    assert error.legal == ("listen", "get_sock_name", "set_option", "get_option", "detach", "close")
    assert error.reason.startswith("accept()")
    assert error.platform_errors == {"winsock": "WSAEINVAL", "linux": "EINVAL"}


def test_refusal_is_no_os_error() -> None:
    """An `except OSError` around network code does not swallow a programming error."""
    for kind in (IllegalCall, CallInProgress, ClosedDuringCall):
        assert issubclass(kind, LifecycleError)
        assert not issubclass(kind, OSError)


def test_subclass_is_named_by_its_own_name() -> None:
    """The text names the class that the user has written, and the table's role stays the same."""

    class Mailbox(Server):
        __slots__ = ()

    with pytest.raises(IllegalCall, match=r"Mailbox\.accept\(\)") as caught:
        Mailbox().accept()
    assert caught.value.role == "server"


def test_refusal_without_platforms() -> None:
    """A role that no system knows is refused without a word about systems."""
    with pytest.raises(IllegalCall) as caught:
        Turnstile().push()
    assert "would" not in str(caught.value)
    assert caught.value.platform_errors == {}


def test_refusals_can_be_pickled() -> None:
    """A refusal crosses process borders (multiprocessing, pytest-xdist) with its text and attributes."""
    with pytest.raises(IllegalCall) as caught:
        Server().listen()
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.remedy == caught.value.remedy == ("create",)


def test_call_in_progress_says_which_call_runs() -> None:
    """A second exclusive call names the one that runs, and Winsock's word for it."""
    error = CallInProgress(ROLES["client"], "bound", "connect", "Client", Client.busy_answers, "connect")
    assert str(error) == (
        "Client.connect() cannot start while connect() is still running on this object.\n  Winsock would answer WSAEINPROGRESS."
    )


def test_closed_during_call_is_one_clear_sentence() -> None:
    """A call that lost a race to close() says so, and nothing else."""
    error = ClosedDuringCall(ROLES["server"], "closed", "accept", "Server", platform_answers)
    assert str(error) == "Server was closed or detached while accept() was running; its state is now 'closed'."
