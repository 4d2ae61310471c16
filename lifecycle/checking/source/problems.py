"""The mistakes of a source file as problems: their codes, messages and advice, in the words of the tables."""

from __future__ import annotations

from lifecycle.checking.formats.codes import code_named, code_of
from lifecycle.checking.formats.problems import Problem
from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.source.mistakes import Mistake


def problem_of(mistake: Mistake) -> Problem:
    """The problem for a mistake."""
    code = code_of(mistake.kind, mistake.facts, mistake.call)
    advice = [f"{mistake.reason}."] if mistake.reason else []
    if mistake.kind is FindingKind.LEAK:
        code = code_named("LC302") or code
        message = f"{mistake.role}.{mistake.call}() may fail, and skips the close() behind it"
    else:
        states = " or ".join(repr(state) for state in mistake.states)
        article = "an" if mistake.role[0] in "aeiou" else "a"
        message = f"{mistake.call}() on {article} {mistake.role} in state {states}"
        if mistake.made and mistake.made != mistake.line:
            message += f", made in line {mistake.made}"
        first = f"Call {', then '.join(f'{step}()' for step in mistake.remedy)} first. " if mistake.remedy else ""
        advice.append(f"{first}Legal here: {', '.join(mistake.legal)}.")
    return Problem(
        code=code.name,
        kind=mistake.kind.value,
        file=mistake.file,
        line=mistake.line,
        column=mistake.column,
        message=message,
        advice=tuple(advice),
        must=mistake.must,
    )
