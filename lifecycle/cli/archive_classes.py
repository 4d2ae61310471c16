"""`lifecycle archive classes`: Python classes from the Serialize functions of C++ sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from lifecycle.cli.archive_files import stopped
from lifecycle.cli.output import examples, write

SUFFIXES = frozenset({".cpp", ".cxx", ".cc", ".h", ".hpp", ".hxx", ".inl"})

EPILOG = examples(
    "lifecycle archive classes DrawDoc.cpp Shape.cpp Shape.h > drawing.py",
    "lifecycle archive classes src/ > drawing.py",
    "lifecycle archive load --classes drawing.py drawing.dat",
)


@click.command("classes", epilog=EPILOG, short_help="Write Python classes from C++ sources.")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, help="C++ files, or folders of them.")
def classes(sources: tuple[str, ...]) -> None:
    """Write a Python module of the classes whose Serialize functions are in C++ sources.

    Branches, loops and conditions are kept; types come from the declarations, so pass the headers too. Members without a type
    are marked UNTYPED, statements that were not translated BY HAND; their numbers are printed at the end. This
    needs the extra [cpp].
    """
    from lifecycle.archive.cpp import module_of, read_sources

    try:
        written = module_of(read_sources(_files(sources)))
    except ImportError:
        raise stopped('C++ is read by tree-sitter: pip install "socket-lifecycle[cpp]"') from None
    if not written.classes:
        raise stopped("these sources have no Serialize(CArchive&) function")
    write(written.text)
    click.echo(
        f"{len(written.classes)} classes; {written.untyped} types not found, {written.by_hand} statements to write by hand",
        err=True,
    )


def _files(names: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        path = Path(name)
        chosen = sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        for each in chosen:
            try:
                yield each.name, each.read_bytes()
            except OSError as error:
                raise stopped(f"cannot read {each}: {error.strerror}") from None
