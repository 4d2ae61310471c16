"""A fake as one writes it first gets a true verdict: what it cannot do is named, what it does otherwise is found, once."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from conformance import first_fakes as fakes

from lifecycle import ACCEPTED, CLIENT, DATAGRAM, SERVER
from lifecycle.conformance import clusters, conform, target_of
from lifecycle.conformance.campaigns.conform import Conformance
from lifecycle.conformance.targets import UnknownTarget

ROLES = (SERVER, CLIENT, ACCEPTED, DATAGRAM)

OTHERWISE = {
    ("connect", "refused (ECONNREFUSED)"),  # of an address of another family
    ("shut_down", "sends"),  # of a connection that has ended on both sides
    ("get_peer_name", "ok"),
}
"""what each of the short fakes does otherwise than the contract says, beside its own"""


def report_of(thing: Any) -> Conformance:
    """A short run over every socket role."""
    return conform(target_of("fake", thing), ROLES, depth=1, walks=20)


def causes(report: Conformance) -> set[tuple[str, str]]:
    """(call, got) of each line."""
    return {(each.shortest.call, each.shortest.got) for each in clusters(report.unexplained)}


@pytest.mark.parametrize(
    ("make", "left_out"),
    [
        (lambda: fakes.over(fakes.FewMethods), "set_option (no setsockopt())"),
        (lambda: fakes.over(fakes.FewMethods), "time-outs (no settimeout())"),
        (lambda: fakes.over(fakes.NoMessages), "datagram sockets (no sendto(), which their peers need)"),
        (lambda: fakes.over(fakes.NoFlags), "flags of recv() (it takes a size only)"),
        (lambda: fakes.over(fakes.NoDescriptor), "detach (no detach())"),
        (lambda: fakes.over(fakes.MadeUpNumber), "detach (no detach())"),
        (lambda: fakes.over(fakes.OverAPair), "detach (no detach())"),
        (
            lambda: fakes.over(fakes.Thin, fakes.Endless),
            "a listener that is silent (OSError: the queue of a listener never fills",
        ),
    ],
    ids=[
        "no options",
        "no time-outs",
        "no messages",
        "no flags",
        "no descriptor",
        "a made-up number",
        "a pair's descriptor",
        "endless queue",
    ],
)
def test_only_methods_that_exist_are_needed(make: Callable[[], Any], left_out: str) -> None:
    """Sockets in memory that show a part of themselves pass, and what is left out for it has a name and a reason."""
    report = report_of(make())
    assert report.passes, "\n".join(map(str, report.unexplained))
    assert any(str(each).startswith(left_out) for each in report.left_out)


def test_another_descriptor_of_the_process_is_not_touched() -> None:
    """A number that belongs to a pipe is not polled, changed or closed, though fileno() and detach() give it."""
    ends = fakes.open_pipe()
    try:
        report = report_of(fakes.over(fakes.AnothersNumber))
        assert causes(report) == {("detach", "ok")}
        os.write(ends[1], b"still here")
        assert os.read(ends[0], 99) == b"still here"
    finally:
        for end in ends:
            os.close(end)


@pytest.mark.parametrize(
    ("make", "own"),
    [
        (lambda: fakes.InMemory, {("receive", "EAGAIN")}),
        (lambda: fakes.OverPair, {("receive", "eof"), ("get_sock_name", "ok")}),
        (
            lambda: fakes.LosesTheEnd,
            {("receive", "EAGAIN"), ("send", "b''"), ("peer_reads", "the peer receives 7 bytes as they were sent")},
        ),
    ],
    ids=["in memory", "over socketpair", "one that loses data"],
)
def test_a_short_fake_gets_a_true_verdict(make: Callable[[], Any], own: set[tuple[str, str]]) -> None:
    """Each line is one thing that the fake does otherwise, and nothing else is said of it."""
    report = report_of(make())
    found = {
        (each.shortest.call, each.shortest.expected if each.shortest.call == "peer_reads" else each.shortest.got)
        for each in clusters(report.unexplained)
        if each.shortest.call != "peer_reads_the_end"
    }
    assert found == OTHERWISE | own
    assert all(not each.is_flaky for each in report.repeats.values())


def test_what_a_thread_carries_is_waited_for() -> None:
    """A fake that delivers some milliseconds later is blamed for the end that overtakes data, and not for being late."""
    with fakes.carried() as late:
        report = conform(target_of("late", late), [ACCEPTED], depth=1, walks=0)
    assert ("receive", "pending (EAGAIN)") not in causes(report)
    assert ("send", "b''") in causes(report)


def test_what_fails_now_and_then_is_flaky() -> None:
    """A sequence that does not repeat each time says so; a sound one is not accused beside it."""
    report = conform(target_of("flaky", fakes.Flaky), [SERVER], depth=1, walks=0)
    assert not report.passes
    assert any(each.is_flaky and str(each).startswith("flaky (") for each in report.repeats.values())


def test_an_asynchronous_socket_needs_an_adapter() -> None:
    """It is not run: the refusal says what to write."""
    with pytest.raises(UnknownTarget, match=r"asynchronous: write an adapter"):
        target_of("later", fakes.Later)
