"""Loads the checker: immediately in the main program, and in a child process when it imports `socket`.

A child that uses no sockets pays nothing. In the main program the checker's objects are frozen before there are any of the
program's, so that the garbage collector does not traverse them.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import warnings

TYPE_CHECKING = False  # importing `typing` would take longer than all of this
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
FOLDER = os.environ["LIFECYCLE_RUN"]


def _claims_to_be_main() -> bool:
    """Whether this is the first process of the run, which reports at its end; also after an exec()."""
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
    """Load the checker, or in a child wait for the import of `socket`."""
    atexit.register(_finish)
    if os.getpid() == _main:
        _begin()
        gc.freeze()
    elif "socket" in sys.modules:
        _begin()
    else:
        sys.meta_path.insert(0, SocketFinder())


def _begin() -> None:
    """Load the checker; `socket` is imported."""
    with warnings.catch_warnings():  # the imports add filters that the program must not see
        if _is_installed() or _is_run_from_source():
            from lifecycle.checking import program

            program.begin(FOLDER, is_main=os.getpid() == _main)


def _is_installed() -> bool:
    """Whether this Python has the package; the program may start another one that does not."""
    try:
        import lifecycle.checking.program  # noqa: F401
    except ImportError:
        return False
    return True


def _is_run_from_source() -> bool:
    """Whether the package can be imported from the folder of this file."""
    if os.path.basename(HOME) in ("site-packages", "dist-packages"):
        return False
    sys.path.append(HOME)
    if not _is_installed():
        sys.path.remove(HOME)
        return False
    return True


def _finish() -> None:
    """Report the findings, as the last action at exit."""
    program = sys.modules.get("lifecycle.checking.program")
    if program is not None:
        program.finish()


class SocketLoader:
    """Loads `socket` as its own loader does, then the checker."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Call the loader's own."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Call the loader's own, and leave no trace of this one."""
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        _begin()


class SocketFinder:
    """Waits for the import of `socket`."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of `socket` with a SocketLoader; None for every other module."""
        if name != "socket":
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = SocketLoader(spec.loader)  # type: ignore[assignment] # it has the methods of a loader
                return spec
        return None
