"""The package's own sockets are put through the suite that it gives to others: every cell of every role."""

from __future__ import annotations

from lifecycle import ROLES
from lifecycle.conformance import GovernedAdapter, conformance_suite

TestServer = conformance_suite(ROLES["server"], GovernedAdapter)
TestClient = conformance_suite(ROLES["client"], GovernedAdapter)
TestAccepted = conformance_suite(ROLES["accepted"], GovernedAdapter)
TestDatagram = conformance_suite(ROLES["datagram"], GovernedAdapter)
