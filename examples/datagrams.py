"""Datagrams: messages with an address each, one peer for all of them, and a message that is longer than asked for.

Run it with `python examples/datagrams.py`.
"""

from lifecycle import Datagram, IllegalCall, MessageTruncated

HOST = "127.0.0.1"


def main() -> None:
    with Datagram(timeout=10) as alice, Datagram(timeout=10) as bob:
        alice.create(0, HOST)
        bob.create(0, HOST)
        print(f"alice is {alice.state}, and so is bob: no connection is needed")

        alice.send_to(b"hello bob", *bob.get_sock_name())
        message, sender = bob.receive_from()
        bob.send_to(b"hello alice", *sender)
        print(f"bob got {message!r} and answered; alice got {alice.receive()!r}")

        alice.send_to(b"", *bob.get_sock_name())
        print(f"an empty message is a message: {bob.receive()!r}, and bob is still {bob.state}")

        try:
            alice.send(b"to whom?")
        except IllegalCall as refusal:
            print(f"refused: {refusal.reason}")
        alice.connect(*bob.get_sock_name())  # only sets the peer
        alice.send(b"to bob, of course")
        print(f"alice is {alice.state}; bob got {bob.receive()!r}")

        alice.send(b"a message of 26 characters")
        try:
            bob.receive(9)
        except MessageTruncated as error:
            print(f"never cut in silence: {error}; its head is {error.head!r}")

        alice.disconnect()
        print(f"after disconnect() alice is {alice.state} again")


if __name__ == "__main__":
    main()
