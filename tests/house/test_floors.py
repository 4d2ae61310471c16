"""The plan of the house: who imports whom, what an import costs, and what no file does."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import lifecycle
import lifecycle.roles
import lifecycle.sockets

ROOT = Path(lifecycle.__file__).parent
ONLY_SOMEWHERE = {"fcntl", "termios", "resource", "grp", "pwd", "winreg", "msvcrt", "_winapi"}
LATER = ("hypothesis", "rich", "click", "anyio", "pytest", "transitions")


def run_python(code: str) -> str:
    """The output of a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=50).stdout


def test_files_import_only_from_floors_below() -> None:
    """The contracts of import-linter in pyproject.toml hold."""
    command = [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout


def test_import_is_light() -> None:
    """Importing every public name loads the standard library, and nothing else; the first object loads transitions."""
    loaded = f"print([name for name in {LATER!r} if name in sys.modules])"
    code = f"import lifecycle, sys; from lifecycle import *; {loaded}; Client(); {loaded}"
    assert run_python(code).split("\n")[:2] == ["[]", "['transitions']"]


def test_client_alone_is_light() -> None:
    """Importing Client makes no other role, and no class that it does not need."""
    names = [f"lifecycle.{name}" for name in ("roles.server", "roles.accepted", "roles.datagram", "archive", "aio")]
    names += [f"lifecycle.net.blocking.{name}" for name in ("server", "datagram", "reader", "opening")]
    code = f"import sys; from lifecycle import Client; print([name for name in {names!r} if name in sys.modules])"
    assert run_python(code).strip() == "[]"
    assert all(importlib.util.find_spec(name) for name in names)


@pytest.mark.parametrize("module", [lifecycle.roles, lifecycle.sockets])
def test_names_that_are_loaded_later_are_listed(module: ModuleType) -> None:
    """What a module loads when it is first used stands in its dir(), and another name is an AttributeError that names it."""
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match=f"module '{module.__name__}' has no attribute 'Sever'"):
        module.Sever  # noqa: B018


def test_public_names_are_the_ones_that_type_checkers_see() -> None:
    """__all__, the imports under TYPE_CHECKING and what can really be imported are the same names."""
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.asname for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(lifecycle.__all__)
    assert all(getattr(lifecycle, name) is not None for name in lifecycle.__all__)
    assert set(lifecycle.__all__) <= set(dir(lifecycle))
    with pytest.raises(AttributeError, match="no attribute 'Sever'"):
        lifecycle.Sever  # type: ignore[attr-defined] # noqa: B018


def test_every_file_keeps_the_rules() -> None:
    """Every file has a docstring, a name that says something, and at most 400 lines, and every system can import it.

    fcntl, termios, resource and the like are imported inside functions only.
    """
    for path in ROOT.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        assert ast.get_docstring(tree), path
        assert path.stem not in ("utils", "helpers", "common", "misc", "base"), path
        assert text.count("\n") <= 400, path
        for node in tree.body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not ONLY_SOMEWHERE & {name.split(".")[0] for name in names}, path


def test_engine_knows_no_sockets() -> None:
    """Importing the engine alone loads no socket module."""
    assert (
        run_python("import lifecycle.engine, sys; print('socket' in sys.modules, 'select' in sys.modules)").strip()
        == "False False"
    )
