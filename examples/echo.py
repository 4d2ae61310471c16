"""A server that echoes and a client that talks to it, in two threads.

Run it with `python examples/echo.py`.
"""

import threading

from lifecycle import Client, Server

HOST = "127.0.0.1"
WORDS = ("hello", "how are you", "goodbye")


def serve(server: Server) -> None:
    """Accept one connection and send back whatever comes, until the client ends its stream."""
    with server.accept() as accepted:
        print(f"server: accepted a connection, which is {accepted.state}")
        while data := accepted.receive():
            accepted.send(data)
        print(f"server: the client has ended its stream, the connection is {accepted.state}")


def main() -> None:
    with Server(timeout=10) as server, Client(timeout=10) as client:
        server.create(0, HOST)  # port 0: any free one
        server.listen()
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()

        client.create(0, HOST)
        client.connect(*server.get_sock_name())
        for word in WORDS:
            client.send(word.encode())
            echoed = b""
            while len(echoed) < len(word):  # a stream has no messages: a word may come in pieces
                echoed += client.receive()
            print(f"client: sent {word!r}, got {echoed.decode()!r}")
        client.shut_down("sends")  # no more words; the server sees the end of the stream
        print(f"client: received {client.receive()!r}, the connection is {client.state}")
        thread.join()
    print(f"now the server is {server.state} and the client is {client.state}")


if __name__ == "__main__":
    main()
