"""The site of the documentation: it builds without a warning, has all that it promises, no link is broken, and all can use it.

It takes half a minute of processor time, so it is in the whole form of the suite, and in `.ci/run`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from contextlib import suppress
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest
from diagrams.site_pages import AXE, complaints, served
from long_form import WHOLE

from lifecycle.roles import ROLES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(not WHOLE, reason="the site is built in the whole form (LIFECYCLE_TESTS=whole) and in .ci/run")

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGES = ("aio", "archive", "checking", "conformance", "diagrams", "engine", "sockets")
SUBCOMMANDS = ("demo", "show", "roles", "diagram", "run", "conform", "learn", "matrix", "archive", "archive dump")
BUILD = 50  # seconds


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
        calls = sum(not role.never_legal(call.name) for call in role.calls)
        assert rows == 4 + len(role.states) + calls + len(cells) + sum(len(role.illegal(state)) for state in role.table)
    assert 'id="data"' in (site / "explore.html").read_text(encoding="utf-8")


def test_the_page_of_the_command_has_every_subcommand(site: Path) -> None:
    """Each subcommand, and each of those that it has itself, is a section with its help."""
    page = (site / "reference" / "command" / "index.html").read_text(encoding="utf-8")
    for words in SUBCOMMANDS:
        assert f'id="lifecycle-{words.replace(" ", "-")}"' in page
        assert f"Usage: lifecycle {words} [OPTIONS]" in page


def test_the_reference_has_every_public_name(site: Path) -> None:
    """Whatever a package exports has its entry in the API reference, or is named there as one of its kind."""
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    entries = {line.partition(" ")[0] for line in zlib.decompress(inventory).decode().splitlines()}
    told = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference" / "api").glob("*.md"))
    for package in ("lifecycle", *(f"lifecycle.{name}" for name in PACKAGES)):
        names = import_module(package).__all__
        missing = [name for name in names if f"{package}.{name}" not in entries and f"`{name}`" not in told]
        assert missing == [], f"add `::: {package}.NAME` for each to a page of docs/reference/api"


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


ONE_OF_EACH_KIND = (
    "index.html",
    "how-to/lint/index.html",
    "reference/roles/server/index.html",
    "reference/codes/LC101/index.html",
    "reference/api/checking/index.html",
)


@pytest.mark.skipif(not AXE.exists(), reason="the package axe-core is not installed: npm install --prefix tests/diagrams")
def test_pages_can_be_used_by_everybody(browser: Browser, site: Path) -> None:
    """axe-core and the console are silent on a page of each kind, light and dark, wide and narrow; Tab reaches everything.

    `python -m tests.diagrams.site_pages` looks at every page.
    """
    with served(site) as address:
        assert list(complaints(browser, address, ONE_OF_EACH_KIND)) == []


SEARCHED = {"tls": "tls/", "readline": "messages/", "keepalive": "ecosystem/", "timeout": "aio/", "ipv6": "sockets/"}
"""word -> the guide that treats it"""


def test_search_finds(browser: Browser, site: Path) -> None:
    """What people look for is found, and the guide that treats it is among the first ten pages."""
    from playwright.sync_api import TimeoutError as NotSeen

    opened = browser.new_page()
    try:
        with served(site) as address:
            for word, page in SEARCHED.items():
                opened.goto(f"{address}/install/")
                opened.fill(".md-search__input", word)
                for _ in range(10):  # a key is needed: the page may not have listened yet, or looked before the word was there
                    opened.press(".md-search__input", "End")
                    with suppress(NotSeen):
                        opened.locator(".md-search-result__item").first.wait_for(timeout=3000)
                        break
                found = opened.eval_on_selector_all(".md-search-result__link", "links => links.map(each => each.pathname)")
                assert any(path.startswith(f"/{page}") for path in found[:10]), (word, found)
    finally:
        opened.close()
