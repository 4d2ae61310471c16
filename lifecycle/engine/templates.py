"""The source of checked methods: a template for each way in which a call may settle."""

from __future__ import annotations

import re
from _thread import get_ident
from collections.abc import Mapping
from types import CoroutineType, FunctionType

from lifecycle.engine.role import Role
from lifecycle.engine.settling import Settled
from lifecycle.engine.signatures import Signature, keywords_of
from lifecycle.engine.steps import IS_ONE_STEP, process
from lifecycle.engine.vocabulary import Call

_STEP = "if True" if IS_ONE_STEP else "with {self}._lock"
"""Begins a block that compares what an object holds, and sets it: `if True` is not an instruction"""

_CLAIMS = (
    """\
            if _lc_after is not None and {object}._claim is None:
                {object}._claim = _lc_claim
"""
    if IS_ONE_STEP
    else """\
            if _lc_after is not None:
                with {object}._lock:
                    if {object}._node is {node} and {object}._claim is None:
                        {object}._claim = _lc_claim
            if {object}._claim is _lc_claim:
"""
)
"""Begins the block of a call that has claimed the object, whose node was read just before: in the same step, or again"""

_TAKES = (
    """\
        if _lc_after is not None:
            {self}._node = _lc_after
"""
    if IS_ONE_STEP
    else """\
        _lc_taken = False
        if _lc_after is not None:
            with {self}._lock:
                if {self}._node is _lc_node:
                    {self}._node = _lc_after
                    _lc_taken = True
        if _lc_taken:
"""
)
"""The same of a call that settles before its handler"""

_SETTLE_OK = """\
        if _lc_result is not None:
            _lc_kind = _lc_result.__class__
            if _lc_kind is _lc_Settled:
                _lc_result = {self}._settle_result(_lc_node, {name!r}, _lc_result)
                {release}return _lc_result
            if _lc_kind is _lc_Coroutine:
                {self}._refuse_coroutine({name!r}, _lc_result)
{unless}        {step}:
            if {self}._node is _lc_node:
                {self}._node = _lc_after
                {release}return _lc_result
        {self}._settle_call(_lc_node, {name!r}, "ok")
        {release}return _lc_result
"""

_SETTLE_CHOICE = """\
        if _lc_result.__class__ is _lc_Settled:
            _lc_result = {self}._settle_result(_lc_node, {name!r}, _lc_result)
            {release}return _lc_result
        if _lc_result.__class__ is _lc_Coroutine:
            {self}._refuse_coroutine({name!r}, _lc_result)
        {self}._settle_call(_lc_node, {name!r}, "ok")
        {release}return _lc_result
"""

_FLAT = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    _lc_after = _lc_node.{name}
    if _lc_after is None:
        return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
    try:
        try:
            _lc_result = {await_}_lc_handler({arguments})
        except BaseException as _lc_error:
            {self}._settle_error(_lc_node, {name!r}, _lc_error)
            raise
{settle}
    except BaseException as _lc_error:
        {self}._true_up(_lc_node, {name!r}, _lc_error)
        raise
"""

_EXCLUSIVE = """\
{async_}def {name}({parameters}):
    _lc_claim = ({name!r}, _lc_process[0], _lc_get_ident())  # as claim_of() makes it
    _lc_node = {self}._node
    _lc_after = _lc_node.{name}
    try:
        try:
{claims}
                try:
                    _lc_result = {await_}_lc_handler({arguments})
                except BaseException as _lc_error:
                    {self}._settle_error(_lc_node, {name!r}, _lc_error)
                    raise
{settle}
        except BaseException as _lc_error:
            try:
                if {self}._claim is _lc_claim:
                    {self}._true_up(_lc_node, {name!r}, _lc_error)
            finally:
                if {self}._claim is _lc_claim:  # until the state has changed
                    {self}._claim = None
            raise
    except BaseException:
        if {self}._claim is _lc_claim:  # once more: an exception of a signal handler may have come in the first
            {self}._claim = None
        raise
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""

_SETTLES_BEFORE = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    _lc_after = _lc_node.{name}
    try:
{takes}
            return {await_}_lc_handler({arguments})
    except BaseException as _lc_error:
        {self}._true_up(_lc_node, {name!r}, _lc_error)
        raise
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""

_SETTLES_BEFORE_AS_CHOSEN = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    _lc_after = None
    try:
        _lc_next = {chosen}
        if _lc_next is None and _lc_node.{name} is not None:
            _lc_next = _lc_node._after({name!r}, {self}.outcome_before({name!r}, {arguments_only}))
        if _lc_next is not None:
            {step}:
                if {self}._node is _lc_node:
                    {self}._node = _lc_after = _lc_next
        if _lc_after is not None:
            try:
                return {await_}_lc_handler({arguments})
            except BaseException as _lc_error:
                {self}._settle_error(_lc_node, {name!r}, _lc_error, _lc_after)
                raise
    except BaseException as _lc_error:
        {self}._true_up(_lc_node, {name!r}, _lc_error)
        raise
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""

_CHOSEN = "_lc_node._chosen_{name}.get({only}) if {only}.__class__ is _lc_str else None"
"""The node that a call with choices leads to, or None where its argument is not one of them, or the call takes the slow path"""

_KEEPS = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    if {usually_zero}_lc_node._keeps_{name}{is_none}:
        return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
    try:
        _lc_handler()
    except {self}._SettledEarly as _lc_error:
        _lc_result = _lc_error.settled
    except BaseException as _lc_error:
        {self}._settle_error(_lc_node, {name!r}, _lc_error)
        raise
    return {self}._settle_result(_lc_node, {name!r}, _lc_result)
"""

_FIRES = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    _lc_partner = _lc_default({self}) if {partner} is None and _lc_node._keeps_{name} is not None else {partner}
    if _lc_node._keeps_{name} is not None and _lc_isinstance(_lc_partner, _lc_partners) and _lc_partner._fired is _lc_fired:
        _lc_claim = ({fired!r}, _lc_process[0], _lc_get_ident())
        _lc_first = _lc_partner._node
        _lc_after = _lc_first.{fired}
        try:
            try:
{claims}
                    {partner} = _lc_partner
                    try:
                        _lc_result = {await_}_lc_handler({arguments})
                    except BaseException as _lc_error:
                        _lc_partner._settle_error(_lc_first, {fired!r}, _lc_error)
                        raise
                    {step}:
                        if _lc_partner._node is _lc_first:
                            _lc_partner._node = _lc_after
                            _lc_after = None
                    if _lc_after is not None:
                        _lc_partner._settle_call(_lc_first, {fired!r}, "ok")
                    _lc_partner._fired_by({self})
                    if _lc_result.__class__ is _lc_Settled:
                        _lc_result = {self}._settle_result(_lc_node, {name!r}, _lc_result)
                    _lc_partner._claim = None
                    return _lc_result
            except BaseException as _lc_error:
                try:
                    if _lc_partner._claim is _lc_claim:
                        _lc_partner._true_up_fired(_lc_first, {fired!r}, _lc_error)
                        {self}._settle_error(_lc_node, {name!r}, _lc_error)
                finally:
                    if _lc_partner._claim is _lc_claim:
                        _lc_partner._claim = None
                raise
        except BaseException:
            if _lc_partner._claim is _lc_claim:
                _lc_partner._claim = None
            raise
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""
"""Of a handler that is inlined and keeps its object's state: it claims, fills and moves its partner as _fire() does"""

SLOW = """\
{async_}def {name}({parameters}):
    return {await_}{self}.{run}({name!r}, _lc_handler, ({positional}), {{{keywords}}})
"""


def template_of(role: Role, call: Call) -> str:
    """The source of a checked method whose handler has a frame of its own."""
    endings = [calls[call.name] for calls in role.table.values() if call.name in calls]
    if call.settles_before:
        return _SETTLES_BEFORE if all(set(outcomes) == {"ok"} for outcomes in endings) else _SETTLES_BEFORE_AS_CHOSEN
    settle = _SETTLE_OK if all("ok" in outcomes for outcomes in endings) else _SETTLE_CHOICE
    if call.exclusive:
        settle = re.sub("( *){release}", r"\1{self}._claim = None\n\1", settle.replace("{unless}", ""))
        return _EXCLUSIVE.replace("{settle}", _indented(settle, "        "))
    settle = settle.replace("{unless}", "        if _lc_after is _lc_node: return _lc_result\n").replace("{release}", "")
    return _FLAT.replace("{settle}", settle.rstrip())


def inlined_template_of(role: Role, call: Call) -> str:
    """The source of a checked method into which its handler is compiled."""
    if call.fires is not None:
        return _FIRES
    return template_of(role, call) if call.exclusive or call.settles_before else _KEEPS


def source_of(template: str, call: Call, handler: FunctionType, run: str, *, awaited: bool) -> tuple[str, Mapping[str, object]]:
    """The source of a method, and what the names in it mean."""
    signature = Signature(handler)
    names: dict[str, object] = {
        "_lc_process": process,
        "_lc_get_ident": get_ident,
        "_lc_Settled": Settled,
        "_lc_Coroutine": CoroutineType,
        "_lc_str": str,
        **signature.defaults,
    }
    texts = {"name": call.name, "run": run, "chosen": "None", **signature.texts, **keywords_of(awaited)}
    texts |= {"step": _STEP.format(**texts), "takes": _TAKES.format(**texts).rstrip()}
    texts["claims"] = _CLAIMS.format(object=texts["self"], node="_lc_node").rstrip()
    zero = getattr(handler, "__usually_zero__", None)  # what _keeps_<call> is where the state allows the call
    texts |= {"usually_zero": f"{zero} is not " if zero else "", "is_none": "" if zero else " is None"}
    if call.choices and texts["only"]:
        texts["chosen"] = _CHOSEN.format(**texts)
    if template is _FIRES:
        kind, default = handler.__fires_into__  # type: ignore[attr-defined]
        names |= {"_lc_partners": kind, "_lc_default": default, "_lc_fired": kind._fired, "_lc_isinstance": isinstance}
        claims = _indented(_CLAIMS.format(object="_lc_partner", node="_lc_first"), "    ")
        texts |= {"fired": call.fires or "", "partner": texts["first"], "claims": claims}
    return template.format(**texts), names


def _indented(text: str, by: str) -> str:
    return "\n".join(by + line for line in text.rstrip().split("\n"))
