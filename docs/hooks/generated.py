"""Generated pages of the site: one for each role, the command's help, the interactive page, and the navigation.

A role's page is made from its table; its picture is the package's, which a test keeps current.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from lifecycle.checking.formats.codes import CODES
from lifecycle.cli.app import app
from lifecycle.diagrams import explorer_page, state_diagram
from lifecycle.engine import Role
from lifecycle.roles import ROLES

ROOT = Path(__file__).parents[2]
DIAGRAMS = ROOT / "diagrams"

WRITTEN: dict[str, list[str]] = {
    "Tutorial": ["install.md", "tutorial.md"],
    "How-to": [
        "how-to/socket-layer.md", "sockets.md", "unix.md", "messages.md", "ecosystem.md", "how-to/check-a-program.md",
        "how-to/test-an-implementation.md", "how-to/draw.md", "how-to/talk-to-mfc.md", "how-to/own-lifecycle.md",
    ],
    "Explanation": ["engine.md"],
}  # fmt: skip
"""section -> its pages in order; pages that are not named here follow the guides"""

FIRST_OF_API = "reference/api/lifecycle.md"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Build the navigation from the existing pages."""
    folder = Path(config.docs_dir)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.md")}
    api = sorted((page for page in found if page.startswith("reference/api/")), key=lambda page: (page != FIRST_OF_API, page))
    named = {page for pages in WRITTEN.values() for page in pages} | set(api) | {"index.md"}
    sections: list[Any] = [{"Overview": "index.md"}]
    for section, pages in WRITTEN.items():
        here = [page for page in pages if page in found]
        if section == "How-to":
            here += sorted(found - named)
        sections.append({section: here})
    roles = [{role: f"reference/roles/{role}.md"} for role in ROLES]
    reference: list[Any] = [
        {"Roles": ["reference/roles/index.md", *roles]},
        {"The command": "reference/command.md"},
        {"Codes of problems": "reference/codes.md"},
        {"API": api},
    ]
    sections.append({"Reference": reference})
    config.nav = sections
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    texts = {
        "explore.html": explorer_page(),
        "reference/command.md": command_page(),
        "reference/codes.md": codes_page(),
        "reference/roles/index.md": roles_page(),
        "demo.svg": (DIAGRAMS / "demo.svg").read_text(encoding="utf-8"),
    }
    for role in ROLES.values():
        texts[f"reference/roles/{role.name}.md"] = role_page(role)
        texts[f"reference/roles/{role.name}.svg"] = state_diagram(role, "svg")
    for path, text in texts.items():
        files.append(File.generated(config, path, content=text))
    return files


def role_page(role: Role) -> str:
    """The reference page of a role: its picture, then its tables."""
    title, doc, rest = state_diagram(role, "markdown").split("\n\n", 2)
    picture = f"[![The states of {role.name}]({role.name}.svg)]({role.name}.svg)"
    more = f"Interactively: [the page to explore](../../explore.html#{role.name})."
    return "\n\n".join(("---\nhide: [toc]\n---", title, doc, picture, more, rest))


def roles_page() -> str:
    """The list of roles."""
    rows = [
        f"| [{role.name}]({role.name}.md) | {role.doc} | {len(role.states)} | {len(role.cells())} |" for role in ROLES.values()
    ]
    head = ("# Roles", "", "| role | | states | rows |", "|---|---|---|---|", *rows, "")
    return "\n".join(head) + "\nInteractively: [the page to explore](../../explore.html).\n"


def command_page() -> str:
    """The help texts of the command and its subcommands, as the command prints them."""
    parts = ["# The command", "", *_help(())]
    for words in _subcommands(app):
        parts += [f"## lifecycle {' '.join(words)}", "", *_help(words)]
    return "\n".join(parts)


def codes_page() -> str:
    """What `lifecycle explain` says of every code."""
    entries = (
        f"## {code.name}: {code.title} {{#{code.name}}}\n\nA problem of kind `{code.kind}`. {code.explanation}\n"
        for code in CODES
    )
    return "\n".join(("# Codes of problems\n", "As `lifecycle explain LC101` prints them.\n", *entries))


def _subcommands(group: Any, *before: str) -> Iterator[tuple[str, ...]]:
    for name, command in getattr(group, "commands", {}).items():
        words = (*before, name)
        yield words
        yield from _subcommands(command, *words)


def _help(words: tuple[str, ...]) -> list[str]:
    text = CliRunner(env={"COLUMNS": "90"}).invoke(app, [*words, "--help"], prog_name="lifecycle").stdout
    return ["```text", text.strip(), "```", ""]
