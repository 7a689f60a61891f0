"""Types of values, their units and decimals, and rounding.

A number is an exact `int` or `Fraction` in the unit as written (yuan, not fen); decimals are a property
of its type, and a value is brought to them where the document says that it is rounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction


class TypeFault(Exception):
    """Different units are added or compared, or a type cannot be read."""


@dataclass(frozen=True)
class Type:
    """`kind` is bool, number, date, text, index or null; a literal number takes the type it meets."""

    kind: str
    over: tuple = ()  # units above the line, sorted
    under: tuple = ()  # units below it
    decimals: int = 0
    literal: bool = False

    @property
    def has_unit(self) -> bool:
        return bool(self.over or self.under)

    @property
    def is_money(self) -> bool:
        return self.over == ("yuan",) and not self.under and self.decimals == 2


BOOL, DATE, TEXT, NULL, INDEX = (Type(kind) for kind in ("bool", "date", "text", "null", "index"))
COUNT = Type("number")
MONEY = Type("number", ("yuan",), (), 2)


def rate(decimals: int) -> Type:
    return Type("number", decimals=decimals)


def read_type(text: str) -> Type:
    """A type as a pack writes it, `quantity(yuan/mu, 2)`."""
    simple = {"bool": BOOL, "date": DATE, "text": TEXT, "index": INDEX, "count": COUNT, "money": MONEY, "rate": rate(4)}
    if text in simple:
        return simple[text]
    if text.startswith("code("):
        return TEXT
    match = re.fullmatch(r"rate\((\d+)\)", text)
    if match:
        return rate(int(match[1]))
    match = re.fullmatch(r"quantity\(\s*([^,\s]+)\s*,\s*(\d+)\s*\)", text)
    if match:
        over, _, under = match[1].partition("/")
        return Type("number", (over,), (under,) if under else (), int(match[2]))
    match = re.fullmatch(r"money/(\S+)", text)
    if match:
        return Type("number", ("yuan",), (match[1],), 2)
    raise TypeFault(f"`{text}` is no type")


def unify(left: Type, right: Type, what: str) -> Type:
    """The common type of operands that are added, compared, or that a CASE chooses between."""
    if left.kind == "null":
        return right
    if right.kind == "null":
        return left
    if left.kind != right.kind:
        raise TypeFault(f"{what}: {left} meets {right}")
    if left.kind != "number":
        return left
    decimals = max(left.decimals, right.decimals)
    if left.literal and right.literal:
        return replace(left, decimals=decimals)
    if left.literal or right.literal:
        return replace(right if left.literal else left, decimals=decimals)
    if (left.over, left.under) != (right.over, right.under):
        raise TypeFault(f"{what}: the unit of {left} is not that of {right}")
    return replace(left, decimals=decimals)


def cancel(over: tuple, under: tuple) -> tuple:
    """Units above and below the line, without those on both sides."""
    over, rest = list(over), []
    for unit in under:
        if unit in over:
            over.remove(unit)
        else:
            rest.append(unit)
    return tuple(sorted(over)), tuple(sorted(rest))


def product(left: Type, right: Type) -> Type:
    """The type of a product; its value is rounded to these decimals at once."""
    over, under = cancel(left.over + right.over, left.under + right.under)
    if (over, under) == (("yuan",), ()):
        return MONEY
    if left.has_unit and right.has_unit:
        # The document shows only money/mu × mu; the price's decimals are kept for other prices.
        decimals = left.decimals if left.under else right.decimals
    elif left.has_unit or right.has_unit:
        decimals = left.decimals if left.has_unit else right.decimals
    else:
        decimals = max(left.decimals, right.decimals)
    return Type("number", over, under, decimals, left.literal and right.literal)


def quotient(left: Type, right: Type) -> Type:
    """The type of a quotient: the numerator's decimals with a unit, else a rate of six decimals."""
    over, under = cancel(left.over + right.under, left.under + right.over)
    if over or under:
        return Type("number", over, under, left.decimals)
    return rate(6)


def round_to(value, decimals: int, mode: str):
    """Rounds to decimals: half-up away from zero at the half, down towards zero, up away from it."""
    if value is None or isinstance(value, int):
        return value
    scaled = value * 10**decimals
    if scaled.denominator == 1:
        return value
    sign = 1 if scaled > 0 else -1
    whole, rest = divmod(abs(scaled.numerator), scaled.denominator)
    if mode == "up" or mode == "half-up" and 2 * rest >= scaled.denominator:
        whole += 1
    return Fraction(sign * whole, 10**decimals)
