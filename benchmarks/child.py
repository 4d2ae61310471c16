"""Python in a process of its own: for what must not share this one's memory or imported modules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def python(*arguments: str, bytecode: Path | None = None) -> str:
    """What the process printed; raises subprocess.CalledProcessError when it fails, after its errors were shown.

    bytecode: the folder where compiled modules are kept; without one the environment decides.
    """
    environment = {name: value for name, value in os.environ.items() if name != "LIFECYCLE_ENGINE"}
    if bytecode is not None:
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(bytecode)
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
