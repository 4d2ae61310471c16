"""How much work a row may do, and the bar that shows how far it is."""

from __future__ import annotations

from collections.abc import Iterator

from rich.progress import Progress, TaskID


class Effort:
    """How much work the rows may do; shows on standard error how far they are.

    The bar is drawn between rounds and never by a thread of its own, which would disturb what is measured.
    """

    def __init__(self, progress: Progress, task: TaskID, *, quick: bool) -> None:
        self._progress = progress
        self._task = task
        self.quick = quick

    def rounds(self, full: int, quick: int = 3) -> Iterator[int]:
        """The numbers of the rounds, each drawn as it comes."""
        total = quick if self.quick else full
        self._progress.reset(self._task, total=total)
        for number in range(total):
            yield number
            self._progress.update(self._task, advance=1)
            if number % max(1, total // 50) == 0:
                self._progress.refresh()
