"""Rounding, types, aggregates and functions by themselves: `python3 -m unittest oracle.test_parts` from tests/."""

import unittest
from datetime import date
from fractions import Fraction

from .aggregates import aggregate
from .divisions import on_target
from .functions import add_months, age, citizen_birth, citizen_sex, substr
from .parameters import bracket_value, change_days, parameter_value
from .payments import period
from .quantities import MONEY, product, quotient, rate, read_type, round_to
from .report import decimal
from .rules import due_day
from .syntax import parse


class Parts(unittest.TestCase):
    def test_rounding(self):
        for value, mode, expected in [
            ("0.005", "half-up", "0.01"),
            ("-0.005", "half-up", "-0.01"),
            ("0.0049", "half-up", "0"),
            ("0.019", "down", "0.01"),
            ("-0.019", "down", "-0.01"),
            ("0.011", "up", "0.02"),
            ("0.01", "up", "0.01"),
        ]:
            with self.subTest(value=value, mode=mode):
                self.assertEqual(round_to(Fraction(value), 2, mode), Fraction(expected))

    def test_periods(self):
        for every, day, first in [
            ("month", date(2016, 2, 29), date(2016, 2, 1)),
            ("quarter", date(2015, 3, 31), date(2015, 1, 1)),
            ("quarter", date(2015, 4, 1), date(2015, 4, 1)),
            ("quarter", date(2015, 12, 31), date(2015, 10, 1)),
            ("term", date(2016, 2, 29), date(2015, 9, 1)),
            ("term", date(2016, 3, 1), date(2016, 3, 1)),
            ("term", date(2015, 8, 31), date(2015, 3, 1)),
            ("term", date(2015, 9, 1), date(2015, 9, 1)),
            ("year", date(2015, 12, 31), date(2015, 1, 1)),
            ("once", date(2015, 12, 31), date(1, 1, 1)),
        ]:
            with self.subTest(every=every, day=day):
                self.assertEqual(period(every, day), (first, day))

    def test_days_of_a_year_by_which_a_duty_is_due(self):
        self.assertEqual(due_day("09-01"), "add_days(date(year, 9, 1), 1 - 1)")
        self.assertEqual(due_day("12-31"), "add_days(date(year, 12, 1), 31 - 1)")
        self.assertEqual(due_day("asked_on"), "asked_on")

    def test_a_parameter_that_begins_and_ends(self):
        body = {"values": [{"from": date(2015, 7, 1), "value": 1, "until": date(2016, 7, 1)}]}
        for day, expected in [
            (date(2015, 6, 30), None),
            (date(2015, 7, 1), 1),
            (date(2016, 6, 30), 1),
            (date(2016, 7, 1), None),
            (None, None),
        ]:
            with self.subTest(day=day):
                self.assertEqual(parameter_value(body, day), expected)
        self.assertEqual(change_days(body, 2015), [date(2015, 7, 1)])
        self.assertEqual(change_days(body, 2016), [date(2016, 7, 1)])
        self.assertEqual(change_days(body, 2017), [])

    def test_types_of_products_and_quotients(self):
        mu, price = read_type("quantity(mu, 1)"), read_type("money/mu")
        for got, expected in [
            (product(MONEY, rate(4)), MONEY),
            (product(price, mu), MONEY),
            (product(read_type("count"), read_type("count")), read_type("count")),
            (product(mu, read_type("count")), mu),
            (quotient(MONEY, read_type("count")), MONEY),
            (quotient(MONEY, mu), price),
            (quotient(MONEY, MONEY), rate(6)),
            (quotient(read_type("count"), read_type("count")), rate(6)),
        ]:
            with self.subTest(expected):
                self.assertEqual(got, expected)

    def test_aggregates_weigh_what_may_change_them(self):
        for function, rows, expected in [
            ("count", [], 0),
            ("sum", [], 0),
            ("min", [], None),
            ("bool_or", [], False),
            ("bool_and", [], True),
            ("sum", [(True, 1), (None, 0)], 1),
            ("sum", [(True, 1), (None, 2)], None),
            ("min", [(True, 1), (None, 2)], None),
            ("min", [(True, 1), (None, 0)], None),
            ("max", [(True, 1), (True, None)], None),
            ("bool_or", [(True, None), (True, True)], True),
            ("bool_or", [(None, True)], None),
            ("bool_or", [(None, False)], False),
            ("bool_and", [(True, False), (True, None)], False),
            ("count", [(None, True)], None),
        ]:
            with self.subTest(function=function, rows=rows):
                self.assertEqual(aggregate(function, rows), expected)

    def test_dates_and_numbers_of_citizens(self):
        self.assertEqual(age(date(2000, 2, 29), date(2015, 2, 28)), 14)
        self.assertEqual(age(date(2000, 2, 29), date(2015, 3, 1)), 15)
        self.assertEqual(add_months(date(2015, 8, 31), 6), date(2016, 2, 29))
        self.assertEqual(add_months(date(2015, 1, 31), -2), date(2014, 11, 30))
        self.assertEqual(citizen_birth("51000019800101011X"), date(1980, 1, 1))
        self.assertIsNone(citizen_birth("510000198013010110"))
        self.assertEqual([citizen_sex("51000019800101011X"), citizen_sex("510000198001010129")], ["male", "female"])
        self.assertEqual(substr("C34.1", 1, 1), "C")

    def test_rising_scale(self):
        scale = [{"from": 0, "rate": Fraction(1, 2)}, {"from": 100, "rate": Fraction(3, 5)}]
        whole = lambda part: round_to(part, 0, "half-up")
        got = [bracket_value(scale, amount, whole) for amount in (-5, 0, 100, 110, 1, 103)]
        # Of 103, the 3 above 100 take 1.8, which is 2; of 1 it is a half that goes up.
        self.assertEqual(got, [0, 0, 50, 56, 1, 52])

    def test_targets_hold_whatever_the_unknown_turn_out_to_be(self):
        half = Fraction(1, 2)
        for states, expected in [
            ([], True),
            ([(False, False)], True),
            ([(True, True), (True, None)], True),
            ([(True, False), (True, None)], None),
            ([(True, False), (True, False), (True, None)], False),
            ([(True, False), (None, True)], None),
            ([(None, False)], None),
        ]:
            with self.subTest(states):
                self.assertIs(on_target(states, half), expected)

    def test_decimals_are_written_out(self):
        self.assertEqual(
            [decimal(Fraction(5, 10), 6), decimal(Fraction(-1, 4), 1), decimal(Fraction(7), 0)],
            ["0.500000", "-0.25", "7"],
        )

    def test_texts_with_quotes_are_read(self):
        self.assertEqual(parse("'it''s'").value, "it's")


if __name__ == "__main__":
    unittest.main()
