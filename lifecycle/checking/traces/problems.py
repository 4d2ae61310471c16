"""The violations of a trace as problems: at the line of the source where the stack shows it, else at the trace's line."""

from __future__ import annotations

import re

from lifecycle.checking.formats.codes import code_of
from lifecycle.checking.formats.problems import Problem
from lifecycle.checking.observed import answers
from lifecycle.checking.traces.descriptors import INTERNET
from lifecycle.checking.traces.walk import Violation

_FRAME = re.compile(r"^(?P<file>[^(]*)\((?P<function>[^)+]*)(?:\+0x[0-9a-f]+)?\)")
_SYSTEM_LIBRARIES = re.compile(r"/(?:libc|libpthread|ld-linux|libstdc\+\+)[-.\d]*\.?so|/ld-")


def problem_of(violation: Violation, trace: str) -> Problem:
    """The violation as it is reported. trace: the name of the file that has the trace, or of the program."""
    state, call = violation.state, violation.call
    code = code_of(violation.kind, state.facts, violation.row)
    reason = state.reason(violation.row)
    remedy = state.remedy(violation.row)
    advice = [f"{reason}."] if reason else []
    if remedy:
        advice.append(f"Call {', then '.join(f'{step}()' for step in remedy)} first.")
    elif not state.final and state.help(violation.row):
        advice.append(f"{state.help(violation.row)}.")
    if violation.family in INTERNET:
        told = [f"{system}: {answer}" for system, answer in answers(state.role.name, state.name, violation.row).items()]
        advice.append("; ".join((f"This system answered {violation.answer}", *told)) + ".")
    advice.append("History: " + " -> ".join(f"{step.call} [{step.outcome}]" for step in violation.history))
    where = _function(call.stack)
    message = f"{call.name}() on a {state.role.name} socket in state {state.name!r}"
    return Problem(
        code=code.name,
        kind=violation.kind.value,
        file=trace,
        line=call.line,
        column=0,
        message=f"{message}, process {call.process}" + (f", in {where}" if where else ""),
        advice=tuple(advice),
    )


def _function(stack: tuple[str, ...]) -> str:
    """The innermost frame of the program's own: its function, or its file where there are no symbols."""
    for frame in stack:
        found = _FRAME.match(frame)
        if found is not None and not _SYSTEM_LIBRARIES.search(found["file"]):
            return f"{found['function']}() of {found['file']}" if found["function"] else found["file"]
    return ""
