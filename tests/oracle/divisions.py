"""Figures of standards and duties at the divisions above their subjects."""

from __future__ import annotations

from fractions import Fraction

from . import rules
from .operations import Compiled, narrow
from .pack import Rule
from .paths import ancestors, way_up
from .quantities import BOOL, COUNT, rate, round_to


def define(columns, rule: Rule) -> None:
    """Adds the columns to every division above the rule's entity."""
    for entity in levels_above(columns.pack, rule.on):
        way = way_up(columns.pack, rule.on, entity)
        for name, build in figures(columns, rule, way).items():
            columns.define(entity, f"{rule.id}_{name}", rule, build)


def levels_above(pack, entity: str) -> list:
    """The divisions among the entities up the tree; references are no place in the tree."""
    return [edge.entity for edge in ancestors(pack, entity) if pack.entities[edge.entity].division]


def figures(columns, rule: Rule, way: list) -> dict:
    states = memo_of_states(columns, rule, way)

    def counted(test):
        return lambda: Compiled(COUNT, lambda w, s, c: sum(1 for state in states(w, s) if test(*state)))

    built = {
        "subjects": counted(lambda subject, met: subject is True),
        "met": counted(lambda subject, met: subject is True and met is True),
        "unmet": counted(lambda subject, met: subject is True and met is False),
        "unknown": counted(lambda subject, met: subject is None or subject is True and met is None),
        "share": lambda: Compiled(rate(6), lambda w, s, c: share(states(w, s))),
    }
    if rule.kind == "standard" and "target" in rule.body:
        target = Fraction(rule.body["target"]["share"])
        built["on_target"] = lambda: Compiled(BOOL, lambda w, s, c: on_target(states(w, s), target))
    if rule.kind == "duty" and "due" in rule.body:
        if "met_on" in rule.body:
            built["met_late"] = lambda: in_state(columns, rule, way, "met-late")
        built["late"] = lambda: in_state(columns, rule, way, "late")
    if rule.kind == "standard" and "remedy" in rule.body:
        built["gap"] = lambda: known_sum(columns, rule, way, f"{rule.id}_gap")
        built["gap_unknown"] = lambda: gaps_unknown(columns, rule, way)
        if rules.unit_cost(columns, rule) is not None:
            built["gap_cost"] = lambda: known_sum(columns, rule, way, f"{rule.id}_gap_cost")
    return built


def memo_of_states(columns, rule: Rule, way: list):
    """A function that lists, for a division, whether each record is a subject and whether it meets the rule."""
    compiled = []

    def states(w, s):
        if not compiled:
            if rule.kind == "duty":
                compiled.extend([rules.duty_owed(columns, rule), rules.duty_met(columns, rule)])
            else:
                compiled.extend([rules.applies(columns, rule), rules.holds(columns, rule)])
        memo = w.cache.setdefault(("states", rule.on, rule.id), {})
        found = []
        for record in w.children(rule.on, way, s):
            if record.key not in memo:
                memo[record.key] = (compiled[0].run(w, record, None), compiled[1].run(w, record, None))
            found.append(memo[record.key])
        return found

    return states


def share(states: list):
    met = sum(1 for subject, holds in states if subject is True and holds is True)
    known = sum(1 for subject, holds in states if subject is True and holds is not None)
    return narrow(round_to(Fraction(met, known), 6, "half-up")) if known else None


def on_target(states: list, target: Fraction):
    """True where the share reaches the target though all unknown ones fail, false where it misses it though none does."""
    met = sum(1 for subject, holds in states if subject is True and holds is True)
    unknown = sum(1 for subject, holds in states if subject is None or subject is True and holds is None)
    every = sum(1 for subject, _ in states if subject is not False)
    if met >= target * every:
        return True
    return False if met + unknown < target * every else None


def known_sum(columns, rule: Rule, way: list, name: str) -> Compiled:
    type_ = columns.type(rule.on, name)

    def run(w, s, c):
        values = (columns.value(w, record, name) for record in w.children(rule.on, way, s))
        return narrow(sum(value for value in values if value is not None))

    return Compiled(type_, run)


def gaps_unknown(columns, rule: Rule, way: list) -> Compiled:
    """Records whose gap is unknown, which the sums leave out; it is 0 for those known to be no subject."""

    def run(w, s, c):
        return sum(
            1 for record in w.children(rule.on, way, s) if columns.value(w, record, f"{rule.id}_gap") is None
        )

    return Compiled(COUNT, run)


def in_state(columns, rule: Rule, way: list, state: str) -> Compiled:
    """Records whose duty is known to be in a state."""

    def run(w, s, c):
        records = w.children(rule.on, way, s)
        return sum(1 for record in records if columns.value(w, record, f"{rule.id}_state") == state)

    return Compiled(COUNT, run)
