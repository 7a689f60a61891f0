"""Scorecards: points of items, their weighted total, vetoes, and the place among siblings."""

from __future__ import annotations

from fractions import Fraction

from .operations import Compiled, narrow
from .pack import PackFault, Rule
from .paths import way_by_name
from .quantities import BOOL, COUNT, rate, round_to, unify

POINTS = rate(2)


def define(columns, rule: Rule) -> None:
    items = rule.body["items"]
    weights = {item["id"]: Fraction(item["weight"]) for item in items}
    if sum(weights.values()) != 1:
        raise PackFault(f"{rule.where}: the weights of `{rule.id}` do not add up to 1")
    for item in items:
        columns.define(rule.on, f"{rule.id}_{item['id']}", rule, lambda item=item: points(columns, rule, item))
        if "except_when" in item:
            columns.define(
                rule.on,
                f"{rule.id}_{item['id']}_exempt",
                rule,
                lambda item=item: columns.expression(rule, item["except_when"], BOOL),
            )
    columns.define(
        rule.on, rule.id, rule, lambda: Compiled(POINTS, lambda w, s, c: total(columns, rule, w, s, weights))
    )
    columns.define(rule.on, f"{rule.id}_vetoed", rule, lambda: vetoed(columns, rule))
    if "rank_within" in rule.body:
        define_ranks(columns, rule, weights)


def points(columns, rule: Rule, item: dict) -> Compiled:
    """Points with two decimals; if those are not from 0 to 100, they are unknown and a finding."""
    compiled = columns.expression(rule, item["score"])
    unify(compiled.type, POINTS, "points")
    rounding = columns.scope(rule).rounding

    def run(w, s, c):
        value = round_to(compiled.run(w, s, c), 2, rounding)
        if value is not None and not 0 <= value <= 100:
            w.find(s, f"{rule.id}_{item['id']}: points beyond 0 to 100")
            return None
        return narrow(value)

    return Compiled(POINTS, run)


def total(columns, rule: Rule, w, s, weights: dict):
    """The weighted mean of the items that count, rounded once; unknown if what counts is."""
    above = below = Fraction(0)
    for item in rule.body["items"]:
        name = f"{rule.id}_{item['id']}"
        if "except_when" in item:
            exempt = columns.value(w, s, f"{name}_exempt")
            if exempt is None:
                return None
            if exempt:
                continue
        value = columns.value(w, s, name)
        if value is None:
            return None
        above += weights[item["id"]] * value
        below += weights[item["id"]]
    if below == 0:
        return None
    return narrow(round_to(above / below, 2, columns.scope(rule).rounding))


def vetoed(columns, rule: Rule) -> Compiled:
    tests = [columns.expression(rule, veto["when"], BOOL) for veto in rule.body.get("veto", [])]

    def run(w, s, c):
        states = [test.run(w, s, c) for test in tests]
        return True if True in states else None if None in states else False

    return Compiled(BOOL, run)


# --- ranks ---------------------------------------------------------------------------------------


def define_ranks(columns, rule: Rule, weights: dict) -> None:
    way = way_by_name(columns.pack, rule.on, rule.body["rank_within"])
    if way is None:
        raise PackFault(f"{rule.where}: `{rule.body['rank_within']}` is no edge of {rule.on}")
    columns.define(rule.on, f"{rule.id}_rank", rule, lambda: rank(columns, rule, way, weights))
    columns.define(rule.on, f"{rule.id}_ranked", rule, lambda: ranked(columns, rule, way))
    for item in rule.body["items"]:
        raised = raised_weights(weights, item["id"])
        columns.define(
            rule.on,
            f"{rule.id}_rank_if_{item['id']}",
            rule,
            lambda raised=raised: rank(columns, rule, way, raised),
        )


def raised_weights(weights: dict, raised: str) -> dict:
    """The weights if one item weighed 0.05 more (at most 1) and the others less in proportion."""
    weight = min(weights[raised] + Fraction(5, 100), Fraction(1))
    rest = 1 - weights[raised]
    return {
        item: weight if item == raised else old * (1 - weight) / rest if rest else old for item, old in weights.items()
    }


def results(columns, rule: Rule, way: list, w, s, weights: dict) -> list:
    """Siblings with a known result, as (record, vetoed, total); the total of one that is vetoed may be unknown.

    There are none if the subject has no siblings' edge.
    """
    end = w.climb(s, way)
    if end is None:
        return []
    found = []
    for record in w.children(rule.on, way, end):
        veto = columns.value(w, record, f"{rule.id}_vetoed")
        value = total(columns, rule, w, record, weights)
        if veto is True or veto is False and value is not None:
            found.append((record, veto, value))
    return found


def rank(columns, rule: Rule, way: list, weights: dict) -> Compiled:
    def run(w, s, c):
        others = results(columns, rule, way, w, s, weights)
        mine = next(((veto, value) for record, veto, value in others if record is s), None)
        if mine is None:
            return None
        if mine[0]:
            return 1 + sum(1 for _, veto, _ in others if not veto)
        return 1 + sum(1 for _, veto, value in others if not veto and value > mine[1])

    return Compiled(COUNT, run)


def ranked(columns, rule: Rule, way: list) -> Compiled:
    weights = {item["id"]: Fraction(item["weight"]) for item in rule.body["items"]}

    def run(w, s, c):
        return None if w.climb(s, way) is None else len(results(columns, rule, way, w, s, weights))

    return Compiled(COUNT, run)
