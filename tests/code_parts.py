"""Parts of a source file: what does not run on this system, where operators stand, and the statement around a line.

A change of what does not run cannot be noticed here. That is: annotations, overloads, __slots__, __all__, whether a dataclass
is frozen or has slots, code for type checkers, code for another system and the numbers that only it uses, what stands in for a
constant that only others lack, and the comparisons with `sys.platform` or `os.name` that choose it, since
`sys.platform >= "linux"` is as true on Linux as `==` is.
"""

from __future__ import annotations

import ast
import errno
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable, Iterator

Place = tuple[int, int]
"""(line, column)"""

NAMES = {"__slots__", "__all__"}

FLAGS = {"frozen", "slots"}
"""Of a dataclass: they refuse what no caller does, and save memory"""

MODULES = {"errno": errno, "os": os, "select": select, "signal": signal, "socket": socket}

SYSTEM = {"sys.platform": sys.platform, "os.name": os.name}


def unread_spans(source: bytes | str) -> list[tuple[Place, Place]]:
    """The parts of the file that do not run here: where each begins and ends."""
    # parso counts columns in characters, ast in bytes: the same, since the code is ASCII where it is not text
    module = ast.parse(source)
    nodes = [*_unread(module)]
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset))
        for node in [*nodes, *_only_used_in(nodes, module)]
    ]


def operator_spans(source: bytes | str) -> list[tuple[Place, Place]]:
    """Where a unary operator stands, or a binary one between its operands."""
    found: list[tuple[Place, Place]] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.UnaryOp(operand=operand):
                found.append(((node.lineno, node.col_offset), (operand.lineno, operand.col_offset)))
            case ast.BinOp(left=left, right=right):
                begin = (left.end_lineno or left.lineno, left.end_col_offset or 0)
                found.append((begin, (right.lineno, right.col_offset)))
    return found


def _unread(module: ast.Module) -> Iterator[ast.expr | ast.stmt]:
    for node in ast.walk(module):
        match node:
            case ast.If() | ast.IfExp():
                yield from _not_taken(node)
            case ast.Compare() | ast.Name() if known(node) is not None:
                yield node
            case ast.BoolOp():
                ends = isinstance(node.op, ast.Or)  # the value that ends it
                at = next((at for at, value in enumerate(node.values) if known(value) is ends), len(node.values))
                yield from node.values[at + 1 :]
            case ast.FunctionDef() | ast.AsyncFunctionDef() if any("overload" in ast.unparse(e) for e in node.decorator_list):
                yield node
            case ast.FunctionDef(returns=ast.expr() as kind) | ast.AsyncFunctionDef(returns=ast.expr() as kind):
                yield kind
            case ast.arg(annotation=ast.expr() as kind) | ast.AnnAssign(annotation=kind):
                yield kind
            case ast.Call(
                func=ast.Name(id="getattr"), args=[ast.Name(id=module), ast.Constant(value=str() as name), default]
            ) if hasattr(MODULES.get(module), name):
                yield default
            case ast.Assign(targets=[ast.Name(id=name)]) if name in NAMES:
                yield node
            case ast.Call(func=ast.Name(id="dataclass"), keywords=keywords):
                yield from (keyword.value for keyword in keywords if keyword.arg in FLAGS)
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(node, block, None)
            if isinstance(statements, list):
                yield from _behind_an_end(statements)


def _only_used_in(unread: Iterable[ast.AST], module: ast.Module) -> Iterator[ast.stmt]:
    """The numbers at the module's level whose names are used only in what does not run."""
    there = {each for node in unread for each in ast.walk(node)}
    uses = [each for each in ast.walk(module) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)]
    others = {each.id for each in uses if each in there} - {each.id for each in uses if each not in there}
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant()) if name in others:
                yield node


def _not_taken(node: ast.If | ast.IfExp) -> Iterable[ast.expr | ast.stmt]:
    answer = known(node.test)
    if answer is None:
        return ()
    branch = node.orelse if answer else node.body
    return branch if isinstance(branch, list) else (branch,)


def _behind_an_end(statements: list[ast.stmt]) -> Iterable[ast.stmt]:
    """What follows `if sys.platform != "win32": return ...` where that is true."""
    for number, statement in enumerate(statements):
        if isinstance(statement, ast.If) and known(statement.test) and isinstance(statement.body[-1], ast.Return | ast.Raise):
            return statements[number + 1 :]
    return ()


def known(test: ast.expr) -> bool | None:
    """What a condition is on this system, if that follows from the system's name alone."""
    match test:
        case ast.Name(id="TYPE_CHECKING"):
            return False
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            answer = known(operand)
            return None if answer is None else not answer
        case ast.BoolOp(op=op, values=values):
            answers, ends = [known(value) for value in values], isinstance(op, ast.Or)
            return ends if ends in answers else None if None in answers else not ends
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as op], comparators=[ast.Constant(value=str() as value)]):
            own = SYSTEM.get(ast.unparse(left))
            return None if own is None else (own == value) is isinstance(op, ast.Eq)
    return None


def statement_around(source: str, line: int) -> range:
    """The lines of the smallest statement that holds a line; of one that holds others, the lines of its head."""
    found = [range(line, line + 1)]
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.match_case(pattern=pattern, body=[first, *_]):
                begin, end = pattern.lineno, first.lineno - 1
            case ast.stmt(lineno=begin) | ast.ExceptHandler(lineno=begin) if getattr(node, "body", None):
                begin = min([begin, *(e.lineno for e in getattr(node, "decorator_list", ()))])
                end = node.body[0].lineno - 1
            case ast.stmt(lineno=begin, end_lineno=int() as end):
                pass
            case _:
                continue
        lines = range(begin, max(begin, end) + 1)
        if line in lines:
            found.append(lines)
    return min(found[1:] or found, key=len)


def function_around(source: str, line: int) -> range:
    """The lines of the smallest function that holds a line; the line alone outside of functions."""
    found = [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return min((lines for lines in found if line in lines), key=len, default=range(line, line + 1))


def is_within(source: str, line: int) -> bool:
    """Whether a line is in the body of a function."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.body[0].lineno <= line <= (node.end_lineno or 0)
        for node in ast.walk(ast.parse(source))
    )


def given_by(source: str, statement: range) -> tuple[set[str], range]:
    """The names that an assignment in these lines gives, and the lines of the body of a function that begins in them."""
    names: set[str] = set()
    body = range(0)
    for node in ast.walk(ast.parse(source)):
        match node:
            case (
                ast.FunctionDef(body=[first, *_], end_lineno=int() as end)
                | ast.AsyncFunctionDef(body=[first, *_], end_lineno=int() as end)
            ) if node.lineno in statement:
                body = range(first.lineno, end + 1)
            case ast.Assign() | ast.AnnAssign() if node.lineno in statement:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    names |= {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}
                    names |= {each.attr for each in ast.walk(target) if isinstance(each, ast.Attribute)}
    return names, body
