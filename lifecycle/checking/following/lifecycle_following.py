"""Waits in a Python process until the program imports `socket`, and loads the checker then: who uses no socket pays nothing."""

from __future__ import annotations

import atexit
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
FOLDER = os.environ["LIFECYCLE_RUN"]


def _claims_to_be_main() -> bool:
    """Whether this is the first process of the run, which tells everything at its end; also after it has replaced itself."""
    path = os.path.join(FOLDER, "main")
    try:
        number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        with open(path, encoding="ascii") as file:
            return file.read() == str(os.getpid())
    try:
        os.write(number, str(os.getpid()).encode())
    finally:
        os.close(number)
    return True


_main = os.getpid() if _claims_to_be_main() else 0


def follow() -> None:
    """Wait for `socket`, or begin at once where it is there already."""
    atexit.register(_finish)
    if "socket" in sys.modules:
        _begin()
    else:
        sys.meta_path.insert(0, SocketFinder())


def _begin() -> None:
    """Load the checker, now that `socket` is there."""
    with warnings.catch_warnings():  # what it imports adds filters, which are none of the program's
        if _is_installed() or _is_run_from_source():
            from lifecycle.checking import running

            running.begin(FOLDER, is_main=os.getpid() == _main)


def _is_installed() -> bool:
    """Whether this Python has the package; another one that the program starts may not."""
    try:
        import lifecycle.checking.running  # noqa: F401
    except ImportError:
        return False
    return True


def _is_run_from_source() -> bool:
    """Whether the package is there when it is looked for where this file is."""
    if os.path.basename(HOME) in ("site-packages", "dist-packages"):
        return False
    sys.path.append(HOME)
    if not _is_installed():
        sys.path.remove(HOME)
        return False
    return True


def _finish() -> None:
    """Tell what was found, as the last thing at exit."""
    if os.getpid() == _main and "socket" not in sys.modules:
        if _has_nothing_to_tell():
            return
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, SocketFinder)]
        _begin()
    running = sys.modules.get("lifecycle.checking.running")
    if running is not None:
        running.finish()


def _has_nothing_to_tell() -> bool:
    """Whether the program has used no socket, nor its children, and no file is wanted: all is told then without the checker."""
    import json  # most programs come here with a socket, and load it then

    with open(os.path.join(FOLDER, "settings.json"), encoding="utf-8") as file:
        settings = json.load(file)
    files = os.listdir(FOLDER)
    if any(settings[name] is not None for name in ("report", "chart", "html")) or set(files) != {"main", "settings.json"}:
        return False
    for name in files:
        os.unlink(os.path.join(FOLDER, name))
    os.rmdir(FOLDER)
    if not settings["quiet"]:
        os.write(2, b"lifecycle: no findings\n")
    return True


class SocketLoader(Loader):
    """Loads `socket` as its own loader does, and begins."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the loader itself does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As the loader itself does, and leave no trace of this one."""
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        _begin()


class SocketFinder(MetaPathFinder):
    """Waits for the import of `socket`."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of `socket` with a loader that begins; None for every other module."""
        if name != "socket":
            return None
        sys.meta_path.remove(self)
        import importlib.util  # only a program that uses sockets needs it

        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = SocketLoader(spec.loader)
        return spec
