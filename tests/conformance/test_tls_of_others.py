"""The cells of TLS on others' TLS: each departure from the contract has a name, and shows."""

from __future__ import annotations

import sys

import pytest

from lifecycle import ACCEPTED, CLIENT, Role
from lifecycle.conformance import conform, target_named

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has a table of what sockets answer to illegal calls"
)


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # which wrap_socket() leaves when it fails
@pytest.mark.parametrize(
    ("name", "roles"), [("ssl", (CLIENT, ACCEPTED)), ("anyio.tls", (ACCEPTED,)), ("trio.ssl", (ACCEPTED,))]
)
def test_departures_are_known(name: str, roles: tuple[Role, ...]) -> None:
    """Nothing is unexplained, the cells of TLS are reached, and the departures show (of ssl's, some in longer runs only)."""
    report = conform(target_named(name), roles, depth=1, walks=0)
    assert [str(each) for each in report.unexplained] == []
    shown = {each.explanation for each in report.divergences if each.explanation.startswith(name.partition(".")[0])}
    assert len(shown) >= 4
    assert name == "ssl" or report.unseen == []
    assert {("connected", "start_tls", "ok"), ("connected", "start_tls", "refused")} <= set(report.roles[0].reached)
    assert report.passes
