"""What a run finds: the first place at which an implementation goes another way than the role."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first difference in one sequence of steps.

    call: the call, or the peer action, at which it shows. expected, got: in a few words. steps: the labels of the steps up to
    it and with it. explanation: where it is known from ("linux: inet stream reset_fetched recv = ok:0"), or "" when it is
    not. cell: the (state, call, outcome) that was to be reached; None of a peer action.
    """

    adapter: str
    role: str
    state: str
    call: str
    expected: str
    got: str
    steps: tuple[str, ...]
    explanation: str = ""
    cell: tuple[str, str, str] | None = None

    @property
    def cause(self) -> tuple[str, str, str, str]:
        """What sequences with the same cause have in common: the call, what it should have brought and what it brought."""
        return self.role, self.call, self.expected, self.got

    def __str__(self) -> str:
        return f"{self.role}[{self.state}] {self.call}: expected {self.expected}, got {self.got}"


class NonConformance(AssertionError):
    """An implementation has gone another way than its role; `divergence` says where."""

    def __init__(self, divergence: Divergence, text: str) -> None:
        super().__init__(text)
        self.divergence = divergence
