"""The role of Python's sockets of any other kind or family: no table has their order, but a closed one cannot be used."""

from lifecycle.engine import Kind, Role, Rule, becomes, expand, stay
from lifecycle.roles.facts import OVER
from lifecycle.roles.python.derived import EVERY_OBJECT, python_facts, python_state
from lifecycle.roles.python.words import CALLS, OF_A_CLOSED_OBJECT, OUTCOMES
from lifecycle.roles.words import CLOSED, OPEN

STATES = (python_state(OPEN), python_state(CLOSED))
ANYTHING = " ".join(call.name for call in CALLS if call.name not in OF_A_CLOSED_OBJECT)

PYTHON_SOCKET = Role(
    name="socket",
    doc="A socket of the standard library that no table describes: a raw one, or one of another family.",
    states=STATES,
    calls=CALLS,
    outcomes=OUTCOMES,
    initial="open",
    final=frozenset({"closed"}),
    closes="close",
    rows=(
        *expand((
            Rule(ANYTHING, lambda at: at.handle, {each.name: stay for each in OUTCOMES if each.kind is not Kind.ENDING}),
            Rule("fileno", lambda at: at.handle, {"ok": stay}),
            Rule("detach close", lambda at: at.handle, {"ok": becomes(python_facts(OVER))}),
        ), STATES),
        *expand(EVERY_OBJECT[1:], STATES),
    ),
)  # fmt: skip
