"""A guessing game as with CAsyncSocket, in callbacks: `python examples/notifications.py`."""

from contextlib import suppress

import anyio

from lifecycle import aio
from lifecycle.aio import nowait

NUMBER = 42


class Game(aio.Server):
    def on_accept(self) -> None:
        nowait(self.accept(Table()))


class Table(aio.Accepted):
    """The server's end of one player's connection."""

    def on_receive(self) -> None:
        guess = int(nowait(self.receive()))
        nowait(self.send(b"right" if guess == NUMBER else b"higher" if guess < NUMBER else b"lower"))

    def on_close(self, error: int) -> None:
        print(f"the player has gone, and this end is {self.state}")
        self.close()
        over.set()


class Player(aio.Client):
    """Halves the range in which the number must be."""

    low, high = 0, 100

    def on_connect(self, error: int) -> None:
        print(f"connected, with error {error}")

    def on_send(self) -> None:  # called once, when the connection is made
        self.guess()

    def on_receive(self) -> None:
        answer = nowait(self.receive())
        print(f"{self.middle} is {answer.decode()}")
        if answer == b"right":
            return self.close()
        self.low, self.high = (self.middle + 1, self.high) if answer == b"higher" else (self.low, self.middle - 1)
        return self.guess()

    def guess(self) -> None:
        self.middle = (self.low + self.high) // 2
        nowait(self.send(b"%d" % self.middle))


async def main() -> None:
    async with aio.notifications(), Game() as game, Player() as player:  # the message loop
        await game.create(0, "127.0.0.1")
        game.listen()
        player.open()
        with suppress(BlockingIOError):  # it is now `connecting`; on_connect() gets the result
            nowait(player.connect(*game.get_sock_name()))
        await over.wait()


over = anyio.Event()

if __name__ == "__main__":
    anyio.run(main)
