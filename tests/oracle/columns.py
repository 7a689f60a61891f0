"""The columns of every entity: its fields, and what the rules of the pack add to them.

A column is compiled when it is first asked for, and its value is remembered in the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from . import assets, divisions, networks, rules, scorecards
from .compile import Compiler, cached_parse
from .operations import Compiled, Scope, narrow
from .pack import Pack, PackFault, Rule
from .parameters import change_days
from .quantities import Type, round_to, unify
from .syntax import Name, children


@dataclass
class Column:
    """`build` compiles on demand; `rule` is the id of the rule that the column belongs to."""

    build: Callable  # () -> Compiled
    rule: str
    compiled: Compiled | None = None
    computing: bool = False

    def get(self) -> Compiled:
        if self.compiled is None:
            if self.computing:
                raise PackFault(f"the type of `{self.rule}` rests on itself")
            self.computing = True
            self.compiled = self.build()
            self.computing = False
        return self.compiled


RUNNING = object()


class Columns:
    def __init__(self, pack: Pack):
        self.pack = pack
        self.compiler = Compiler(pack, self)
        self.table: dict[str, dict[str, Column]] = {entity: {} for entity in pack.entities}
        for entity in list(pack.entities):
            for rule in pack.rules_on(entity).values():
                KINDS[rule.kind](self, rule)
        for entity in pack.entities:
            for rule in pack.rules_on(entity).values():
                if rule.kind in ("standard", "duty"):
                    divisions.define(self, rule)

    # --- defining ------------------------------------------------------------------------------

    def define(self, entity: str, name: str, rule: Rule, build: Callable) -> None:
        if name in self.pack.entities[entity].fields or name in self.table[entity]:
            raise PackFault(f"{rule.where}: {entity} has `{name}` twice")
        self.table[entity][name] = Column(build, rule.id)

    def scope(self, rule: Rule, entity: str | None = None) -> Scope:
        return Scope(entity or rule.on, rule.rounding or self.pack.round, rule.body.get("on_change", "as-of"))

    def expression(self, rule: Rule, text, declared: Type | None = None, entity: str | None = None) -> Compiled:
        """One expression of a rule, brought to a declared type if it has one."""
        scope = self.scope(rule, entity)
        compiled = self.compiler.compile(text, scope)
        if declared is not None:
            compiled = bring(compiled, declared, scope.rounding, f"`{rule.id}`")
        parameters = [self.pack.parameters[name] for name in parameters_in(cached_parse(str(text)))]
        if scope.dates == "split":
            return split(compiled, parameters, scope.rounding)
        if scope.dates == "refuse":
            return refuse(compiled, parameters, rule.id)
        return compiled

    # --- asking --------------------------------------------------------------------------------

    def has(self, entity: str, name: str) -> bool:
        return name in self.pack.entities[entity].fields or name in self.table[entity]

    def type(self, entity: str, name: str) -> Type:
        field = self.pack.entities[entity].fields.get(name)
        return field.type if field is not None else self.table[entity][name].get().type

    def value(self, world, record, name: str):
        field = self.pack.entities[record.entity].fields.get(name)
        if field is not None and (field.derived is None or name in record.facts):
            if name == self.pack.entities[record.entity].key:
                return record.facts.get(name, record.key)
            return record.facts.get(name)
        if name in record.values:
            if record.values[name] is RUNNING:
                raise PackFault(f"`{name}` of {record} rests on itself")
            return record.values[name]
        record.values[name] = RUNNING
        try:
            if field is not None:
                value = networks.derived(self, world, record, field)
            else:
                value = self.table[record.entity][name].get().run(world, record, None)
        except Exception:
            del record.values[name]
            raise
        record.values[name] = value
        return value


def bring(compiled: Compiled, declared: Type, rounding: str, what: str) -> Compiled:
    """A value in its declared type: units must agree, and surplus decimals are rounded."""
    unify(compiled.type, declared, what)
    if declared.kind != "number" or compiled.type.decimals <= declared.decimals:
        return replace(compiled, type=declared)
    run = compiled.run
    return Compiled(declared, lambda w, s, c: narrow(round_to(run(w, s, c), declared.decimals, rounding)))


def parameters_in(node) -> set:
    found = {node.parts[1]} if isinstance(node, Name) and node.parts[0] == "param" else set()
    for child in children(node):
        found |= parameters_in(child)
    return found


def split(compiled: Compiled, parameters: list, rounding: str) -> Compiled:
    """Each value for the days it is in force within the calendar year, every stretch rounded by itself."""

    def run(w, s, c):
        first, after = date(w.as_of.year, 1, 1), date(w.as_of.year + 1, 1, 1)
        starts = sorted({first, *(day for body in parameters for day in change_days(body, w.as_of.year))})
        total, before = 0, w.split_date
        for start, end in zip(starts, [*starts[1:], after]):
            w.split_date = start
            value = compiled.run(w, s, c)
            w.split_date = before
            if value is None or len(starts) == 1:
                return value
            if compiled.type.kind != "number":
                raise PackFault("only numbers can be split over a year")
            part = Fraction(value) * (end - start).days / (after - first).days
            total += round_to(part, compiled.type.decimals, rounding)
        return narrow(total)

    return Compiled(compiled.type, run)


def refuse(compiled: Compiled, parameters: list, rule: str) -> Compiled:
    def run(w, s, c):
        if any(change_days(body, w.as_of.year) for body in parameters):
            raise PackFault(f"`{rule}` refuses a run in a year in which its parameters change")
        return compiled.run(w, s, c)

    return Compiled(compiled.type, run)


KINDS = {
    "variable": rules.variable,
    "measure": rules.measure,
    "check": rules.failing,
    "audit": rules.failing,
    "benefit": rules.benefit,
    "standard": rules.standard,
    "duty": rules.duty,
    "scorecard": scorecards.define,
    "asset": assets.define,
}
