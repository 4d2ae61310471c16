"""Writes names and sentences: printable, distinct, escaped for each format, measured, broken into lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from html import escape

from lifecycle.system.output import printable

_WORDS = re.compile(r"\s*(?:[^\s(]|\((?=\)))+\(?|\s*\(")
_UNSEEN_SPACES = re.compile(r"^ +| +$| {2,}")
_NOT_PLAIN_IN_MERMAID = re.compile(r"[^\w .,()'/=\[\]-]|--|\[\[|\]\]|(?<![^\W_])_|_(?![^\W_])|\bdirection\b")
_NOT_PLAIN_IN_MARKDOWN = re.compile(r"[^\w .,:;()'/-]|(?<![^\W_])_|_(?![^\W_])")
_NOT_PLAIN_IN_PLANTUML = re.compile(r"[^\w .,()-]|--|__")


def visible(name: str) -> str:
    """`name` with every invisible character as its escape, so that two names never look alike.

    These are characters that cannot be printed, and spaces at the ends or next to others, which many formats drop. Letters of
    any script, quotes and brackets stay as they are; each format escapes those by its own rules.
    """
    escaped = printable(name.replace("\\", "\\\\"))
    return _UNSEEN_SPACES.sub(lambda found: "\\x20" * len(found[0]), escaped)


def mermaid_text(text: str) -> str:
    """`text` for a Mermaid label: every character that could be markup is written as `#number;`.

    So are underscores, unless they stand between letters: at the edge of a word they would emphasise it; and so is the one
    word that the parser looks for anywhere in a line.
    """
    return _NOT_PLAIN_IN_MERMAID.sub(lambda found: "".join(f"#{ord(letter)};" for letter in found[0]), text)


def plantuml_text(text: str) -> str:
    """`text` for a PlantUML label: every character that could be markup is written as `<U+XXXX>`."""
    return _NOT_PLAIN_IN_PLANTUML.sub(lambda found: "".join(f"<U+{ord(letter):04X}>" for letter in found[0]), text)


def markdown_text(text: str) -> str:
    """`text` for a cell of a Markdown table: every character that could be markup is written as a numeric reference."""
    return _NOT_PLAIN_IN_MARKDOWN.sub(lambda found: "".join(f"&#{ord(letter)};" for letter in found[0]), text)


def xml_text(text: str) -> str:
    """`text` for the content or an attribute of an element; characters that XML does not allow must be made visible() first."""
    return escape(text, quote=False).replace('"', "&quot;")


def identifiers(names: Iterable[str], reserved: Iterable[str] = ()) -> dict[str, str]:
    """name -> an identifier of letters of ASCII, digits and underscores, unique among them: the name itself where it is one.

    reserved: words of the format, in any capitalisation.
    """
    names = tuple(names)
    taken = {word.lower() for word in reserved}
    found = {name: name for name in names if _is_plain(name) and name.lower() not in taken}
    taken.update(name.lower() for name in found)
    number = 0
    for name in names:
        while name not in found:
            number += 1
            if f"n{number}" not in taken:
                found[name] = f"n{number}"
    return found


def cells(text: str) -> int:
    """The width of `text` in columns of a terminal: wide East Asian letters take two."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(letter) else 2 if _is_wide(letter) else 1 for letter in text)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """`text` on lines of at most `width` cells, the further ones indented; broken at spaces and after opening brackets.

    A word that is wider than a line is cut.
    """
    lines, line = [], ""
    for word in _WORDS.findall(text):
        if line.strip() and cells(line + word) > width:
            lines.append(line)
            line, word = indent, word.lstrip()  # noqa: PLW2901
        line += word
        while cells(line) > width and len(line) > len(indent) + 1:
            fits = max(len(indent) + 1, _fitting(line, width))
            lines.append(line[:fits])
            line = indent + line[fits:]
    return [*lines, line] if line.strip() or not lines else lines


def cut(text: str, width: int, mark: str) -> str:
    """`text` in at most `width` cells; a longer one ends with `mark`."""
    return text if cells(text) <= width else text[: max(_fitting(text, width - cells(mark)), 0)] + mark


def _fitting(text: str, width: int) -> int:
    """The number of letters of `text` that fit into `width` cells."""
    taken = 0
    for number, letter in enumerate(text):
        taken += cells(letter)
        if taken > width:
            return number
    return len(text)


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isidentifier() and not name.startswith("_")


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"
