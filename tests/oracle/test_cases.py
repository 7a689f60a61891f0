"""Packs that extend others, and worked cases: `python3 -m unittest oracle.test_cases` from tests/."""

import tempfile
import unittest
from pathlib import Path

from .cases import run_cases
from .pack import PackFault, read_pack

BASE = """
[pack]
id = "base"
version = "1"
title = { zh = "基", en = "base" }
as_of = 2015-12-31

[[entity]]
id = "village"
key = "code"
field = [{ id = "code", type = "text", required = true }, { id = "helped", type = "bool", blank = "no" }]

[[entity]]
id = "household"
key = "number"
parent = { entity = "village", via = "village_code", required = true }
case_default = { wages = 10 }
field = [
  { id = "number", type = "text", required = true }, { id = "village_code", type = "text", required = true },
  { id = "wages", type = "money" }, { id = "rent", type = "money" }, { id = "name", type = "text", required = true },
]

[[parameter]]
id = "line"
type = "money"
values = [{ from = 2015-01-01, value = 100, source = "assumed" }]

[[variable]]
id = "poor"
on = "household"
type = "bool"
expr = "wages < param.line"

[[variable]]
id = "same_name"
on = "household"
type = "count"
expr = "count(*) OVER (PARTITION BY village, name)"

[[case]]
name = "what a case leaves open"
given.household.h = {}
given.household.g = { wages = "unknown" }
expect.household.h = { poor = true, same_name = 1, rent = "unknown" }
expect.household.g = { poor = "unknown" }
"""

OVERLAY = """
[pack]
id = "county-own"
version = "1"
title = { zh = "县", en = "county" }
as_of = 2015-12-31
extends = ["base"]

[[parameter]]
id = "line"
type = "money"
values = [{ from = 2015-01-01, value = 5, source = "assumed" }]

[[case]]
name = "the county's own line"
given.household.h = {}
expect.household.h = { poor = false }

[[case]]
name = "a wrong expectation, and one that no rule computes"
given.household.h = {}
given.village.v = {}
expect.household.h = { poor = true, riches = 3 }
expect.village.v = { helped = false }
"""


class Packs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.packs = Path(folder.name)
        for name, text in (("base", BASE), ("county", OVERLAY)):
            (self.packs / name).mkdir()
            (self.packs / name / "pack.toml").write_text(text, encoding="utf-8")

    def test_cases_are_completed_by_defaults_blanks_and_parents_of_their_own(self):
        tally = run_cases(read_pack(self.packs / "base"), out=lambda line: None)
        self.assertEqual((tally.expectations, tally.agree, tally.disagree), (4, 4, 0))

    def test_an_overlay_replaces_a_parameter_and_runs_its_own_cases(self):
        lines = []
        tally = run_cases(read_pack(self.packs / "county"), out=lines.append)
        self.assertEqual((tally.expectations, tally.agree, tally.disagree), (4, 2, 1))
        self.assertEqual(dict(tally.not_computed), {"household has no column `riches`": 1})
        self.assertIn("household h: poor: expected true, got false", lines[0])
        self.assertEqual(lines[-1], "4 expectations, 2 agree, 1 disagree, 1 not computed")

    def test_a_pack_that_is_not_there_is_named(self):
        (self.packs / "county" / "pack.toml").write_text(OVERLAY.replace('"base"', '"lost"'), encoding="utf-8")
        with self.assertRaisesRegex(PackFault, "lost"):
            read_pack(self.packs / "county")


if __name__ == "__main__":
    unittest.main()
