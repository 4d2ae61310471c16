"""Random maps: from MFC to lifecycle.archive and back, by Serialize and by pointer."""

from __future__ import annotations

import io
import re
from random import Random

from lifecycle.archive import Archive

from .agent import Agent
from .reading import COLLECTIONS, READ, Reading, current
from .storing import AGE, WRITTEN
from .text import build_text

LETTERS = "abcXYZ\u00e4"
SIZES = (0, 1, 2, 5, 17, 40)


def map_difference(agent: Agent, random: Random) -> str | None:
    """What differs for one random map; None when nothing does."""
    unicode = agent.runtime.unicode

    def key() -> str:
        return "".join(random.choice(LETTERS) for _ in range(random.choice((1, 1, 2, 3, 8, 300))))

    kind, size = random.choice(("mss", "mso", "mwo")), random.choice(SIZES)
    bodies = {number: random.randbytes(2) for number in range(1, 6)}
    for number, body in bodies.items():
        agent.expect("ok", f"object {number} 0 raw:{body.hex()}")
    content: dict[str | int, str | int]
    if kind == "mss":
        content = {key(): key() for _ in range(size)}
        entries = [f"{build_text(str(k), unicode)}={build_text(str(v), unicode)}" for k, v in content.items()]
    elif kind == "mso":
        content = {key(): random.randrange(6) for _ in range(size)}
        entries = [f"{build_text(str(k), unicode)}={v}" for k, v in content.items()]
    else:
        content = {random.randrange(65536): random.randrange(6) for _ in range(size)}
        entries = [f"{k}={v}" for k, v in content.items()]
    agent.expect("ok", f"list 9 {kind} {','.join(entries)}")
    agent.expect("ok", "longest 1000000")
    by_pointer = random.random() < 0.5
    data = bytes.fromhex(agent.stored("o:9 o:9" if by_pointer else "ser:9").removeprefix("ok "))
    agent.expect("ok", "longest 4096")

    current.append(Reading(unicode))
    with Archive(io.BytesIO(data), "load", registry=READ, unicode=unicode) as archive:
        if by_pointer:
            found = archive.read_object()
            if archive.read_object() is not found:
                return f"{kind}: the second pointer is another object"
        else:
            found = COLLECTIONS[kind]()
            found.serialize(archive)
    current.pop()
    here = {k: v if kind == "mss" else v and bytes.fromhex(v.text) for k, v in found.items()}
    if here != {k: v if kind == "mss" else bodies.get(int(v)) for k, v in content.items()}:
        return f"{kind} of {content}: {here} here"

    things = {0: None} | {number: AGE(lambda archive, body=body: archive.write(body)) for number, body in bodies.items()}
    back = COLLECTIONS[kind](content if kind == "mss" else {k: things[int(v)] for k, v in content.items()})
    file = io.BytesIO()
    with Archive(file, "store", registry=WRITTEN, unicode=unicode) as archive:
        archive.write_object(back) if by_pointer else back.serialize(archive)
    answer = agent.loaded(file.getvalue(), "o" if by_pointer else f"in:{kind}")
    inside = re.search(r"#1\((.*)\) ok rest=0$", answer)
    if inside is None or inside[1].count("=") != len(content):
        return f"{kind} of {content}, stored here: {answer[:300]} there"
    return None
