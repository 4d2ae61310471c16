"""Translates the statements of a Serialize function to lines of a serialize() method, with the same order and branches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lifecycle.archive.cpp.declarations import Declared, Node, Sources, declarators, text_of
from lifecycle.archive.cpp.expressions import NotTranslated, Scope, python_name
from lifecycle.archive.cpp.types import STRUCTS, first_value, wire_of_type

UNTYPED, BY_HAND, LEFT_OUT = "UNTYPED", "BY HAND", "C++"
"""Marks: a type that was not found, what was not translated, and what was left out, since no archive is in it."""

ROOTS = ("CObject", "CDocument", "CWnd", "CView", "CCmdTarget", "COleDocument", "COleServerDoc", "CDialog")


class Body:
    """Collects the lines of one function."""

    def __init__(self, declared: Declared, sources: Sources) -> None:
        self.scope = Scope(sources, declared.name, declared.archive)
        self.declared = declared
        self.lines: list[str] = []
        self.indent = 2
        self.block(declared.serialize)
        if not any(not line.lstrip().startswith("#") for line in self.lines):
            self.add("pass")

    def add(self, line: str, mark: str = "") -> None:
        """Add a line, with a mark if something is wrong with it."""
        self.lines.append(" " * 4 * self.indent + line + (f"  # {mark}" if mark else ""))

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Indent the lines of an inner block, which must not be empty."""
        self.indent += 1
        before = len(self.lines)
        yield
        if all(line.lstrip().startswith("#") for line in self.lines[before:]):
            self.add("pass")
        self.indent -= 1

    def block(self, node: Node) -> None:
        """All statements of a block, or the one statement."""
        for each in node.named_children if node.type == "compound_statement" else [node]:
            before, indent = len(self.lines), self.indent
            try:
                self.statement(each)
            except (NotTranslated, AttributeError, IndexError):  # or a piece is missing, in a source that is not whole
                del self.lines[before:]
                self.indent = indent
                self.not_translated(each)

    def not_translated(self, node: Node) -> None:
        """Keep the C++ of a statement as a comment, marked if it uses the archive."""
        text = text_of(node)
        archive = re.compile(rf"\b{self.scope.archive}\b(?!\s*\.\s*Is(Stor|Load)ing\b)")
        is_about = node.type == "declaration" or archive.search(text) is not None
        self.add(f"# {BY_HAND if is_about else LEFT_OUT}: {text[:200]}")

    def statement(self, node: Node) -> None:
        """Translate one statement; raises NotTranslated if a part of it cannot be translated."""
        translate = _STATEMENTS.get(node.type)
        if translate is not None:
            translate(self, node)
        elif node.type.startswith("preproc_"):
            if not (node.type == "preproc_if" and text_of(node.child_by_field_name("condition")) == "0"):
                for each in node.named_children:
                    if each.type.endswith("statement") or each.type == "declaration":
                        self.block(each)
                    elif each.type in ("preproc_else", "preproc_elif", "preproc_elifdef"):
                        self.not_translated(each)
        elif node.type != "comment":
            raise NotTranslated(text_of(node))

    # -- expressions that are statements -------------------------------------------------------------------------------------

    def _expression(self, node: Node) -> None:
        for each in node.named_children:
            self.do(each)

    def do(self, node: Node) -> None:
        """Translate an expression used as a statement."""
        if node.type == "comma_expression":
            self.do(node.child_by_field_name("left"))
            self.do(node.child_by_field_name("right"))
        elif node.type == "binary_expression" and self._shifts(node):
            pass
        elif node.type == "assignment_expression":
            operator = text_of(node.child_by_field_name("operator"))
            target, value = node.child_by_field_name("left"), self.scope.copied(node.child_by_field_name("right"))
            self._set(target, value if operator == "=" else f"{self.scope.python(target)} {operator[:-1]} {value}")
        elif node.type == "update_expression":
            sign = "+" if "++" in text_of(node) else "-"
            self.add(f"{self.scope.python(node.child_by_field_name('argument'))} {sign}= 1")
        elif node.type == "call_expression" and self._archive_call(node):
            pass
        elif node.type not in ("identifier", "number_literal"):
            self.add(self.scope.python(node))

    def _set(self, target: Node, value: str, mark: str = "") -> None:
        """Assign to a variable or a member; assigning a coordinate of a POINT, RECT or SIZE makes a new tuple."""
        while target.type in ("parenthesized_expression", "cast_expression", "pointer_expression"):
            target = target.named_children[-1]
        if target.type == "field_expression":
            whole = target.child_by_field_name("argument")
            member = self.scope.member_of(whole)
            if member is not None and wire_of_type(member.type, self.scope.sources) in STRUCTS:
                name = self.scope.python(whole)
                self.add(f"{name} = {name}._replace({text_of(target.child_by_field_name('field'))}={value})", mark)
                return
        self.add(f"{self.scope.python(target)} = {value}", mark)

    def _shifts(self, node: Node) -> bool:
        """archive << a << b: each operand by its type."""
        operands: list[tuple[str, Node]] = []
        while node.type == "binary_expression":
            operands.append((text_of(node.child_by_field_name("operator")), node.child_by_field_name("right")))
            node = node.child_by_field_name("left")
        if text_of(node) not in (self.scope.archive, f"*{self.scope.archive}"):
            return False
        for operator, operand in reversed(operands):
            self._exchange(operator == "<<", operand)
        return True

    def _exchange(self, stores: bool, operand: Node) -> None:
        archive, value, wire = self.scope.archive, self.scope.python(operand), self.scope.wire(operand)
        mark = "" if wire else f"{UNTYPED}: {text_of(operand)}"
        wire = wire or UNTYPED
        if wire.endswith(" | None") or wire == "CObject":
            kind = "" if wire == "CObject" else wire.removesuffix(" | None")
            if stores:
                self.add(f"{archive}.write_object({value})")
            else:
                self._set(operand, f"{archive}.read_object({kind})")
        elif stores:
            self.add(f"{archive}.store({wire}, {value})", mark)
        else:
            self._set(operand, f"{archive}.load({wire})", mark)

    def _archive_call(self, node: Node) -> bool:
        """Translate a call that uses the archive; return whether it does."""
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments").named_children
        archive = self.scope.archive
        passes_it = len(arguments) == 1 and text_of(arguments[0]) in (archive, f"&{archive}")
        base, _, name = text_of(function).rpartition("::")
        if base and name == "Serialize" and passes_it:
            if base in self.declared.bases and self.scope.sources.classes.get(base, Declared("")).serialize is not None:
                self.add(f"super().serialize({archive})")
            elif not base.isidentifier():  # a template
                raise NotTranslated(base)
            elif base not in ROOTS and wire_of_type(base, self.scope.sources):
                self.add(f"{archive}.serialize(self, {base})")
            elif base not in ROOTS:
                self.add(f"{base}.serialize(self, {archive})")
            return True
        if function.type != "field_expression":
            return False
        on, called = function.child_by_field_name("argument"), text_of(function.child_by_field_name("field"))
        if called == "Serialize" and passes_it:
            self._member(on)
        elif text_of(on) == archive and called in ("Write", "Read") and len(arguments) == 2:
            self._raw(called == "Write", *arguments)
        elif text_of(on) == archive and called == "WriteString":
            self.add(f"{archive}.write_string({self.scope.python(arguments[0])})")
        elif text_of(on) == archive and called == "ReadString":
            self.add(f"{self.scope.python(arguments[0])} = {archive}.read_string()")
        elif text_of(on) == archive and called == "WriteObject":
            self.add(f"{archive}.write_object({self.scope.python(arguments[0])})")
        else:
            return False
        return True

    def _member(self, on: Node) -> None:
        """A member's Serialize: a template by its wire type, anything else by its method."""
        value, wire = self.scope.python(on), self.scope.wire(on)
        archive = self.scope.archive
        if wire is not None and "[" in wire:
            self.add(f"{value} = {archive}.exchange({wire}, {value})")
        else:
            self.add(f"{value}.serialize({archive})")

    def _raw(self, stores: bool, what: Node, size: Node) -> None:
        """Write and Read: a variable of a known type by its type, an array as Array, Chars or Bytes, else raw bytes."""
        while what.type in ("cast_expression", "parenthesized_expression", "pointer_expression"):
            inner = what.child_by_field_name("value") or what.child_by_field_name("argument")
            what = inner or what.named_children[-1]
        value, member, archive = self.scope.python(what), self.scope.member_of(what), self.scope.archive
        wire = None
        is_whole = member is not None and ("sizeof" in text_of(size) or [text_of(size)] == list(member.lengths))
        if member is not None and not member.is_pointer and is_whole:
            wire = wire_of_type(member.type, self.scope.sources)
            for length in reversed(member.lengths):
                character = {"CHAR": "", "WCHAR": ", unicode=True"}.get(wire or "")
                wire = f"Chars({length}{character})" if character is not None else f"Array({wire}, {length})" if wire else None
        if wire:
            self.add(f"{archive}.store({wire}, {value})" if stores else f"{value} = {archive}.load({wire})")
        elif stores:
            self.add(f"{archive}.write({value})", f"{UNTYPED}: {text_of(size)} bytes")
        else:
            try:
                count = self.scope.python(size)
            except NotTranslated:
                count = UNTYPED
            self.add(f"{value} = {archive}.ensure_read({count})", f"{UNTYPED}: {text_of(size)} bytes")

    # -- statements that hold others -----------------------------------------------------------------------------------------

    def _if(self, node: Node) -> None:
        word, alternative = "if", node
        while alternative is not None and alternative.type == "if_statement":
            self.add(f"{word} {self.scope.python(alternative.child_by_field_name('condition'))}:")
            with self.deeper():
                self.block(alternative.child_by_field_name("consequence"))
            other = alternative.child_by_field_name("alternative")
            word = "elif"
            alternative = other.named_children[-1] if other is not None and other.named_children else None
        if alternative is not None:
            self.add("else:")
            with self.deeper():
                self.block(alternative)

    def _for(self, node: Node) -> None:
        first, test, step = (node.child_by_field_name(part) for part in ("initializer", "condition", "update"))
        is_one = first is not None and first.type in ("assignment_expression", "declaration")
        counted = re.fullmatch(r"(?:\w+ )*(\w+) ?= ?(.+?);?", text_of(first)) if is_one else None
        limit = counted and test is not None and re.fullmatch(rf"{counted[1]} ?(<=?) ?(.+)", text_of(test))
        if (
            first
            and test
            and counted
            and limit
            and step is not None
            and re.fullmatch(rf"\+\+{counted[1]}|{counted[1]}\+\+", text_of(step))
        ):
            self._declare(first, silently=True)
            value = first.child_by_field_name("right") or next(iter(declarators(first)))[2]
            begin, end = self.scope.python(value), self.scope.python(test.child_by_field_name("right"))
            end = f"{end} + 1" if limit[1] == "<=" else end
            self.add(f"for {python_name(counted[1])} in range({end if begin == '0' else f'{begin}, {end}'}):")
            with self.deeper():
                self.block(node.child_by_field_name("body"))
            return
        if first is not None:
            self.statement(first) if first.type == "declaration" else self.do(first)
        self._loop(test, node.child_by_field_name("body"), step)

    def _while(self, node: Node) -> None:
        self._loop(node.child_by_field_name("condition").child_by_field_name("value"), node.child_by_field_name("body"), None)

    def _loop(self, test: Node | None, body: Node, step: Node | None) -> None:
        position = re.match(r"\(?(\w+)", text_of(test)) if test is not None else None
        if position and self.scope.variables.get(position[1]) and self.scope.variables[position[1]].type == "POSITION":
            self.scope.positions[position[1]] = f"at_{position[1]}"
            self.add(f"for at_{position[1]} in {python_name(position[1])}:")
        else:
            self.add(f"while {self.scope.python(test) if test is not None else 'True'}:")
        with self.deeper():
            self.block(body)
            if step is not None:
                self.do(step)
        self.scope.positions.pop(position[1] if position else "", None)

    def _do(self, node: Node) -> None:
        self.add("while True:")
        with self.deeper():
            self.block(node.child_by_field_name("body"))
            self.add(f"if not ({self.scope.python(node.child_by_field_name('condition'))}):")
            self.add("    break")

    def _switch(self, node: Node) -> None:
        self.add(f"match {self.scope.python(node.child_by_field_name('condition'))}:")
        self.indent += 1
        labels: list[str] = []
        cases = [each for each in node.child_by_field_name("body").named_children if each.type == "case_statement"]
        for case in cases:
            value = case.child_by_field_name("value")
            labels.append("_" if value is None else self.scope.python(value))
            rest = [each for each in case.named_children if each != value and each.type != "comment"]
            if len(rest) == 1 and rest[0].type == "compound_statement":
                rest = [each for each in rest[0].named_children if each.type != "comment"]
            ends = bool(rest) and rest[-1].type == "break_statement"
            if rest and not (ends or case == cases[-1] or rest[-1].type in ("return_statement", "continue_statement")):
                raise NotTranslated(text_of(case))  # it goes on in the next case
            rest = rest[:-1] if ends else rest
            if any(map(_leaves, rest)):
                raise NotTranslated(text_of(case))
            if rest or ends:
                pattern = " | ".join(labels)
                is_plain = re.fullmatch(r"[\d\s|_x-]+", pattern)
                self.add(f"case {pattern}:" if is_plain else f"case it if it in ({', '.join(labels)},):")
                with self.deeper():
                    for each in rest:
                        self.block(each)
                labels = []
        self.indent -= 1

    def _declare(self, node: Node, *, silently: bool = False) -> None:
        for name, member, value in declarators(node):
            self.scope.variables[name] = member
            if silently or (member.type == "POSITION" and value is None):
                continue
            begin = self.scope.copied(value) if value is not None else first_value(member, self.scope.sources)
            self.add(f"{python_name(name)} = {begin}")

    def _return(self, node: Node) -> None:
        self.add("return")


def _leaves(node: Node) -> bool:
    """Whether a statement contains a `break` that ends what is around the statement."""
    inner = () if node.type in ("for_statement", "while_statement", "do_statement", "switch_statement") else node.named_children
    return node.type == "break_statement" or any(map(_leaves, inner))


_STATEMENTS: dict[str, Callable[[Body, Node], None]] = {
    "compound_statement": Body.block,
    "expression_statement": Body._expression,
    "if_statement": Body._if,
    "for_statement": Body._for,
    "while_statement": Body._while,
    "do_statement": Body._do,
    "switch_statement": Body._switch,
    "declaration": Body._declare,
    "return_statement": Body._return,
    "break_statement": lambda body, node: body.add("break"),
    "continue_statement": lambda body, node: body.add("continue"),
}
