"""openfisca_rules.py DATA: the twelve rules as an OpenFisca system, in its integer type with 64-bit intermediates, fed with arrays."""
import json, resource, sys, time
import numpy as np, pyarrow.parquet as pq
from openfisca_core.entities import build_entity
from openfisca_core.periods import YEAR
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

person = build_entity(key="person", plural="persons", label="", is_person=True)
household = build_entity(key="household", plural="households", label="", roles=[{"key": "member", "plural": "members", "label": ""}])
village = build_entity(key="village", plural="villages", label="", roles=[{"key": "resident", "plural": "residents", "label": ""}])
LINE, variables = 321800, []
wide = lambda values: np.asarray(values).astype(np.int64)


def variable(name, entity, kind, formula=None):
    body = {"value_type": kind, "entity": entity, "definition_period": YEAR, "label": name} | ({"formula": formula} if formula else {})
    variables.append(type(name, (Variable,), body))


facts = {"net_income": (household, int), "in_relocation_plan": (household, bool), "loan_principal": (household, int), "loan_year": (household, int),
         "housing_safe": (household, bool), "water_safe": (household, bool), "age": (person, int), "able_to_work": (person, bool),
         "disabled": (person, bool), "stage": (person, int), "dropped_out": (person, bool), "bill": (person, int), "insured": (person, bool)}
facts |= {name: (village, bool) for name in ("ethnic", "road", "clinic", "culture_room", "network", "collective_income")}
for name, (entity, kind) in facts.items():
    variable(name, entity, kind)
between = lambda values, low, high: (values >= low) * (values <= high)
rules = {
    "members": (household, int, lambda h, t: h.nb_persons()),
    "pci": (household, int, lambda h, t: h("net_income", t) // h("members", t)),
    "poor": (household, bool, lambda h, t: h("pci", t) < LINE),
    "no_labour": (household, bool, lambda h, t: ~h.any(between(h.members("age", t), 16, 59) * h.members("able_to_work", t))),
    "dibao": (household, int, lambda h, t: h("no_labour", t) * np.maximum(LINE - h("pci", t), 0) * h("members", t)),
    "relocation": (household, int, lambda h, t: h("in_relocation_plan", t) * 2500000 * h("members", t)),
    "subsidy": (household, int, lambda h, t: (h("loan_principal", t) <= 5000000) * (h("loan_year", t) <= 3) * (wide(h("loan_principal", t)) * 435 // 10000)),
    "guarantees": (household, bool, lambda h, t: h("housing_safe", t) * h("water_safe", t) * ~h.any(h.members("dropped_out", t) * between(h.members("age", t), 6, 15))
                   * ~h.any(~h.members("insured", t))),
    "exit_ok": (household, bool, lambda h, t: (h("pci", t) > LINE) * h("guarantees", t)),
    "disability": (person, int, lambda p, t: p("disabled", t) * np.maximum(LINE - p.household("pci", t), 0)),
    "basic": (person, int, lambda p, t: np.minimum(wide(np.maximum(p("bill", t) - 30000, 0)) * 70 // 100, 8000000)),
    "serious": (person, int, lambda p, t: sum(
        np.clip(wide(np.maximum(p("bill", t) - p("basic", t) - 800000, 0)) - low, 0, high - low) * rate // 100
        for low, high, rate in ((0, 3000000, 50), (3000000, 5000000, 60), (5000000, 1 << 40, 70)))),
    "assistance": (person, int, lambda p, t: np.minimum(wide(p("bill", t) - p("basic", t) - p("serious", t)) * 70 // 100, 3000000)),
    "education": (person, int, lambda p, t: p.village("ethnic", t) * np.where(p("stage", t) == 1, 100000, np.where(p("stage", t) == 4, 120000, 0))),
    "persons": (village, int, lambda v, t: v.nb_persons()),
    "poor_p": (village, int, lambda v, t: v.sum(v.members.household("poor", t))),
    "rate_ok": (village, bool, lambda v, t: v("poor_p", t) * 100 < v("persons", t) * 3),
    "village_exit": (village, bool, lambda v, t: v("rate_ok", t) * v("road", t) * v("clinic", t) * v("culture_room", t) * v("network", t) * v("collective_income", t)),
}
for name, (entity, kind, formula) in rules.items():
    variable(name, entity, kind, (lambda inner: lambda population, period: inner(population, period))(formula))
system = TaxBenefitSystem([person, household, village])
system.add_variables(*variables)

data = sys.argv[1]
start = time.perf_counter()
tables = [pq.read_table(f"{data}/{name}.parquet") for name in ("persons", "households", "villages")]
p, h, v = ({name: table[name].to_numpy() for name in table.column_names} for table in tables)
builder = SimulationBuilder()
builder.create_entities(system)
builder.declare_person_entity("person", p["person_id"])
of, roles = p["household_id"], np.zeros(len(p["household_id"]), np.int8)
builder.join_with_persons(builder.declare_entity("household", h["household_id"]), of, roles)
builder.join_with_persons(builder.declare_entity("village", v["village_id"]), h["village_id"][of], roles)
simulation = builder.build(system)
source = {"net_income": "net_income_fen", "loan_principal": "loan_principal_fen", "bill": "bill_fen"}
for name, (entity, _) in facts.items():
    table = {"person": p, "household": h, "village": v}[entity.key]
    values = table[source.get(name, name)]
    simulation.set_input(name, "2019", values)
results = {name: simulation.calculate(name, "2019") for name in rules}
seconds = time.perf_counter() - start
totals = {name: int(wide(values).sum()) for name, values in results.items()}
names = {"poor": "poor_h", "rate_ok": "v_rate_ok", "village_exit": "v_exit"}
totals = {names.get(name, name): value for name, value in totals.items() if name != "persons"} | {"households": len(h["household_id"])}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"seconds": seconds, "MiB": peak, "totals": totals}))
