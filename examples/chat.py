"""A chat: a server relays the messages of its clients through archives. Run it with `python examples/chat.py`."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from lifecycle import Accepted, Archive, Client, Server, SocketFile
from lifecycle.archive import WORD, CString, CStringList

HOST = "127.0.0.1"
NAMES = ("anna", "bela", "cleo")


class Message:
    """A message as the C++ program has it: whether it closes the connection, a text, and lines that were said."""

    def __init__(self, text: str = "", lines: CStringList | None = None, *, closes: bool = False) -> None:
        self.closes, self.text, self.lines = closes, text, lines or CStringList()

    def send(self, outgoing: Archive) -> None:
        outgoing << WORD(self.closes) << CString(self.text)
        self.lines.serialize(outgoing)
        outgoing.flush()  # a message is what one flush sends

    @classmethod
    def receive(cls, incoming: Archive) -> "Message":
        message = cls(closes=bool(incoming >> WORD), text=incoming >> CString)
        message.lines.serialize(incoming)  # adds to what is there, here nothing
        return message


def relay(accepted: Accepted, room: list[Archive], said: CStringList, lock: Lock) -> None:
    """Serve one client: send it the earlier messages, then everybody its messages, until it closes."""
    with accepted, SocketFile(accepted) as file, Archive(file, "load") as incoming, Archive(file, "store") as outgoing:
        with lock:
            Message(lines=said).send(outgoing)
            room.append(outgoing)
        while not (message := Message.receive(incoming)).closes:
            with lock:
                said.append(message.text)
                for each in room:
                    Message(lines=CStringList([message.text])).send(each)
        with lock:
            room.remove(outgoing)
        Message(closes=True).send(outgoing)


def chat(name: str, address: tuple[str, int]) -> list[str]:
    """One client: say something, listen until everybody was heard, say goodbye; the lines that were heard."""
    heard: list[str] = []
    with Client(timeout=10) as client:
        client.create(0, HOST)
        client.connect(*address)
        with SocketFile(client) as file, Archive(file, "load") as incoming, Archive(file, "store") as outgoing:
            Message(f"{name}: hello").send(outgoing)
            while len(heard) < len(NAMES):
                heard += Message.receive(incoming).lines
            Message(closes=True).send(outgoing)
            assert Message.receive(incoming).closes
    return heard


if __name__ == "__main__":
    room, said, lock = list[Archive](), CStringList(), Lock()
    with Server(timeout=10) as server, ThreadPoolExecutor(2 * len(NAMES)) as threads:
        server.create(0, HOST)
        server.listen()
        chats = {name: threads.submit(chat, name, server.get_sock_name()) for name in NAMES}
        parts = [threads.submit(relay, server.accept(), room, said, lock) for _ in NAMES]
    assert [part.result() for part in parts] == [None] * len(NAMES)
    print(*(f"{name} heard {', '.join(sorted(each.result()))}" for name, each in chats.items()), sep="\n")
