"""Reading a pack: all TOML files of a folder in any order, after the packs that it extends."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from .quantities import Type, read_type

RULES = ("variable", "benefit", "standard", "measure", "check", "audit", "duty", "scorecard", "asset")
LISTED = (
    *RULES,
    "programme",
    "bank_layout",
    "calendar",
    "flow",
    "fund",
    "report",
    "total",
    "clause",
    "clause_parts",
    "case",
    "role",
    "seed",
    "network",
    "list",
    "unit",
    "entity",
    "parameter",
)


class PackFault(Exception):
    """A pack says something that the document does not allow or explain."""


@dataclass(frozen=True)
class Edge:
    """A way from a record to one other record: the parent, or a reference."""

    name: str
    entity: str
    via: str
    on: str | None
    is_parent: bool


@dataclass
class Field:
    id: str
    type: Type
    required: bool
    derived: dict | None
    written_type: str = ""
    blank: str = "unknown"


@dataclass
class Entity:
    id: str
    key: str
    division: str | None
    fields: dict
    edges: dict
    parent: Edge | None
    case_default: dict


@dataclass
class Rule:
    """One rule on one entity, as written; `where` names its file for messages."""

    kind: str
    id: str
    on: str
    body: dict
    where: str

    @cached_property
    def rounding(self) -> str | None:
        return self.body.get("round")


@dataclass
class Pack:
    id: str = ""
    as_of: object = None
    round: str = "half-up"
    entities: dict = field(default_factory=dict)
    lists: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    programmes: dict = field(default_factory=dict)
    networks: dict = field(default_factory=dict)
    rules: dict = field(default_factory=dict)  # entity -> id -> Rule
    reports: list = field(default_factory=list)
    totals: list = field(default_factory=list)
    cases: list = field(default_factory=list)  # of (file, body)

    def rules_on(self, entity: str) -> dict:
        return self.rules.setdefault(entity, {})


def read_pack(folder: Path) -> Pack:
    """Reads a folder; packs named by `extends` are looked for beside it, by folder or by their id."""
    pack = Pack()
    for path in lineage(Path(folder)):
        read_folder(pack, path)
    return pack


def lineage(folder: Path) -> list:
    """The folders of a pack and of those it extends, the extended ones first, each once."""
    found = []
    header = load(folder / "pack.toml")["pack"]
    for wanted in header.get("extends", []):
        for path in lineage(find_pack(folder.parent, wanted)):
            if path not in found:
                found.append(path)
    return [*found, folder]


def find_pack(packs: Path, wanted: str) -> Path:
    if (packs / wanted / "pack.toml").exists():
        return packs / wanted
    for header in sorted(packs.glob("*/pack.toml")):
        if load(header)["pack"]["id"] == wanted:
            return header.parent
    raise PackFault(f"the pack `{wanted}` is not in {packs}")


def load(path: Path) -> dict:
    with open(path, "rb") as file:
        return tomllib.load(file, parse_float=Fraction)


def read_folder(pack: Pack, folder: Path) -> None:
    texts = {}
    for path in sorted(folder.glob("*.toml")):
        for kind, value in load(path).items():
            if kind == "pack":
                pack.id, pack.as_of, pack.round = value["id"], value["as_of"], value.get("round", "half-up")
            elif kind in LISTED:
                texts.setdefault(kind, []).extend((path.name, body) for body in value)
            else:
                raise PackFault(f"{path.name}: the document knows no `[[{kind}]]`")
    # Worked cases of an extended pack were written for its own parameters, so only the folder's own run.
    pack.cases = texts.get("case", [])
    for _, body in texts.get("list", []):
        pack.lists[body["id"]] = [code["code"] for code in body["codes"]]
    for _, body in texts.get("entity", []):
        if body.get("override"):
            add_fields(pack.entities[body["id"]], body)
        else:
            pack.entities[body["id"]] = read_entity(body)
    for kind, target in (("parameter", pack.parameters), ("programme", pack.programmes), ("network", pack.networks)):
        target.update({body["id"]: body for _, body in texts.get(kind, [])})
    for kind in RULES:
        for where, body in texts.get(kind, []):
            levels = body["on"] if isinstance(body["on"], list) else [body["on"]]
            for entity in levels:
                pack.rules_on(entity)[body["id"]] = Rule(kind, body["id"], entity, body, where)
    pack.reports += [body for _, body in texts.get("report", [])]
    pack.totals += [body for _, body in texts.get("total", [])]


def add_fields(entity: Entity, body: dict) -> None:
    """What a pack adds to an entity of a pack that it extends."""
    for reference in body.get("refs", []):
        edge = read_edge(reference, False)
        entity.edges[edge.name] = edge
    entity.fields |= {item["id"]: read_field(item) for item in body.get("field", [])}
    entity.case_default |= body.get("case_default", {})


def read_entity(body: dict) -> Entity:
    edges, parent = {}, None
    if "parent" in body:
        parent = read_edge(body["parent"], True)
        edges[parent.name] = parent
    for reference in body.get("refs", []):
        edge = read_edge(reference, False)
        edges[edge.name] = edge
    fields = {item["id"]: read_field(item) for item in body.get("field", [])}
    return Entity(body["id"], body["key"], body.get("division"), fields, edges, parent, body.get("case_default", {}))


def read_field(body: dict) -> Field:
    return Field(
        body["id"],
        read_type(body["type"]),
        body.get("required", False),
        body.get("derived"),
        body["type"],
        body.get("blank", "unknown"),
    )


def read_edge(body: dict, is_parent: bool) -> Edge:
    return Edge(body.get("name", body["entity"]), body["entity"], body["via"], body.get("on"), is_parent)
