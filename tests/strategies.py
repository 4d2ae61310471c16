"""The Hypothesis strategies of the suite, all in one place."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from lifecycle.engine import STANDARD_OUTCOMES, Call, Outcome, Role, State
from lifecycle.engine.role import RESERVED_BY_TRANSITIONS

identifiers = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(lambda name: not name.endswith("_"))

HOSTILE = (
    " ", "  ", "a b", "a  b", "a_b", "a-b", "A_B", " a", '"', "'", "`x`", ";", "%", "%%{init}%%", "&", "&amp;", "&#0;", "#59;",
    "#quot;", "<b>", "<br/>", "<script>alert(1)</script>", "</script>", "<!--", "]]>", "]", "[*]", "[x]", "{y}", "(z)", "{{",
    "|", "-->", "--", "..", ":", ":::", "//", "**b**", "_x_", "~~s~~", "$x$", "<<fork>>", "<U+0041>", "@enduml", "!include x",
    "/'", "\\", "\\n", "\\N", "\n", "\r\n", "\t", "\0", "\x1b[31m", "\u00e4", "\u65e5\u672c", "\U0001f600", "e\u0301", "\u202e",
    "\u200b", "\u2028", "\ufeff", "end", "END", "state", "note", "direction", "subgraph", "node", "n1", "x" * 300,
)  # fmt: skip

awkward_names = (st.text(min_size=1, max_size=12) | st.sampled_from(HOSTILE)).filter(
    lambda name: name not in RESERVED_BY_TRANSITIONS
)
"""Names with spaces, quotes, brackets, newlines, non-ASCII letters, markup, words of formats: anything that a Role takes."""

outcome_names = awkward_names.filter(lambda name: "." not in name)


@st.composite
def roles(draw: st.DrawFn, names: st.SearchStrategy[str] = identifiers) -> Role:
    """Any valid role: a chain through all its states guarantees that each is reached and leads to the final one."""
    states = draw(st.lists(names, min_size=2, max_size=6, unique=True))
    calls = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    endings = ["ok", *draw(st.lists(st.sampled_from(["failed", "pending", "eof"]), max_size=2, unique=True))]
    final = states[-1]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for here, after in pairwise(states):
        rows.setdefault((here, draw(st.sampled_from(calls))), {})["ok"] = after
    parts = st.sampled_from(("", "", draw(names)))
    extra = st.tuples(st.sampled_from(states), st.sampled_from(calls), st.sampled_from(endings), st.sampled_from(states))
    for here, call, outcome, after in draw(st.lists(extra, max_size=12)):
        rows.setdefault((here, call), {}).setdefault(outcome, here if here == final else after)
    return Role(
        name="random",
        doc="A role that nobody thought of.",
        states=tuple(State(name, f"The state {name!r}.", part=draw(parts)) for name in states),
        calls=tuple(Call(name, f"The call {name!r}.", reason="It is not its time") for name in calls),
        outcomes=(*STANDARD_OUTCOMES, Outcome("unused", "An outcome that no row has.")),
        rows=tuple((here, call, outcomes) for (here, call), outcomes in rows.items()),
        initial=states[0],
        final=frozenset({final}),
    )
