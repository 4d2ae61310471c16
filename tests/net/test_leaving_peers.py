"""A peer that leaves in the middle of a conversation, at every step of it, politely or not."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from loopback import LONG, accepted_and_raw_peer, client_and_raw_peer, reset
from racing import tolerant

ENDS = {"client": client_and_raw_peer, "accepted": accepted_and_raw_peer}

Step = tuple[str, str, tuple[Any, ...]]

CONVERSATION: tuple[Step, ...] = (
    ("peer", "sendall", (b"welcome",)),
    ("end", "receive", ()),
    ("end", "send", (b"question",)),
    ("peer", "recv", (100,)),
    ("peer", "sendall", (b"answer",)),
    ("end", "receive", (3,)),
    ("end", "send", (bytes(1 << 14),)),
    ("end", "receive", (3,)),
    ("end", "shut_down", ()),
    ("peer", "sendall", (b"farewell",)),
    ("end", "receive", ()),
)
FROM_PEER = b"welcomeanswerfarewell"


def _half_close(peer: socket.socket) -> None:
    peer.shutdown(socket.SHUT_WR)


LEAVES: dict[str, Callable[[socket.socket], None]] = {"close": socket.socket.close, "reset": reset, "half_close": _half_close}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("leave", LEAVES)
@pytest.mark.parametrize("step", range(len(CONVERSATION) + 1))
def test_peer_leaves_at_a_step(end: str, leave: str, step: int) -> None:
    """Wherever in a conversation the peer leaves, the next calls report it, and the rest of the stream can be read."""
    received: list[bytes] = []
    with ENDS[end](timeout=LONG) as (sock, peer):
        said = CONVERSATION[:step]
        for who, call, arguments in said:
            result = getattr(sock if who == "end" else peer, call)(*arguments)
            if call == "receive":
                received.append(result)
        LEAVES[leave](peer)
        for who, call, arguments in CONVERSATION[step:]:
            if who == "end" and call != "receive":
                ended = tolerant(sock, call, *arguments)()
                assert ended in ({"done"} if leave == "half_close" else {"done", "broken", "failed", "IllegalCall"})
        with suppress(ConnectionResetError):
            while data := sock.receive(5):
                received.append(data)
        whole = b"".join(arguments[0] for who, call, arguments in said if (who, call) == ("peer", "sendall"))
        assert FROM_PEER.startswith(whole)
        assert whole.startswith(b"".join(received))
        if leave == "half_close":
            assert b"".join(received) == whole
            assert sock.state == "ended"
        assert sock.state in {"peer_closed", "ended", "broken"}
        with suppress(ConnectionResetError):
            assert sock.receive() == b""
