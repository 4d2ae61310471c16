"""A module as the checker reads it: the meaning of its names, its functions, its classes, and silencing comments."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """imports: a name -> the dotted name that it stands for. functions: those of the module. classes: name -> its methods.
    replaced: dotted names, as "socket.socket", that the module gives another value, so that nobody knows what they make.
    """

    file: str
    imports: Mapping[str, str]
    functions: Mapping[str, Function]
    classes: Mapping[str, Mapping[str, Function]]
    bases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    replaced: frozenset[str] = frozenset()

    def dotted(self, node: ast.expr) -> str | None:
        """The dotted name of an expression by the imports, or None."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.imports:
            return None
        name = ".".join((self.imports[node.id], *reversed(parts)))
        return None if name in self.replaced else name

    def without(self, names: Iterable[str]) -> Module:
        """The module where these dotted names are replaced, too."""
        found = self.replaced.union(names)
        return self if found == self.replaced else replace(self, replaced=found)

    def method(self, owner: str, name: str) -> Function | None:
        """The method of a class, or of its bases in this module."""
        seen: list[str] = []
        queue = [owner]
        while queue:
            here = queue.pop(0)
            if here in seen or here not in self.classes:
                continue
            seen.append(here)
            if name in self.classes[here]:
                return self.classes[here][name]
            queue.extend(self.bases.get(here, ()))
        return None


def module_of(tree: ast.Module, file: str) -> Module:
    """The meaning of the names of a module."""
    imports: dict[str, str] = {}
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                imports[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    functions = {node.name: node for node in tree.body if isinstance(node, Function)}
    classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
    assigned = {name for name in _stored(tree) if name not in functions}
    module = Module(
        file,
        {name: dotted for name, dotted in imports.items() if name not in assigned},
        functions,
        {name: {each.name: each for each in node.body if isinstance(each, Function)} for name, node in classes.items()},
        {name: tuple(base.id for base in node.bases if isinstance(base, ast.Name)) for name, node in classes.items()},
    )
    return module.without(name for node in nodes if isinstance(node, ast.Attribute) for name in _assigned(node, module))


_REPLACING = frozenset({"object", "patch", "setattr"})
"""functions, as those of `unittest.mock` and pytest's `monkeypatch`, that give a name another value while a test runs"""


def patched_names(tree: ast.AST, module: Module) -> frozenset[str]:
    """The dotted names that the code has such a function replace."""
    return frozenset(name for node in ast.walk(tree) if isinstance(node, ast.Call) for name in _patched(node, module))


def _assigned(node: ast.Attribute, module: Module) -> Iterator[str]:
    name = module.dotted(node) if isinstance(node.ctx, ast.Store) else None
    if name is not None:
        yield name


def _patched(node: ast.Call, module: Module) -> Iterator[str]:
    if node.args and _last_name(node.func) in _REPLACING:
        first, *rest = node.args
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield ".".join(first.value.split(".")[-2:])
        elif rest and isinstance(rest[0], ast.Constant) and (owner := module.dotted(first)) is not None:
            yield f"{owner}.{rest[0].value!s}"


def _last_name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _stored(tree: ast.Module) -> Iterator[str]:
    """The names that the module's own statements assign: they no longer refer to imports."""
    for node in tree.body:
        for each in ast.walk(node) if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) else ():
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                yield each.id


def names_one(tree: ast.AST, module: Module, makers: Collection[str]) -> bool:
    """Whether the code names one of these dotted names: most modules that import one of their packages do not."""
    known = set(module.imports.values())
    if not any(maker == name or maker.startswith(f"{name}.") for maker in makers for name in known):
        return False
    return any(isinstance(node, ast.Name | ast.Attribute) and module.dotted(node) in makers for node in ast.walk(tree))


def functions_that_get(tree: ast.Module, module: Module, makers: Collection[str]) -> frozenset[int]:
    """The id() of each function that may get an object: it names a maker, or a function of the module that may get one.

    Reading the others takes most of the time, and finds nothing. makers: dotted names.
    """
    names: dict[int, set[str]] = {}
    called: dict[int, str] = {}
    getting: set[int] = set()
    for function in ast.walk(tree):
        if isinstance(function, Function):
            called[id(function)], names[id(function)] = function.name, set()
            for node in ast.walk(function):
                if isinstance(node, ast.Name | ast.Attribute):
                    names[id(function)].add(node.id if isinstance(node, ast.Name) else node.attr)
                    if module.dotted(node) in makers:
                        getting.add(id(function))
    before = -1
    while before != len(getting):
        before = len(getting)
        known = {called[each] for each in getting}
        getting |= {each for each, used in names.items() if not used.isdisjoint(known)}
    return frozenset(getting)


def names_read(node: ast.AST) -> frozenset[str]:
    """The names that the code of a nested function or class reads."""
    return frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def is_generator(function: Function) -> bool:
    """Whether a call only makes a generator."""
    queue: list[ast.AST] = list(function.body)
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            queue.extend(ast.iter_child_nodes(node))
    return False
