"""The load tokens of a stored operation: what was stored can be read back by what its tokens say."""

from __future__ import annotations

STORED_AS = {
    "sw": "sw", "swn": "sw", "sa": "sa", "san": "sa", "cnt": "cnt", "ws": "rs", "t": "t", "t64": "t64", "ts": "ts",
    "ts64": "ts64",
    "od": "od", "os": "os", "cy": "cy", "v": "v", "ve": "v", "bs": "bs", "bse": "bs", "bs0": "bs", "o": "o", "ev": "ev",
}  # fmt: skip
"""store token -> load token, where one value gives one value"""


def load_tokens(tokens: str, setup: tuple[str, ...]) -> str | None:
    """The tokens that load what these stored; None where the value cannot be known from its bytes (lengths alone, raw text)."""
    kinds = {line.split(" ")[1]: line.split(" ")[2] for line in setup if line.startswith("list")}
    found: list[str] = []
    for token in tokens.split():
        word, _, argument = token.partition(":")
        if word in STORED_AS:
            found.append(STORED_AS[word])
        elif word == "ser":
            found.append(f"in:{kinds[argument].removesuffix('n') if kinds[argument] == 'ban' else kinds[argument]}")
        elif word == "raw":
            found.append(f"raw:{len(argument) // 2}")
        elif word == "rawn":
            found.append(f"raw:{argument}")
        elif word in ("wc", "sc"):
            found.append(f"rc:{argument}" if word == "wc" else f"sc:{argument}")
        elif word == "fresh":
            found.append(f"skip:{argument.split(':')[1]}")
        elif word in ("maps", "et"):
            found += [token] if word == "maps" else []
        else:
            return None
    return " ".join(found)
