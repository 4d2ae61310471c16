"""Reads files: which ones, and the mistakes in one or in many."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.source.attributes import kept_by, uses_one
from lifecycle.checking.source.constructors import CONSTRUCTORS, TYPES, Constructor
from lifecycle.checking.source.farewell import swallowed_farewells
from lifecycle.checking.source.flow import Flow
from lifecycle.checking.source.mistakes import Mistake, Mistakes
from lifecycle.checking.source.module import Function, Module, functions_that_get, module_of, names_one, patched_names
from lifecycle.roles.python.words import FAREWELL
from lifecycle.roles.words import CLOSE

SKIPPED_FOLDERS = frozenset({".git", ".hg", ".venv", "__pycache__", "node_modules"})

FAREWELL_REASON = (
    "When the peer is gone, this call raises, and the close() behind it in the same block is never reached: "
    "close() in a `finally`, or in a block of its own"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The result for one file.

    made: the number of objects whose calls the rules know. followed: on how many of them a call was checked. problem: why the
    file could not be read, or "".
    """

    file: str
    mistakes: tuple[Mistake, ...] = ()
    made: int = 0
    followed: int = 0
    problem: str = ""


def python_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The Python files at and below `paths`, in order; a file that is named is read whatever its suffix."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
            yield from (Path(folder, name) for name in sorted(files) if name.endswith(".py"))


def read_file(path: Path, constructors: Mapping[str, Constructor] = CONSTRUCTORS) -> Reading:
    """The mistakes of one file; a file that cannot be read or parsed is reported as a problem, never as an exception."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return Reading(str(path), problem=f"cannot be read: {error.strerror}")
    return read_source(data, str(path), constructors)


def read_source(
    data: bytes, file: str, constructors: Mapping[str, Constructor] = CONSTRUCTORS, kind: type[Flow] = Flow
) -> Reading:
    """The mistakes of the source `data`, of the file of that name. kind: the reader, Flow or a class derived from it."""
    if not any(word in data for word in _words(constructors)):
        return Reading(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the program that is read
            tree = ast.parse(data, file)
        mistakes = Mistakes(file)
        module = module_of(tree, file)
        makers = {*constructors, *TYPES}
        if names_one(tree, module, makers):
            _read_all(tree, module, kind(module, constructors, mistakes), makers)
        if FAREWELL.encode() in data:
            _add_farewells(tree, module, mistakes)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Reading(file, problem=f"cannot be parsed: {error}")
    found = sorted(mistakes.found.values(), key=lambda mistake: (mistake.line, mistake.column))
    return Reading(file, tuple(found), len(mistakes.sites), len(mistakes.sites & mistakes.called))


def _words(constructors: Mapping[str, Constructor]) -> frozenset[bytes]:
    return frozenset(name.partition(".")[0].encode() for name in (*constructors, *TYPES))


def _read_all(tree: ast.Module, module: Module, flow: Flow, makers: Collection[str]) -> None:
    """Read the module and its functions, each from its beginning; those that can get no object are left out."""
    flow.read_module(tree)
    owners = {id(method): owner for owner, methods in module.classes.items() for method in methods.values()}
    getting = functions_that_get(tree, module, makers)
    kept = {owner: kept_by(module, owner, flow.constructors) for owner in module.classes}
    patched = _patched(tree, module)
    for node in ast.walk(tree):
        if isinstance(node, Function):
            owner = owners.get(id(node), "")
            before = module.method(owner, "setUp") if node.name.startswith("test") else None
            found = kept[owner] if owner and node.name != "__init__" and before is None else {}
            if id(node) in getting or id(before) in getting or (found and uses_one(node, found)):
                flow.module = module.without(patched.get(id(node), ()))
                flow.read_function(node, owner, before, found)


def _patched(tree: ast.Module, module: Module) -> dict[int, frozenset[str]]:
    """The id() of a function -> the names that are replaced while it runs: by itself, or by its class and its setUp()."""
    found = {id(node): patched_names(node, module) for node in ast.walk(tree) if isinstance(node, Function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            methods = [each for each in node.body if isinstance(each, Function)]
            around = [*node.decorator_list, *(each for each in methods if each.name.startswith("setUp"))]
            names = frozenset(name for each in around for name in patched_names(each, module))
            found |= {id(each): found[id(each)] | names for each in methods}
    return found


def _add_farewells(tree: ast.Module, module: Module, mistakes: Mistakes) -> None:
    for call, target, is_given in swallowed_farewells(tree, module):
        assert isinstance(call.func, ast.Attribute)
        mistakes.found[call.lineno, call.col_offset, call.func.attr] = Mistake(
            kind=FindingKind.LEAK,
            file=mistakes.file,
            line=call.lineno,
            column=call.col_offset,
            role=ast.unparse(target),
            states=(),
            call=call.func.attr,
            legal=(),
            remedy=(CLOSE.name,),
            reason=FAREWELL_REASON,
            must=not is_given,
            made=0,
        )
