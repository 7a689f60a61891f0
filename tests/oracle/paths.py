"""Ways between entities: look-ups go along edges, aggregates come back along them.

The document names a look-up by an edge or by an entity further up the tree, and says that an aggregate's
child may be several levels below. Where several ways exist, the order of preference stands here.
"""

from __future__ import annotations

from collections import deque

from .pack import Edge, Pack


def ancestors(pack: Pack, entity: str) -> list:
    """The parent edges from an entity up to the root, nearest first."""
    edges, seen = [], {entity}
    while (edge := pack.entities[entity].parent) is not None and edge.entity not in seen:
        edges.append(edge)
        seen.add(edge.entity)
        entity = edge.entity
    return edges


def way_by_name(pack: Pack, entity: str, name: str) -> list | None:
    """The edges that a look-up `name.…` follows from an entity, or None if it names none.

    An edge of the entity itself comes first, then the same name at each of its ancestors (a parent edge is
    called like the parent), then the nearest entity of that name along any edges.
    """
    climbed: list[Edge] = []
    for edge in [None, *ancestors(pack, entity)]:
        if edge is not None:
            climbed.append(edge)
        at = climbed[-1].entity if climbed else entity
        if name in pack.entities[at].edges:
            return [*climbed, pack.entities[at].edges[name]]
    ways = shortest_ways(pack, entity, name) if name in pack.entities and name != entity else []
    return ways[0] if ways else None


def way_up(pack: Pack, child: str, subject: str) -> list | None:
    """The edges from an aggregate's child up to the subject, or None if there is no way.

    Along parents, or else along the first reference of the child from which parents lead to the subject.
    """
    if (chain := parents_to(pack, child, subject)) is not None and chain:
        return chain
    for edge in pack.entities[child].edges.values():
        if not edge.is_parent and (chain := parents_to(pack, edge.entity, subject)) is not None:
            return [edge, *chain]
    return None


def parents_to(pack: Pack, entity: str, top: str) -> list | None:
    """The parent edges from an entity up to another, none if they are the same, or None if they do not lead there."""
    if entity == top:
        return []
    chain = ancestors(pack, entity)
    for length, step in enumerate(chain, 1):
        if step.entity == top:
            return chain[:length]
    return None


def shortest_ways(pack: Pack, start: str, end: str) -> list:
    """All ways of fewest edges, in the order in which edges are declared."""
    ways, queue, best = [], deque([[]]), None
    while queue:
        way = queue.popleft()
        if best is not None and len(way) >= best:
            continue
        at = way[-1].entity if way else start
        visited = {start, *(edge.entity for edge in way)}
        for edge in pack.entities[at].edges.values():
            if edge.entity == end:
                ways.append([*way, edge])
                best = len(way) + 1
            elif edge.entity not in visited and len(way) < 6:
                queue.append([*way, edge])
    return [way for way in ways if len(way) == best]
