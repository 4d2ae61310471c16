"""The page to explore, in a real browser: every call of every role can be clicked, and every refused one explains itself."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from diagrams.programs import needs_dot
from long_form import WHOLE, combinations

from lifecycle import Client, Journal, Role, Server
from lifecycle.diagrams import explorer_page, pictures
from lifecycle.engine import Call, State
from lifecycle.roles import ROLES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WAY = """steps => {
    document.getElementById('reset').click();
    for (const [call, outcome] of steps) find(call, outcome).click();
    return document.getElementById('state').textContent;
}"""

OUTCOMES = """steps => steps.map(([call, outcome]) => {
    find(call, outcome).click();
    const found = [document.getElementById('state').textContent, document.querySelectorAll('#picture .present').length];
    document.getElementById('undo').click();
    return found;
})"""

FIND = """() => {
    window.find = (call, outcome) =>
        document.querySelector(`#legal [data-call="${CSS.escape(call)}"][data-outcome="${CSS.escape(outcome)}"]`);
    history.replaceState = () => {};
}"""
"""The address, which other tests look at, stays: the browser takes longer to change it than the page takes for the click"""

REFUSALS = """() => [...document.querySelectorAll('#refused .call')].map(button => {
    button.click();
    const item = button.closest('li');
    const text = selector => item.querySelector(selector)?.textContent ?? '';
    return [button.dataset.call, text('.reason'), text('.advice'), text('.answers'), text('.go')];
})"""


@pytest.fixture(scope="module")
def opened(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page with all roles; an error in it fails the test that uses it next."""
    folder = tmp_path_factory.mktemp("page")
    with browser.new_context(offline=True) as context, opening(context.new_page(), explorer_page(), folder) as page:
        yield page


@contextmanager
def opening(page: Page, text: str, folder: Path) -> Iterator[Page]:
    """A page of the browser with this text, from a file: it must ask for nothing else, and neither fail nor complain."""
    file, complaints = folder / "explore.html", []
    file.write_text(text, encoding="utf-8")
    listeners = {
        "pageerror": lambda error: complaints.append(str(error)),
        "console": lambda message: complaints.append(message.text),
        "request": lambda request: complaints.append(request.url) if request.url != file.as_uri() else None,
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    try:
        page.goto(file.as_uri())
        yield page
        page.evaluate("0")  # what the page said before that has arrived
    finally:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
    assert complaints == []


def paths(role: Role) -> dict[str, list[tuple[str, str]]]:
    """state -> the clicks that lead to it from a new object."""
    found: dict[str, list[tuple[str, str]]] = {role.initial: []}
    queue = deque([role.initial])
    while queue:
        state = queue.popleft()
        for call, outcomes in role.table[state].items():
            for outcome, after in outcomes.items():
                if after not in found:
                    found[after] = [*found[state], (call, outcome)]
                    queue.append(after)
    return found


OF_EACH_KIND = ROLES.values() if WHOLE else [ROLES["server"], ROLES["archive"]]
"""Every role in the whole form; in the suite one of sockets, and one that is not"""


@pytest.mark.parametrize("role", OF_EACH_KIND, ids=lambda role: role.name)
def test_every_call_can_be_clicked(opened: Page, role: Role) -> None:
    """From a new object, clicks lead to every state; there legal calls lead where the table says, others explain themselves."""
    opened.select_option("#role", label=role.name)
    opened.evaluate(FIND)
    for state, way in paths(role).items():
        assert opened.evaluate(WAY, way) == state
        steps = {(call, outcome): after for call, row in role.table[state].items() for outcome, after in row.items()}
        led = opened.evaluate(OUTCOMES, list(steps))
        assert led == [[after, 1] for after in steps.values()]
        offered = opened.evaluate("[...document.querySelectorAll('#legal .call')].map(each => each.dataset.call)")
        assert offered == [call.name for call in role.calls if call.name in role.table[state]]
        explains_refusals(opened, role, state)


def explains_refusals(opened: Page, role: Role, state: str) -> None:
    """Each refused call is there, and shows the table's reason, what to call first, and the systems' answers."""
    found = {call: rest for call, *rest in opened.evaluate(REFUSALS)}
    assert tuple(found) == role.illegal(state)
    for call, (reason, advice, answers, go) in found.items():
        expected, remedy = role.reason(state, call), role.remedy(state, call)
        assert reason.lower() == (f"{expected}." if expected else "").lower()
        assert ("first" in advice) == (remedy is not None)
        assert all(f"{step}()" in advice for step in remedy or ())
        waits_for_peer = "receive" in (remedy or ())  # no click makes the peer end
        assert (go != "") == (bool(remedy) and not waits_for_peer)
        assert not answers or re.fullmatch(r"(Winsock|Linux) would .*\.", answers)
    assert opened.inner_text("#state") == state


def test_what_to_do_first_can_be_done(opened: Page) -> None:
    """The button of an explanation makes the calls that it names, and then the call is legal."""
    opened.select_option("#role", label="client")
    opened.click("#refused .call[data-call=send]")
    opened.click("#refused .go")
    assert opened.inner_text("#state") == "connected"
    assert opened.is_visible("#legal .call[data-call=send]")
    assert opened.locator("#path li").all_inner_texts() == ["create() \u2192 bound", "connect() \u2192 connected"]


def test_the_keyboard_is_enough(opened: Page) -> None:
    """Arrows find the calls, Enter makes one, u takes it back, n begins anew, and the focus stays where one works."""
    opened.select_option("#role", label="server")
    opened.locator("body").press("n")
    opened.evaluate("document.activeElement.blur()")
    opened.keyboard.press("ArrowDown")
    opened.keyboard.press("Enter")
    assert opened.inner_text("#state") == "bound"
    assert opened.evaluate("document.activeElement.closest('#legal, #refused') !== null")
    opened.keyboard.press("u")
    assert opened.inner_text("#state") == "empty"
    opened.keyboard.press("Enter")
    opened.keyboard.press("n")
    assert opened.inner_text("#state") == "empty"
    opened.keyboard.press("2")
    assert opened.is_visible("#replay")
    opened.keyboard.press("1")
    assert opened.is_visible("#explore")


@needs_dot
def test_the_picture_follows(opened: Page) -> None:
    """The present state and the edges of the path are marked; a click on a state puts the object there."""
    opened.select_option("#role", label="server")
    opened.click("#legal .call[data-call=create]")
    assert "bound" in (opened.text_content(".node.present") or "")
    assert opened.locator("#picture .edge.taken").count() == 1
    opened.locator("#picture .node", has_text="listening").first.click()
    assert opened.inner_text("#state") == "listening"
    assert opened.locator("#picture .edge.taken").count() == 0


def test_a_run_can_be_loaded_and_stepped_through(opened: Page, tmp_path: Path) -> None:
    """The page reads a journal's file; keys step through it; each object's state is shown, and a refusal says why."""
    file = tmp_path / "run.jsonl"
    file.write_text("\n".join(recorded()))
    opened.keyboard.press("2")
    opened.set_input_files("#run", file)
    opened.locator("#count", has_text="of 5").wait_for()
    opened.evaluate("document.activeElement.blur()")
    assert opened.inner_text("#count") == "1 of 5"
    assert opened.inner_text("#objects") == "Server#1: bound"
    opened.keyboard.press("ArrowRight")
    assert "accept() is not legal in state 'bound'" in opened.inner_text("#step")
    opened.keyboard.press("End")
    assert opened.inner_text("#objects").split("\n") == ["Server#1: closed", "Client#1: closed"]
    assert opened.is_disabled("#next")
    opened.keyboard.press("Home")
    opened.click("#events li:nth-child(3) button")
    assert "listen" in opened.inner_text("#step")
    opened.keyboard.press("1")


def recorded() -> list[str]:
    """The lines of a run with two objects, five calls and one refusal."""
    from lifecycle import IllegalCall

    with Journal() as journal, Client() as client, Server() as server:
        server.create(0, "127.0.0.1")
        with pytest.raises(IllegalCall):
            server.accept()
        server.listen()
        server.close()
        client.close()
    return list(journal.lines())[:5]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "line 1 is not JSON"),
        ("\n[]", "line 2 has no role"),
        ("null", "line 1 has no role"),
        (
            json.dumps(dict.fromkeys(("role", "subject", "state", "call"), "x") | {"began": 1, "arguments": 5}),
            "arguments is not a string",
        ),
        ("", "no record"),
    ],
)
def test_a_file_that_is_not_a_run_is_refused_in_words(opened: Page, tmp_path: Path, text: str, complaint: str) -> None:
    """The error for a file that is not a journal has its first wrong line, and the page goes on."""
    file = tmp_path / "wrong.txt"
    file.write_text(text)
    opened.keyboard.press("2")
    opened.set_input_files("#run", file)
    opened.locator("#run-error", has_text=complaint).wait_for()
    opened.keyboard.press("1")


def test_a_run_can_come_with_the_page(blank: Page, tmp_path: Path) -> None:
    """A page that was made with a run opens with it."""
    from lifecycle.diagrams import read_records

    with opening(blank, explorer_page(records=read_records(recorded())), tmp_path) as page:
        assert page.is_visible("#replay")
        assert page.inner_text("#count") == "1 of 5"


AWKWARD = Role(
    name='</script><b>"&',
    doc="A role whose names are markup: <i>&amp;</i> @data@ @script@.",
    states=(State("__proto__", "<b>Bold</b>"), State("constructor", "."), State("over\n", "'\"")),
    calls=(Call("toString", "."), Call("<img src=x onerror=alert(1)>", "."), Call("never", ".", reason="</script>")),
    rows=(
        ("__proto__", "toString", {"ok": "constructor"}),
        ("constructor", "<img src=x onerror=alert(1)>", {"ok": "over\n", "failed": "__proto__"}),
    ),
    initial="__proto__",
    final=frozenset({"over\n"}),
)


@pytest.mark.parametrize("has_pictures", [True, False])
def test_no_name_breaks_the_page(blank: Page, tmp_path: Path, has_pictures: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that are markup, or words of the page's language, are shown and work, with pictures and without."""
    if not has_pictures:
        monkeypatch.setattr(pictures, "PROGRAMS", ())
    with opening(blank, explorer_page([AWKWARD]), tmp_path) as page:
        assert page.inner_text("#state") == "__proto__"
        page.click("#legal .call")
        assert page.inner_text("#state") == "constructor"
        page.click("#legal .outcome.failure")
        page.click("#legal .call")
        page.click("#legal .call")
        assert page.inner_text("#state") == "over\\n"
        assert page.locator("#picture .present").count() == 1


SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True},
}

CONTRASTS = """() => {
    const channels = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = colour => {
        const [r, g, b] = channels(colour).map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = element => {
        for (; element; element = element.parentElement) {
            const colour = getComputedStyle(element).backgroundColor;
            if ((channels(colour)[3] ?? 1) > 0) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    return [...document.querySelectorAll('body *')]
        .filter(each => each.checkVisibility() && !each.disabled && !each.closest('svg, script'))
        .filter(each => [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
        .map(each => {
            const [one, other] = [light(getComputedStyle(each).color), light(ground(each))].sort((a, b) => b - a);
            return [each.textContent.slice(0, 40), (one + 0.05) / (other + 0.05)];
        });
}"""


@pytest.mark.parametrize(("screen", "scheme"), combinations(SCREENS, ("light", "dark")))
def test_the_page_is_readable(browser: Browser, tmp_path: Path, screen: str, scheme: str) -> None:
    """On a desktop and a phone, light and dark: nothing sticks out sideways, texts have contrast, buttons are large enough."""
    with (
        browser.new_context(offline=True, color_scheme=scheme, **SCREENS[screen]) as context,
        opening(context.new_page(), explorer_page(), tmp_path) as page,
    ):
        page.select_option("#role", label="client")
        page.click("#legal .call[data-call=create]")
        page.click("#refused .call[data-call=send]")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        faint = [(text, round(ratio, 2)) for text, ratio in page.evaluate(CONTRASTS) if ratio < 4.5]
        assert faint == []
        heights = page.evaluate(
            "[...document.querySelectorAll('main button')].filter(b => b.offsetHeight).map(b => b.offsetHeight)"
        )
        assert min(heights) >= 30
        (tmp_path / "screen.png").write_bytes(page.screenshot(full_page=True))  # pytest keeps it


def test_the_page_is_one_file() -> None:
    """Nothing in the page refers to anything outside it, and its data is what the roles are."""
    text = explorer_page()
    assert not re.search(r'(?:src|href)="|@import|url\(|https?://(?!www\.w3\.org/)', re.sub(r"<a xlink:\w+=.*?>", "", text))
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    assert [role["name"] for role in data["roles"]] == list(ROLES)
