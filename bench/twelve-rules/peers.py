"""peers.py ENGINE DATA: the twelve rules in one engine over DATA/{persons,households,villages}.parquet.

Prints one line of JSON: seconds from the first read to the last result, peak memory in MiB, and 18 totals.
Every result column is computed for every row and held; start-up and imports are not counted for these engines."""
import json, resource, sys, time

LINE = 321800
SQL = """
CREATE TABLE household_result AS
WITH member AS (
  SELECT household_id, count(*) AS members,
         bool_or(able_to_work AND age BETWEEN 16 AND 59) AS labour,
         bool_or(dropped_out AND age BETWEEN 6 AND 15) AS dropout,
         bool_and(insured) AS insured
  FROM persons GROUP BY household_id),
income AS (
  SELECT households.*, members, labour, dropout, insured, net_income_fen {div} members AS pci
  FROM households JOIN member USING (household_id))
SELECT household_id, village_id, members, pci, pci < 321800 AS poor, NOT labour AS no_labour,
       CASE WHEN NOT labour AND pci < 321800 THEN (321800 - pci) * members ELSE 0 END AS dibao,
       CASE WHEN in_relocation_plan THEN 2500000 * members ELSE 0 END AS relocation,
       CASE WHEN loan_principal_fen <= 5000000 AND loan_year <= 3 THEN loan_principal_fen * 435 {div} 10000 ELSE 0 END AS subsidy,
       housing_safe AND water_safe AND NOT dropout AND insured AS guarantees,
       pci > 321800 AND housing_safe AND water_safe AND NOT dropout AND insured AS exit_ok
FROM income;
CREATE TABLE person_result AS
WITH basics AS (
  SELECT person_id, persons.household_id, disabled, stage, bill_fen, pci, ethnic,
         least(greatest(bill_fen - 30000, 0) * 70 {div} 100, 8000000) AS basic
  FROM persons JOIN household_result ON household_result.household_id = persons.household_id
               JOIN villages ON villages.village_id = household_result.village_id),
remainders AS (SELECT *, greatest(bill_fen - basic - 800000, 0) AS remainder FROM basics),
insurances AS (
  SELECT *, least(remainder, 3000000) * 50 {div} 100 + least(greatest(remainder - 3000000, 0), 2000000) * 60 {div} 100
            + greatest(remainder - 5000000, 0) * 70 {div} 100 AS serious FROM remainders)
SELECT person_id, household_id, CASE WHEN disabled THEN greatest(321800 - pci, 0) ELSE 0 END AS disability, basic, serious,
       least((bill_fen - basic - serious) * 70 {div} 100, 3000000) AS assistance,
       CASE WHEN NOT ethnic THEN 0 WHEN stage = 1 THEN 100000 WHEN stage = 4 THEN 120000 ELSE 0 END AS education
FROM insurances;
CREATE TABLE village_result AS
WITH counted AS (
  SELECT village_id, sum(members) AS persons, sum(CASE WHEN poor THEN members ELSE 0 END) AS poor
  FROM household_result GROUP BY village_id)
SELECT villages.village_id, persons, poor, poor * 100 < persons * 3 AS rate_ok,
       poor * 100 < persons * 3 AND road AND clinic AND culture_room AND network AND collective_income AS village_exit
FROM villages JOIN counted ON counted.village_id = villages.village_id
"""
TOTALS = {
    "household_result": ["count(*) AS households", "sum(members) AS members", "sum(pci) AS pci", "count(*) FILTER (WHERE poor) AS poor_h",
                         "count(*) FILTER (WHERE no_labour) AS no_labour", "sum(dibao) AS dibao", "sum(relocation) AS relocation",
                         "sum(subsidy) AS subsidy", "count(*) FILTER (WHERE guarantees) AS guarantees", "count(*) FILTER (WHERE exit_ok) AS exit_ok"],
    "person_result": [f"sum({name}) AS {name}" for name in ("disability", "basic", "serious", "assistance", "education")],
    "village_result": ["sum(poor) AS poor_p", "count(*) FILTER (WHERE rate_ok) AS v_rate_ok", "count(*) FILTER (WHERE village_exit) AS v_exit"],
}
TABLES = ("persons", "households", "villages")


def duckdb(data):
    import duckdb
    connection = duckdb.connect()
    connection.execute("SET threads=2")
    start = time.perf_counter()
    for table in TABLES:
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{data}/{table}.parquet'")
    for statement in SQL.format(div="//").split(";"):
        connection.execute(statement)
    seconds = time.perf_counter() - start
    totals = {}
    for table, columns in TOTALS.items():
        cursor = connection.execute(f"SELECT {', '.join(columns)} FROM {table}")
        totals |= dict(zip([item[0] for item in cursor.description], cursor.fetchone()))
    return seconds, totals


def datafusion(data):
    from datafusion import SessionConfig, SessionContext
    context = SessionContext(SessionConfig().with_target_partitions(2))
    start = time.perf_counter()
    for table in TABLES:
        context.register_parquet(table, f"{data}/{table}.parquet")
    for statement in SQL.format(div="/").split(";"):
        context.sql(statement).collect()
    seconds = time.perf_counter() - start
    totals = {}
    for table, columns in TOTALS.items():
        found = context.sql(f"SELECT {', '.join(columns)} FROM {table}").to_pydict()
        totals |= {name: values[0] for name, values in found.items()}
    return seconds, totals


def polars(data):
    import polars as pl
    from polars import col, lit, when
    start = time.perf_counter()
    persons, households, villages = (pl.scan_parquet(f"{data}/{table}.parquet") for table in TABLES)
    member = persons.group_by("household_id").agg(
        members=pl.len().cast(pl.Int64), labour=(col("able_to_work") & col("age").is_between(16, 59)).any(),
        dropout=(col("dropped_out") & col("age").is_between(6, 15)).any(), insured=col("insured").all())
    line = lit(LINE, dtype=pl.Int64)
    gap = pl.max_horizontal(line - col("pci"), lit(0, dtype=pl.Int64))
    safe = col("housing_safe") & col("water_safe") & ~col("dropout") & col("insured")
    household = households.join(member, on="household_id").with_columns(pci=col("net_income_fen") // col("members")).select(
        "household_id", "village_id", "members", "pci", poor=col("pci") < line, no_labour=~col("labour"),
        dibao=when(~col("labour")).then(gap * col("members")).otherwise(0),
        relocation=when(col("in_relocation_plan")).then(2500000 * col("members")).otherwise(0),
        subsidy=when((col("loan_principal_fen") <= 5000000) & (col("loan_year") <= 3)).then(col("loan_principal_fen") * 435 // 10000).otherwise(0),
        guarantees=safe, exit_ok=(col("pci") > line) & safe).collect()
    remainder = col("remainder")
    person = (persons.join(household.lazy().select("household_id", "village_id", "pci"), on="household_id")
              .join(villages.select("village_id", "ethnic"), on="village_id")
              .with_columns(basic=((col("bill_fen") - 30000).clip(lower_bound=0) * 70 // 100).clip(upper_bound=8000000))
              .with_columns(remainder=(col("bill_fen") - col("basic") - 800000).clip(lower_bound=0))
              .with_columns(serious=remainder.clip(upper_bound=3000000) * 50 // 100 + (remainder - 3000000).clip(0, 2000000) * 60 // 100
                            + (remainder - 5000000).clip(lower_bound=0) * 70 // 100)
              .select("person_id", "household_id", "basic", "serious", disability=when(col("disabled")).then(gap).otherwise(0),
                      assistance=((col("bill_fen") - col("basic") - col("serious")) * 70 // 100).clip(upper_bound=3000000),
                      education=when(~col("ethnic")).then(0).when(col("stage") == 1).then(100000).when(col("stage") == 4).then(120000).otherwise(0).cast(pl.Int64))
              .collect())
    counted = household.lazy().group_by("village_id").agg(
        persons=col("members").sum(), poor_persons=when(col("poor")).then(col("members")).otherwise(0).sum())
    village = (villages.join(counted, on="village_id").with_columns(rate_ok=col("poor_persons") * 100 < col("persons") * 3)
               .with_columns(village_exit=col("rate_ok") & col("road") & col("clinic") & col("culture_room") & col("network") & col("collective_income"))
               .collect())
    seconds = time.perf_counter() - start
    sums = lambda frame, names: {name: frame[name].sum() for name in names}
    totals = {"households": household.height} | sums(household, ["members", "pci", "no_labour", "dibao", "relocation", "subsidy", "guarantees", "exit_ok"])
    totals |= {"poor_h": household["poor"].sum()} | sums(person, ["disability", "basic", "serious", "assistance", "education"])
    return seconds, totals | {"poor_p": village["poor_persons"].sum(), "v_rate_ok": village["rate_ok"].sum(), "v_exit": village["village_exit"].sum()}


def numpy(data):
    import numpy as np, pyarrow.parquet as pq
    start = time.perf_counter()
    tables = [pq.read_table(f"{data}/{table}.parquet") for table in TABLES]
    p, h, v = ({name: table[name].to_numpy() for name in table.column_names} for table in tables)
    of, size, village, villages = p["household_id"], len(h["household_id"]), h["village_id"], len(v["village_id"])
    count = lambda mask: np.bincount(of[mask], minlength=size)
    members, age = np.bincount(of, minlength=size), p["age"]
    no_labour = count(p["able_to_work"] & (age >= 16) & (age <= 59)) == 0
    pci = h["net_income_fen"] // members
    gap, poor = np.maximum(LINE - pci, 0), pci < LINE
    guarantees = h["housing_safe"] & h["water_safe"] & (count(p["dropped_out"] & (age >= 6) & (age <= 15)) == 0) & (count(~p["insured"]) == 0)
    loan = h["loan_principal_fen"]
    result = {"members": members, "pci": pci, "no_labour": no_labour, "dibao": np.where(no_labour, gap * members, 0),
              "relocation": np.where(h["in_relocation_plan"], 2500000 * members, 0),
              "subsidy": np.where((loan <= 5000000) & (h["loan_year"] <= 3), loan * 435 // 10000, 0),
              "guarantees": guarantees, "exit_ok": (pci > LINE) & guarantees, "disability": np.where(p["disabled"], gap[of], 0)}
    bill = p["bill_fen"]
    basic = result["basic"] = np.minimum(np.maximum(bill - 30000, 0) * 70 // 100, 8000000)
    rest = np.maximum(bill - basic - 800000, 0)
    serious = result["serious"] = (np.minimum(rest, 3000000) * 50 // 100 + np.clip(rest - 3000000, 0, 2000000) * 60 // 100
                                   + np.maximum(rest - 5000000, 0) * 70 // 100)
    result["assistance"] = np.minimum((bill - basic - serious) * 70 // 100, 3000000)
    stage = p["stage"]
    result["education"] = np.where(v["ethnic"][village][of], np.where(stage == 1, 100000, np.where(stage == 4, 120000, 0)), 0)
    persons = np.bincount(village, weights=members, minlength=villages).astype(np.int64)
    poor_persons = np.bincount(village, weights=members * poor, minlength=villages).astype(np.int64)
    rate_ok = poor_persons * 100 < persons * 3
    village_exit = rate_ok & v["road"] & v["clinic"] & v["culture_room"] & v["network"] & v["collective_income"]
    seconds = time.perf_counter() - start
    totals = {name: values.sum() for name, values in result.items()}
    return seconds, totals | {"households": size, "poor_h": poor.sum(), "poor_p": poor_persons.sum(), "v_rate_ok": rate_ok.sum(), "v_exit": village_exit.sum()}


if __name__ == "__main__":
    engine, data = sys.argv[1:3]
    seconds, totals = globals()[engine](data)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": seconds, "MiB": peak, "totals": {name: int(value) for name, value in totals.items()}}))
