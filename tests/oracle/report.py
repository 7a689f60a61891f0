"""All named results of a world of records given as JSON."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path

from .cases import complete
from .columns import Columns
from .pack import Pack
from .quantities import Type
from .world import World, read_records


def write_columns(pack: Pack, source: Path, target: Path, as_case: bool = False) -> None:
    given = json.loads(source.read_text(encoding="utf-8"), parse_float=Fraction)
    as_of = date.fromisoformat(given["as_of"]) if "as_of" in given else pack.as_of
    result = all_columns(pack, as_of, given["records"], as_case)
    target.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_folder(pack: Pack, folder: Path) -> None:
    """The columns of each world `NAME.json` as `NAME.columns`; the pack is compiled once."""
    columns = Columns(pack)
    for source in sorted(folder.glob("*.json")):
        given = json.loads(source.read_text(encoding="utf-8"), parse_float=Fraction)
        result = all_columns(pack, date.fromisoformat(given["as_of"]), given["records"], columns=columns)
        text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
        source.with_suffix(".columns").write_text(text, encoding="utf-8")


def all_columns(
    pack: Pack, as_of: date, records: dict, as_case: bool = False, columns: Columns | None = None
) -> dict:
    """Entity -> key -> column -> value; the columns are those of rules and the derived fields.

    A fact that is absent is unknown, and an edge that is absent leads nowhere; `as_case` completes the
    records as worked cases are completed: defaults, blanks, and made-up ends of required edges.
    """
    world, columns = World(pack, as_of), columns or Columns(pack)
    read_records(world, {entity: keyed(pack, entity, rows) for entity, rows in records.items()})
    given = {entity: list(world.of(entity)) for entity in records}
    if as_case:
        for record in [record for rows in given.values() for record in rows]:
            complete(world, record)
    result = {}
    for entity in records:
        names = list(columns.table[entity])
        names += [field.id for field in pack.entities[entity].fields.values() if field.derived is not None]
        types = {name: columns.type(entity, name) for name in names}
        result[entity] = {
            record.key: {name: written(types[name], columns.value(world, record, name)) for name in names}
            for record in given[entity]
        }
    return result


def keyed(pack: Pack, entity: str, rows: list) -> dict:
    """Rows by key; `key` stands for the entity's own key field where a row does not give that."""
    found = {}
    for row in rows:
        facts = {name: value for name, value in row.items() if name != "key"}
        key = row.get("key", row.get(pack.entities[entity].key))
        facts.setdefault(pack.entities[entity].key, key)
        found[key] = facts
    return found


def written(type_: Type, value):
    """Money as fen, other numbers as decimal strings, dates in ISO form, unknown as null."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if type_.is_money:
        return int(value * 100)
    return decimal(Fraction(value), type_.decimals)


def decimal(value: Fraction, decimals: int) -> str:
    """Exactly, with the decimals of the type and no fewer than the value needs."""
    while (value * 10**decimals).denominator != 1 and decimals < 30:
        decimals += 1
    digits = abs(value * 10**decimals).numerator
    sign = "-" if value < 0 else ""
    if not decimals:
        return f"{sign}{digits}"
    return f"{sign}{digits // 10**decimals}.{digits % 10**decimals:0{decimals}d}"
