"""The oracle's own semantics, on a pack of a few lines: `python3 -m unittest oracle.test_oracle` from tests/."""

import tempfile
import unittest
from datetime import date
from fractions import Fraction
from pathlib import Path

from .columns import Columns
from .operations import Scope
from .pack import PackFault, read_pack
from .quantities import TypeFault
from .report import all_columns
from .syntax import SyntaxFault
from .world import World, read_records

HEADER = """
[pack]
id = "small"
version = "1"
title = { zh = "小", en = "small" }
as_of = 2015-12-31
"""

BODY = """
[[entity]]
id = "county"
key = "code"
division = "county"
field = [{ id = "code", type = "text", required = true }]

[[entity]]
id = "village"
key = "code"
division = "village"
parent = { entity = "county", via = "county_code", required = true }
field = [
  { id = "code", type = "text", required = true }, { id = "county_code", type = "text", required = true },
  { id = "surplus", type = "money" }, { id = "road", type = "bool" }, { id = "poor", type = "bool" },
]

[[entity]]
id = "household"
key = "number"
parent = { entity = "village", via = "village_code", required = true }
refs = [{ name = "helper", entity = "household", via = "helper_number" }]
field = [
  { id = "number", type = "text", required = true }, { id = "village_code", type = "text", required = true },
  { id = "helper_number", type = "text" }, { id = "wages", type = "money" }, { id = "size", type = "count" },
  { id = "a", type = "bool" }, { id = "b", type = "bool" }, { id = "day", type = "date" },
  { id = "land", type = "quantity(mu, 1)" }, { id = "units", type = "count" }, { id = "floor", type = "money" },
]

[[parameter]]
id = "line"
type = "money"
values = [{ from = 2015-01-01, value = 100, source = "assumed" }, { from = 2015-07-02, value = 200, source = "assumed" }]

[[parameter]]
id = "price"
type = "money/mu"
values = [{ from = 2015-01-01, value = 0.35, source = "assumed" }]

[[parameter]]
id = "share"
type = "rate"
values = [{ from = 2015-01-01, until = 2016-01-01, value = 0.5, source = "assumed" }]

[[programme]]
id = "paving"
unit_cost = "line"

[[standard]]
id = "paved"
on = "village"
applies = "poor"
holds = "road"
target = { share = 0.5, by = 2020 }
remedy = { programme = "paving", quantity = "3" }

[[variable]]
id = "of_year"
on = "household"
type = "money"
expr = "param.line"
on_change = "split"

[[variable]]
id = "of_start"
on = "household"
type = "money"
expr = "param.line"
on_change = "period-start"

[[asset]]
id = "dividend"
on = "village"
holders = "household"
amount = "surplus"
weight = "units"
guaranteed = "floor"

[[scorecard]]
id = "card"
on = "village"
items = [
  { id = "x", weight = 0.6, score = "CASE WHEN poor THEN 50 ELSE 90 END" },
  { id = "y", weight = 0.4, score = "100 * 1 / 3", except_when = "road" },
]
veto = [{ when = "surplus < 0" }]
rank_within = "county"
"""


def made(folder: str) -> Columns:
    path = Path(folder)
    (path / "pack.toml").write_text(HEADER, encoding="utf-8")
    (path / "body.toml").write_text(BODY, encoding="utf-8")
    return Columns(read_pack(path))


class Evaluation(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.columns = made(self.folder.name)

    def world(self, given: dict) -> World:
        world = World(self.columns.pack, date(2015, 12, 31))
        read_records(world, given)
        return world

    def value(self, text: str, entity: str = "household", key: str = "h1", **given):
        """The value of an expression for one record of a world."""
        world = self.world(given or {"household": {"h1": {}}})
        compiled = self.columns.compiler.compile(text, Scope(entity, "half-up"))
        return compiled.run(world, world.records[entity][key], None)

    def check(self, table: list, **given):
        for text, expected in table:
            with self.subTest(text):
                self.assertEqual(self.value(text, **given), expected)

    def test_unknown_is_neither_no_nor_zero(self):
        self.check(
            [
                ("a AND FALSE", False),
                ("FALSE AND a", False),
                ("a AND TRUE", None),
                ("a OR TRUE", True),
                ("a OR FALSE", None),
                ("NOT a", None),
                ("a IS NULL", True),
                ("wages * 0", None),
                ("least(wages, 1)", None),
                ("coalesce(wages, 7)", 7),
                ("size BETWEEN 3 AND 2", None),
                ("5 BETWEEN size AND 2", False),
                ("5 IN (size, 5)", True),
                ("5 NOT IN (size, 4)", None),
                ("CASE WHEN a THEN 1 ELSE 1 END", None),
                ("CASE WHEN FALSE THEN 1 END", None),
                ("CASE WHEN TRUE THEN 2 WHEN a THEN 1 END", 2),
                ("1 / 0", None),
            ]
        )

    def test_precedence_is_that_of_sql(self):
        self.check(
            [
                ("TRUE OR TRUE AND FALSE", True),
                ("NOT FALSE AND FALSE", False),
                ("2 + 3 * 4 - 1", 13),
                ("10 - 2 - 3", 5),
                ("-2 * 3", -6),
                ("2 * 3 = 6 AND 7 BETWEEN 6 AND 8", True),
            ]
        )

    def test_products_and_quotients_are_rounded_at_once(self):
        given = {"household": {"h1": {"wages": Fraction(101, 100), "size": 3, "land": Fraction(5, 2)}}}
        self.check(
            [
                ("wages * param.share", Fraction(51, 100)),
                ("wages / size", Fraction(34, 100)),
                ("size / 7", Fraction(428571, 1000000)),
                ("wages / wages", 1),
                ("param.price * land", Fraction(88, 100)),
                ("wages * 0.5 + wages * 0.5", Fraction(102, 100)),
            ],
            **given,
        )

    def test_units_must_agree(self):
        for text in ("wages + size", "wages < land", "land + wages", "a + 1", "wages AND a"):
            with self.subTest(text), self.assertRaises(TypeFault):
                self.value(text)

    def test_aggregates_look_down_and_lookups_up(self):
        given = {
            "county": {"c": {}},
            "village": {"v": {"county": "c", "poor": True}},
            "household": {
                "h1": {"village": "v", "wages": 1, "a": True, "helper": "h2"},
                "h2": {"village": "v", "wages": 2, "a": False},
                "h3": {"village": "v", "a": False},
            },
        }
        table = [
            ("household", "h1", "village.poor", True),
            ("household", "h1", "helper.wages", 2),
            ("household", "h2", "helper.wages", None),
            ("county", "c", "count(household)", 3),
            ("county", "c", "sum(household.wages)", None),
            ("county", "c", "sum(household.wages) FILTER (WHERE household.a)", 1),
            ("county", "c", "max(household.wages) FILTER (WHERE household.wages IS NOT NULL)", 2),
            ("village", "v", "bool_or(household.a)", True),
            ("village", "v", "count(household) FILTER (WHERE household.b)", None),
            ("household", "h1", "row_number() OVER (PARTITION BY village ORDER BY number DESC)", 3),
            ("household", "h2", "count(*) OVER (PARTITION BY village, a)", 2),
            ("household", "h1", "rank() OVER (PARTITION BY village ORDER BY a)", 3),
            ("household", "h1", "rank() OVER (PARTITION BY village ORDER BY wages)", None),
            (
                "household",
                "h2",
                "sum(wages) OVER (PARTITION BY village ORDER BY number "
                "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
                3,
            ),
        ]
        for entity, key, text, expected in table:
            with self.subTest(text):
                self.assertEqual(self.value(text, entity, key, **given), expected)

    def test_parameters_change_within_the_year(self):
        world = self.world({"household": {"h1": {}}})
        record = world.records["household"]["h1"]
        # 182 days at 100 and 183 at 200, each stretch rounded by itself.
        self.assertEqual(self.columns.value(world, record, "of_year"), Fraction(4986, 100) + Fraction(10027, 100))
        self.assertEqual(self.columns.value(world, record, "of_start"), 100)
        self.check([("param.line", 200), ("at(param.line, DATE '2015-07-01')", 100), ("at(param.share, day)", None)])
        self.assertIsNone(self.value("at(param.share, DATE '2016-01-01')"))

    def test_a_county_counts_what_is_known_of_a_standard(self):
        given = {
            "county": {"c": {}},
            "village": {
                "v1": {"county": "c", "poor": True, "road": True},
                "v2": {"county": "c", "poor": True, "road": False},
                "v3": {"county": "c", "poor": True},
                "v4": {"county": "c", "road": False},
                "v5": {"county": "c", "poor": False},
            },
        }
        records = {entity: [{"key": key, **row} for key, row in rows.items()] for entity, rows in given.items()}
        got = all_columns(self.columns.pack, date(2015, 12, 31), records)
        expected = {"subjects": "3", "met": "1", "unmet": "1", "unknown": "2", "share": "0.500000", "on_target": None}
        expected |= {"gap": "3", "gap_unknown": "2", "gap_cost": 60000}
        self.assertEqual({name: got["county"]["c"][f"paved_{name}"] for name in expected}, expected)
        self.assertEqual([got["village"][v]["paved_gap"] for v in ("v1", "v2", "v3", "v5")], ["0", "3", None, "0"])

    def test_an_asset_is_shared_to_the_last_fen(self):
        given = {
            "village": {"v": {"surplus": 10}},
            "household": {
                "h1": {"village": "v", "units": 1, "floor": 0},
                "h2": {"village": "v", "units": 1, "floor": 1},
                "h3": {"village": "v", "units": 1, "floor": Fraction(1, 100)},
            },
        }
        world = self.world(given)
        shares = [
            self.columns.value(world, world.records["household"][key], "dividend_share") for key in ("h1", "h2", "h3")
        ]
        # 8.99 are left for three equal units: 3.00, 3.00 and 2.99, the odd fens to the lower keys.
        self.assertEqual(shares, [3, 4, 3])
        self.assertIs(self.columns.value(world, world.records["village"]["v"], "dividend_complete"), True)

    def test_points_weigh_and_vetoed_come_last(self):
        given = {
            "county": {"c": {}},
            "village": {
                "v1": {"county": "c", "poor": True, "road": False, "surplus": 1},
                "v2": {"county": "c", "poor": False, "road": True, "surplus": 1},
                "v3": {"county": "c", "poor": False, "road": False, "surplus": -1},
                "v4": {"county": "c", "poor": False, "surplus": 1},
            },
        }
        world = self.world(given)
        got = {
            key: [self.columns.value(world, record, f"card{name}") for name in ("", "_rank", "_ranked", "_vetoed")]
            for key, record in world.records["village"].items()
        }
        self.assertEqual(got["v1"], [Fraction(4333, 100), 2, 3, False])
        self.assertEqual(got["v2"], [90, 1, 3, False])
        self.assertEqual(got["v3"], [Fraction(6733, 100), 3, 3, True])
        self.assertEqual(got["v4"], [None, None, 3, False])

    def test_an_expression_that_is_not_understood_is_refused(self):
        for text, fault in (
            ("nothing", PackFault),
            ("1 +", SyntaxFault),
            ("sum(village.x)", PackFault),
            ("median(a)", PackFault),
        ):
            with self.subTest(text), self.assertRaises(fault):
                self.value(text)


if __name__ == "__main__":
    unittest.main()
