"""Translates C++ expressions to Python, as far as they occur in Serialize functions."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lifecycle.archive.cpp.declarations import Member, Node, Sources, text_of
from lifecycle.archive.cpp.types import COORDINATES, COUNTS, STRUCTS, wire_of_member, wire_of_type
from lifecycle.roles import ARCHIVE

CONSTANTS = {"TRUE": "True", "FALSE": "False", "NULL": "None", "nullptr": "None", "true": "True", "false": "False"}
OPERATORS = {"&&": "and", "||": "or"}
CALLS: dict[str, Callable[[str, list[str]], str]] = {
    "GetCount": lambda it, of: f"len({it})",
    "GetSize": lambda it, of: f"len({it})",
    "GetLength": lambda it, of: f"len({it})",
    "size": lambda it, of: f"len({it})",
    "GetUpperBound": lambda it, of: f"(len({it}) - 1)",
    "IsEmpty": lambda it, of: f"(not {it})",
    "GetAt": lambda it, of: f"{it}[{of[0]}]",
    "ElementAt": lambda it, of: f"{it}[{of[0]}]",
    "at": lambda it, of: f"{it}[{of[0]}]",
    "GetHead": lambda it, of: f"{it}[0]",
    "GetTail": lambda it, of: f"{it}[-1]",
    "Add": lambda it, of: f"{it}.append({of[0]})",
    "AddTail": lambda it, of: f"{it}.append({of[0]})",
    "push_back": lambda it, of: f"{it}.append({of[0]})",
    "AddHead": lambda it, of: f"{it}.insert(0, {of[0]})",
    "SetAt": lambda it, of: f"{it}.__setitem__({of[0]}, {of[1]})",
    "RemoveAll": lambda it, of: f"{it}.clear()",
    "Empty": lambda it, of: f'{it} = ""',
    "clear": lambda it, of: f"{it}.clear()",
}
"""Methods of collections and strings: by the object and the arguments."""

OF_ARCHIVE = {"IsStoring": "is_storing", "IsLoading": "is_loading"}
ARCHIVE_CALLS = frozenset(call.name for call in ARCHIVE.calls)


class NotTranslated(Exception):
    """A piece of C++ that is not translated; its text."""


def python_name(name: str) -> str:
    """A valid Python name."""
    return f"{name}_" if keyword.iskeyword(name) else name


@dataclass(slots=True)
class Scope:
    """The names in one function: the class, the variables, the archive; `positions` are list positions in loops."""

    sources: Sources
    owner: str
    archive: str
    variables: dict[str, Member] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)

    # -- expressions ---------------------------------------------------------------------------------------------------------

    def python(self, node: Node) -> str:
        """The Python text of an expression; raises NotTranslated if there is none."""
        translate = _EXPRESSIONS.get(node.type)
        if translate is None:
            raise NotTranslated(text_of(node))
        return translate(self, node)

    def copied(self, node: Node) -> str:
        """An expression as a separate value, if C++ copies an object that Python would share."""
        member, value = self.member_of(node), self.python(node)
        is_object = member is not None and not member.is_pointer and self.sources.resolved(member.type) in self.sources.classes
        return f"deepcopy({value})" if is_object or (member is not None and member.lengths) else value

    def _name(self, node: Node) -> str:
        name = text_of(node)
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in self.variables or name == self.archive:
            return python_name(name)
        if self.sources.member(self.owner, name) is not None:
            return f"self.{python_name(name)}"
        if name in self.sources.constants:
            self.constants.add(name)
            return name
        raise NotTranslated(name)

    def _field(self, node: Node) -> str:
        if text_of(node) in (f"{self.archive}.m_pDocument", f"{self.archive}->m_pDocument"):
            return f"{self.archive}.document"
        return f"{self.python(node.child_by_field_name('argument'))}.{python_name(text_of(node.child_by_field_name('field')))}"

    def _binary(self, node: Node) -> str:
        operator = text_of(node.child_by_field_name("operator"))
        left, right = (self.python(node.child_by_field_name(side)) for side in ("left", "right"))
        if right == "None" and operator in ("==", "!="):
            operator = "is" if operator == "==" else "is not"
        return f"{left} {OPERATORS.get(operator, operator)} {right}"

    def _unary(self, node: Node) -> str:
        operator = text_of(node.child_by_field_name("operator"))
        value = self.python(node.child_by_field_name("argument"))
        return value if operator in ("*", "&", "+") else f"not {value}" if operator == "!" else f"{operator}{value}"

    def _call(self, node: Node) -> str:
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments").named_children
        if function.type == "field_expression":
            return self._method(function, arguments)
        name = text_of(function)
        if name in ("_T", "TEXT", "L", "_TEXT") or wire_of_type(name, self.sources):
            return self.python(arguments[0])
        if name in ("min", "max", "abs", "fabs"):
            return f"{name.removeprefix('f')}({', '.join(map(self.python, arguments))})"
        if function.type == "template_function" and text_of(function.child_by_field_name("name")).endswith("_cast"):
            return self.python(arguments[0])
        raise NotTranslated(text_of(node))

    def _method(self, function: Node, arguments: list[Node]) -> str:
        on, name = function.child_by_field_name("argument"), text_of(function.child_by_field_name("field"))
        if text_of(on) == self.archive:
            if name in OF_ARCHIVE:
                return f"{self.archive}.{OF_ARCHIVE[name]}"
            if name == "ReadString" and len(arguments) == 1 and text_of(arguments[0]) in self.variables:
                return f"({python_name(text_of(arguments[0]))} := {self.archive}.read_string()) is not None"
            if name == "ReadObject":
                kind = re.search(r"RUNTIME_CLASS\s*\(\s*(\w+)", text_of(arguments[0])) if arguments else None
                return f"{self.archive}.read_object({kind[1] if kind else ''})"
            if name == "GetObjectSchema":
                return f"({self.archive}.get_object_schema() if {self.archive}.is_loading else -1)"
            called = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
            if called in ARCHIVE_CALLS:
                return f"{self.archive}.{called}({', '.join(map(self.python, arguments))})"
        elif name == "GetNext" and len(arguments) == 1:
            position = text_of(arguments[0])
            return self.positions.get(position) or f"next({python_name(position)})"
        elif name == "GetHeadPosition":
            return f"iter({self.python(on)})"
        elif name in CALLS:
            return CALLS[name](self.python(on), [self.copied(each) for each in arguments])
        raise NotTranslated(text_of(function))

    def _number(self, node: Node) -> str:
        text = text_of(node).replace("'", "")
        return text if text.lower().startswith("0x") and not text.lower().endswith(("u", "l")) else _number(text)

    def _string(self, node: Node) -> str:
        return re.sub(r'^(L|u8?|U)?"', '"', text_of(node))

    def _condition(self, node: Node) -> str:
        test, yes, no = (self.python(node.child_by_field_name(part)) for part in ("condition", "consequence", "alternative"))
        return f"({yes} if {test} else {no})"

    def _item(self, node: Node) -> str:
        indices = node.child_by_field_name("indices") or node.child_by_field_name("index")
        inner = indices.named_children[0] if indices.type == "subscript_argument_list" else indices
        return f"{self.python(node.child_by_field_name('argument'))}[{self.python(inner)}]"

    # -- types ---------------------------------------------------------------------------------------------------------------

    def member_of(self, node: Node) -> Member | None:
        """The declared type of an expression; None if it is not known."""
        if node.type == "identifier":
            return self.variables.get(text_of(node)) or self.sources.member(self.owner, text_of(node))
        if node.type == "this":
            return Member(self.owner, True)
        if node.type == "parenthesized_expression":
            return self.member_of(node.named_children[0])
        if node.type == "field_expression":
            on, name = self.member_of(node.child_by_field_name("argument")), text_of(node.child_by_field_name("field"))
            kind = self.sources.resolved(on.type) if on else ""
            if name in COORDINATES and (wire_of_type(kind, self.sources) in STRUCTS):
                return Member(COORDINATES[name])
            return self.sources.member(kind, name)
        if node.type == "subscript_expression":
            whole = self.member_of(node.child_by_field_name("argument"))
            if whole is not None and whole.lengths:
                return Member(whole.type, whole.is_pointer, whole.lengths[1:])
            element = re.match(r"\w+\s*<\s*([^,<>]+)", whole.type) if whole else None
            return Member(element[1].rstrip("* "), element[1].endswith("*")) if element else None
        if node.type == "pointer_expression":
            pointed = self.member_of(node.child_by_field_name("argument"))
            if pointed is not None and text_of(node).startswith("*"):
                return Member(pointed.type, False, pointed.lengths[1:])
            return pointed
        return None

    def wire(self, node: Node) -> str | None:
        """The wire type of an operand of << or >>; None if it is not known."""
        while node.type == "parenthesized_expression":
            node = node.named_children[0]
        if node.type == "cast_expression":
            return wire_of_type(text_of(node.child_by_field_name("type")), self.sources)
        if node.type == "call_expression":
            return self._wire_of_call(node)
        if node.type in ("string_literal", "concatenated_string"):
            return "CString"
        if node.type == "number_literal":
            return "DOUBLE" if re.search(r"[.eE]", text_of(node)) and "x" not in text_of(node) else "INT"
        member = self.member_of(node)
        return None if member is None or member.lengths else wire_of_member(member, self.sources)

    def _wire_of_call(self, node: Node) -> str | None:
        function = node.child_by_field_name("function")
        if function.type == "field_expression":
            return COUNTS.get(text_of(function.child_by_field_name("field")))
        arguments = function.child_by_field_name("arguments") if function.type == "template_function" else None
        return wire_of_type(text_of(arguments.named_children[0]) if arguments is not None else text_of(function), self.sources)


def _number(text: str) -> str:
    return re.sub(r"[uUlL]+$", "", text) if "." not in text else re.sub(r"[fFlL]+$", "", text)


_EXPRESSIONS: dict[str, Callable[[Scope, Node], str]] = {
    "identifier": Scope._name,
    "true": Scope._name,
    "false": Scope._name,
    "null": Scope._name,
    "this": lambda scope, node: "self",
    "field_expression": Scope._field,
    "binary_expression": Scope._binary,
    "unary_expression": Scope._unary,
    "pointer_expression": Scope._unary,
    "call_expression": Scope._call,
    "number_literal": Scope._number,
    "string_literal": Scope._string,
    "char_literal": lambda scope, node: f"ord({text_of(node)})",
    "conditional_expression": Scope._condition,
    "subscript_expression": Scope._item,
    "parenthesized_expression": lambda scope, node: f"({scope.python(node.named_children[0])})",
    "cast_expression": lambda scope, node: scope.python(node.child_by_field_name("value")),
    "condition_clause": lambda scope, node: scope.python(node.child_by_field_name("value")),
    "new_expression": lambda scope, node: f"{text_of(node.child_by_field_name('type'))}()",
}
