"""`lifecycle show`: a role's table as text or JSON; `lifecycle roles`: the list of roles."""

from __future__ import annotations

import click

from lifecycle.cli.choosing import role_at
from lifecycle.cli.output import examples, write_json, write_parts
from lifecycle.roles import ROLES

SHOW_EPILOG = examples(
    "lifecycle show              every role",
    "lifecycle show server       one role",
    "lifecycle show mypackage.roles:SESSION",
    "lifecycle show --json       an object with every role, by name",
    "lifecycle show server --platforms",
    "lifecycle show client --json | jq '.legal.connected'",
)
ROLES_EPILOG = examples(
    "lifecycle roles",
    "lifecycle roles --json | jq -r '.roles[].name'",
)


@click.command("show", epilog=SHOW_EPILOG, short_help="Show a role: its states, its calls, and why others are refused.")
@click.argument(
    "role",
    metavar="[ROLE]",
    required=False,
    help=f"One of {', '.join(ROLES)}, or your own role: module:NAME or FILE.toml; by default all.",
)
@click.option("--platforms", is_flag=True, help="Add the answers of systems and MFC to each refused call, with the evidence.")
@click.option("--json", "as_json", is_flag=True, help="Print the tables as JSON.")
def show(role: str | None, platforms: bool, as_json: bool) -> None:
    """Show a role: its states and calls, the outcomes of each call with the next states, and refused calls with reasons."""
    chosen = list(ROLES.values()) if role is None else [role_at(role)]
    if as_json:
        from lifecycle.cli.role_data import role_data

        data = {each.name: role_data(each) for each in chosen}
        if platforms:
            from lifecycle.cli.platform_page import platform_data

            data = {each.name: data[each.name] | {"platforms": platform_data(each)} for each in chosen}
        write_json(data if role is None else data[chosen[0].name])
        return
    from lifecycle.cli.role_page import role_page

    parts = [part for each in chosen for part in ("", *role_page(each))]
    if platforms:
        from lifecycle.cli.platform_page import platform_page

        parts += [part for each in chosen for part in platform_page(each)]
    write_parts(*parts[1:])


@click.command("roles", epilog=ROLES_EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def roles(as_json: bool) -> None:
    """List the roles, one per line."""
    if as_json:
        write_json({"roles": [{"name": role.name, "doc": role.doc} for role in ROLES.values()]})
        return
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for role in ROLES.values():
        table.add_row(Text(role.name, "bold"), Text(role.doc))
    write_parts(table)
