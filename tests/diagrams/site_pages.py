"""The pages of the documentation, looked at in a browser: axe-core, the console, the keyboard, and the width.

`python -m tests.diagrams.site_pages` builds the site and looks at every page; the suite does so with one page of each kind.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")

FOUND = """async only => (await axe.run(document, {resultTypes: ['violations'], ...only && {runOnly: only}})).violations
    .map(each => `${each.id}: ${each.nodes.map(node => node.target.join(' ')).join(', ')}`)"""

COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe-core that depend on the colour scheme"""

COUNT = """within => {
    window.reached = new Set();
    window.asked = [...document.querySelectorAll(
        ['a[href]', 'button', 'input', 'select', 'textarea', 'summary', '[tabindex]'].map(each => `${within} ${each}`).join())];
    document.addEventListener('focusin', event => reached.add(event.target));
    const place = document.querySelector(within);
    if (within !== 'html' && place) {  // Tab goes on from there
        place.tabIndex = -1;
        place.focus();
    }
    return asked.length;
}"""

UNREACHED = """() => asked
    .filter(each => each.checkVisibility({visibilityProperty: true}) && each.tabIndex >= 0 && !each.disabled)
    .filter(each => each.type !== 'radio' && !reached.has(each))
    .map(each => each.outerHTML.slice(0, 80))"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address on loopback where the files of a folder are."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def complaints(browser: Browser, address: str, pages: Iterable[str]) -> Iterator[str]:
    """What is wrong with each of the pages, in both colour schemes and widths."""
    context = browser.new_context(bypass_csp=True)
    context.add_init_script(script=AXE.read_text(encoding="utf-8"))  # path= would leave a thread that reads it
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    within = "html"  # what is around an article is tried on the first page: it is the same on all
    try:
        for name in pages:
            page.set_viewport_size({"width": WIDTHS[0], "height": 900})
            page.goto(f"{address}/{name}")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                for scheme in SCHEMES:
                    only = None if scheme == SCHEMES[0] else COLOURS
                    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                    page.evaluate("() => Promise.all(document.getAnimations().map(each => each.finished.catch(() => {})))")
                    yield from (f"{name}, {scheme}, {width} px: {each}" for each in page.evaluate(FOUND, only))
                if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
                    yield f"{name}, {width} px: is wider than the window"
            page.set_viewport_size({"width": WIDTHS[0], "height": 900})
            yield from (f"{name}: the keyboard does not reach {each}" for each in unreached(page, within))
            within = "article"
            yield from (f"{name}: {each}" for each in said)
            said.clear()
    finally:
        context.close()


def unreached(page: Page, within: str = "html") -> list[str]:
    """What can be used on a page, or within a part of it, and is not reached by Tab."""
    count = page.evaluate(COUNT, within)
    count += sum(frame.evaluate("document.querySelectorAll('*').length") for frame in page.frames[1:])
    for _ in range(count + 10):
        page.keyboard.press("Tab")
    found: list[str] = page.evaluate(UNREACHED)
    return found


def main() -> int:
    """Build the site, and print what is wrong with its pages; their number where nothing is."""
    from diagrams.programs import chromium

    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        subprocess.run((sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", folder), cwd=ROOT, check=True)
        pages = sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*.html"))
        with served(Path(folder)) as address:
            wrong = 0
            for complaint in complaints(browser, address, pages):
                print(complaint, flush=True)
                wrong += 1
    print(f"{len(pages)} pages, {wrong} complaints")
    return wrong > 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    sys.exit(main())
