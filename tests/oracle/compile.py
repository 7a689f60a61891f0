"""Expressions from text to functions: names are resolved and types checked once, values computed often.

What a compiled expression is stands in operations.py, with the operators that need no names.
"""

from __future__ import annotations

import operator
from dataclasses import replace
from datetime import date
from functools import lru_cache

from .aggregates import FUNCTIONS, aggregate, compare_orders
from .operations import (
    COMPARISONS,
    DATES,
    SCALARS,
    Compiled,
    Scope,
    both,
    coalesce,
    common,
    comparison,
    constant,
    divide,
    either,
    multiply,
    narrow,
    need,
    rounded,
    strict,
)
from .pack import Pack, PackFault
from .parameters import bracket_value, parameter_value
from .paths import way_by_name, way_up
from .quantities import BOOL, COUNT, DATE, NULL, TEXT, Type, TypeFault, product, read_type, round_to, unify
from .syntax import Between, Binary, Call, Case, DateLiteral, Entry, In, IsNull, Literal, Name, Unary, children, parse

cached_parse = lru_cache(maxsize=None)(parse)


class Compiler:
    """Compiles expressions of one pack; `columns` answers which columns an entity has."""

    def __init__(self, pack: Pack, columns):
        self.pack = pack
        self.columns = columns

    def compile(self, text, scope: Scope) -> Compiled:
        try:
            return self.node(cached_parse(str(text)), scope)
        except (TypeFault, PackFault) as fault:
            raise type(fault)(f"{fault}, in `{text}` on {scope.entity}") from None

    def node(self, node, scope: Scope) -> Compiled:
        return getattr(self, type(node).__name__.lower())(node, scope)

    def literal(self, node: Literal, scope: Scope) -> Compiled:
        value = node.value
        if value is None:
            return constant(NULL, None)
        if isinstance(value, bool):
            return constant(BOOL, value)
        if isinstance(value, str):
            return constant(TEXT, value)
        return constant(Type("number", decimals=node.decimals, literal=True), narrow(value))

    def dateliteral(self, node: DateLiteral, scope: Scope) -> Compiled:
        return constant(DATE, date.fromisoformat(node.text))

    # --- names ---------------------------------------------------------------------------------

    def name(self, node: Name, scope: Scope) -> Compiled:
        parts = node.parts
        if parts[0] == "param":
            return self.parameter(node, None, None, scope)
        if len(parts) == 1:
            return self.bare(parts[0], scope)
        entity, of_child, way = self.start(parts[0], scope)
        for step in parts[1:-1]:
            further = way_by_name(self.pack, entity, step)
            if further is None:
                raise PackFault(f"`{step}` is no edge of {entity}")
            way, entity = [*way, *further], further[-1].entity
        return self.column(entity, parts[-1], of_child, way)

    def bare(self, name: str, scope: Scope) -> Compiled:
        if self.columns.has(scope.entity, name):
            return self.column(scope.entity, name, False, [])
        if name == "as_of":
            return Compiled(DATE, lambda w, s, c: w.as_of)
        if name == "year":
            return Compiled(COUNT, lambda w, s, c: w.as_of.year)
        raise PackFault(f"{scope.entity} has no field or result `{name}`")

    def start(self, head: str, scope: Scope):
        """Where a dotted name begins: (entity, whether from the child, edges to follow)."""
        if head == scope.child:
            return head, True, []
        way = way_by_name(self.pack, scope.entity, head)
        if way is not None:
            return way[-1].entity, False, way
        if scope.child is not None and (way := way_by_name(self.pack, scope.child, head)) is not None:
            return way[-1].entity, True, way
        if head == scope.entity:
            return head, False, []
        raise PackFault(f"`{head}` is neither an edge of {scope.entity} nor above it")

    def column(self, entity: str, name: str, of_child: bool, way: list) -> Compiled:
        if not self.columns.has(entity, name):
            raise PackFault(f"{entity} has no field or result `{name}`")
        type_ = self.columns.type(entity, name)
        value = self.columns.value
        if not way:
            if of_child:
                return Compiled(type_, lambda w, s, c: value(w, c, name))
            return Compiled(type_, lambda w, s, c: value(w, s, name))

        def run(w, s, c):
            end = w.climb(c if of_child else s, way)
            return None if end is None else value(w, end, name)

        return Compiled(type_, run)

    # --- parameters ----------------------------------------------------------------------------

    def entry(self, node: Entry, scope: Scope) -> Compiled:
        return self.parameter(node.table, self.node(node.key, scope), None, scope)

    def parameter(self, name: Name, key: Compiled | None, at: Compiled | None, scope: Scope) -> Compiled:
        if len(name.parts) != 2 or name.parts[1] not in self.pack.parameters:
            raise PackFault(f"there is no parameter `{'.'.join(name.parts)}`")
        body = self.pack.parameters[name.parts[1]]
        if ("over" in body) != (key is not None):
            raise PackFault(f"`{name.parts[1]}` is {'' if 'over' in body else 'not '}a table over a list")
        when = at.run if at is not None else DATES[scope.dates]

        def run(w, s, c):
            value = parameter_value(body, when(w, s, c))
            if key is None or value is None:
                return value
            return value.get(key.run(w, s, c))

        return Compiled(read_type(body["type"]), lambda w, s, c: narrow(run(w, s, c)))

    # --- operators -----------------------------------------------------------------------------

    def unary(self, node: Unary, scope: Scope) -> Compiled:
        operand = self.node(node.operand, scope)
        run = operand.run
        if node.op == "NOT":
            need(operand, "bool", "NOT")
            return Compiled(BOOL, lambda w, s, c: None if (v := run(w, s, c)) is None else not v)
        need(operand, "number", "-")
        return Compiled(operand.type, lambda w, s, c: None if (v := run(w, s, c)) is None else -v)

    def binary(self, node: Binary, scope: Scope) -> Compiled:
        left, right = self.node(node.left, scope), self.node(node.right, scope)
        if node.op in ("AND", "OR"):
            need(left, "bool", node.op)
            need(right, "bool", node.op)
            return Compiled(BOOL, both(left.run, right.run) if node.op == "AND" else either(left.run, right.run))
        if node.op in COMPARISONS:
            return comparison(node.op, left, right)
        need(left, "number", node.op)
        need(right, "number", node.op)
        if node.op in ("+", "-"):
            type_ = unify(left.type, right.type, node.op)
            return Compiled(type_, strict(operator.add if node.op == "+" else operator.sub, left, right))
        if node.op == "*":
            return multiply(left, right, scope.rounding)
        return divide(left, right, scope.rounding)

    def between(self, node: Between, scope: Scope) -> Compiled:
        low = Binary(">=", node.operand, node.low)
        return self.binary(Binary("AND", low, Binary("<=", node.operand, node.high)), scope)

    def in_(self, node: In, scope: Scope) -> Compiled:
        operand = self.node(node.operand, scope)
        tests = [comparison("=", operand, self.node(item, scope)).run for item in node.items]

        def run(w, s, c):
            results = [test(w, s, c) for test in tests]
            return True if True in results else None if None in results else False

        return Compiled(BOOL, run)

    def isnull(self, node: IsNull, scope: Scope) -> Compiled:
        run = self.node(node.operand, scope).run
        return Compiled(BOOL, lambda w, s, c: run(w, s, c) is None)

    def case(self, node: Case, scope: Scope) -> Compiled:
        default = self.node(node.default, scope)
        type_, whens = default.type, []
        for condition, result in node.whens:
            if node.subject is not None:
                condition = Binary("=", node.subject, condition)
            test, value = self.node(condition, scope), self.node(result, scope)
            need(test, "bool", "WHEN")
            type_ = unify(type_, value.type, "CASE")
            whens.append((test.run, value.run))

        def run(w, s, c):
            for test, value in whens:
                holds = test(w, s, c)
                if holds is None:
                    return None
                if holds:
                    return value(w, s, c)
            return default.run(w, s, c)

        return Compiled(type_, run)

    # --- calls ---------------------------------------------------------------------------------

    def call(self, node: Call, scope: Scope) -> Compiled:
        if node.window is not None:
            return self.windowed(node, scope)
        if node.function in FUNCTIONS:
            return self.aggregated(node, scope)
        if node.filter is not None:
            raise PackFault(f"`{node.function}` takes no FILTER")
        if node.function == "at":
            return self.at(node, scope)
        if node.function == "bracket":
            return self.bracket(node, scope)
        arguments = [self.node(argument, scope) for argument in node.arguments]
        if node.function in ("round_half_up", "round_down", "round_up"):
            return rounded(node, arguments)
        if node.function == "coalesce":
            return coalesce(arguments)
        if node.function in ("least", "greatest"):
            type_ = common(arguments, node.function)
            return Compiled(type_, strict(min if node.function == "least" else max, *arguments))
        if node.function == "abs":
            return Compiled(arguments[0].type, strict(abs, *arguments))
        if node.function in SCALARS:
            type_, kinds, run = SCALARS[node.function]
            if len(kinds) != len(arguments):
                raise PackFault(f"`{node.function}` takes {len(kinds)} arguments")
            for argument, kind in zip(arguments, kinds):
                need(argument, kind, node.function)
            return Compiled(type_, strict(run, *arguments))
        raise PackFault(f"the document knows no function `{node.function}`")

    def at(self, node: Call, scope: Scope) -> Compiled:
        table, when = node.arguments
        on = self.node(when, scope)
        need(on, "date", "at")
        if isinstance(table, Entry):
            return self.parameter(table.table, self.node(table.key, scope), on, scope)
        return self.parameter(table, None, on, scope)

    def bracket(self, node: Call, scope: Scope) -> Compiled:
        name, amount = node.arguments[0], self.node(node.arguments[1], scope)
        when = DATES[scope.dates]
        if isinstance(name, Call):
            on = self.node(name.arguments[1], scope)
            need(on, "date", "at")
            name, when = name.arguments[0], on.run
        body = self.pack.parameters[name.parts[1]]
        unify(read_type(body["brackets"]), amount.type, "bracket")
        type_ = product(amount.type, read_type(body["type"]))
        rounding = scope.rounding

        def run(w, s, c):
            scale, value = parameter_value(body, when(w, s, c)), amount.run(w, s, c)
            if scale is None or value is None:
                return None
            return narrow(bracket_value(scale, value, lambda part: round_to(part, type_.decimals, rounding)))

        return Compiled(type_, run)

    def aggregated(self, node: Call, scope: Scope) -> Compiled:
        child, way = self.child_of(node, scope)
        inner = replace(scope, child=child)
        test = self.node(node.filter, inner).run if node.filter is not None else None
        value, type_ = None, COUNT
        if node.function != "count":
            argument = self.node(node.arguments[0], inner)
            value, type_ = argument.run, argument.type
            if type_.literal:
                type_ = replace(type_, literal=False)
        function, children_of = node.function, child

        def run(w, s, c):
            rows = []
            for record in w.children(children_of, way, s):
                belongs = True if test is None else test(w, s, record)
                if belongs is not False:
                    rows.append((belongs, value(w, s, record) if value is not None else True))
            return aggregate(function, rows)

        return Compiled(type_, run)

    def child_of(self, node: Call, scope: Scope):
        """The child of an aggregate: the first entity below the subject that its argument names."""
        if scope.child is not None:
            raise PackFault("an aggregate stands inside another")
        for name in names([*node.arguments, node.filter]):
            head = name.parts[0]
            if head in self.pack.entities and (len(name.parts) > 1 or node.function == "count"):
                way = way_up(self.pack, head, scope.entity)
                if way is not None:
                    return head, way
        raise PackFault(f"`{node.function}` names no child of {scope.entity}")

    def windowed(self, node: Call, scope: Scope) -> Compiled:
        window = node.window
        edge = window.partition[0]
        way = way_by_name(self.pack, scope.entity, edge.parts[0]) if isinstance(edge, Name) else None
        if way is None:
            raise PackFault("the first item of PARTITION BY names no edge")
        keys = [self.node(item, scope).run for item in window.partition[1:]]
        orders = [self.node(item, scope).run for item, _ in window.order]
        descending = tuple(down for _, down in window.order)
        argument = self.node(node.arguments[0], scope) if node.arguments else None
        frame = "before" if node.function in ("row_number", "rank") else window.frame
        ties_by_key = node.function != "rank"

        def place(w, record):
            memo = w.cache.setdefault(("window", node, scope), {})
            if record.key not in memo:
                memo[record.key] = (
                    tuple(key(w, record, None) for key in keys),
                    tuple(order(w, record, None) for order in orders),
                )
            return memo[record.key]

        def settled(w, end):
            """Whether every item of PARTITION BY and ORDER BY is known of all that are in question."""
            memo = w.cache.setdefault(("settled", node, scope), {})
            if end.key not in memo:
                places = [place(w, record) for record in w.children(scope.entity, way, end)]
                memo[end.key] = all(item is not None for key, order in places for item in (*key, *order))
            return memo[end.key]

        def run(w, s, c):
            mine, order, rows = *place(w, s), []
            end = w.climb(s, way)
            if end is None or not settled(w, end):
                return None
            for record in w.children(s.entity, way, end):
                theirs, other = place(w, record)
                if mine != theirs:
                    continue
                if frame == "all" or in_frame(frame, s, record, compare_orders(other, order, descending), ties_by_key):
                    rows.append((True, argument.run(w, record, None) if argument else True))
            if node.function in ("row_number", "rank"):
                before = aggregate("count", rows)
                return None if before is None else before + 1
            return aggregate(node.function, rows)

        counts = node.function in ("count", "row_number", "rank")
        return Compiled(COUNT if counts else argument.type, run)


def in_frame(frame: str, mine, other, order: int, ties_by_key: bool) -> bool:
    """Whether the other record stands in the frame of mine, given how it is ordered to it."""
    if other is mine:
        return frame == "through"
    if order == 0 and ties_by_key:
        order = -1 if other.key < mine.key else 1
    return order < 0


def names(nodes):
    for node in nodes:
        if isinstance(node, Name):
            yield node
        elif node is not None:
            yield from names(children(node))


setattr(Compiler, "in", Compiler.in_)
