"""`lifecycle learn`: learns the state machine of an implementation, and compares it with its role."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lifecycle.cli.choosing import chosen_role
from lifecycle.cli.output import examples, write, write_json
from lifecycle.system.output import write_whole

if TYPE_CHECKING:
    from lifecycle.conformance.learning.learn import Learned
    from lifecycle.conformance.learning.machine import Machine

EPILOG = examples(
    "lifecycle learn socket --role client         what a client of the standard library does",
    "lifecycle learn agent:./agent --seconds 60   a program's, with a budget",
    "lifecycle learn socket --save before.json    for a comparison:",
    "lifecycle learn socket --compare before.json",
    "lifecycle learn socket --picture client.svg  what differs from the role in red",
)


@click.command("learn", epilog=EPILOG, short_help="Learn the state machine of an implementation, and compare it with a role.")
@click.argument("target", metavar="TARGET", help="The same as for `lifecycle conform`.")
@click.option("--role", metavar="ROLE", default="client", help="The role to learn.")
@click.option("--seconds", metavar="N", type=click.FloatRange(0, min_open=True), help="The time limit.")
@click.option("--save", metavar="FILE", type=click.Path(path_type=Path), help="Write the machine as JSON.")
@click.option("--compare", metavar="FILE", type=click.Path(path_type=Path), help="Compare with a saved machine.")
@click.option("--picture", metavar="FILE", type=click.Path(path_type=Path), help="Draw it: .dot or .svg.")
@click.option("--json", "as_json", is_flag=True, help="Print the machine and the differences as JSON.")
def learn(
    target: str,
    role: str,
    seconds: float | None,
    save: Path | None,
    compare: Path | None,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Learn the state machine of an implementation, and list its differences from the role, each with steps that show it.

    Exits with 1 if it differs from the machine of --compare, or, without that option, from the role without an explanation; or
    if its answers waver.
    """
    from lifecycle.conformance.learning.asking import TimeIsOver
    from lifecycle.conformance.learning.machine import BadMachine, read_machine
    from lifecycle.conformance.targets import UnknownTarget, target_named

    try:
        from lifecycle.conformance.learning.learn import learn as learned
    except ModuleNotFoundError as error:
        if error.name != "aalpy":
            raise
        raise click.UsageError('learning needs aalpy: pip install "socket-lifecycle[learn]"') from None
    try:
        earlier = None if compare is None else read_machine(compare)
    except BadMachine as error:
        raise click.BadParameter(str(error), param_hint="--compare") from None
    except OSError as error:
        raise click.BadParameter(f"cannot read {compare}: {error.strerror}", param_hint="--compare") from None
    for option, file in (("--save", save), ("--picture", picture)):
        if file is not None and not file.parent.is_dir():
            raise click.BadParameter(f"cannot write {file}: {os.strerror(errno.ENOENT)}", param_hint=option)
    try:
        chosen = target_named(target)
        found = learned(chosen, chosen_role(role, chosen.roles, where="--role"), seconds=seconds)
    except UnknownTarget as error:
        raise click.BadParameter(str(error), param_hint="TARGET") from None
    except KeyError:
        raise click.BadParameter(f"{target} does not have this role", param_hint="--role") from None
    except TimeIsOver:
        raise click.BadParameter("too little time for a first guess", param_hint="--seconds") from None
    _write_files(found, save, picture)
    if as_json:
        write_json(_data(found, earlier))
    else:
        write("".join(f"{line}\n" for line in _page(found, earlier)))
    unexplained = [each for each in found.differences if not each.explanation]
    differs = unexplained if earlier is None else found.machine.against(earlier)
    if differs or found.wavering:
        raise click.exceptions.Exit(1)


def _write_files(found: Learned, save: Path | None, picture: Path | None) -> None:
    from lifecycle.diagrams.pictures import svg

    files = {}
    if save is not None:
        files[save] = json.dumps(found.machine.data(), indent=1) + "\n"
    if picture is not None:
        dot = found.machine.picture(found.model)
        files[picture] = svg(dot) if picture.suffix == ".svg" else dot
    for file, text in files.items():
        try:
            write_whole(file, text)
        except OSError as error:
            raise click.BadParameter(f"cannot write {file}: {error.strerror}") from None


def _data(found: Learned, earlier: Machine | None) -> dict[str, Any]:
    def rows(differences: Any) -> list[dict[str, Any]]:
        return [
            {
                "state": each.state,
                "step": each.letter,
                "expected": each.expected,
                "got": each.got,
                "steps": list(each.word),
                "explanation": each.explanation,
            }
            for each in differences
        ]

    return {
        **found.machine.data(),
        "differences": rows(found.differences),
        "wavering": [{"steps": list(each.word), "answers": each.answers} for each in found.wavering],
        "changed": None if earlier is None else rows(found.machine.against(earlier)),
        "words": found.words,
        "steps": found.steps,
        "seconds": round(found.seconds, 3),
    }


def _page(found: Learned, earlier: Machine | None) -> Iterator[str]:
    machine = found.machine
    names = machine.names(found.model)
    yield f"{machine.target}: {machine.role}: {len(machine.table)} states of {len(machine.letters)} steps"
    yield f"  {found.words:,} words, {found.steps:,} steps, {found.seconds:.1f} s" + ("" if machine.whole else "; partial")
    yield ""
    for state, row in enumerate(machine.table):
        yield f"q{state} {names.get(state, 'in no state of the role')}"
        answers: dict[tuple[str, int], list[str]] = {}
        for letter, pair in row.items():
            answers.setdefault(pair, []).append(letter)
        for (said, after), letters in answers.items():
            way = "" if after == state else f" -> q{after}"
            yield f"    {said}{way}: {', '.join(letters)}"
    sections = [("differs from the role", found.differences)]
    if earlier is not None:
        sections.append((f"differs from the machine of {earlier.target} that was saved", machine.against(earlier)))
    for title, differences in sections:
        yield f"\n{title}: {len(differences)}"
        for each in differences:
            yield f"  {machine.role}{each}"
            yield f"      {' > '.join(each.word)}"
            if each.explanation:
                yield f"      ({each.explanation})"
    for waver in found.wavering:
        yield f"answers waver: {waver}"
