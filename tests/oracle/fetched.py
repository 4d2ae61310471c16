"""What is fetched by pip when a test runs: checked by its hash, unpacked into a temporary folder, never committed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

FETCH_SECONDS = 300
WINDOWS = ("--only-binary=:all:", "--platform", "win_amd64")


class NotTheFileExpected(Exception):
    """A file that was fetched has another hash than the one that is known."""


def pip_download(
    folder: Path, *arguments: str, python: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """`pip download` into a folder, by this Python's pip or another's; what pip said is in the result."""
    return subprocess.run(
        [python or sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), *arguments],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=FETCH_SECONDS,
        check=False,
    )


def wheels(folder: Path, *arguments: str) -> list[Path]:
    """Wheels for 64-bit Windows, with what `arguments` of pip download say."""
    folder.mkdir(parents=True, exist_ok=True)
    done = pip_download(folder, *WINDOWS, *arguments)
    if done.returncode != 0:
        raise RuntimeError(f"pip download {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return sorted(folder.glob("*.whl"))


def unpacked_source(folder: Path, requirement: str) -> Path:
    """The tree of a source distribution, whose setup is not run.

    pip unpacks a source distribution before it asks its build system for metadata. Here that is a setuptools which is not
    installed, so that pip ends there, and leaves the tree.
    """
    room, environment = folder / "unpacked", folder / "without-setuptools"
    room.mkdir(parents=True, exist_ok=True)
    venv.create(environment, with_pip=True)
    python = str(environment / "bin" / "python")
    subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "setuptools"], timeout=FETCH_SECONDS, check=True)
    done = pip_download(
        folder,
        "--no-deps",
        "--no-clean",
        "--no-build-isolation",
        "--no-binary=:all:",
        requirement,
        python=python,
        TMPDIR=str(room),
    )
    name = requirement.partition("==")[0]
    found = [path.parent for path in room.glob(f"pip-download-*/{name}_*/PKG-INFO")]
    if len(found) != 1:
        raise RuntimeError(f"pip did not leave the source of {requirement}:\n{done.stdout}{done.stderr}")
    return found[0]


def checked(content: bytes, sha256: str, name: str) -> bytes:
    """The content, whose hash is the one that is known; NotTheFileExpected otherwise."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise NotTheFileExpected(f"{name}: sha256 {found}, expected {sha256}")
    return content


def extract(archive: Path, members: Mapping[str, tuple[Path, str]]) -> None:
    """Members of a zip archive: name -> (where to, sha256)."""
    with zipfile.ZipFile(archive) as opened:
        for name, (target, sha256) in members.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(checked(opened.read(name), sha256, name))
