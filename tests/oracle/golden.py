"""Golden files: what the real MFC wrote, committed, so that every checkout reads and writes it without the DLL."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .agent import Agent
from .graphs import cases, whole_document
from .runtimes import RUNTIMES, Runtime
from .storing import Case
from .text import build_text
from .wine import Wine

FOLDER = Path(__file__).parent / "golden"
LONGEST = 300_000  # bytes of a case that is kept; the larger ones show no more than those
WHOLE = "longest 10000000"
USUAL = "longest 4096"

MAP_KEYS = (
    "north",
    "south",
    "east",
    "west",
    "a",
    "b",
    "k",
    "x" * 300,
    "up",
    "down",
    "left",
    "right",
    "in",
    "out",
    "red",
    "blue",
)
"""Enough keys that their order is that of the runtime's hash: MFC 9's differs from that of MFC 14."""


@dataclass(frozen=True)
class Golden:
    """An operation, how the agent loads it again where it can, and the bytes that MFC wrote."""

    case: Case
    load: str
    data: bytes


def file_of(runtime: Runtime) -> Path:
    """Where the golden bytes of a runtime are."""
    return FOLDER / f"{runtime.exports}.json"


def document_of(runtime: Runtime) -> Path:
    """The whole document of a runtime, as a file."""
    return FOLDER / f"document-{runtime.exports}.mfc"


def map_lines(unicode: bool) -> dict[str, tuple[str, str]]:
    """Maps of several entries: name -> (the agent's line, the token that loads it)."""

    def text(of: str) -> str:
        return build_text(of, unicode)

    return {
        "CMapStringToString of 16": (
            f"list 1 mss {','.join(f'{text(key)}={text(key.upper())}' for key in MAP_KEYS)}",
            "in:mss",
        ),
        "CMapStringToOb of 16": (f"list 1 mso {','.join(f'{text(key)}=0' for key in MAP_KEYS)}", "in:mso"),
        "CMapWordToOb of 16": (f"list 1 mwo {','.join(f'{number * 4099 % 65536}=0' for number in range(16))}", "in:mwo"),
    }


def written(agent: Agent) -> Iterator[tuple[str, bytes]]:
    """Every operation that MFC stores, with its bytes."""
    agent.expect("ok", WHOLE)
    unicode = agent.runtime.unicode
    for case in cases(unicode):
        answer = agent.stored(case.tokens, case.setup, case.buffer)
        if answer.startswith("ok"):
            yield case.name, bytes.fromhex(answer[2:].strip())
    for name, (line, _) in map_lines(unicode).items():
        yield name, bytes.fromhex(agent.stored("ser:1", (line,))[2:].strip())
    agent.expect("ok", USUAL)


def text_of(data: bytes) -> str:
    """Hex, or zlib in base 64 where that is much shorter."""
    packed = b64encode(zlib.compress(data, 9)).decode()
    return f"zlib:{packed}" if len(data) > 200 and len(packed) < len(data) else data.hex()


def bytes_of(text: str) -> bytes:
    """The bytes of such a text."""
    return zlib.decompress(b64decode(text[5:])) if text.startswith("zlib:") else bytes.fromhex(text)


def write_golden(wine: Wine, runtimes: Iterable[tuple[Runtime, Path]]) -> None:
    """Ask each runtime, and write its files."""
    FOLDER.mkdir(exist_ok=True)
    for runtime, place in runtimes:
        with Agent(wine, place, runtime) as agent:
            rows = {name: text_of(data) for name, data in written(agent) if len(data) <= LONGEST}
        file_of(runtime).write_text(json.dumps(rows, indent=0) + "\n", encoding="utf-8")
        document_of(runtime).write_bytes(bytes_of(rows[whole_document(runtime.unicode).name]))
        print(f"{runtime.name}: {len(rows)} golden operations")


def golden_rows(name: str) -> dict[str, bytes]:
    """The golden bytes of a runtime, by operation."""
    rows = json.loads(file_of(RUNTIMES[name]).read_text(encoding="utf-8"))
    return {operation: bytes_of(text) for operation, text in rows.items()}
