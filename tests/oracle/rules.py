"""Columns of the rules that look at one record: variables, measures, checks, benefits, standards, duties."""

from __future__ import annotations

import re
from fractions import Fraction

from . import payments
from .operations import Compiled, narrow
from .pack import PackFault, Rule
from .quantities import BOOL, DATE, MONEY, TEXT, product, read_type, round_to


def variable(columns, rule: Rule) -> None:
    declared = read_type(rule.body["type"])
    columns.define(rule.on, rule.id, rule, lambda: columns.expression(rule, rule.body["expr"], declared))


def failing(columns, rule: Rule) -> None:
    """Checks and audits: the column says whether the record fails."""
    columns.define(rule.on, rule.id, rule, lambda: columns.expression(rule, rule.body["fails"], BOOL))


def measure(columns, rule: Rule) -> None:
    if "expr" in rule.body:
        return variable(columns, rule)
    numerator, denominator = f"{rule.id}_numerator", f"{rule.id}_denominator"
    columns.define(rule.on, numerator, rule, lambda: columns.expression(rule, rule.body["numerator"]))
    columns.define(rule.on, denominator, rule, lambda: columns.expression(rule, rule.body["denominator"]))
    columns.define(rule.on, rule.id, rule, lambda: ratio(columns, rule, numerator, denominator))
    return None


def ratio(columns, rule: Rule, numerator: str, denominator: str) -> Compiled:
    """The quotient of the two parts, rounded once to the measure's own decimals."""
    declared = read_type(rule.body["type"])
    rounding = columns.scope(rule).rounding

    def run(w, s, c):
        above, below = columns.value(w, s, numerator), columns.value(w, s, denominator)
        if above is None or below is None:
            return None
        if below == 0:
            w.find(s, f"{rule.id}: division by zero")
            return None
        return narrow(round_to(Fraction(above) / below, declared.decimals, rounding))

    return Compiled(declared, run)


# --- benefits ------------------------------------------------------------------------------------


def benefit(columns, rule: Rule) -> None:
    columns.define(rule.on, rule.id, rule, lambda: columns.expression(rule, rule.body["who"], BOOL))
    if "amount" in rule.body:
        columns.define(rule.on, f"{rule.id}_amount", rule, lambda: amount(columns, rule))
    if "paid" in rule.body:
        payments.define(columns, rule)


def amount(columns, rule: Rule) -> Compiled:
    """Nothing where not entitled, else the amount of the one exception that applies, or the rule's own."""
    declared = read_type(rule.body["type"]) if "type" in rule.body else MONEY
    usual = columns.expression(rule, rule.body["amount"], declared)
    exceptions = [
        (columns.expression(rule, item["when"], BOOL), columns.expression(rule, item["amount"], declared))
        for item in rule.body.get("except", [])
    ]

    def run(w, s, c):
        entitled = columns.value(w, s, rule.id)
        if entitled is not True:
            return None if entitled is None else 0
        states = [when.run(w, s, c) for when, _ in exceptions]
        if states.count(True) > 1:
            w.find(s, f"{rule.id}: more than one exception applies")
            return None
        if None in states:
            return None
        chosen = exceptions[states.index(True)][1] if True in states else usual
        return chosen.run(w, s, c)

    return Compiled(declared, run)


# --- standards -----------------------------------------------------------------------------------


def standard(columns, rule: Rule) -> None:
    parts = rule.body.get("parts", [])
    for number, part in enumerate(parts, 1):
        text = part["holds"]
        columns.define(rule.on, f"{rule.id}_{number}", rule, lambda text=text: columns.expression(rule, text, BOOL))
    columns.define(rule.on, rule.id, rule, lambda: met_where_it_applies(columns, rule))
    if "remedy" in rule.body:
        columns.define(rule.on, f"{rule.id}_gap", rule, lambda: gap(columns, rule))
        if unit_cost(columns, rule) is not None:
            columns.define(rule.on, f"{rule.id}_gap_cost", rule, lambda: gap_cost(columns, rule))


def applies(columns, rule: Rule) -> Compiled:
    return columns.expression(rule, rule.body.get("applies", "TRUE"), BOOL)


def holds(columns, rule: Rule) -> Compiled:
    """The condition, or all parts together: one that is known to fail decides."""
    if "holds" in rule.body:
        return columns.expression(rule, rule.body["holds"], BOOL)
    names = [f"{rule.id}_{number}" for number in range(1, len(rule.body["parts"]) + 1)]

    def run(w, s, c):
        states = [columns.value(w, s, name) for name in names]
        return False if False in states else None if None in states else True

    return Compiled(BOOL, run)


def met_where_it_applies(columns, rule: Rule) -> Compiled:
    return holds(columns, rule)


def gap(columns, rule: Rule) -> Compiled:
    """What is missing: nothing where the standard holds or does not apply."""
    subject, met = applies(columns, rule), holds(columns, rule)
    quantity = columns.expression(rule, rule.body["remedy"]["quantity"])

    def run(w, s, c):
        missing = lacking(subject.run(w, s, c), met.run(w, s, c))
        return quantity.run(w, s, c) if missing else None if missing is None else 0

    return Compiled(quantity.type, run)


def lacking(subject, met):
    """Whether a record is a subject and does not meet the standard."""
    if subject is False or met is True:
        return False
    return None if subject is None or met is None else True


def unit_cost(columns, rule: Rule) -> str | None:
    programme = rule.body["remedy"]["programme"]
    if programme not in columns.pack.programmes:
        raise PackFault(f"{rule.where}: `{rule.id}` names no programme `{programme}`")
    return columns.pack.programmes[programme].get("unit_cost")


def gap_cost(columns, rule: Rule) -> Compiled:
    """The gap times the unit cost of the programme, of the entry `by` where the cost is a table."""
    price = f"param.{unit_cost(columns, rule)}"
    if "by" in rule.body["remedy"]:
        price = f"{price}[{rule.body['remedy']['by']}]"
    cost, rounding = columns.expression(rule, price), columns.scope(rule).rounding
    missing = columns.table[rule.on][f"{rule.id}_gap"].get()
    type_ = product(missing.type, cost.type)

    def run(w, s, c):
        quantity = columns.value(w, s, f"{rule.id}_gap")
        if quantity is None or quantity == 0:
            return quantity
        each = cost.run(w, s, c)
        return None if each is None else narrow(round_to(quantity * each, type_.decimals, rounding))

    return Compiled(type_, run)


# --- duties --------------------------------------------------------------------------------------


def duty(columns, rule: Rule) -> None:
    for key in ("due", "met_on"):
        name = f"{rule.id}_{key}"
        if key in rule.body and rule.body[key].strip() != name:
            text = due_day(rule.body[key])
            columns.define(rule.on, name, rule, lambda text=text: columns.expression(rule, text, DATE))
    columns.define(rule.on, f"{rule.id}_state", rule, lambda: duty_state(columns, rule))
    columns.define(rule.on, f"{rule.id}_owed", rule, lambda: columns.expression(rule, rule.body["owed"], BOOL))
    columns.define(rule.on, rule.id, rule, lambda: columns.expression(rule, rule.body["met"], BOOL))


def duty_owed(columns, rule: Rule) -> Compiled:
    return columns.table[rule.on][f"{rule.id}_owed"].get()


def duty_met(columns, rule: Rule) -> Compiled:
    return columns.expression(rule, rule.body["met"], BOOL)


def due_day(text: str) -> str:
    """A month and a day stand for that day of `year`, whatever has that name where the duty stands."""
    found = re.fullmatch(r"(\d\d)-(\d\d)", text)
    return f"add_days(date(year, {int(found[1])}, 1), {int(found[2])} - 1)" if found else text


def duty_state(columns, rule: Rule) -> Compiled:
    """Which of five things has become of a duty; unknown as soon as something is that decides it."""

    def run(w, s, c):
        owed, met = columns.value(w, s, f"{rule.id}_owed"), None
        if owed is not True:
            return "not-owed" if owed is False else None
        met = columns.value(w, s, rule.id)
        due = columns.value(w, s, f"{rule.id}_due") if "due" in rule.body else None
        if met is None:
            return None
        if "due" not in rule.body:
            return "met" if met else "owed"
        if not met:
            return None if due is None else "late" if due < w.as_of else "owed"
        if "met_on" not in rule.body:
            return "met"
        day = columns.value(w, s, f"{rule.id}_met_on")
        return None if day is None or due is None else "met-late" if day > due else "met"

    return Compiled(TEXT, run)
