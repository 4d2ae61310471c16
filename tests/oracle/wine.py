"""A Wine of one's own: a prefix in a temporary folder, without a display, whose server ends with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import IO, Any

START_SECONDS = 180
NEEDED = ("wine", "wineboot", "wineserver")


def missing_programs(*others: str) -> list[str]:
    """The programs that are not installed, of Wine's own and of those named."""
    return [name for name in (*NEEDED, *others) if shutil.which(name) is None]


def _copy(pipe: IO[bytes], log: Path) -> None:
    with log.open("wb", buffering=0) as file:
        while data := os.read(pipe.fileno(), 65536):
            file.write(data)


class Wine:
    """A prefix in `folder`/prefix; a context manager, which starts the server and stops it.

    The server is kept alive between programs: one that starts while it shuts down fails. What Wine prints goes into
    `folder`/wine.txt, since services in the background keep an inherited pipe open.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prefix = folder / "prefix"
        self.environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")} | {
            "WINEDEBUG": "-all",
            "WINEPREFIX": str(self.prefix),
            "WINEDLLOVERRIDES": "mscoree,mshtml=",
            "WINEARCH": "win64",
        }

    def __enter__(self) -> Wine:
        try:
            self._run(["wineboot", "-i"])
            self.registry(r"HKCU\Software\Wine\Drivers", "Graphics", "null")  # hidden windows without a display
            self.registry(r"HKCU\Software\Wine", "Version", "win10")
            self._stop()
            self._run(["wineserver", "-p"])
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def registry(self, key: str, name: str, value: str) -> None:
        """Set a text value of the registry."""
        self._run(["wine", "reg", "add", key, "/v", name, "/d", value, "/f"])

    def popen(self, command: Sequence[str | Path], **options: Any) -> subprocess.Popen[bytes]:
        """Start a Windows program; options are those of subprocess.Popen."""
        return subprocess.Popen(["wine", *map(str, command)], **{"env": self.environment, **options})

    def run(self, command: Sequence[str | Path], log: Path, *, seconds: float, cwd: Path | None = None) -> int:
        """Run a Windows program to its end, which prints into the file `log`; its exit status.

        subprocess.TimeoutExpired after so many seconds, and the program is killed.
        """
        process = self.popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
        )
        # CPython under Wine refuses a plain file as its output; and a pipe does not end with the program, since services of
        # Wine's that it starts keep it: the file is filled by a thread, which is not waited for much longer than the program.
        copying = Thread(target=_copy, args=(process.stdout, log), daemon=True)
        copying.start()
        try:
            return process.wait(seconds)
        finally:
            process.kill()
            process.wait()
            copying.join(1.0)

    def _run(self, command: Sequence[str]) -> None:
        with (self.folder / "wine.txt").open("ab") as log:
            subprocess.run(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=START_SECONDS,
                check=True,
            )

    def _stop(self) -> None:
        with (self.folder / "wine.txt").open("ab") as log:
            for option in ("-k", "-w"):  # ask for the end, then wait for it
                subprocess.run(
                    ["wineserver", option],
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=START_SECONDS,
                    check=False,
                )
