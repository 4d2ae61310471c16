"""`lifecycle roles`: lists the roles."""

from __future__ import annotations

import click

from lifecycle.cli.output import examples, render, terminal, write, write_json
from lifecycle.roles import ROLES

EPILOG = examples(
    "lifecycle roles",
    "lifecycle roles --json | jq -r '.[].name'",
)


@click.command("roles", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def roles(as_json: bool) -> None:
    """List the roles, one per line."""
    if as_json:
        write_json([{"name": role.name, "doc": role.doc} for role in ROLES.values()])
        return
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for role in ROLES.values():
        table.add_row(Text(role.name, "bold"), Text(role.doc))
    write(render(terminal(), table))
