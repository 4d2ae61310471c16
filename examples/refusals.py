"""What a refusal looks like, and how a program can use it.

Run it with `python examples/refusals.py`.
"""

from lifecycle import Accepted, Client, IllegalCall, Server

HOST = "127.0.0.1"


def show_the_text(server: Server) -> None:
    """The text of an IllegalCall is written for people."""
    try:
        server.accept()
    except IllegalCall as refusal:
        print(refusal)


def follow_the_remedy(server: Server) -> None:
    """Its attributes are for programs: here the remedy is followed, call by call."""
    try:
        server.accept()
    except IllegalCall as refusal:
        print(f"\nin {refusal.state!r} legal are: {', '.join(refusal.legal)}")
        print(f"to accept, call first: {', '.join(refusal.remedy or ())}")
        for call in refusal.remedy or ():
            getattr(server, call)()
    print(f"now the server is {server.state}, and 'accept' in server.legal is {'accept' in server.legal}")


def main() -> None:
    with Server(timeout=10) as server, Client(timeout=10) as client, Accepted() as accepted:
        server.create(0, HOST)
        show_the_text(server)
        follow_the_remedy(server)

        client.create(0, HOST)
        try:
            client.send(b"too early")
        except OSError:
            print("never printed: a wrong order of calls is a bug of the program, not of the network")
        except IllegalCall as refusal:
            print(f"\n{refusal.reason}: nothing was touched, the client is still {client.state}")
            for system, answer in refusal.platform_errors.items():
                print(f"  {system} would have answered {answer}")

        try:
            accepted.create(0, HOST)  # type: ignore[attr-defined]  # a type checker refuses it before
        except IllegalCall as refusal:
            print(f"\n{refusal.reason}; its remedy is {refusal.remedy}")
        client.connect(*server.get_sock_name())
        server.accept(accepted)
        print(f"accepted, without create(): {accepted.state}")


if __name__ == "__main__":
    main()
