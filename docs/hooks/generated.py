"""Generated pages of the site: one for each role, the command's help, the interactive page, and the navigation.

A role's page is made from its table; its picture is the package's, which a test keeps current.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from inspect import getattr_static
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from lifecycle.checking.formats.codes import CODES, Code
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

INHERITING = re.compile(r"^::: (\S+)\n    options: \{ inherited_members: true \}", re.MULTILINE)
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
            here += sorted(page for page in found - named if not page.startswith("reference/"))
        sections.append({section: here})
    roles = [{role: f"reference/roles/{role}.md"} for role in ROLES]
    reference: list[Any] = [
        {"Roles": ["reference/roles/index.md", *roles]},
        {"The command": "reference/command.md"},
        {
            "Codes of problems": [
                "reference/codes/index.md",
                *({code.name: f"reference/codes/{code.name}.md"} for code in CODES),
            ]
        },
        *sorted(page for page in found - named if page.startswith("reference/")),
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
        "reference/codes/index.md": codes_page(),
        "reference/roles/index.md": roles_page(),
        "demo.svg": (DIAGRAMS / "demo.svg").read_text(encoding="utf-8"),
    }
    texts |= {f"reference/codes/{code.name}.md": code_page(code) for code in CODES}
    for role in ROLES.values():
        texts[f"reference/roles/{role.name}.md"] = role_page(role)
        texts[f"reference/roles/{role.name}.svg"] = state_diagram(role, "svg")
    for path, text in texts.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The landing page gets the README's table of features; of classes that inherit, each member is described once a page."""
    if "@features@" in markdown:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        table = readme.partition("### Compared with other sockets\n\n")[2].partition("\n## ")[0]
        markdown = markdown.replace("@features@", table.strip())
    described: dict[int, str] = {}
    return INHERITING.sub(lambda found: _described_once(found[1], described), markdown)


def _described_once(path: str, described: dict[int, str]) -> str:
    """The entry of a class, with those inherited members that no class before it on the page has; the others are named."""
    module, _, name = path.rpartition(".")
    own = getattr(import_module(module), name)
    inherited: list[str] = []
    others: dict[str, list[str]] = {}
    for member in dict.fromkeys(each for base in own.__mro__[1:-1] for each in vars(base) if not each.startswith("_")):
        value = id(getattr_static(own, member))
        if member in vars(own):
            continue
        if value in described:
            others.setdefault(described[value], []).append(member)
        else:
            described[value] = name
            inherited.append(member)
    entry = f"::: {path}\n    options: {{ inherited_members: {json.dumps(inherited)} }}\n"
    as_others = (
        f"As `{other}` has them: {', '.join(f'`{each}`' for each in sorted(names))}." for other, names in others.items()
    )
    return "\n".join((entry, *as_others))


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
    head = ("# Roles", "", "| role | what it does | states | rows |", "|---|---|---|---|", *rows, "")
    return "\n".join(head) + "\nInteractively: [the page to explore](../../explore.html).\n"


def command_page() -> str:
    """The help texts of the command and its subcommands, as the command prints them."""
    parts = ["# The command", "", *_help(())]
    for words in _subcommands(app):
        parts += [f"## lifecycle {' '.join(words)}", "", *_help(words)]
    return "\n".join(parts)


def codes_page() -> str:
    """The list of codes."""
    rows = [f"| [{code.name}]({code.name}.md) | `{code.kind}` | {code.title} |" for code in CODES]
    head = (
        "# Codes of problems",
        "",
        "`lifecycle explain LC101` prints the same.",
        "",
        "| code | kind | problem |",
        "|---|---|---|",
    )
    return "\n".join((*head, *rows)) + "\n"


def code_page(code: Code) -> str:
    """What `lifecycle explain` says of a code."""
    silence = f"A comment `# lifecycle: ignore[{code.name}]` silences it in its line; [others](../../how-to/lint.md)."
    return f"# {code.name}: {code.title}\n\nA problem of kind `{code.kind}`. {code.explanation}\n\n{silence}\n"


def _subcommands(group: Any, *before: str) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context) if isinstance(group, click.Group) else ():
        words = (*before, name)
        yield words
        yield from _subcommands(group.get_command(context, name), *words)


def _help(words: tuple[str, ...]) -> list[str]:
    text = CliRunner(env={"COLUMNS": "90"}).invoke(app, [*words, "--help"], prog_name="lifecycle").stdout
    return ["```text", text.strip(), "```", ""]
