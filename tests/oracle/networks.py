"""Derived fields of a network: best worst class, connection, ways without a common edge.

An edge of unknown class proves no class, and one not known to be open no way: a value is known only where
counting all such edges, at their best, and counting none of them say the same.
"""

from __future__ import annotations

from collections import deque

from .operations import Scope
from .pack import PackFault
from .paths import way_by_name


def derived(columns, world, record, field):
    spec = field.derived
    if "previous_run" in spec:
        return None
    if "as_at" in spec:
        return said_on(columns, world, record, spec)
    graph = world.cache.get(("network", spec["network"]))
    if graph is None:
        graph = world.cache["network", spec["network"]] = Graph(columns, world, spec["network"])
    start = node_named(columns, world, record, spec["from"])
    if start not in graph.nodes:
        return None
    if spec["function"] in ("edge_disjoint_paths", "disjoint_routes"):
        return ways_out(columns, world, record, spec, graph, start)
    end = node_named(columns, world, record, spec["to"])
    if end not in graph.nodes:
        return None
    return FUNCTIONS[spec["function"]](graph, start, end)


def said_on(columns, world, record, spec: dict):
    """What the latest dated record not after a day of the subject says of the subject, or of what is above it."""
    entity, name = spec["as_at"].split(".")
    about = columns.pack.entities[entity].parent
    holder = record if about.entity == record.entity else None
    if holder is None:
        way = way_by_name(columns.pack, record.entity, about.entity)
        if way is None:
            raise PackFault(f"{record.entity} has no {about.entity}")
        holder = world.climb(record, way)
    day = columns.value(world, record, spec["on"])
    if holder is None or day is None:
        return None
    said = {}
    for other in world.of(entity):
        if world.follow(other, about) is holder:
            since = columns.value(world, other, spec["since"])
            said.setdefault(since, []).append(columns.value(world, other, name))
    if None in said or not any(since <= day for since in said):
        return None
    latest = said[max(since for since in said if since <= day)]
    return latest[0] if all(value == latest[0] for value in latest) else None


def node_named(columns, world, record, path: str):
    """The node whose number stands in a field of the subject or of a record above it."""
    *steps, name = path.split(".")
    entity, at = record.entity, record
    for step in steps:
        way = way_by_name(columns.pack, entity, step)
        if way is None:
            raise PackFault(f"`{step}` is no edge of {entity}")
        at, entity = world.climb(at, way), way[-1].entity
    return None if at is None else columns.value(world, at, name)


class Graph:
    """Edges as (key, one end, other end, class or None, open or None, name)."""

    def __init__(self, columns, world, network: str):
        body = columns.pack.networks[network]
        entity = columns.pack.entities[body["edges"]]
        field = entity.fields[body["class"]]
        self.classes = columns.pack.lists[field.written_type.removeprefix("code(").removesuffix(")")]
        self.nodes = world.records.get(body["nodes"], {})
        is_open = columns.compiler.compile(body.get("open", "TRUE"), Scope(entity.id, columns.pack.round)).run
        self.edges = []
        for record in sorted(world.of(entity.id), key=lambda record: record.key):
            ends = [world.follow(record, entity.edges[body[side]]) for side in ("from", "to")]
            if None in ends:
                continue
            name = columns.value(world, record, body["name"]) if "name" in body else None
            class_ = columns.value(world, record, field.id)
            self.edges.append(
                (record.key, ends[0].key, ends[1].key, class_, is_open(world, record, None), name or record.key)
            )

    def counted(self, generous: bool, worst: int | None = None) -> list:
        """Edges that may be used: all that may be open and good enough, or only those known to be."""
        found = []
        for edge in self.edges:
            _, _, _, class_, is_open, _ = edge
            if is_open is False or not generous and is_open is None:
                continue
            if worst is not None:
                if class_ is None and not generous:
                    continue
                if class_ is not None and self.classes.index(class_) > worst:
                    continue
            found.append(edge)
        return found


def shortest(edges: list, start: str, end: str):
    """The way of fewest edges, as a list of edges, or None."""
    around = {}
    for edge in edges:
        around.setdefault(edge[1], []).append((edge[2], edge))
        around.setdefault(edge[2], []).append((edge[1], edge))
    came, queue = {start: None}, deque([start])
    while queue:
        at = queue.popleft()
        if at == end:
            way = []
            while came[at] is not None:
                before, edge = came[at]
                way.append(edge)
                at = before
            return way[::-1]
        for other, edge in around.get(at, []):
            if other not in came:
                came[other] = (at, edge)
                queue.append(other)
    return None


def best_worst(graph: Graph, start: str, end: str, generous: bool):
    """(rank of the class, way) of the best way, or None if there is no way."""
    if start == end:
        return (0, [])
    for worst in range(len(graph.classes)):
        way = shortest(graph.counted(generous, worst), start, end)
        if way is not None:
            return worst, way
    return None


def best_worst_class(graph: Graph, start: str, end: str):
    sure, hoped = best_worst(graph, start, end, False), best_worst(graph, start, end, True)
    if sure is None or hoped is None or sure[0] != hoped[0]:
        return None
    return graph.classes[sure[0]]


def connected(graph: Graph, start: str, end: str):
    sure = shortest(graph.counted(False), start, end) is not None
    hoped = shortest(graph.counted(True), start, end) is not None
    return sure if sure == hoped else None


def route(graph: Graph, start: str, end: str):
    """The names along the way that the class rests on; unknown where the class is."""
    if best_worst_class(graph, start, end) is None:
        return None
    return named(best_worst(graph, start, end, False)[1])


def named(way: list) -> str:
    """The names of a way's edges in order; neighbours of one name are one stretch."""
    names = [edge[5] for edge in way]
    return " → ".join(name for at, name in enumerate(names) if at == 0 or names[at - 1] != name)


FUNCTIONS = {"best_worst_class": best_worst_class, "connected": connected, "route": route}


# --- ways out ------------------------------------------------------------------------------------


def ways_out(columns, world, record, spec: dict, graph: Graph, start):
    """Ways from a node out of the nodes within the subject, no two sharing an edge.

    The ways that are certain are named even where it is not known how many there are.
    """
    inside = set()
    for node in graph.nodes.values():
        way = way_by_name(columns.pack, node.entity, spec["within"])
        if world.climb(node, way) is record:
            inside.add(node.key)
    if start not in inside:
        return None
    worst = graph.classes.index(spec["at_least"]) if "at_least" in spec else None
    sure = disjoint(graph.counted(False, worst), start, inside)
    if spec["function"] == "disjoint_routes":
        return "；".join(named(way) for way in sure)
    hoped = disjoint(graph.counted(True, worst), start, inside)
    return len(sure) if len(sure) == len(hoped) else None


def disjoint(edges: list, start: str, inside: set) -> list:
    """Greatest set of ways without a common edge, by augmenting ways one at a time."""
    used = {}  # edge key -> direction in which a way runs along it
    while (way := augment(edges, start, inside, used)) is not None:
        for edge, source in way:
            if edge[0] in used:
                del used[edge[0]]
            else:
                used[edge[0]] = source
    return unravel(edges, start, inside, used)


def augment(edges: list, start: str, inside: set, used: dict):
    around = {}
    for edge in edges:
        for source, target in ((edge[1], edge[2]), (edge[2], edge[1])):
            if edge[0] not in used or used[edge[0]] == target:
                around.setdefault(source, []).append((target, edge))
    came, queue = {start: None}, deque([start])
    while queue:
        at = queue.popleft()
        if at not in inside:
            way = []
            while came[at] is not None:
                before, edge = came[at]
                way.append((edge, before))
                at = before
            return way[::-1]
        for other, edge in around.get(at, []):
            if other not in came:
                came[other] = (at, edge)
                queue.append(other)
    return None


def unravel(edges: list, start: str, inside: set, used: dict) -> list:
    leaving = {}
    for edge in edges:
        if edge[0] in used:
            source = used[edge[0]]
            leaving.setdefault(source, []).append((edge[2] if source == edge[1] else edge[1], edge))
    ways = []
    while leaving.get(start):
        at, way = start, []
        while at in inside:
            at, edge = leaving[at].pop(0)
            way.append(edge)
        ways.append(way)
    return ways
