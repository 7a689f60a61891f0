"""One world of records at a date: facts, edges between records, and remembered values of columns."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from .pack import Edge, Entity, Pack, PackFault
from .quantities import DATE, Type


class Record:
    """Facts are exact numbers, dates, texts and truth values; a fact that is absent or None is unknown."""

    __slots__ = ("entity", "key", "facts", "links", "values")

    def __init__(self, entity: str, key: str, facts: dict, links: dict | None = None):
        self.entity = entity
        self.key = key
        self.facts = facts
        self.links = links or {}  # edge name -> Record, where a case names the record itself
        self.values = {}

    def __repr__(self) -> str:
        return f"{self.entity} {self.key}"


class World:
    def __init__(self, pack: Pack, as_of: date):
        self.pack = pack
        self.as_of = as_of
        self.split_date = as_of
        self.records: dict[str, dict] = {}
        self.findings: list = []
        self.cache: dict = {}

    def add(self, record: Record) -> None:
        self.records.setdefault(record.entity, {})[record.key] = record

    def of(self, entity: str):
        return self.records.get(entity, {}).values()

    def follow(self, record: Record, edge: Edge) -> Record | None:
        """The record at the other end of an edge, None where there is none or it is unknown."""
        if edge.name not in record.links:
            record.links[edge.name] = self.look_up(edge, record.facts.get(edge.via))
        return record.links[edge.name]

    def look_up(self, edge: Edge, number) -> Record | None:
        if number is None:
            return None
        if edge.on is None:
            return self.records.get(edge.entity, {}).get(number)
        index = self.cache.get(("index", edge.entity, edge.on))
        if index is None:
            index = {record.facts.get(edge.on): record for record in self.of(edge.entity)}
            self.cache["index", edge.entity, edge.on] = index
        return index.get(number)

    def climb(self, record: Record | None, way: list) -> Record | None:
        for edge in way:
            if record is None:
                return None
            record = self.follow(record, edge)
        return record

    def children(self, child: str, way: list, subject: Record) -> list:
        """The records of `child` whose way leads to the subject, in the order of their keys."""
        names = (child, *(edge.name for edge in way))
        groups = self.cache.get(names)
        if groups is None:
            groups = {}
            for record in sorted(self.of(child), key=lambda record: record.key):
                end = self.climb(record, way)
                if end is not None:
                    groups.setdefault((end.entity, end.key), []).append(record)
            self.cache[names] = groups
        return groups.get((subject.entity, subject.key), [])

    def find(self, record, finding: str) -> None:
        self.findings.append((record, finding))


def read_fact(entity: Entity, name: str, value):
    """A fact in the notation of worked cases: yuan, ISO dates, codes; `"unknown"` or null is None."""
    if name not in entity.fields:
        raise PackFault(f"{entity.id} has no field `{name}`")
    derived = entity.fields[name].derived
    if derived is not None and "previous_run" not in derived:
        raise PackFault(f"`{name}` of {entity.id} is derived from a network and cannot be given")
    return read_value(entity.fields[name].type, value)


def read_value(type_: Type, value):
    if value is None or value == "unknown":
        return None
    if type_ == DATE and isinstance(value, str):
        return date.fromisoformat(value)
    if type_.kind == "number" and not isinstance(value, bool):
        number = Fraction(str(value)) if isinstance(value, (float, str)) else Fraction(value)
        return number.numerator if number.denominator == 1 else number
    return value


def read_records(world: World, given: dict) -> None:
    """Adds records given as entity -> key -> facts; a name of an edge stands for the key of its end."""
    pending = []
    for entity_id, rows in given.items():
        if entity_id not in world.pack.entities:
            raise PackFault(f"there is no entity `{entity_id}`")
        entity = world.pack.entities[entity_id]
        for key, row in rows.items():
            facts, links = {}, {}
            for name, value in row.items():
                if name in entity.fields:
                    facts[name] = read_fact(entity, name, value)
                elif name in entity.edges:
                    links[name] = value
                else:
                    raise PackFault(f"{entity_id} has no field or edge `{name}`")
            record = Record(entity_id, key, facts)
            world.add(record)
            pending.append((record, links))
    for record, links in pending:
        for name, value in links.items():
            edge = world.pack.entities[record.entity].edges[name]
            end = None if value in (None, "unknown") else world.records.get(edge.entity, {}).get(value)
            if end is None and value not in (None, "unknown"):
                raise PackFault(f"{record}: there is no {edge.entity} `{value}`")
            record.links[name] = end
            if edge.via not in record.facts:
                record.facts[edge.via] = None if end is None else matched_value(world.pack, edge, end)


def matched_value(pack: Pack, edge: Edge, end: Record):
    """What the `via` field of a linked record holds: the value that the edge matches at its end."""
    key = pack.entities[edge.entity].key
    field = edge.on or key
    return end.facts.get(field, end.key if field == key else None)
