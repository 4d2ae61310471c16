"""`python -m tests.installed`: the wheel in an empty environment, and every command of the docs, copied there one by one.

A command works, or its error names the extra that is missing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
SESSION = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMES_AN_EXTRA = re.compile(r'pip install "socket-lifecycle\[\w+\]"')
FINDS = ("lifecycle run", "lifecycle lint", "lifecycle trace --read", "lifecycle conform")
"""commands whose exit code may mean that something was found"""
PATIENCE = 120


def sessions() -> Iterator[tuple[str, list[str]]]:
    """The commands of each session of the docs, with its page."""
    for page in PAGES:
        for found in SESSION.finditer(page.read_text(encoding="utf-8")):
            yield page.relative_to(ROOT).as_posix(), re.findall(r"^\$ (.*)$", found[1], re.MULTILINE)


def installed(folder: Path, extras: str) -> dict[str, str]:
    """An environment with the package alone, and those extras: the variables in which its commands run."""
    venv.create(folder / "env", with_pip=True)
    scripts = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    built = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    subprocess.run(built, check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run((str(scripts / "python"), "-m", "pip", "install", "--quiet", f"{wheel}{extras}"), check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LIFECYCLE", "VIRTUAL_ENV"))}
    return {**kept, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100"}


def verdict(command: str, page: str, ran: subprocess.CompletedProcess[str]) -> str:
    """What became of a command: works, lacks an extra that its error or its page names, or fails."""
    if ran.returncode == 0 or (command.startswith(FINDS) and ran.returncode == 1):
        return "works"
    told = ran.stdout + ran.stderr
    lacks_pytest = "No module named pytest" in told and NAMES_AN_EXTRA.search((ROOT / page).read_text(encoding="utf-8"))
    return "lacks an extra" if lacks_pytest or (NAMES_AN_EXTRA.search(told) and "Traceback" not in told) else "fails"


def main(extras: str = "[cli]") -> int:
    """Run them all; how many fail."""
    counts = {"works": 0, "lacks an extra": 0, "fails": 0}
    with tempfile.TemporaryDirectory() as folder:
        env = installed(Path(folder), extras)
        for number, (page, commands) in enumerate(sessions()):
            place = Path(folder, str(number))
            place.mkdir()
            shutil.copytree(ROOT / "examples", place / "examples")
            for command in commands:
                ran = subprocess.run(
                    command, shell=True, cwd=place, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                    timeout=PATIENCE, check=False,
                )  # fmt: skip
                found = verdict(command, page, ran)
                counts[found] += 1
                if found != "works":
                    print(f"{page}: {found}: {command}", flush=True)
                    if found == "fails":
                        print((ran.stdout + ran.stderr)[-1000:], flush=True)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return counts["fails"]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
