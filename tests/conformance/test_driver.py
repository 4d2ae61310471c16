"""The exhaustive driver and the walks: every cell of every role, under both engines, and what they find in faulty classes."""

from __future__ import annotations

import pickle
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from conformance.faulty import half_shut, silent_end
from long_form import combinations, part

from lifecycle import CLIENT, ROLES, Client
from lifecycle.conformance import (
    Divergence,
    GovernedAdapter,
    Mismatch,
    NonConformance,
    clusters,
    conform,
    replay,
    target_named,
)
from lifecycle.conformance.campaigns.confirming import Confirming
from lifecycle.conformance.campaigns.conform import Conformance
from lifecycle.conformance.driving.results import snippet
from lifecycle.conformance.driving.sequences import exhaust, model_for, replayed, walk
from lifecycle.conformance.reports import conformance_data
from lifecycle.conformance.targets import Target, target_of
from lifecycle.net.operations import Timeout
from lifecycle.system.local_sockets import LOCAL_FAMILY

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SHORT = {"depth": 1, "walks": part(50, 10)}


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("engine", "name"), combinations(["compiled", "reference"], ROLES))
def test_the_package_covers_its_tables(name: str, engine: str) -> None:
    """Every (state, call, outcome) of the table is reached and every illegal call refused: 100 %, and nothing differs."""
    report = conform(target_named("lifecycle", engine=engine), [ROLES[name]], **SHORT)
    (result,) = report.roles
    assert report.passes, "\n".join(map(str, report.divergences))
    assert set(result.reached) == set(result.cells)
    assert (result.legal.reached, result.illegal.reached) == (result.legal.listed, result.illegal.listed)
    assert not report.divergences, "the package's own sockets have no explanations"


def test_a_class_in_the_wrong_state_is_found_by_the_shortest_sequence() -> None:
    """The finding has the state, what was expected and got, and no step too many."""
    report = conform(Target("half shut", half_shut), [CLIENT], depth=1, walks=0)
    (cluster,) = clusters(report.unexplained)
    first = cluster.shortest
    assert (first.state, first.call) == ("connected", "shut_down")
    assert (first.expected, first.got) == ("then state shut", "state receive_shut")
    assert first.steps == ("attach connected", "shut_down both")


def test_a_failing_walk_is_shrunk() -> None:
    """A failing walk is shrunk to steps that fail again, and none can be left out without another failure, or none."""
    with closing(half_shut()) as adapter:
        model = model_for(adapter, CLIENT)
        result = walk(adapter, model, walks=60, seed=1)
        assert result.divergences
        for each in result.divergences:
            again = replayed(adapter, model, each.steps)
            assert again is not None
            assert again.cause == each.cause
            for position in range(len(each.steps) - 1):
                without = replayed(adapter, model, each.steps[:position] + each.steps[position + 1 :])
                assert without is None or without.cause != each.cause


def test_many_failures_of_one_cause_are_one_cluster() -> None:
    """However many sequences fail, they are grouped by their first difference, those with most sequences first."""
    report = conform(Target("silent end", silent_end), [CLIENT], depth=2, walks=0)
    found = clusters(report.unexplained)
    assert sum(each.count for each in found) == len(report.unexplained) > 20
    assert len(found) <= 6
    assert [each.count for each in found] == sorted((each.count for each in found), reverse=True)
    assert {("receive", "eof")} <= {(each.shortest.call, each.shortest.expected) for each in found}


def test_a_deeper_run_only_adds() -> None:
    """Each depth makes the sequences of the one before, and more."""
    made = []
    for depth in (1, 2, 3):
        with closing(GovernedAdapter()) as adapter:
            result = exhaust(adapter, model_for(adapter, ROLES["server"]), depth=depth)
        assert not result.divergences
        made.append(result.sequences)
    assert made == sorted(made)
    assert made[0] < made[1] < made[2]


def test_progress_ends_at_the_total() -> None:
    """Progress is reported role by role, up to all of it."""
    seen: list[tuple[str, int, int]] = []
    conform(
        target_named("memory"), [ROLES["server"]], **SHORT, progress=lambda what, done, total: seen.append((what, done, total))
    )
    assert {what for what, _, _ in seen} == {"server"}
    assert all(done <= total for _, done, total in seen)
    assert seen[-1][1] == seen[-1][2]


def test_replaying_what_is_no_sequence_is_refused() -> None:
    """A step that is impossible where it stands, a role that the target does not have: ValueError says so."""
    with pytest.raises(ValueError, match="no sequence of 'client': peer_sends"):
        replay("lifecycle", "client", "peer_sends")
    with pytest.raises(ValueError, match="has no role 'clinet'; it has server, client"):
        replay("lifecycle", "clinet", "open")


class SendsLessOverAPath(Client):
    """A client whose send() says one byte less over a path than it sent."""

    def send(self, data: ReadableBuffer, flags: int = 0, timeout: Timeout = ...) -> int:
        sent = super().send(data, flags, timeout)
        return sent - 1 if self.peer_address is not None and self.peer_address.path else sent


@pytest.mark.skipif(LOCAL_FAMILY == -1, reason="this system has no Unix-domain sockets")
def test_a_difference_over_a_path_is_repeated_over_a_path() -> None:
    """What only sockets over a path do otherwise is said to be theirs, repeats, and replays with local=True alone."""
    target = target_of("less", SendsLessOverAPath)
    steps = "create", "connect", "send"
    assert replay(target, "client", *steps) is None
    found = replay(target, "client", *steps, local=True)
    assert found is not None
    assert str(found).startswith("client over a path[")
    assert "local=True" in snippet(target.name, found)
    (data,) = conformance_data(Conformance(target.name, 1, 0, 0, bare=[found]))["unexplained"]
    assert data["local"] is True
    repeats = Confirming(target, dict(ROLES), seconds=30).repeats(*clusters([found]))
    assert repeats is not None
    assert repeats.times == repeats.tries


def test_a_sound_sequence_replays_without_a_difference(capsys: pytest.CaptureFixture[str]) -> None:
    """replay() prints each step with its result, and returns None."""
    assert replay("lifecycle", "server", "create", "listen", "peer_connects", "accept") is None
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["create", "ok"], ["listen", "ok"], ["peer_connects"], ["accept", "ok"],
    ]  # fmt: skip


def test_errors_pickle() -> None:
    """What a run raises in another process arrives there whole: what was expected, what was got, and the text."""
    mismatch = pickle.loads(pickle.dumps(Mismatch("a byte", b"")))
    assert (mismatch.expected, mismatch.got, str(mismatch)) == ("a byte", b"", "b'' instead of 'a byte'")
    divergence = Divergence("mine", "server", "bound", "listen", "ok", "failed", ("create", "listen"))
    error = pickle.loads(pickle.dumps(NonConformance(divergence, "the program")))
    assert (error.divergence, str(error)) == (divergence, "the program")


@pytest.mark.parametrize("receive", ["receive", "receive_from"])
def test_what_came_over_tls_before_a_reset_is_received_first(receive: str) -> None:
    """Unsent ciphertext that a reset makes impossible to send does not cost what had arrived; then the reset is reported."""
    flood = ("attach connected", "peer_begins_tls", "start_tls (waiting)", "peer_sends", "send a flood", "peer_resets")
    assert replay("lifecycle", "client", *flood, receive, receive) is None
