"""The MFC runtimes that are asked, and the programs that ask them.

Microsoft's DLLs are in wheels of pywin32; they are fetched when a test runs. The agents are this project's own C++ (agents/),
compiled by clang for the ABI of MSVC: own declarations of MFC, and import libraries made from lists of names with ordinals.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from .fetched import extract, wheels

SOURCES = Path(__file__).parent / "agents"
PROGRAMS = ("archive_agent", "socket_agent")
COMPILERS = ("clang", "lld-link", "llvm-dlltool")
COMPILE = (
    "clang", "--target=x86_64-pc-windows-msvc", "-std=c++17", "-O1", "-fms-extensions", "-fexceptions", "-fcxx-exceptions",
    "-fno-rtti", "-fno-builtin", "-fno-threadsafe-statics", "-Wall", "-Wno-unused-variable", "-Wno-unused-function",
)  # fmt: skip
BUILD_SECONDS = 120


@dataclass(frozen=True)
class Runtime:
    """One DLL: `exports` and `c_runtime` are folders of agents/exports, `wheel` the arguments of pip download."""

    name: str
    dll: str
    sha256: str
    wheel: tuple[str, ...]
    exports: str
    c_runtime: str
    unicode: bool
    defines: tuple[str, ...] = ()


_PYWIN32_224 = ("--no-deps", "--python-version", "2.7", "--abi", "cp27m", "pywin32==224")

RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        Runtime(
            "MFC 14",
            "mfc140u.dll",
            "d8ca1dea862085f0204680230d29bff4d168fff675ab4700eeaf63704d995cb3",
            ("--no-deps", "--python-version", "3.11", "pywin32==308"),
            "140u",
            "crt140",
            unicode=True,
        ),
        Runtime(
            "MFC 9",
            "mfc90u.dll",
            "05edbe012dac7de6cf398af14dd6007dd83b63a3e4f930972b12a1ebd75c0d41",
            _PYWIN32_224,
            "90u",
            "crt90",
            unicode=True,
            defines=("-DMFC90",),
        ),
        Runtime(
            "MFC 9 ANSI",
            "mfc90.dll",
            "2a527eef7d5cbc295e5b3ceef5c5e1c34bf9fba51335102b44d73b67f5dbbe86",
            _PYWIN32_224,
            "90a",
            "crt90",
            unicode=False,
            defines=("-DMFC90", "-DANSI"),
        ),
    )
}


def prepare(runtime: Runtime, folder: Path) -> Path:
    """Fetch the DLL and build the agents beside it; the folder that holds them."""
    place = folder / runtime.exports
    place.mkdir(parents=True, exist_ok=True)
    (wheel,) = wheels(folder / f"wheels-{runtime.exports}", *runtime.wheel)
    extract(wheel, {f"pythonwin/{runtime.dll}": (place / runtime.dll, runtime.sha256)})
    libraries = []
    exports = SOURCES / "exports"
    for names in sorted(
        [*exports.glob("*.def"), *(exports / runtime.c_runtime).glob("*"), *(exports / runtime.exports).glob("*")]
    ):
        library = place / f"{names.stem}.lib"
        _build("llvm-dlltool", "-m", "i386:x86-64", "-d", names, "-l", library)
        libraries.append(library)
    for program in PROGRAMS:
        compiled = place / f"{program}.obj"
        _build(*COMPILE, *runtime.defines, "-c", SOURCES / f"{program}.cpp", "-o", compiled)
        linked = f"-out:{place / program}.exe"
        _build("lld-link", "-nologo", "-nodefaultlib", "-entry:start", "-subsystem:console", linked, compiled, *libraries)
    return place


def _build(*command: str | Path) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
