"""How text is quoted in each format, once."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_NOT_PLAIN_IN_MERMAID = re.compile(r"[^\w .,()'/=\[\]-]|--|\[\[|\]\]|(?<![^\W_])_|_(?![^\W_])|\bdirection\b")
_NOT_PLAIN_IN_MARKDOWN = re.compile(r"[^\w .,:;()'/-]|(?<![^\W_])_|_(?![^\W_])")
_NOT_PLAIN_IN_PLANTUML = re.compile(r"[^\w .,()-]|--|__")


def mermaid_text(text: str) -> str:
    """`text` for a label of Mermaid: what is not a letter, a digit or harmless is written as `#number;`.

    Underscores are, too, unless they stand between letters: at the edge of a word they would emphasise it; and so is the one
    word that the parser looks for anywhere in a line.
    """
    return _NOT_PLAIN_IN_MERMAID.sub(lambda found: "".join(f"#{ord(letter)};" for letter in found[0]), text)


def plantuml_text(text: str) -> str:
    """`text` for a label of PlantUML: what could be markup is written as `<U+XXXX>`."""
    return _NOT_PLAIN_IN_PLANTUML.sub(lambda found: "".join(f"<U+{ord(letter):04X}>" for letter in found[0]), text)


def markdown_text(text: str) -> str:
    """`text` for a cell of a Markdown table: what could be markup is written as a numeric reference."""
    return _NOT_PLAIN_IN_MARKDOWN.sub(lambda found: "".join(f"&#{ord(letter)};" for letter in found[0]), text)


def xml_text(text: str) -> str:
    """`text` for the content or an attribute of an element; what XML has no way to write must be made visible() first."""
    return escape(text, {'"': "&quot;"})
