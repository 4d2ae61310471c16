"""The documentation: its commands run. Its programs run in tests/test_documents.py, its site is looked at in test_site.py."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.command import environment
from loopback import PROGRAM_ENDS

from lifecycle.diagrams import pictures

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EVERY_PAGE = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))


def fences(file: Path) -> Iterator[re.Match[str]]:
    """The fenced blocks of a page: (language), (content)."""
    return re.finditer(r"^```(\w*)\n(.*?)^```$", file.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


RUN_OR_DATA = ("python", "console", "toml", "yaml")
TELLS_FINDINGS = ("lifecycle run", "lifecycle lint", "lifecycle trace --read", "lifecycle conform mine")
"""commands of the pages whose exit code means that something was found"""

SESSIONS = [
    pytest.param(found[2], id=f"{page.relative_to(ROOT).as_posix()}-{number}")
    for page in EVERY_PAGE
    for number, found in enumerate(fences(page), 1)
    if found[1] == "console"
]


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are written for a POSIX shell")
@pytest.mark.parametrize("session", SESSIONS)
def test_a_command_of_the_docs_runs_and_prints_what_it_shows(session: str, tmp_path: Path) -> None:
    """Each command of a session ends as it should, and the lines shown below it are in what it prints."""
    if re.search(r"diagram \w+.*\.(svg|png)", session) and pictures.program() is None:
        pytest.skip("neither dot (Graphviz) nor graphviz-pure is installed")
    scripts = sysconfig.get_path("scripts")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    env = environment(100) | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).+\n?)*)", session, re.MULTILINE):
        ran = subprocess.run(
            command, shell=True, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PROGRAM_ENDS, check=False,
        )  # fmt: skip
        printed = ran.stdout + ran.stderr
        assert ran.returncode == 0 or command.startswith(TELLS_FINDINGS), printed
        assert [line for line in shown.splitlines() if line.strip() not in printed] == []


def test_every_block_is_run() -> None:
    """Each is a program or a session, which tests run, or text to read; the README has commands that CI runs, and a refusal."""
    strange = [
        (page.name, fence[1])
        for page in EVERY_PAGE
        for fence in fences(page)
        if fence[1] not in ("python", "console", "toml", "yaml", "text", "cpp")
        and (page.name, fence[1]) not in (("README.md", "sh"), ("README.md", ""))
    ]
    assert strange == []
    for page in EVERY_PAGE:
        marks = [line for line in page.read_text(encoding="utf-8").splitlines() if "```" in line or "~~~" in line]
        assert len(marks) == 2 * len(list(fences(page))), (
            f"a block of {page.name} is not seen, as one that is indented would be"
        )
