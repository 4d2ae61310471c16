"""The documentation: every block of code in it runs, the site builds without a warning, and no link in it is broken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from cli.command import environment
from loopback import LONG

from lifecycle.diagrams import pictures
from lifecycle.roles import ROLES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LANGUAGES = {"python", "console", "text", "sh", ""}
BUILD = 50  # seconds


def blocks(language: str, *, nested: bool) -> list[object]:
    """The blocks of that language: those below docs/, or with nested=False those of the top and of the README."""
    files = sorted(DOCS.rglob("*.md")) if nested else [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
    return [
        pytest.param(found[2], id=f"{file.relative_to(ROOT).as_posix()}-{number}")
        for file in files
        for number, found in enumerate(fences(file), 1)
        if found[1] == language and (not nested or file.parent != DOCS or language != "python")
    ]


def fences(file: Path) -> Iterator[re.Match[str]]:
    """The fenced blocks of a page: (language), (content)."""
    return re.finditer(r"^```(\w*)\n(.*?)^```$", file.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("code", blocks("python", nested=True))
def test_a_program_of_the_docs_runs_and_prints_what_it_says(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A program runs without an error, and prints what its comments say; those of docs/ itself have their own test."""
    exec(compile(code, "<document>", "exec"), {"__name__": "document"})
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in re.findall(r"print\(.*\)\s+# (.*)", code) if line not in printed] == []


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are written for a POSIX shell")
@pytest.mark.parametrize("session", blocks("console", nested=True))
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
            timeout=LONG, check=False,
        )  # fmt: skip
        printed = ran.stdout + ran.stderr
        assert ran.returncode == 0 or command.startswith("lifecycle run"), printed
        assert [line for line in shown.splitlines() if line.strip() not in printed] == []


def test_every_block_is_of_a_language_that_is_run_or_is_no_program() -> None:
    """Whatever a block holds that could be run is of a kind that a test runs; shell commands stand in the README alone."""
    strange = [
        (file.name, fence[1])
        for file in (ROOT / "README.md", *DOCS.rglob("*.md"))
        for fence in fences(file)
        if fence[1] not in LANGUAGES or (fence[1] == "sh" and file.name != "README.md")
    ]
    assert strange == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built; any warning is an error."""
    pytest.importorskip("material", reason="the package mkdocs-material is not installed")
    folder = tmp_path_factory.mktemp("site")
    ran = subprocess.run(
        (sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)), cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=BUILD, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "WARNING" not in ran.stderr
    return folder


def test_the_site_has_a_page_for_each_role(site: Path) -> None:
    """Each role's page has its picture, its legal calls and its refused ones with reasons; and the page to explore is there."""
    for role in ROLES.values():
        page = (site / "reference" / "roles" / role.name / "index.html").read_text(encoding="utf-8")
        assert f"{role.name}.svg" in page
        assert (site / "reference" / "roles" / f"{role.name}.svg").exists()
        rows = page.count("<tr>")
        cells = {(state, call) for state, call, _, _ in role.cells()}
        assert rows == 3 + len(role.states) + len(cells) + sum(len(role.illegal(state)) for state in role.table)
    assert 'id="data"' in (site / "explore.html").read_text(encoding="utf-8")


class _Links(HTMLParser):
    """What a page refers to, and what in it can be referred to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.ids.add(value)
            if name in ("href", "src") and value is not None:
                self.targets.append(value)


def test_no_link_is_broken(site: Path) -> None:
    """Every link within the site leads to a file and, with a #, to a place in it; nothing is loaded from elsewhere."""
    pages = {page: _Links(page) for page in site.rglob("*.html") if page.name not in ("explore.html", "404.html")}
    broken, outside = [], set()
    for page, links in pages.items():
        for target in links.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                outside.add(parts.netloc)
                continue
            to = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            to = to / "index.html" if to.is_dir() else to
            lost = parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].ids | {"__top"}
            if not to.exists() or lost:
                broken.append((page.relative_to(site).as_posix(), target))
    assert len(pages) > 10
    assert broken == []
    assert outside <= {"squidfunk.github.io"}  # the theme names its maker
