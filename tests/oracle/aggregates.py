"""Aggregates over rows of which some may belong or not, or have no known value.

Every row is a pair (belongs, value): belongs is True or None where the filter is unknown; rows known not
to belong are left out by the caller. A result is unknown if any missing piece could change it.
"""

from __future__ import annotations


def aggregate(function: str, rows: list):
    return FUNCTIONS[function](rows)


def count(rows):
    if any(belongs is None for belongs, _ in rows):
        return None
    return len(rows)


def total(rows):
    result = 0
    for belongs, value in rows:
        if value is None or belongs is None and value != 0:
            return None
        result += value
    return result


def extreme(rows, better):
    """Least or greatest of the rows that belong; unknown if that is open of any row."""
    best = None
    for belongs, value in rows:
        if belongs is None or value is None:
            return None
        if best is None or better(value, best):
            best = value
    return best


def least(rows):
    return extreme(rows, lambda value, best: value < best)


def greatest(rows):
    return extreme(rows, lambda value, best: value > best)


def any_true(rows):
    """True as soon as one row that belongs is; a row that is false never matters."""
    if any(belongs and value is True for belongs, value in rows):
        return True
    return None if any(value is not False for _, value in rows) else False


def all_true(rows):
    if any(belongs and value is False for belongs, value in rows):
        return False
    return None if any(value is not True for _, value in rows) else True


FUNCTIONS = {"count": count, "sum": total, "min": least, "max": greatest, "bool_or": any_true, "bool_and": all_true}


def compare_orders(left: tuple, right: tuple, descending: tuple):
    """-1, 0 or 1 as the left order comes before, with or after the right; all items are known."""
    for mine, other, down in zip(left, right, descending):
        if mine != other:
            return 1 if (mine > other) != down else -1
    return 0
