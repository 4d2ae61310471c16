"""The code in the README, in the documentation and in docstrings runs, as it stands."""

from __future__ import annotations

import doctest
import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from lifecycle.archive import REGISTRY

ROOT = Path(__file__).parent.parent

BLOCKS = [
    pytest.param(code, id=f"{path.relative_to(ROOT).as_posix()}-{number}")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL), 1)
]

WITH_EXAMPLES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "lifecycle").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("code", BLOCKS)
def test_code_block_runs_and_prints_what_it_says(
    code: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code block of the documents runs without an error, and prints what its comments behind print(...) say."""
    module = ModuleType("document")  # dataclasses look their annotations up in the module of their class
    monkeypatch.setitem(sys.modules, "document", module)
    # its serializable classes go with it: other tests have classes of these names
    monkeypatch.setattr(REGISTRY, "_by_name", {name: [*entries] for name, entries in REGISTRY._by_name.items()})
    exec(compile(code, "<document>", "exec", dont_inherit=True), vars(module))
    promised = re.findall(r"print\(.*\)\s+# (.*)", code)
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in promised if line not in printed] == []


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_of_docstrings_run_and_print_what_they_say(module: str) -> None:
    """The examples in a module's docstrings, which the API reference shows, print what stands below them."""
    failed, tried = doctest.testmod(import_module(module))
    assert tried
    assert not failed


def test_readme_shows_the_refusal_as_it_is() -> None:
    """The refusal that the README shows is word for word the one that a user gets."""
    from lifecycle import IllegalCall, Server

    with Server() as server:
        server.create(0, "127.0.0.1")
        with pytest.raises(IllegalCall) as caught:
            server.accept()
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    own_words, _, _ = str(caught.value).partition("\n  Winsock")
    assert f"lifecycle.IllegalCall: {own_words}" in text
