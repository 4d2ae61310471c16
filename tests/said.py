"""What a call says: its result, or its error in a form to compare."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any


def said_by(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a call returns, or the class of its error with the number."""
    try:
        return call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno or 0].removeprefix("WSA")
    except (ValueError, TypeError, EOFError) as error:
        return type(error)
