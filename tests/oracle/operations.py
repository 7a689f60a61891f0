"""What a compiled expression is, and the operators and functions that need no names.

A compiled expression is a type and a function of (world, subject, child); child is the record that an
aggregate looks at, and None outside of one. Results are exact; None is unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from . import functions
from .pack import PackFault
from .quantities import BOOL, COUNT, DATE, NULL, TEXT, Type, TypeFault, product, quotient, round_to, unify
from .syntax import Call, Literal


@dataclass(frozen=True)
class Compiled:
    type: Type
    run: Callable  # of (world, subject, child)


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: its entity, the child inside an aggregate, rounding, date of parameters."""

    entity: str
    rounding: str
    dates: str = "as-of"
    child: str | None = None


def constant(type_: Type, value) -> Compiled:
    return Compiled(type_, lambda w, s, c: value)


def narrow(value):
    """Whole fractions as integers, which compare alike and compute faster."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def need(operand: Compiled, kind: str, what: str) -> None:
    if operand.type.kind not in (kind, "null"):
        raise TypeFault(f"{what} takes a {kind}, not a {operand.type.kind}")


def common(arguments: list, what: str) -> Type:
    type_ = NULL
    for argument in arguments:
        type_ = unify(type_, argument.type, what)
    return type_


def strict(function, *operands):
    """A function that is unknown as soon as an operand is."""
    runs = [operand.run for operand in operands]
    if len(runs) == 2:
        left, right = runs

        def two(w, s, c):
            a = left(w, s, c)
            if a is None:
                return None
            b = right(w, s, c)
            return None if b is None else function(a, b)

        return two

    def run(w, s, c):
        values = []
        for operand in runs:
            value = operand(w, s, c)
            if value is None:
                return None
            values.append(value)
        return function(*values)

    return run


def both(left, right):
    def run(w, s, c):
        a = left(w, s, c)
        if a is False:
            return False
        b = right(w, s, c)
        return False if b is False else None if a is None or b is None else True

    return run


def either(left, right):
    def run(w, s, c):
        a = left(w, s, c)
        if a is True:
            return True
        b = right(w, s, c)
        return True if b is True else None if a is None or b is None else False

    return run


def comparison(op: str, left: Compiled, right: Compiled) -> Compiled:
    unify(left.type, right.type, op)
    return Compiled(BOOL, strict(COMPARISONS[op], left, right))


def multiply(left: Compiled, right: Compiled, rounding: str) -> Compiled:
    type_ = product(left.type, right.type)
    if type_.literal:
        return Compiled(type_, strict(operator.mul, left, right))
    return Compiled(type_, strict(lambda a, b: narrow(round_to(a * b, type_.decimals, rounding)), left, right))


def divide(left: Compiled, right: Compiled, rounding: str) -> Compiled:
    type_ = quotient(left.type, right.type)

    def run(w, s, c):
        a, b = left.run(w, s, c), right.run(w, s, c)
        if a is None or b is None:
            return None
        if b == 0:
            w.find(s, "division by zero")
            return None
        return narrow(round_to(Fraction(a) / b, type_.decimals, rounding))

    return Compiled(type_, run)


def rounded(node: Call, arguments: list) -> Compiled:
    mode = node.function.removeprefix("round_").replace("_", "-")
    places = node.arguments[1]
    if not isinstance(places, Literal):
        raise PackFault(f"`{node.function}` takes a written number of decimals")
    decimals = int(places.value)
    type_ = replace(arguments[0].type, decimals=decimals)
    return Compiled(type_, strict(lambda value: narrow(round_to(value, decimals, mode)), arguments[0]))


def coalesce(arguments: list) -> Compiled:
    runs = [argument.run for argument in arguments]

    def run(w, s, c):
        for one in runs:
            value = one(w, s, c)
            if value is not None:
                return value
        return None

    return Compiled(common(arguments, "coalesce"), run)


COMPARISONS = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

DATES = {
    "as-of": lambda w, s, c: w.as_of,
    "period-start": lambda w, s, c: date(w.as_of.year, 1, 1),
    "split": lambda w, s, c: w.split_date,
}

SCALARS = {
    "year": (COUNT, ("date",), lambda d: d.year),
    "month": (COUNT, ("date",), lambda d: d.month),
    "day": (COUNT, ("date",), lambda d: d.day),
    "date": (DATE, ("number", "number", "number"), functions.make_date),
    "days_between": (COUNT, ("date", "date"), functions.days_between),
    "add_months": (DATE, ("date", "number"), functions.add_months),
    "add_days": (DATE, ("date", "number"), functions.add_days),
    "age": (COUNT, ("date", "date"), functions.age),
    "citizen_birth": (DATE, ("text",), functions.citizen_birth),
    "citizen_sex": (TEXT, ("text",), functions.citizen_sex),
    "substr": (TEXT, ("text", "number", "number"), functions.substr),
}
