"""Output of the package: files that are replaced atomically, and text without control characters."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from itertools import count

_NUMBERS = count()
_SPECIAL = ("/dev/", "/proc/")  # what the names there stand for is written to, and never replaced


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Replace a file atomically: even on a full disk or at a kill either the old or the new file is complete.

    The content is written to a file in the same folder, whose name begins with ".lifecycle-", and renamed. The file's mode is
    kept, and its owner if the system allows that; a symbolic link stays and its target is replaced; another hard link keeps the
    old content. A device, a pipe or a name in /dev is written to. Text is UTF-8; a lone surrogate is written as its escape.

    Raises OSError if the file cannot be written, or not replaced because its folder is not writable.
    """
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    target = os.path.realpath(path)
    found = None
    with suppress(FileNotFoundError):
        found = os.stat(target)
    if os.path.abspath(path).startswith(_SPECIAL) or (
        found is not None and not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode)
    ):
        with open(path, "wb") as file:
            file.write(data)
        return
    if found is not None:
        os.close(os.open(target, os.O_WRONLY))  # raises what writing would: a directory, no permission
    beside, descriptor = _new_file(os.path.dirname(target))
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if found is not None:
                _become_like(file.fileno(), beside, found)
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def _new_file(folder: str) -> tuple[str, int]:
    """A file with an unused name, and its descriptor."""
    while True:
        beside = os.path.join(folder, f".lifecycle-{os.getpid()}-{next(_NUMBERS)}")
        with suppress(FileExistsError):
            return beside, os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)


def _become_like(descriptor: int, path: str, old: os.stat_result) -> None:
    """Give a new file the owner and the mode of the old one."""
    if sys.platform != "win32":
        with suppress(OSError):  # another owner needs privileges
            os.fchown(descriptor, old.st_uid, old.st_gid)
    os.chmod(path, stat.S_IMODE(old.st_mode))


_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """`text` with every unprintable character as its escape; backslashes stay as they are.

    Control characters, those that turn the direction of writing, lone surrogates and spaces other than " " are escaped, so that
    the result can stand in XML, in HTML and on a terminal.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _ESCAPES.get(letter) or _escape(letter) for letter in text)


def printable_lines(text: str) -> str:
    """printable(text), but with its line ends."""
    return text if text.replace("\n", "").isprintable() else "\n".join(map(printable, text.split("\n")))


def annotation_text(text: str, *, is_property: bool = False) -> str:
    """`text` for a workflow command of GitHub. is_property: for `file=` or `title=`, where more characters are escaped."""
    text = printable_lines(text)
    for sign in ("%", "\n", *((",", ":") if is_property else ())):
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _escape(letter: str) -> str:
    number = ord(letter)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
