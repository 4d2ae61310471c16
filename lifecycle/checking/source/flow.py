"""The statements of a function in the order of its flow: branches, loops to a fixpoint, exceptions, `with`, local calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lifecycle.checking.source.attributes import Kept, renamed
from lifecycle.checking.source.constructors import TYPES, Constructor
from lifecycle.checking.source.environment import NOTHING, Environment, Sites, joined
from lifecycle.checking.source.expressions import Expressions
from lifecycle.checking.source.frames import Frame, Value
from lifecycle.checking.source.known_calls import EXPECTING
from lifecycle.checking.source.mistakes import Mistakes
from lifecycle.checking.source.module import Function, Module, is_generator
from lifecycle.checking.source.syntax import (
    BROAD,
    REFUSALS,
    assigned_names,
    closed_thing,
    exception_names,
    expects_failure,
    first_parameter,
    is_irrefutable,
    shared_names,
)

DEPTH = 3  # calls of local functions that are read within each other
TURNS = 6  # of a loop, after which its objects are given up
BUDGET = 20_000  # statements that are read for one function, those of local calls included


@dataclass(slots=True)
class Loop:
    """A loop that is being read: where `break` and `continue` lead to, and how much there was to unwind before it."""

    unwinding: int
    breaks: list[Environment] = field(default_factory=list)
    continues: list[Environment] = field(default_factory=list)


class Flow(Expressions):
    """Reads functions, one after the other."""

    def __init__(self, module: Module, constructors: Mapping[str, Constructor], mistakes: Mistakes) -> None:
        super().__init__(module, constructors, mistakes)
        self.loops: list[Loop] = []
        self.reading: list[Function] = []
        self.left = BUDGET

    def read_function(
        self, function: Function, owner: str = "", before: Function | None = None, kept: Mapping[str, Kept] | None = None
    ) -> None:
        """Read a function by itself. before: one that has run, as a test's setUp. kept: the attributes of its class."""
        self._begin(function.body, owner, first_parameter(function) if owner else "")
        for name, each in (kept or {}).items():
            self.machines[each.site] = each.machine
            self.env.names[f"{self.frame.self_name}.{name}"] = self.env.make(each.site, None)
        if before is not None and self.frame.self_name:
            self._run(before, {}, 0)
        for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs):
            dotted = self.module.dotted(argument.annotation) if argument.annotation is not None else None
            if dotted is not None and dotted in TYPES:
                self.env.names[argument.arg] = self.make(
                    (argument.lineno, argument.col_offset, ()), None, argument, TYPES[dotted]
                )
        self.read(function.body)

    def read_module(self, tree: ast.Module) -> None:
        """Read the module's own statements."""
        self._begin(tree.body, "", "")
        self.read(tree.body)

    def _begin(self, body: Sequence[ast.stmt], owner: str, self_name: str) -> None:
        self.env, self.is_reachable, self.raised, self.loops, self.guards = Environment(), True, [[]], [], 0
        self.frame = Frame(owner, self_name, shared_names(body), assigned_names(body))
        self.left = BUDGET

    # -- statements -----------------------------------------------------------------------------------------------------------

    def read(self, body: Sequence[ast.stmt]) -> None:
        """Read statements until one leaves the block."""
        for statement in body:
            self.left -= 1
            if not self.is_reachable or self.left < 0:
                return
            self._statement(statement)
            del self.raised[-1][:-50]

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr():
                self.evaluate(node.value)
            case ast.Assign():
                value = self.evaluate(node.value)
                for target in node.targets:
                    self.assign(target, value)
            case ast.AnnAssign() if node.value is not None:
                self.assign(node.target, self.evaluate(node.value))
            case ast.AugAssign():
                self.give_away(self.evaluate(node.value))
                self.assign(node.target, None)
            case ast.Return():
                self._return(self.evaluate(node.value))
            case ast.Raise():
                self.evaluate(node.exc)
                self.may_raise()
                self.is_reachable = False
            case ast.If():
                self.evaluate(node.test)
                self._branches([node.body, node.orelse])
            case ast.While():
                is_endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
                self._loop(node.body, node.orelse, test=node.test, is_endless=is_endless)
            case ast.For() | ast.AsyncFor():
                self.give_away(self.evaluate(node.iter))
                self._loop(node.body, node.orelse, target=node.target)
            case ast.With() | ast.AsyncWith():
                self._with(node.items, node.body)
            case ast.Try() | ast.TryStar():
                self._try(node)
            case ast.Match():
                self.give_away(self.evaluate(node.subject))
                self._branches([*(case.body for case in node.cases), *([[]] if not is_irrefutable(node.cases[-1]) else [])])
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._capture(node)
                self.env.names.pop(node.name, None)
            case ast.Delete():
                for target in node.targets:
                    self.assign(target, None)
            case ast.Assert():
                self.evaluate(node.test)
            case ast.Break() | ast.Continue():
                self._leave_loop(node)

    def _branches(self, bodies: Iterable[Sequence[ast.stmt]]) -> None:
        before, after = self.env, None
        self.frame.branches += 1
        for body in bodies:
            self.env, self.is_reachable = before.copy(), True
            self.read(body)
            after = joined(after, self.env if self.is_reachable else None)
        self.frame.branches -= 1
        self._go_on(after)

    def _go_on(self, after: Environment | None) -> None:
        self.is_reachable = after is not None
        self.env = after or Environment()

    def _loop(
        self,
        body: Sequence[ast.stmt],
        otherwise: Sequence[ast.stmt],
        *,
        target: ast.expr | None = None,
        test: ast.expr | None = None,
        is_endless: bool = False,
    ) -> None:
        entry = self.env
        self.frame.branches += not is_endless
        for turn in range(TURNS):
            self.mistakes.muted += 1
            self.rehearsals += 1
            _, after = self._turn(entry, body, target, test)
            self.rehearsals -= 1
            self.mistakes.muted -= 1
            wider = entry.joined(after)
            if wider.is_as(entry):
                break
            entry = wider
            if turn == TURNS - 2:
                entry.escape(frozenset(entry.places))
        loop, after = self._turn(entry, body, target, test)
        self.frame.branches -= not is_endless
        left = None if is_endless else entry.joined(after)
        if left is not None:
            self.env, self.is_reachable = left.copy(), True
            self.evaluate(test)
            self.read(otherwise)
            left = self.env if self.is_reachable else None
        self._go_on(joined(left, *loop.breaks))

    def _turn(
        self, entry: Environment, body: Sequence[ast.stmt], target: ast.expr | None, test: ast.expr | None
    ) -> tuple[Loop, Environment | None]:
        self.env, self.is_reachable = entry.copy(), True
        loop = Loop(len(self.frame.unwinding))
        self.loops.append(loop)
        if target is not None:
            self.assign(target, None)
        self.evaluate(test)
        self.read(body)
        self.loops.pop()
        return loop, joined(self.env if self.is_reachable else None, *loop.continues)

    def _leave_loop(self, node: ast.Break | ast.Continue) -> None:
        if self.loops:
            loop = self.loops[-1]
            self._unwind(loop.unwinding)
            if self.is_reachable:
                (loop.breaks if isinstance(node, ast.Break) else loop.continues).append(self.env)
        self.is_reachable = False

    def _return(self, value: Value) -> None:
        self._unwind(0)
        if self.is_reachable:
            self.frame.returns.append((value, self.env))
        self.is_reachable = False

    def _unwind(self, down_to: int) -> None:
        """Run the exits of `with` and the `finally` blocks when a block is left early."""
        kept = self.frame.unwinding
        for place in reversed(range(down_to, len(kept))):
            self.frame.unwinding = kept[:place]
            step = kept[place]
            if isinstance(step, frozenset):
                self.close(step, _NOWHERE)
            elif self.is_reachable:
                self.read(step)
        self.frame.unwinding = kept

    def _with(self, items: Sequence[ast.withitem], body: Sequence[ast.stmt]) -> None:
        if not items:
            self.read(body)
            return
        item, rest = items[0], items[1:]
        context = item.context_expr
        if self._is_expecting(context):
            self._expecting(rest, body)
            return
        wrapped = closed_thing(context, self.module) or context
        value = self.evaluate(wrapped)
        sites: Sites = value if isinstance(value, frozenset) else NOTHING
        if item.optional_vars is not None:
            self.assign(item.optional_vars, value if sites else None)
        if not sites:
            self._with(rest, body)
            return
        self.frame.unwinding.append(sites)
        self.raised.append([])
        self._with(rest, body)
        self.frame.unwinding.pop()
        self._pass_on(self.raised.pop(), sites, context)
        if self.is_reachable:
            self.close(sites, context)

    def _pass_on(self, raised: list[Environment], sites: Sites, node: ast.AST) -> None:
        """Exceptions that leave a `with` block find its objects closed."""
        found = joined(*raised)
        if found is not None:
            here, self.env = self.env, found
            self.mistakes.muted += 1
            self.close(sites, node)
            self.mistakes.muted -= 1
            self.raised[-1].append(self.env)
            self.env = here

    def _is_expecting(self, context: ast.expr) -> bool:
        if not isinstance(context, ast.Call):
            return False
        func = context.func
        return self.module.dotted(func) in EXPECTING or (isinstance(func, ast.Attribute) and func.attr.startswith("assert"))

    def _expecting(self, rest: Sequence[ast.withitem], body: Sequence[ast.stmt]) -> None:
        """A block that is meant to fail: nothing is reported, and afterwards the objects may be anywhere on its way."""
        self.mistakes.muted += 1
        self.raised.append([self.env.copy()])
        self._with(rest, body)
        self.mistakes.muted -= 1
        self._go_on(joined(*self.raised.pop(), self.env if self.is_reachable else None))

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        before = self.env.copy()
        is_guard = any(handler.type is None or exception_names(handler.type) & BROAD for handler in node.handlers)
        caught = frozenset().union(*(exception_names(each.type) for each in node.handlers if each.type is not None))
        is_expecting = bool(caught & REFUSALS) or (is_guard and expects_failure(node))
        if node.finalbody:
            self.frame.unwinding.append(node.finalbody)
        self.raised.append([before])
        self.guards += is_guard
        self.mistakes.muted += is_expecting
        self.read(node.body)
        self.mistakes.muted -= is_expecting
        self.guards -= is_guard
        raised = joined(*self.raised.pop())
        self.raised.append([])
        if self.is_reachable:
            self.read(node.orelse)
        ways = [self.env if self.is_reachable else None]
        self.frame.branches += 1
        for handler in node.handlers:
            self.env, self.is_reachable = (raised or before).copy(), True
            if handler.name:
                self.env.names.pop(handler.name, None)
            self.read(handler.body)
            ways.append(self.env if self.is_reachable else None)
        self.frame.branches -= 1
        escaping = self.raised.pop()
        if raised is not None and not any(handler.type is None for handler in node.handlers):
            escaping.append(raised)
        if node.finalbody:
            self.frame.unwinding.pop()
        self._finally(node.finalbody, joined(*ways), joined(*escaping))

    def _finally(self, body: Sequence[ast.stmt], after: Environment | None, raised: Environment | None) -> None:
        if raised is not None and body:
            self.env, self.is_reachable = raised.copy(), True
            self.mistakes.muted += 1
            self.read(body)
            self.mistakes.muted -= 1
            raised = self.env if self.is_reachable else None
        if raised is not None:
            self.raised[-1].append(raised)
        self._go_on(after)
        if self.is_reachable:
            self.read(body)

    # -- functions of this module ---------------------------------------------------------------------------------------------

    def read_call(self, node: ast.Call, function: Function, values: list[Value]) -> Value:
        """Read the body of a function of this module for this call; NotImplemented where that is not possible."""
        given = self._given(node, function, values)
        if (
            given is None
            or function.decorator_list
            or function in self.reading
            or len(self.frame.lines) >= DEPTH
            or is_generator(function)
            or self.left < 0
        ):
            return NotImplemented  # type: ignore[no-any-return]
        return self._run(function, given, node.lineno, is_method=isinstance(node.func, ast.Attribute))

    def _given(self, node: ast.Call, function: Function, values: list[Value]) -> Mapping[str, Value] | None:
        """Parameter -> its value in this call; None where that is not known, or others get one of the values."""
        arguments = function.args
        positional = [each.arg for each in (*arguments.posonlyargs, *arguments.args)][isinstance(node.func, ast.Attribute) :]
        words = [each.arg for each in node.keywords]
        known = {*positional, *(each.arg for each in arguments.kwonlyargs)}
        rest = [name if name in known else "" for name in words]
        if any(isinstance(each, ast.Starred) for each in node.args) or None in words or len(node.args) > len(positional):
            return None
        if "" in rest and arguments.kwarg is None:
            return None
        for name, value in zip(rest, values[len(node.args) :], strict=True):
            if not name:
                self.give_away(value)
        return dict(zip((*positional[: len(node.args)], *rest), values, strict=True))

    def _run(self, function: Function, given: Mapping[str, Value], line: int, *, is_method: bool = True) -> Value:
        outer, loops, env = self.frame, self.loops, self.env
        own = first_parameter(function) if is_method else ""
        attributes = renamed(env, outer.self_name, own) if is_method else {}
        names = attributes | {name: value for name, value in given.items() if name and isinstance(value, frozenset)}
        for value in given.values():
            if isinstance(value, tuple):
                self.give_away(value)
        self.frame = Frame(
            outer.owner if is_method else "",
            own,
            shared_names(function.body),
            assigned_names(function.body),
            (*outer.lines, line),
        )
        self.frame.branches = outer.branches if outer.lines else 0
        self.loops, self.env = [], Environment(names, dict(env.places))
        self.reading.append(function)
        self.raised.append([])
        self.read(function.body)
        if self.is_reachable:
            self.frame.returns.append((NOTHING, self.env))
        raised, returns = self.raised.pop(), self.frame.returns
        self.reading.pop()
        self.frame, self.loops = outer, loops

        def back(inner: Environment) -> Environment:
            kept = {
                name: sites for name, sites in env.names.items() if not (is_method and name.startswith(f"{outer.self_name}."))
            }
            return Environment(kept | (renamed(inner, own, outer.self_name) if is_method else {}), inner.places)

        if raised:
            self.raised[-1].extend(back(each) for each in raised)
        self._go_on(joined(*(back(each) for _, each in returns)))
        return self._merged([value for value, _ in returns]) if returns else NOTHING

    def _merged(self, values: list[Value]) -> Value:
        if len({type(value) for value in values}) == 1 and isinstance(values[0], tuple):
            sizes = {len(value) for value in values if isinstance(value, tuple)}
            if len(sizes) == 1:
                return tuple(super(Flow, self)._merged(list(each)) for each in zip(*values, strict=True))
        return super()._merged(values)


_NOWHERE = ast.Pass(lineno=0, col_offset=0)
