"""data.py N OUT [--shuffle]: a seeded population of N persons, twice: as plain Parquet tables for the other engines
(OUT/persons.parquet, households.parquet, villages.parquet) and as a snapshot (OUT/snapshot) of the same facts.

About three persons a household and 400 households a village; 0.5 % of incomes stand exactly on the poverty line.
Money is integer fen. --shuffle puts the plain tables out of order; the snapshot is sorted along the tree by definition."""
import json, os, sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq

n, out = int(float(sys.argv[1])), sys.argv[2]
os.makedirs(f"{out}/snapshot", exist_ok=True)
random = np.random.default_rng(2015)
LINE = 321800

sizes = 1 + random.poisson(2.04, int(n / 3.04))
while (missing := n - int(sizes.sum())) != 0:
    some = np.unique(random.integers(0, len(sizes), abs(missing)))
    if missing < 0:
        some = some[sizes[some] > 1]
    sizes[some] += 1 if missing > 0 else -1
households = len(sizes)
villages = max(1, households // 400)
village_of = np.sort(np.r_[np.arange(villages), random.integers(0, villages, households - villages)]).astype(np.int32)
household_of = np.repeat(np.arange(households, dtype=np.int32), sizes)

incomes = (random.lognormal(9.05, 0.5, households) * random.lognormal(0, 0.55, villages)[village_of] * 100).astype(np.int64) * sizes
on_line = random.random(households) < 0.005
incomes[on_line] = LINE * sizes[on_line]
loans = np.where(random.random(households) < 0.15, random.choice([1000000, 2000000, 3000000, 5000000, 8000000], households), 0)
household = {
    "net_income": np.minimum(incomes, 10_000_000_000),
    "in_relocation_plan": random.random(households) < 0.06,
    "loan_principal": loans.astype(np.int64),
    "loan_year": random.integers(1, 6, households),
    "housing_safe": random.random(households) < 0.97,
    "water_safe": random.random(households) < 0.98,
}
ages = random.integers(0, 86, n)
stage = np.select([(ages >= 3) & (ages <= 5), (ages >= 6) & (ages <= 11), (ages >= 12) & (ages <= 14), (ages >= 15) & (ages <= 17)], [1, 2, 3, 4], 0)
dropped = (random.random(n) < 0.004) & (ages >= 6) & (ages <= 15)
stage[dropped] = 0
stage[(stage == 4) & (random.random(n) < 0.3)] = 0
bills = np.where(random.random(n) < 0.09, (random.lognormal(8.7, 1.15, n) * 100).astype(np.int64), 0).clip(0, 90_000_000)
person = {
    "age": ages,
    "able_to_work": random.random(n) < 0.90,
    "disabled": random.random(n) < 0.055,
    "stage": stage,
    "dropped_out": dropped,
    "bill": bills.astype(np.int64),
    "insured": random.random(n) < 0.992,
}
facilities = ["road", "clinic", "culture_room", "network", "collective_income"]
village = {"ethnic": (np.arange(villages) // 250) % 3 == 0} | {name: random.random(villages) < 0.985 for name in facilities}


def write(table, path, rows=1 << 17):
    pq.write_table(pa.table(table), path, compression="zstd", row_group_size=rows)


# For the other engines: narrow types, row groups as their writers make them.
order = random.permutation(n) if "--shuffle" in sys.argv else slice(None)
narrow = lambda name, values: values.astype(np.int32) if name in ("age", "stage", "loan_year") else values
fen = {"bill": "bill_fen", "net_income": "net_income_fen", "loan_principal": "loan_principal_fen"}
plain = lambda columns, order=slice(None): {fen.get(name, name): narrow(name, values)[order] for name, values in columns.items()}
write({"person_id": np.arange(n, dtype=np.int64)[order], "household_id": household_of[order]} | plain(person, order), f"{out}/persons.parquet", 500_000)
write({"household_id": np.arange(households, dtype=np.int32), "village_id": village_of} | plain(household), f"{out}/households.parquet", 500_000)
write({"village_id": np.arange(villages, dtype=np.int32)} | plain(village), f"{out}/villages.parquet")

# The snapshot: dense rows, references by row, whole numbers in 64 bits, keys as text.
keys = lambda count: pa.array(np.arange(count)).cast(pa.string())
wide = lambda columns: {name: values if values.dtype == bool else values.astype(np.int64) for name, values in columns.items()}
row = lambda count: np.arange(count, dtype=np.int32)
write({"_row": row(villages), "code": keys(villages)} | village, f"{out}/snapshot/village.parquet")
write({"_row": row(households), "_village": village_of, "number": keys(households)} | wide(household), f"{out}/snapshot/household.parquet")
write({"_row": row(n), "_household": household_of, "number": keys(n)} | wide(person), f"{out}/snapshot/person.parquet")
counts = {"village": villages, "household": households, "person": n}
manifest = {"format": 1, "digest": f"twelve-rules-{n}", "entities": {name: {"rows": rows} for name, rows in counts.items()}}
with open(f"{out}/snapshot/snapshot.json", "w") as file:
    json.dump(manifest, file)
sizes = {name: os.path.getsize(f"{out}/{name}") >> 20 for name in ("persons.parquet", "snapshot/person.parquet")}
print(json.dumps(counts | {"MiB": sizes}))
