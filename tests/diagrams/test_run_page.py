"""The page of a run, in a real browser: one cursor, filters, marks, code to copy; quick with many calls, safe with any text."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from diagrams.test_explorer import opening
from loopback import LONG, PROGRAM_ENDS
from strategies import HOSTILE

from lifecycle import Accepted, Client, IllegalCall, Journal, Server
from lifecycle.diagrams import explorer_page, save_run
from lifecycle.engine import Record
from lifecycle.roles import ROLES

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def conversation() -> list[Record]:
    """A server and a client that talk in two threads; the server is asked to accept too early."""
    with Journal() as journal, Server(timeout=LONG) as server, Client(timeout=LONG) as client, Accepted() as accepted:
        server.create(0, "127.0.0.1")
        with pytest.raises(IllegalCall):
            server.accept()
        server.listen()
        waiting = threading.Thread(target=server.accept, args=(accepted,), name="server")
        waiting.start()
        client.create()
        client.connect(*server.local_address)
        waiting.join(LONG)
        client.send(b"question")
        accepted.receive(8)
    return journal.records


@pytest.fixture
def page(blank: Page, tmp_path: Path, conversation: list[Record]) -> Iterator[Page]:
    """The page of that conversation, as save_run() writes it."""
    file = tmp_path / "saved.html"
    save_run(conversation, file)
    with opening(blank, file.read_text(encoding="utf-8"), tmp_path) as opened:
        yield opened


def shown(page: Page) -> list[str]:
    """The calls in the list, without their times."""
    return page.locator("#events .text").all_inner_texts()


def test_one_cursor_moves_everything(page: Page, conversation: list[Record]) -> None:
    """A step moves the list, the objects' states, the source line, and the pictures of both ends."""
    count = len(conversation)
    assert page.inner_text("#count") == f"1 of {count}"
    page.locator("#events button", has_text="Client#1: send").click()
    assert page.locator("#events [aria-current=true]").count() == 1
    assert "client.send(b" in page.inner_text("#source")
    assert page.locator("#replay figcaption").all_inner_texts() == ["Client#1: connected", "Accepted#1: connected"]
    assert page.locator("#replay-picture .edge.newest, #peer-picture .edge.newest").count() > 0
    page.keyboard.press("End")
    assert "Server#1: closed" in page.inner_text("#objects")
    assert page.inner_text("#count") == f"{count} of {count}"
    page.keyboard.press("Home")
    page.keyboard.press("p")
    page.locator("#count", has_text=re.compile(r"^([3-9]|\d\d+) of")).wait_for()
    page.keyboard.press("p")


def test_the_list_can_be_narrowed(page: Page) -> None:
    """By object, by thread, by what went wrong, and by words; the chart has the same rows."""
    page.select_option("#only-object", label="Server#1")
    assert {text.partition(":")[0] for text in shown(page)} == {"Server#1"}
    page.select_option("#only-bad", "bad")
    assert [text.partition("(")[0] for text in shown(page)] == ["Server#1: accept"]
    assert page.locator("#lanes rect").count() == 1
    assert page.locator("#lanes rect.illegal").count() == 1
    page.select_option("#only-bad", "")
    page.select_option("#only-object", "")
    page.fill("#find", "QUESTION")
    assert all("question" in text for text in shown(page))
    page.fill("#find", "no such call")
    assert page.is_visible("#nothing")


def test_what_is_copied_runs(page: Page, tmp_path: Path) -> None:
    """The program has the calls of the present object; the test passes as it is, refusals included."""
    page.locator("#events button", has_text="Server#1: listen").click()
    page.click("#copy-python")
    program = page.input_value("#copied")
    assert program.startswith("from lifecycle import Server\n\nserver = Server()\nserver.create(0, '127.0.0.1'")
    compile(program, "copied", "exec")
    page.click("#copy-test")
    file = tmp_path / "test_copied.py"
    file.write_text(page.input_value("#copied"), encoding="utf-8")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file))
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_ENDS, check=False, cwd=tmp_path)
    assert "3 passed" in ran.stdout


def test_a_run_can_be_dropped(page: Page) -> None:
    """A file that is dropped on the page is shown in the place of the run before."""
    record = Record("server", "Server#7", "empty", "create", "main", "p.py", 1, "0", 0.0, 0.1, "ok", "bound")
    journal = Journal()
    journal.records = [record]
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.items.add(new File([text], 'run.jsonl'));
            document.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true}));
        }""",
        "\n".join(journal.lines()),
    )
    page.locator("#events button", has_text="Server#7: create").wait_for()
    assert page.inner_text("#count") == "1 of 1"


def many(count: int) -> list[Record]:
    """So many calls on connections that follow each other, one refused in each hundred."""
    records = []
    for number in range(count):
        refused = number % 100 == 50
        subject, at = f"Client#{number // 25}", number / 1000
        outcome, error = ("illegal", "IllegalCall: no.") if refused else ("ok", "")
        args = ("client", subject, "connected", "send", "main", "p.py", 1, "b'x'", at, at + 0.0301, outcome, "connected", error)
        records.append(Record(*args))
    return records


STEPS = """count => {
    for (let number = 0; number < count; number++) {
        document.getElementById('next').click();
        document.body.getBoundingClientRect();
    }
}"""


def test_a_long_run_is_quick(blank: Page, tmp_path: Path) -> None:
    """20,750 calls are shown after a second of processor time at most, and a step takes less than 50 ms, layout included."""
    file = tmp_path / "long.html"
    save_run(many(20_750), file)
    with opening(blank, file.read_text(encoding="utf-8"), tmp_path) as opened:
        session = blank.context.new_cdp_session(blank)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

        def used() -> float:
            metrics = session.send("Performance.getMetrics")["metrics"]
            return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))

        before = used()
        opened.reload()
        opened.wait_for_selector("#events button")
        assert 0 < used() - before < 1
        opened.click("#last")
        opened.click("#first")
        before = used()
        opened.evaluate(STEPS, 21)
        assert 0 < used() - before < 21 * 0.05
        assert opened.locator("#events li").count() < 100


def test_no_text_of_a_run_acts(blank: Page, tmp_path: Path) -> None:
    """Markup, overrides of direction and control bytes in names, arguments and errors are text, cut where it is long."""
    records = [
        Record("client", name, name, name, name, f"{name}.py", 1, name, float(number), number + 0.5, name, name, name)
        for number, name in enumerate(HOSTILE)
    ]
    findings = [{"socket": name, "call": name, "file": f"{name}.py", "line": 1, "text": name, "count": 2} for name in HOSTILE]
    with opening(blank, explorer_page(ROLES.values(), records, findings=findings), tmp_path) as opened:
        opened.evaluate("() => { window.alert = () => { throw new Error('it acted'); }; }")
        opened.evaluate(STEPS, len(records))
        text = opened.inner_text("#replay #list") + opened.inner_text("#objects")
        assert "\u202e" not in text
        assert "\x1b" not in text
        assert max(map(len, text.split("\n"))) < 600
        assert opened.locator("#replay b, #replay script, #replay img").count() == 0


def test_findings_are_listed_and_found(blank: Page, tmp_path: Path, conversation: list[Record]) -> None:
    """A finding has one line with its count; a click puts the cursor on its call, which is marked."""
    call = next(record for record in conversation if record.call == "send")
    finding = {
        "socket": call.subject,
        "call": "send",
        "file": call.file,
        "line": call.line,
        "text": "It is odd.\n  Why.",
        "count": 3,
    }
    with opening(blank, explorer_page(ROLES.values(), conversation, findings=[finding]), tmp_path) as opened:
        opened.click("#findings summary")
        assert opened.locator("#findings-list button").all_inner_texts() == ["It is odd. (3 times)"]
        opened.click("#findings-list button")
        assert "Client#1: send" in opened.inner_text("#events [aria-current=true]")
        assert "It is odd." in opened.inner_text("#step")
        assert opened.locator("#events .found").count() == 1


def test_the_demos_run_is_there_from_the_start(blank: Page, tmp_path: Path) -> None:
    """The page to explore opens with a role, and has the demo's run to step through."""
    with opening(blank, explorer_page(), tmp_path) as opened:
        assert opened.is_visible("#explore")
        opened.keyboard.press("2")
        assert "Server#1" in opened.inner_text("#events")
        assert 'server.create(0, "127.0.0.1")' in opened.inner_text("#source")


def test_an_address_has_the_role_and_the_path(blank: Page, tmp_path: Path) -> None:
    """The address after some calls opens the page where it was; an arrow of the picture makes its call."""
    with opening(blank, explorer_page(), tmp_path) as opened:
        opened.select_option("#role", label="server")
        opened.click("#legal .call[data-call=create]")
        opened.evaluate(
            "document.querySelector('#picture .edge.possible path').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
        )
        state = opened.inner_text("#state")
        assert state != "bound"
        opened.reload()
        assert opened.inner_text("#state") == state
        assert opened.locator("#path li").count() == 2
