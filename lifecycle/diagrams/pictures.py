"""SVG and PNG, drawn by Graphviz: by the program `dot` if it is installed, else by that of the extra `diagrams`.

The pictures of the package's own roles are in a folder here, so that they need neither. Each picture has the digest of the text
that it was drawn from: a stored picture is used only for exactly that text.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sysconfig
from functools import cache
from importlib.resources import files
from pathlib import Path

from lifecycle.engine import LifecycleError

PROGRAMS = ("dot", "graphviz-pure")
EXTRA = 'pip install "socket-lifecycle[diagrams]"'
PATIENCE = 60  # seconds for one picture

WIDER = 1.16
"""How much wider letters may be than those of Helvetica, which the extra's program assumes: the factor of DejaVu Sans"""

FONTS = 'font-family="Helvetica,Arial,Liberation Sans,sans-serif"'
DARK = {
    "white": "#12161c", "#f5f7fa": "#1b212a", "#fbfcfd": "#161b22", "#eaf3ef": "#1d2f29", "#d9ecfb": "#163a56",
    "#ffe08a": "#6b5200",
    "#1c2430": "#e6e9ee", "#5b6676": "#a3adba", "#b9c1cc": "#4a5666", "#b42318": "#ff9c93", "#0b6bb8": "#6cb8f5",
}  # fmt: skip
"""colour -> the colour that replaces it on dark pages"""

_LENGTH = re.compile(r'\b(width|height|font-size)="([\d.]+)(pt|)"')
_FONT = re.compile(r'font-family="[^"]*"')
_PROLOGUE = re.compile(r"<!--.*?-->\s*|<\?xml.*?\?>\s*|<!DOCTYPE.*?>\s*", re.DOTALL)


class NoRenderer(LifecycleError):
    """There is no program to draw graphs on this system; the message says what to install."""


def svg(dot: str) -> str:
    """The picture of a graph in the DOT language, as SVG without a prologue, for light and dark pages. Raises NoRenderer."""
    return shipped().get(digest(dot)) or drawn(dot)


def drawn(dot: str) -> str:
    """The same, always drawn anew."""
    text = _FONT.sub(FONTS, _PROLOGUE.sub("", _drawn(dot, "-Tsvg").decode("utf-8")))
    if Path(program() or "").stem == PROGRAMS[-1]:
        text = _LENGTH.sub(
            lambda found: f'{found[1]}="{float(found[2]) * WIDER ** (1 if found[3] else -1):.2f}{found[3]}"', text
        )
    rules = "".join(
        f'.lifecycle [{each}="{light}"] {{ {each}: {dark} }}' for light, dark in DARK.items() for each in ("fill", "stroke")
    )
    rules += f".lifecycle text:not([fill]) {{ fill: {DARK['#1c2430']} }}"
    style = f"<style>@media (prefers-color-scheme: dark) {{ {rules} }}</style>"
    return re.sub(
        r"<svg([^>]*)>", lambda found: f'<svg class="lifecycle" data-dot="{digest(dot)}"{found[1]}>{style}', text, count=1
    )


def digest(dot: str) -> str:
    """The attribute `data-dot` of the picture of this text."""
    return hashlib.sha256(dot.encode()).hexdigest()[:16]


def digest_of(svg: str) -> str:
    """The attribute of a picture; "" if it has none."""
    found = re.search(r' data-dot="(\w+)"', svg)
    return found[1] if found else ""


@cache
def shipped() -> dict[str, str]:
    """digest -> the stored picture."""
    texts = (each.read_text(encoding="utf-8") for each in files("lifecycle.diagrams").joinpath("roles").iterdir())
    return {digest_of(text): text for text in texts}


def png(dot: str, *, dpi: int = 144) -> bytes:
    """The picture of a graph in the DOT language, as PNG with `dpi` dots an inch. Raises NoRenderer."""
    return _drawn(dot, "-Tpng", f"-Gdpi={dpi}")


def program() -> str | None:
    """The path of the program that draws, or None."""
    beside_python = sysconfig.get_path("scripts")
    for name in PROGRAMS:
        found = shutil.which(name) or shutil.which(name, path=beside_python)
        if found:
            return found
    return None


def _drawn(dot: str, *options: str) -> bytes:
    found = program()
    if found is None:
        raise NoRenderer(f"pictures need Graphviz: install its program `dot`, or the extra that has one: {EXTRA}")
    try:
        ran = subprocess.run((found, *options), input=dot.encode(), capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise NoRenderer(f"{found} did not draw the picture within {PATIENCE} seconds") from None
    if ran.returncode:
        raise NoRenderer(f"{found} failed: {ran.stderr.decode(errors='replace').strip()}")
    return ran.stdout
