"""What is owed of a benefit in its period, what the record of payments says was paid of it, and the rest."""

from __future__ import annotations

from datetime import date

from .operations import Compiled, narrow
from .pack import Rule
from .quantities import MONEY, read_type


def define(columns, rule: Rule) -> None:
    declared = read_type(rule.body["type"]) if "type" in rule.body else MONEY
    owed = rule.body.get("owed", f"{rule.id}_amount")
    columns.define(rule.on, f"{rule.id}_owed", rule, lambda: columns.expression(rule, owed, declared))
    columns.define(rule.on, f"{rule.id}_paid", rule, lambda: paid(columns, rule, declared))
    columns.define(rule.on, f"{rule.id}_outstanding", rule, lambda: outstanding(columns, rule, declared))


def paid(columns, rule: Rule, declared) -> Compiled:
    """The payments whose day lies in the period of the run's day and is not after it."""
    said = rule.body["paid"]
    # Whether a payment counts is asked of each payment, so the day is put into its filter as two literals.
    made = {}

    def run(w, s, c):
        first, last = period(rule.body["every"], w.as_of)
        if (first, last) not in made:
            test = f"({said['on']}) IS NOT NULL AND ({said['on']}) BETWEEN DATE '{first}' AND DATE '{last}'"
            if "when" in said:
                test = f"{test} AND ({said['when']})"
            text = f"sum({said['amount']}) FILTER (WHERE {test})"
            made[first, last] = columns.expression(rule, text, declared)
        return made[first, last].run(w, s, c)

    return Compiled(declared, run)


def outstanding(columns, rule: Rule, declared) -> Compiled:
    def run(w, s, c):
        owed, given = columns.value(w, s, f"{rule.id}_owed"), columns.value(w, s, f"{rule.id}_paid")
        return None if owed is None or given is None else narrow(max(owed - given, 0))

    return Compiled(declared, run)


def period(every: str, day: date):
    """The first day of the period that a day lies in, and the day itself."""
    if every == "once":
        return date(1, 1, 1), day
    if every == "month":
        return day.replace(day=1), day
    if every == "quarter":
        return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1), day
    if every == "term":
        starts = [date(day.year - 1, 9, 1), date(day.year, 3, 1), date(day.year, 9, 1)]
        return max(start for start in starts if start <= day), day
    return date(day.year, 1, 1), day
