"""SVG and PNG, drawn by Graphviz: by the program `dot` where it is installed, else by that of the extra `diagrams`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig

from lifecycle.engine import LifecycleError

PROGRAMS = ("dot", "graphviz-pure")
EXTRA = 'pip install "socket-lifecycle[diagrams]"'
PATIENCE = 60  # seconds for one picture

_PROLOGUE = re.compile(r"<!--.*?-->\s*|<\?xml.*?\?>\s*|<!DOCTYPE.*?>\s*", re.DOTALL)


class NoRenderer(LifecycleError):
    """No program on this system draws graphs; the message says what to install."""


def svg(dot: str) -> str:
    """The picture of a graph in the DOT language, as SVG without a prologue. Raises NoRenderer."""
    return _PROLOGUE.sub("", _drawn(dot, "-Tsvg").decode("utf-8"))


def png(dot: str, *, dpi: int = 144) -> bytes:
    """The picture of a graph in the DOT language, as PNG with `dpi` dots an inch. Raises NoRenderer."""
    return _drawn(dot, "-Tpng", f"-Gdpi={dpi}")


def program() -> str | None:
    """The program that draws: its path, or None where there is none."""
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
