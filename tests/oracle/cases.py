"""Worked cases: the world of each is made, its expectations are computed and compared."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from .columns import Columns
from .pack import Pack, PackFault
from .quantities import TypeFault
from .syntax import SyntaxFault
from .world import Record, World, matched_value, read_fact, read_records, read_value


@dataclass
class Tally:
    expectations: int = 0
    agree: int = 0
    disagree: int = 0
    not_computed: Counter = field(default_factory=Counter)


def run_cases(pack: Pack, only: str = "", out=print) -> Tally:
    """Runs the cases whose name or file contains `only`; every disagreement is printed."""
    columns, tally, began = Columns(pack), Tally(), time.monotonic()
    for where, body in pack.cases:
        if only in body["name"] or only in where:
            run_case(columns, where, body, tally, out)
    missing = sum(tally.not_computed.values())
    for reason, number in tally.not_computed.most_common():
        out(f"not computed, {number}: {reason}")
    out(f"{time.monotonic() - began:.1f} s")
    out(f"{tally.expectations} expectations, {tally.agree} agree, {tally.disagree} disagree, {missing} not computed")
    return tally


def run_case(columns: Columns, where: str, body: dict, tally: Tally, out) -> None:
    expected = [
        (entity, key, name, value)
        for entity, rows in body["expect"].items()
        for key, row in rows.items()
        for name, value in row.items()
    ]
    tally.expectations += len(expected)
    try:
        world = case_world(columns.pack, body)
    except PackFault as fault:
        tally.not_computed[f"{where}: {body['name']}: {fault}"] += len(expected)
        return
    for entity, key, name, value in expected:
        try:
            record = world.records.get(entity, {}).get(key)
            if record is None:
                raise PackFault(f"the case gives no {entity} `{key}`")
            if not columns.has(entity, name):
                raise PackFault(f"{entity} has no column `{name}`")
            wanted = read_value(columns.type(entity, name), value)
            got = columns.value(world, record, name)
        except (PackFault, TypeFault, SyntaxFault) as fault:
            tally.not_computed[str(fault)] += 1
            continue
        if got == wanted and isinstance(got, bool) == isinstance(wanted, bool):
            tally.agree += 1
        else:
            tally.disagree += 1
            out(f"{where}: {body['name']}: {entity} {key}: {name}: expected {show(wanted)}, got {show(got)}")


def case_world(pack: Pack, body: dict) -> World:
    """Given facts, the entity's defaults where a case is silent, and made-up required texts."""
    world = World(pack, body.get("as_of", pack.as_of))
    read_records(world, body["given"])
    given = [record for entity in pack.entities for record in world.of(entity)]
    for record in given:
        complete(world, record)
    return world


def complete(world: World, record: Record) -> None:
    """Fills a record and gives it an end of its own for every required edge on which the case is silent."""
    entity = world.pack.entities[record.entity]
    for edge in entity.edges.values():
        if entity.fields[edge.via].required and edge.name not in record.links and edge.via not in record.facts:
            end = Record(edge.entity, f"{edge.name} of {record.key}", {})
            if edge.entity != record.entity:
                world.add(end)
                complete(world, end)
                record.links[edge.name] = end
                record.facts[edge.via] = matched_value(world.pack, edge, end)
    fill(entity, record)


BLANKS = {"no": False, "zero": 0}


def fill(entity, record: Record) -> None:
    for name, value in entity.case_default.items():
        if name not in record.facts:
            record.facts[name] = read_fact(entity, name, value)
    for field_ in entity.fields.values():
        if field_.blank != "unknown":
            # A fact on which a case is silent is taken as a blank cell of a sheet.
            record.facts.setdefault(field_.id, BLANKS[field_.blank])
        if field_.required and field_.id not in record.facts and field_.written_type == "text":
            # An alias of the case is its key, so that records are ordered as a case names them.
            record.facts[field_.id] = record.key if field_.id == entity.key else f"{field_.id} of {record.key}"


def show(value) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return f"{float(value):.10g}" if value.denominator not in (1,) else str(value.numerator)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
