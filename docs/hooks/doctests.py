"""Examples in docstrings, which are written for doctest, shown as code."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\n).+)*", re.MULTILINE)


class FencedExamples(griffe.Extension):
    """Puts each example between fences."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Part of griffe's extensions: called for each module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(lambda found: f"```pycon\n{found[0]}\n```", obj.docstring.value)
