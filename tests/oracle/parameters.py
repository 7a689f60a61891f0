"""Values of parameters on a date, rising scales, and the days on which values change."""

from __future__ import annotations

from datetime import date


def parameter_value(body: dict, on: date | None):
    """The value in force on a day: a number, a table, or a scale; None if none is, or the day is unknown."""
    if on is None:
        return None
    found = None
    for value in body["values"]:
        if value["from"] <= on and (found is None or found["from"] <= value["from"]):
            found = value
    if found is None or "until" in found and found["until"] <= on:
        return None
    return found["value"]


def bracket_value(scale: list, amount, rounded):
    """The part of an amount in each bracket times its rate, each product rounded by itself, summed."""
    result = 0
    for step, following in zip(scale, [*scale[1:], None]):
        top = amount if following is None else min(amount, following["from"])
        if top > step["from"]:
            result += rounded((top - step["from"]) * step["rate"])
    return result


def change_days(body: dict, year: int) -> list:
    """The days after 1 January of a year on which another value (or none) comes into force."""
    days = {value["from"] for value in body["values"]} | {
        value["until"] for value in body["values"] if "until" in value
    }
    days = sorted(day for day in days if day.year == year and day > date(year, 1, 1))
    return [day for day in days if differs(body, day)]


def differs(body: dict, day: date) -> bool:
    return parameter_value(body, date.fromordinal(day.toordinal() - 1)) != parameter_value(body, day)
