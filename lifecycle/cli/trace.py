"""`lifecycle trace`: checks programs in any language by their system calls."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lifecycle.cli.output import examples, fail
from lifecycle.cli.problem_options import baseline_options, format_option, output_option, problems_to_report

if TYPE_CHECKING:
    from lifecycle.checking.traces.walk import Walk

EXISTING = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(
    "trace",
    short_help="Run a program in any language, and check its system calls.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog=examples(
        "lifecycle trace ./server --port 8080     a program in any language, with its children",
        "lifecycle trace --narrow redis-server    only the calls that begin and end sockets: faster",
        "lifecycle trace -p 4711                  a program that runs already, until Ctrl-C",
        "strace -f -o calls.strace ./server; lifecycle trace --read calls.strace",
    ),
)
@click.argument("program", metavar="PROGRAM ARG...", nargs=-1, type=click.UNPROCESSED)
@click.option("--process", "-p", metavar="PID", type=click.IntRange(1), help="Attach to a running process.")
@click.option("--read", metavar="FILE", type=EXISTING, help="Read a trace written by `strace -f`.")
@click.option("--narrow", is_flag=True, help="Watch only the calls that begin and end sockets; data is not seen.")
@click.option("--bpf", is_flag=True, help="Use bpftrace instead of strace: faster, and sees data; needs root.")
@click.option("--stacks", "-k", is_flag=True, help="Name the function that made the call, if there are symbols.")
@format_option
@output_option
@baseline_options
@click.option("--exit-code", is_flag=True, help="Exit with 1, instead of the program's own code, if there is a problem.")
def trace(
    program: tuple[str, ...],
    process: int | None,
    read: Path | None,
    narrow: bool,
    bpf: bool,
    stacks: bool,
    output_format: str,
    output: Path | None,
    baseline: Path | None,
    write_baseline: Path | None,
    exit_code: bool,
) -> None:
    """Check the system calls of a program against the tables: on Linux, with strace or bpftrace.

    The program keeps its arguments, standard input and output, and exit code. With --read the exit code is 1 if there
    is a problem.
    """
    from lifecycle.checking.formats.writers import WRITERS
    from lifecycle.checking.traces import bpf as by_bpf
    from lifecycle.checking.traces.problems import problem_of
    from lifecycle.checking.traces.strace import NothingTraced, TracerMissing, trace_process, trace_program
    from lifecycle.checking.traces.walk import Walk
    from lifecycle.system.output import write_whole

    if sum((bool(program), process is not None, read is not None)) != 1:
        raise click.UsageError("give either a program, --process or --read")
    if bpf and (narrow or stacks or read is not None):
        raise click.UsageError("--bpf works only with a program or --process")
    code, name = 0, ""
    try:
        if read is not None:
            with open(read, errors="replace", encoding="utf-8") as lines:
                walk, name = Walk().read(lines), str(read)
        elif bpf and process is not None:
            (code, walk), name = by_bpf.trace_process(process), f"process {process}"
        elif bpf:
            (code, walk), name = by_bpf.trace_program(program), program[0]
        elif process is not None:
            (code, walk), name = trace_process(process, only_life_cycle=narrow, stacks=stacks), f"process {process}"
        else:
            (code, walk), name = trace_program(program, only_life_cycle=narrow, stacks=stacks), program[0]
    except (NothingTraced, TracerMissing) as error:
        fail(str(error), 2)
    problems = problems_to_report([problem_of(each, name) for each in walk.violations], baseline, write_baseline)
    text = WRITERS[output_format](problems, _unseen(walk))
    if output is not None:
        try:
            write_whole(output, text)
        except OSError as error:
            fail(f"cannot write {output}: {error.strerror}", 2)
    else:
        click.echo(text, nl=False, err=read is None)
    if output_format == "text":
        click.echo(_summary(walk, len(problems)), err=True)
    sys.exit(int(bool(problems)) if exit_code or read is not None else code)


def _summary(walk: Walk, problems: int) -> str:
    head = f"{problems} problem{'s' if problems != 1 else ''}" if problems else "no problems"
    unseen = "".join(f"; not seen: {each}" for each in _unseen(walk))
    return f"lifecycle: {head}; {walk.sockets} sockets, {walk.calls} calls{unseen}"


def _unseen(walk: Walk) -> list[str]:
    return [f"{count} {what}" for what, count in walk.unseen.items()]
