"""A role without sockets: only the engine. A turnstile lets one person through for each coin.

Run it with `python examples/turnstile.py`.
"""

from lifecycle import IllegalCall, Journal, Lifecycle, Role
from lifecycle.engine import Call, State

TURNSTILE = Role(
    name="turnstile",
    doc="Lets one person through for each coin.",
    states=(
        State("locked", "It blocks the way."),
        State("unlocked", "One person may pass."),
        State("removed", "It is gone.", reason="The turnstile was taken away"),
    ),
    calls=(
        Call("coin", "Pay for one passage."),
        Call("push", "Go through.", reason="A passage costs a coin"),
        Call("remove", "Take it away."),
    ),
    rows=(
        ("locked", "coin", {"ok": "unlocked", "failed": "locked"}),
        ("locked", "remove", {"ok": "removed"}),
        ("unlocked", "push", {"ok": "locked"}),
        ("unlocked", "remove", {"ok": "removed"}),
    ),
    initial="locked",
    final=frozenset({"removed"}),
    closes="remove",
    reasons={("unlocked", "coin"): "One coin is enough"},
)


class Turnstile(Lifecycle, role=TURNSTILE):
    """Each call of the role has a method, which does the work; the role says in which order they may be called."""

    def coin(self, cents: int) -> str:
        if cents < 50:
            raise OverflowError(f"{cents} cents are not enough")  # any error is the outcome "failed", and stays locked
        return f"{cents - 50} cents change"

    def push(self) -> None:
        print("  a person goes through")

    def remove(self) -> None:
        print("  the turnstile is taken away")


def main() -> None:
    with Journal() as journal, Turnstile() as turnstile:
        print(f"it is {turnstile.state}, and takes: {', '.join(turnstile.legal)}")
        try:
            turnstile.push()
        except IllegalCall as refusal:
            print(refusal)
        try:
            turnstile.coin(20)
        except OverflowError as error:
            print(f"{error}: it stays {turnstile.state}")
        print(f"{turnstile.coin(100)}: it is {turnstile.state}")
        turnstile.push()
    for record in journal.records:
        print(f"{record.state:10} {record.call:10} {record.outcome!s:10} -> {record.next_state}")


if __name__ == "__main__":
    main()
