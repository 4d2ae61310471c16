"""The short form of the fault run (tests/fault_run.py): misbehaving clients against serve(), on every event loop."""

from __future__ import annotations

from event_loops import EventLoop, every_loop
from fault_run import PATIENCE, FaultRun

CLIENTS = 25
SECONDS = 0.6


@every_loop
def test_serve_survives_misbehaving_clients(event_loop: EventLoop) -> None:
    """Clients that reset, half-close, stall, flood and vanish leave nothing behind, and well-behaved ones are answered."""
    report = event_loop.run(FaultRun(clients=CLIENTS, seconds=SECONDS).run, seconds=PATIENCE * 2)
    assert not report.wrong, report.lines()
    assert report.connections > CLIENTS, "the clients did not come"
