"""What real systems do: the measured matrices, and the answers they would have given."""

from lifecycle.platforms.answers import platform_answers
from lifecycle.platforms.matrix import Cell, linux, winsock

__all__ = ["Cell", "linux", "platform_answers", "winsock"]
