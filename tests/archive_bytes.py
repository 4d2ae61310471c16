"""The bytes that an archive makes of values, and archives that load bytes."""

from __future__ import annotations

import io
from typing import Any

from lifecycle import Archive


def stored(*values: Any, **options: Any) -> bytes:
    """The bytes of values."""
    file = io.BytesIO()
    with Archive(file, "store", **options) as archive:
        for each in values:
            archive << each
    return file.getvalue()


def loading(data: bytes, **options: Any) -> Archive:
    """An archive that loads the bytes."""
    return Archive(io.BytesIO(data), "load", **options)
