"""Scalar functions of the document. None is unknown, and callers never pass it in."""

from __future__ import annotations

import calendar
from datetime import date, timedelta


def make_date(year, month, day) -> date | None:
    """The day, or unknown where the calendar has no such day."""
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def add_days(day: date, count) -> date | None:
    try:
        return day + timedelta(days=int(count))
    except OverflowError:
        return None


def add_months(day: date, count) -> date | None:
    """The same day of a later month, or that month's last day where it is shorter."""
    months = day.year * 12 + day.month - 1 + int(count)
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        return None
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def age(birth: date, at: date) -> int:
    """Completed years; a birthday on 29 February falls on 1 March in common years."""
    return at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))


def days_between(start: date, end: date) -> int:
    return (end - start).days


def citizen_birth(number: str) -> date | None:
    """The birthday in a number of 18 characters; the check digit is not weighed."""
    if len(number) != 18 or not number[:17].isdigit():
        return None
    return make_date(number[6:10], number[10:12], number[12:14])


def citizen_sex(number: str) -> str | None:
    if len(number) != 18 or not number[:17].isdigit():
        return None
    return "male" if int(number[16]) % 2 else "female"


def substr(text: str, start, length) -> str:
    """Characters counted from one; a start before the text uses up length, as in SQL."""
    first = int(start) - 1
    last = first + int(length)
    return text[max(first, 0) : max(last, 0)]
