"""`lifecycle archive load`: prints a document as JSON, with the classes of a module."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from lifecycle.cli.archive_files import opened_bytes, stopped
from lifecycle.cli.output import examples, tell, write

EPILOG = examples(
    "lifecycle archive load --classes drawing.py drawing.dat",
    "lifecycle archive load --classes mypackage.drawing drawing.dat",
)


@click.command("load", epilog=EPILOG, short_help="Load a file with the classes of a module.")
@click.argument("file", metavar="FILE", help="The file, or - for standard input.")
@click.option("--classes", "module", metavar="MODULE", required=True, help="A module's name, or a file that ends in .py.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (the default).")
@click.option("--stream", metavar="NAME", help="The stream of an OLE compound file.")
@click.option("--offset", metavar="N", type=click.IntRange(min=0), help="Begin at this byte.")
@click.option("--inflate", is_flag=True, help="Decompress the zlib or gzip data there first.")
def load(file: str, module: str, as_json: bool, stream: str | None, offset: int | None, inflate: bool) -> None:
    """Load a file with the classes of a module, and print it as JSON.

    The module's load(data) makes the document. Without it the file must consist of objects by pointer, of classes that the
    module makes serializable. The module is run: use only one that you trust. Exits with 1 if the file cannot be loaded with
    it.
    """
    from lifecycle.archive import ArchiveError
    from lifecycle.archive.layout.tree import tree_of

    loading = _loader(_module(module))
    with ExitStack() as opened:
        data = bytes(opened_bytes(file, opened, stream=stream, offset=offset, inflate=inflate).data)
    try:
        document = loading(data)
    except ArchiveError as error:
        tell(f"Error: {file}: {error}")
        for note in getattr(error, "__notes__", ()):
            tell(f"  {note}")
        raise click.exceptions.Exit(1) from None
    write(json.dumps({"schema_version": 1, "file": file, "document": tree_of(document)}, indent=2) + "\n")


def _module(name: str) -> ModuleType:
    try:
        if not name.endswith(".py"):
            sys.path.insert(0, "")
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(Path(name).stem, name)
        if spec is None or spec.loader is None:
            raise ImportError("it is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    except (ImportError, OSError, SyntaxError) as error:
        raise stopped(f"cannot import {name}: {error}") from None
    return module


def _loader(module: ModuleType) -> Callable[[bytes], Any]:
    loader: Callable[[bytes], Any] | None = getattr(module, "load", None)
    return loader if callable(loader) and getattr(loader, "__module__", "") == module.__name__ else _objects


def _objects(data: bytes) -> list[Any]:
    """All objects by pointer of an archive, to its end."""
    from lifecycle.archive import Archive

    things = []
    with Archive(BytesIO(data), "load") as archive:
        while not archive.at_end:
            things.append(archive.read_object())
    return things
