"""Loads the checker: at once in the program itself, and in its children when they import `socket`.

A child that uses no socket pays nothing. The program most likely uses some, and the checker's own objects are put where the
collector does not look at them before there are any of the program's; later they could not be told apart.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import warnings

TYPE_CHECKING = False  # the real one comes with `typing`, which takes longer to load than all of this
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
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
    """Begin, or wait for `socket` where this is a child and it is not there yet."""
    atexit.register(_finish)
    if os.getpid() == _main:
        _begin()
        gc.freeze()
    elif "socket" in sys.modules:
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
    running = sys.modules.get("lifecycle.checking.running")
    if running is not None:
        running.finish()


class SocketLoader:
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


class SocketFinder:
    """Waits for the import of `socket`."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of `socket` with a loader that begins; None for every other module."""
        if name != "socket":
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = SocketLoader(spec.loader)  # type: ignore[assignment] # it has what a loader has
                return spec
        return None
