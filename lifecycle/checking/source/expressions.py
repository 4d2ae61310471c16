"""The expressions of a function: the objects that they make, pass on and call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lifecycle.checking.source.attributes import forget_kept
from lifecycle.checking.source.constructors import ACCEPTING, Constructor
from lifecycle.checking.source.environment import NOTHING, Environment, Site, Sites
from lifecycle.checking.source.frames import Frame, Value, children, flat
from lifecycle.checking.source.known_calls import ASSERTIONS, AWAITING, ENTERING, HARMLESS, RUNS, WAITS, WRAPPING
from lifecycle.checking.source.mistakes import Mistakes
from lifecycle.checking.source.module import Function, Module, names_read
from lifecycle.checking.source.points import Endings, Machine, Point, Points
from lifecycle.checking.source.syntax import closed_thing
from lifecycle.roles.python.system_calls import DIRECTIONS
from lifecycle.roles.python.words import OF_A_HANDLE, OF_A_LOOP, QUESTIONS
from lifecycle.roles.words import ACCEPT

ASKED_BY_WAITING = OF_A_HANDLE[-1]


class Expressions:
    """Reads expressions, in the order in which they are evaluated, and moves the objects that they call."""

    def __init__(self, module: Module, constructors: Mapping[str, Constructor], mistakes: Mistakes) -> None:
        self.module = module
        self.constructors = constructors
        self.mistakes = mistakes
        self.env = Environment()
        self.is_reachable = True
        self.frame = Frame()
        self.raised: list[list[Environment]] = [[]]
        self.machines: dict[Site, Machine | None] = {}
        self.guards = 0
        self.rehearsals = 0  # loops whose turns are read to learn where their objects may be, before the turn that is judged
        self.lending = False

    # -- values ---------------------------------------------------------------------------------------------------------------

    def evaluate(self, node: ast.expr | None) -> Value:
        """Read an expression; the objects that its value may be."""
        match node:
            case None | ast.Constant():
                return NOTHING
            case ast.Name() | ast.Attribute():
                return self._named(node)
            case ast.Await():
                return self.evaluate(node.value)
            case ast.Call():
                return self.call(node)
            case ast.NamedExpr():
                value = self.evaluate(node.value)
                self.assign(node.target, value)
                return value
            case ast.IfExp():
                self.evaluate(node.test)
                return self._either([node.body, node.orelse])
            case ast.BoolOp():
                first = self.evaluate(node.values[0])
                return self._merged([first, self._either(node.values[1:], may_be_left_out=True)])
            case ast.Tuple():
                return tuple(self.evaluate(each) for each in node.elts)
            case ast.Lambda():
                self._capture(node)
                return None
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self.evaluate(node.generators[0].iter)
                self._capture(node)
                return None
            case ast.List() | ast.Set() | ast.Dict() | ast.Yield() | ast.YieldFrom() | ast.Starred():
                for child in children(node):
                    self.give_away(self.evaluate(child))
                if isinstance(node, ast.Yield | ast.YieldFrom):
                    self.env.forget(f"{self.frame.self_name}.")
                return None
        for child in children(node):
            self.evaluate(child)
        return None

    def _named(self, node: ast.Name | ast.Attribute) -> Value:
        key = self.key(node)
        if key is not None and key in self.env.names:
            return self.env.names[key]
        if isinstance(node, ast.Attribute):
            owner = self.evaluate(node.value)
            if (
                isinstance(owner, frozenset)
                and not self.lending
                and any(point.machine.knows(node.attr) for point in self._points(owner))
                and not all(point.machine.can_be_closed(point.state, node.attr) for point in self._points(owner))
            ):
                self.env.escape(owner)  # a bound method is passed on
        return None

    def key(self, node: ast.expr) -> str | None:
        """The name under which a variable or an attribute is followed; None for other expressions."""
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return f"{node.value.id}.{node.attr}"
        return None

    def _either(self, nodes: Iterable[ast.expr], *, may_be_left_out: bool = False) -> Value:
        before, values, after = self.env, [], self.env if may_be_left_out else None
        for node in nodes:
            self.env = before.copy()
            values.append(self.evaluate(node))
            after = self.env.joined(after)
        self.env = after or before
        return self._merged(values)

    def _merged(self, values: list[Value]) -> Value:
        sites: Sites = NOTHING
        for value in values:
            if not isinstance(value, frozenset):
                for each in values:
                    self.give_away(each)
                return None
            sites |= value
        return sites

    def _capture(self, node: ast.AST) -> None:
        """The code of a nested function may use the names in it at any time."""
        for name in names_read(node):
            self.env.escape(self.env.names.get(name, NOTHING))
            if name == self.frame.self_name:
                self._give_self_away()

    def give_away(self, value: Value) -> None:
        """Others may call methods of the value from now on."""
        for site in flat(value):
            self.env.escape(frozenset({site}))

    def _give_self_away(self) -> None:
        self.env.forget(f"{self.frame.self_name}.")

    def assign(self, target: ast.expr, value: Value) -> None:
        """Give a name, or several, their value."""
        if isinstance(target, ast.Tuple | ast.List):
            parts = value if isinstance(value, tuple) and len(value) == len(target.elts) else ()
            if not parts:
                self.give_away(value)
            for place, each in enumerate(target.elts):
                self.assign(each, parts[place] if parts else None)
            return
        key = self.key(target)
        if key is None or isinstance(value, tuple):
            self.give_away(value)
            if isinstance(target, ast.Subscript):
                self.evaluate(target.value)
        if key is None:
            return
        self.env.names.pop(key, None)
        if isinstance(target, ast.Name):
            self.env.forget(f"{key}.")
        elif isinstance(target, ast.Attribute) and key.partition(".")[0] != self.frame.self_name:
            self.give_away(value)
        if isinstance(value, frozenset):
            self.env.names[key] = value
            if key in self.frame.shared:
                self.env.escape(value)

    # -- calls ----------------------------------------------------------------------------------------------------------------

    def call(self, node: ast.Call) -> Value:
        """Read a call: of a method of an object, of a maker, of a function of this module, or of anything else."""
        dotted = self._dotted(node.func)
        if dotted is not None and dotted in self.constructors:
            return self._construct(node, dotted)
        if isinstance(node.func, ast.Attribute):
            key = self.key(node.func.value)
            owner = self.env.names.get(key) if key is not None else None
            if owner is None and not isinstance(node.func.value, ast.Name):
                value = self.evaluate(node.func.value)
                owner = value if isinstance(value, frozenset) else None
            if owner:
                return self._method(node, owner, node.func.attr)
        if isinstance(node.func, ast.Attribute) and node.func.attr in OF_A_LOOP and node.args:
            return self._by_a_loop(node, OF_A_LOOP[node.func.attr])
        if isinstance(node.func, ast.Attribute) and node.func.attr in WRAPPING and node.args:
            return self._wrap(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ENTERING and len(node.args) == 1:
            return self._enter(node)
        outer, self.lending = self.lending, self._is_harmless(node.func, dotted)
        values = [self.evaluate(each) for each in (*node.args, *(word.value for word in node.keywords))]
        is_harmless, self.lending = self.lending, outer
        self.may_raise()
        if is_harmless:
            if dotted in WAITS:
                self._wait_for(node)
            return None
        is_awaiting = dotted in AWAITING or (isinstance(node.func, ast.Attribute) and node.func.attr == RUNS)
        if is_awaiting and values and isinstance(values[0], tuple):
            return values[0]
        function = self._function_of(node.func)
        if function is not None:
            result = self.read_call(node, function, values)
            if result is not NotImplemented:
                return result
        self._unknown(node, values)
        return None

    def _is_harmless(self, func: ast.expr, dotted: str | None) -> bool:
        """Whether the function keeps nothing of its arguments while the caller runs."""
        if isinstance(func, ast.Attribute) and func.attr.startswith(ASSERTIONS):
            return self.key(func.value) == self.frame.self_name
        return dotted in HARMLESS or (isinstance(func, ast.Name) and func.id in HARMLESS)

    def read_call(self, node: ast.Call, function: Function, values: list[Value]) -> Value:
        """Read the body of a function of this module for this call; NotImplemented where that is not possible."""
        raise NotImplementedError

    def _dotted(self, node: ast.expr) -> str | None:
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        is_own = isinstance(root, ast.Name) and (root.id in self.env.names or root.id in self.frame.assigned)
        return None if is_own else self.module.dotted(node)

    def _function_of(self, func: ast.expr) -> Function | None:
        if isinstance(func, ast.Name) and func.id not in self.env.names:
            return self.module.functions.get(func.id)
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == self.frame.self_name:
            return self.module.method(self.frame.owner, func.attr)
        return None

    def _construct(self, node: ast.Call, dotted: str) -> Value:
        for each in (*node.args, *(word.value for word in node.keywords)):
            self.give_away(self.evaluate(each))
        self.may_raise()
        made = self.constructors[dotted](node, self._dotted)
        if made is None:
            return None
        first = self.make(self._site(node), made.points, node)
        if not made.is_internet:
            self.mistakes.local.update(first)
        if made.pair:
            return (first, self.make((node.lineno, -1 - node.col_offset, self.frame.lines), made.points, node))
        return first if made.place < 0 else (*(NOTHING,) * made.place, first, *(None,) * (1 - made.place))

    def _enter(self, node: ast.Call) -> Value:
        """A context manager is entered on a stack, which closes it later; nobody else has it."""
        value = self.evaluate(closed_thing(node.args[0], self.module) or node.args[0])
        self.may_raise()
        points = self._points(value) if isinstance(value, frozenset) else frozenset()
        if not all(point.machine.can_be_closed(point.state) for point in points):
            self.give_away(value)
        return value if isinstance(value, frozenset) else None

    def _wrap(self, node: ast.Call) -> Value:
        """ssl's wrap_socket(): the given object is used up when it returns."""
        value, *others = [self.evaluate(each) for each in (*node.args, *(word.value for word in node.keywords))]
        for each in others:
            self.give_away(each)
        self.may_raise()
        if not isinstance(value, frozenset) or len(value) != 1:
            self.give_away(value)
            return None
        (site,) = value
        machine = self.machines.get(site)
        if machine is not None:
            self.mistakes.followed(value)
            self.env.places[site] = machine.final()
        return self.make(self._site(node), None, node, machine)

    def _by_a_loop(self, node: ast.Call, name: str) -> Value:
        """A method of asyncio's loop calls one of the socket, and keeps it no longer than the caller waits."""
        owner = self.evaluate(node.args[0])
        if isinstance(owner, frozenset) and owner:
            return self._method(node, owner, name, node.args[1:])
        self._unknown(node, [owner, *[self.evaluate(each) for each in node.args[1:]]])
        return None

    def _method(self, node: ast.Call, owner: Sites, name: str, given: Sequence[ast.expr] | None = None) -> Value:
        arguments = node.args if given is None else given
        for each in (*arguments, *(word.value for word in node.keywords)):
            self.give_away(self.evaluate(each))
        points = self._points(owner)
        machines = {point.machine for point in points}
        self.step(owner, name, node)
        for machine in machines:
            if name == ACCEPT.name and machine.role.name in ACCEPTING and len(machines) == 1 and not arguments:
                made = ACCEPTING[machine.role.name]
                site = self.make(self._site(node), made.points, node)
                return site if made.place < 0 else (site, NOTHING)
        if name == "dup" and points:
            return self.make(self._site(node), points, node)
        return None if not machines or name not in _RETURNS_SELF else owner

    def make(self, site: Site, points: Points | None, node: ast.AST, machine: Machine | None = None) -> Sites:
        """A new object at `site`."""
        found = {point.machine for point in points or ()}
        self.machines[site] = found.pop() if len(found) == 1 else machine
        self.mistakes.made(site, node)
        return self.env.make(site, points)

    def _wait_for(self, node: ast.Call) -> None:
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and self.env.names.get(each.id):
                self.step(self.env.names[each.id], ASKED_BY_WAITING, node)

    def _unknown(self, node: ast.Call, values: list[Value]) -> None:
        """A call of anything else may do anything with its arguments, and with the attributes of what it belongs to."""
        func = node.func
        forget_kept(self.env)
        for value in values:
            self.give_away(value)
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            self.env.forget(f"{func.value.id}.")
        elif not isinstance(func, ast.Name):
            self.evaluate(func)
        for each in (*node.args, *(word.value for word in node.keywords)):
            if isinstance(each, ast.Name) and each.id == self.frame.self_name:
                self._give_self_away()

    def _site(self, node: ast.expr) -> Site:
        return (node.lineno, node.col_offset, self.frame.lines)

    def _points(self, sites: Sites) -> Points:
        return frozenset(point for site in sites for point in self.env.places.get(site) or ())

    # -- steps ----------------------------------------------------------------------------------------------------------------

    def step(self, sites: Sites, call: str, node: ast.AST) -> None:
        """Move the objects by one call, and report it where it is illegal."""
        places = {site: self.env.places.get(site) for site in sites}
        if not any(point.machine.knows(call) for points in places.values() for point in points or ()):
            self._end(sites, call)
            return
        self.mistakes.followed(sites)
        is_question = call in QUESTIONS and self.guards > 0
        if not is_question and self.mistakes.judge(places, call, node, self.frame.branches if self.frame.lines else 0):
            self.may_raise()
            for site in () if self.rehearsals else sites:
                self.env.places[site] = None  # one mistake, one report
            return
        outcome = DIRECTIONS.get(_constant(node)) if isinstance(node, ast.Call) else None
        after: dict[Site, Points | None] = {}
        raised = self.env.copy()
        for site, points in places.items():
            if points is None:
                after[site] = None
                continue
            cells = [(point, point.machine.endings(point.state, call)) for point in points]
            legal = [(point, cell) for point, cell in cells if cell is not None]
            moved = frozenset(each for point, cell in legal for each in _moved(point, cell, outcome))
            after[site] = (moved or points) if len(sites) == 1 else (moved | points)
            raised.places[site] = points | frozenset(each for point, cell in legal for each in _raised(point, cell))
        self.raised[-1].append(raised)
        self.env.places.update(after)
        self._end(sites, call)

    def _end(self, sites: Sites, call: str) -> None:
        """A call that uses an object up does so wherever it was, and for every other holder of it."""
        for site in sites if len(sites) == 1 else ():
            machine = self.machines.get(site)
            if self.env.places.get(site) is None and machine is not None and call == machine.role.closes:
                self.env.places[site] = machine.final()
                self.mistakes.followed({site})

    def close(self, sites: Sites, node: ast.AST) -> None:
        """Leave the `with` block of these objects."""
        known = [point.machine for point in self._points(sites)] + [self.machines.get(each) for each in sites]
        for call in {machine.role.closes for machine in known if machine is not None and machine.role.closes}:
            self.step(sites, call, node)

    def may_raise(self) -> None:
        """Note that an exception may leave the function here, if it is not caught."""
        if self.env.places:
            self.raised[-1].append(self.env.copy())


_RETURNS_SELF = frozenset({"__enter__"})


def _moved(point: Point, cell: Endings, outcome: str | None) -> Iterator[Point]:
    return (Point(point.machine, state) for state in cell.after(outcome))


def _raised(point: Point, cell: Endings) -> Iterator[Point]:
    return (Point(point.machine, state) for state in cell.raised)


def _constant(node: ast.Call) -> str:
    """The last word of a call's only argument."""
    if len(node.args) != 1:
        return ""
    given = node.args[0]
    if isinstance(given, ast.Constant):
        return str(given.value)
    return given.attr if isinstance(given, ast.Attribute) else given.id if isinstance(given, ast.Name) else ""
