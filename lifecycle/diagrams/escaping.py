"""How text is quoted in each format, once."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_PLAIN_IN_MERMAID = re.compile(r"[^\w .,()'/=\[\]-]|--|(?<![^\W_])_|_(?![^\W_])")


def mermaid_text(text: str) -> str:
    """`text` for a label of Mermaid: what is not a letter, a digit or harmless is written as `#number;`.

    Underscores are, too, unless they stand between letters: at the edge of a word they would emphasise it."""
    return _PLAIN_IN_MERMAID.sub(lambda found: "".join(f"#{ord(letter)};" for letter in found[0]), text)


def xml_text(text: str) -> str:
    """`text` for the content or an attribute of an element; what XML has no way to write must be made visible() first."""
    return escape(text, {'"': "&quot;"})
