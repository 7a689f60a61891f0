"""Assets: an amount shared among holders, guarantees first, to the last fen."""

from __future__ import annotations

from fractions import Fraction

from .operations import Compiled, narrow
from .pack import PackFault, Rule
from .paths import way_up
from .quantities import BOOL, MONEY


def define(columns, rule: Rule) -> None:
    holders = rule.body["holders"]
    way = way_up(columns.pack, holders, rule.on)
    if way is None:
        raise PackFault(f"{rule.where}: `{holders}` is no child of {rule.on}")
    made = Sharing(columns, rule, way)
    columns.define(holders, f"{rule.id}_share", rule, lambda: Compiled(MONEY, made.share))
    columns.define(rule.on, f"{rule.id}_amount", rule, lambda: Compiled(MONEY, made.amount))
    columns.define(rule.on, f"{rule.id}_total", rule, lambda: Compiled(MONEY, made.total))
    columns.define(rule.on, f"{rule.id}_complete", rule, lambda: Compiled(BOOL, made.complete))
    if "guaranteed" in rule.body:
        columns.define(holders, f"{rule.id}_guaranteed", rule, lambda: Compiled(MONEY, made.guaranteed))
        columns.define(rule.on, f"{rule.id}_guaranteed", rule, lambda: Compiled(MONEY, made.guarantees))


class Sharing:
    """Computes the shares of one asset at a time and remembers them in the world."""

    def __init__(self, columns, rule: Rule, way: list):
        self.columns, self.rule, self.way = columns, rule, way
        self.compiled = None

    def parts(self):
        if self.compiled is None:
            body, holders = self.rule.body, self.rule.body["holders"]
            weight = self.columns.expression(self.rule, body["weight"], None, holders)
            amount = self.columns.expression(self.rule, body["amount"], MONEY)
            guaranteed = self.columns.expression(self.rule, body.get("guaranteed", "0"), MONEY, holders)
            self.compiled = amount, weight, guaranteed
        return self.compiled

    def amount(self, w, s, c):
        return self.parts()[0].run(w, s, None)

    def guaranteed(self, w, s, c):
        return self.parts()[2].run(w, s, None)

    def guarantees(self, w, s, c):
        values = [self.guaranteed(w, holder, None) for holder in w.children(self.rule.body["holders"], self.way, s)]
        return None if None in values else narrow(sum(values))

    def share(self, w, s, c):
        asset = w.climb(s, self.way)
        shares = self.shares(w, asset) if asset is not None else None
        return None if shares is None else shares[s.key]

    def total(self, w, s, c):
        shares = self.shares(w, s)
        return None if shares is None else narrow(sum(shares.values()))

    def complete(self, w, s, c):
        amount, total = self.amount(w, s, c), self.total(w, s, c)
        return None if amount is None or total is None else amount == total

    def shares(self, w, asset):
        memo = w.cache.setdefault(("shares", self.rule.id), {})
        if asset.key not in memo:
            memo[asset.key] = self.divide(w, asset)
        return memo[asset.key]

    def divide(self, w, asset):
        """Shares by holder's key, or None where they are unknown."""
        amount_of, weight_of, guaranteed_of = self.parts()
        holders = w.children(self.rule.body["holders"], self.way, asset)
        if not holders:
            return {}
        amount = amount_of.run(w, asset, None)
        weights = {holder.key: weight_of.run(w, holder, None) for holder in holders}
        guarantees = {holder.key: guaranteed_of.run(w, holder, None) for holder in holders}
        if amount is None or None in weights.values() or None in guarantees.values():
            return None
        if amount < 0 or amount < sum(guarantees.values()):
            w.find(asset, f"{self.rule.id}: the amount is negative or does not cover the guarantees")
            return None
        rest, whole = (amount - sum(guarantees.values())) * 100, sum(weights.values())
        if whole == 0:
            if rest != 0:
                w.find(asset, f"{self.rule.id}: nobody has a weight for the amount")
                return None
            return guarantees
        exact = {key: Fraction(rest) * weight / whole for key, weight in weights.items()}
        fens = {key: part.numerator // part.denominator for key, part in exact.items()}
        left = int(rest - sum(fens.values()))
        for key in sorted(exact, key=lambda key: (fens[key] - exact[key], key))[:left]:
            fens[key] += 1
        return {key: narrow(guarantees[key] + Fraction(fens[key], 100)) for key in fens}
