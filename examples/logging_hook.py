"""Logs the calls of the objects that are made with `journal=`: a line each, with lengths in the place of data.

The hook is an Observer: began() and ended() run in the thread of the call, and must neither raise nor block. A server hands
its journal on to the connections that it accepts; objects without one are not observed, and their calls are as fast as before.
"""

import logging
import sys

from lifecycle import Client, Server
from lifecycle.engine import Record

LEVELS = {"ok": logging.INFO, "illegal": logging.ERROR}

log = logging.getLogger("lifecycle.calls")


class Logging:
    """Logs each call when it has ended: failures as warnings, refusals by the table as errors of the program."""

    def began(self, record: Record, target: object) -> None:
        """Nothing is logged before the call has ended."""

    def ended(self, record: Record, target: object) -> None:
        """One line, built only if it is wanted; the caller's place is in it as that of the call."""
        level = LEVELS.get(record.outcome or "", logging.WARNING)
        if log.isEnabledFor(level):
            took = 1000 * ((record.ended or record.began) - record.began)
            call = f"{type(target).__name__} {record.state}: {record.call}({record.arguments})"
            log.log(level, "%s -> %s, %.1f ms %s%s", call, record.outcome, took, record.result, record.error)


def main() -> None:
    """Talk over a connection whose client is logged."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(message)s")
    with Server() as server, Client(journal=Logging()) as client:
        server.create(0, "127.0.0.1")
        server.listen()
        client.create()
        client.connect(*server.local_address)
        with server.accept() as accepted:
            client.send(b"secret")
            accepted.receive()


if __name__ == "__main__":
    main()
