"""A fixture for tests that count the memory of values."""

from __future__ import annotations

import pytest

from lifecycle.archive.format.wire import SHARED


@pytest.fixture
def nothing_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long array was loaded in this process: numbers that are shared since then would cost nothing."""
    for shared in SHARED.values():
        monkeypatch.setattr(shared, "_values", ())
