"""The sequence of operations, end to end."""

from loopback import HOST, LONG

from lifecycle import Accepted, Client, Server


def test_sequence_of_operations() -> None:
    """The reference system's sequence runs on both sides, from construction to close."""
    with Server(timeout=LONG) as server, Client(timeout=LONG) as client, Accepted() as accepted:
        server.create(0, HOST)
        server.listen()
        client.create(0, HOST)
        client.connect(*server.get_sock_name())
        server.accept(accepted)
        assert client.send(b"question") == 8
        assert accepted.receive() == b"question"
        assert accepted.send(b"answer") == 6
        assert client.receive() == b"answer"
        accepted.close()
        assert client.receive() == b""
        assert client.state == "peer_closed"
    assert (server.state, client.state, accepted.state) == ("closed", "closed", "closed")
