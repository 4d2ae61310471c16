"""A role of one's own: no sockets, only the engine. A turnstile lets one person through for each coin.

Run it with `python examples/turnstile.py`.
"""

from lifecycle import IllegalCall, Journal, Lifecycle, Role
from lifecycle.engine import Call, State

TURNSTILE = Role(
    name="turnstile",
    doc="Lets one person through for each coin.",
    states=(
        State("locked", "Nobody gets through."),
        State("unlocked", "One person may pass."),
        State("dismantled", "It is gone.", reason="There is no turnstile any more"),
    ),
    calls=(
        Call("insert", "Pay for one passage."),
        Call("push", "Go through.", reason="A passage costs a coin"),
        Call("dismantle", "Take it away."),
    ),
    rows=(
        ("locked", "insert", {"ok": "unlocked", "failed": "locked"}),
        ("locked", "dismantle", {"ok": "dismantled"}),
        ("unlocked", "push", {"ok": "locked"}),
        ("unlocked", "dismantle", {"ok": "dismantled"}),
    ),
    initial="locked",
    final=frozenset({"dismantled"}),
    closes="dismantle",
    reasons={("unlocked", "insert"): "One coin is enough"},
)


class Turnstile(Lifecycle, role=TURNSTILE):
    """Each call of the role has a method, which is what the call does; the order of calls is the role's matter."""

    def insert(self, coin: int) -> str:
        if coin < 50:
            raise OverflowError(f"{coin} cents are not enough")  # any error is the outcome "failed", and stays locked
        return f"{coin - 50} cents change"

    def push(self) -> None:
        print("  somebody goes through")

    def dismantle(self) -> None:
        print("  the turnstile is taken away")


def main() -> None:
    with Journal() as journal, Turnstile() as turnstile:
        print(f"it is {turnstile.state}, and takes: {', '.join(turnstile.legal)}")
        try:
            turnstile.push()
        except IllegalCall as refusal:
            print(refusal)
        try:
            turnstile.insert(20)
        except OverflowError as error:
            print(f"{error}: it stays {turnstile.state}")
        print(f"{turnstile.insert(100)}: it is {turnstile.state}")
        turnstile.push()
    for record in journal.records:
        print(f"{record.state:10} {record.call:10} {record.outcome!s:10} -> {record.next_state}")


if __name__ == "__main__":
    main()
