//! Graph algorithms over a network, twice: over what is certain, and over what is possible. Where both say
//! the same, that is known; where they differ, an unknown class or an edge not known to be open decides.

use std::collections::{BTreeMap, HashMap, VecDeque};

use petgraph::algo::ford_fulkerson;
use petgraph::graph::{DiGraph, NodeIndex, UnGraph};
use petgraph::unionfind::UnionFind;
use petgraph::visit::EdgeRef as _;

/// An edge as it is recorded.
#[derive(Clone, Debug)]
pub struct Link {
    pub from: String,
    pub to: String,
    pub name: String,
    /// Position in the list of classes, best first; `None` is unknown.
    pub class: Option<usize>,
    /// `None` is unknown.
    pub open: Option<bool>,
}

/// How sure an edge has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// Known to be open, of a known class.
    Certain,
    /// Not known to be closed; an unknown class may be the best.
    Possible,
}

/// The best worst class between two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined {
    Unknown,
    /// Known to be not connected.
    Apart,
    /// The best way's worst class, and the way.
    By {
        class: usize,
        route: String,
    },
    /// Connected, but the class is not known.
    Somehow,
}

/// Ways out of an area that share no edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaysOut {
    /// `None` where what is possible exceeds what is certain.
    pub count: Option<usize>,
    /// Those that are certain.
    pub routes: Vec<String>,
}

pub struct Graph {
    graph: UnGraph<(), Link>,
    nodes: HashMap<String, NodeIndex>,
    classes: usize,
    /// By class: what edges of this class or better join, those that are certain and those that are possible.
    certain: Vec<UnionFind<usize>>,
    possible: Vec<UnionFind<usize>>,
}

impl Graph {
    /// `nodes` and `links` in any order; an edge to a node that there is not joins nothing.
    pub fn new(mut nodes: Vec<String>, mut links: Vec<(String, Link)>, classes: usize) -> Self {
        // In order of keys, so that the route found does not depend on the order of records.
        nodes.sort();
        links.sort_by(|a, b| a.0.cmp(&b.0));
        let mut graph = UnGraph::with_capacity(nodes.len(), links.len());
        let nodes: HashMap<String, NodeIndex> =
            nodes.into_iter().map(|key| (key, graph.add_node(()))).collect();
        for (_, link) in links {
            if let (Some(from), Some(to)) = (nodes.get(&link.from), nodes.get(&link.to)) {
                graph.add_edge(*from, *to, link);
            }
        }
        let mut made = Self { graph, nodes, classes, certain: Vec::new(), possible: Vec::new() };
        made.certain = (0..classes).map(|class| made.components(class, Sight::Certain)).collect();
        made.possible = (0..classes).map(|class| made.components(class, Sight::Possible)).collect();
        made
    }

    fn counts(link: &Link, class: usize, sight: Sight) -> bool {
        match sight {
            Sight::Certain => link.open == Some(true) && link.class.is_some_and(|known| known <= class),
            Sight::Possible => link.open != Some(false) && link.class.is_none_or(|known| known <= class),
        }
    }

    fn components(&self, class: usize, sight: Sight) -> UnionFind<usize> {
        let mut found = UnionFind::new(self.graph.node_count());
        for edge in self.graph.edge_references() {
            if Self::counts(edge.weight(), class, sight) {
                found.union(edge.source().index(), edge.target().index());
            }
        }
        found
    }

    /// The way between two nodes whose worst class is best.
    pub fn join(&self, from: &str, to: &str) -> Joined {
        let (Some(&from), Some(&to)) = (self.nodes.get(from), self.nodes.get(to)) else {
            return Joined::Unknown;
        };
        let (a, b) = (from.index(), to.index());
        let best = |joined: &[UnionFind<usize>]| joined.iter().position(|found| found.equiv(a, b));
        let (certain, possible) = (best(&self.certain), best(&self.possible));
        match (certain, possible) {
            (Some(class), Some(other)) if class == other => {
                Joined::By { class, route: self.route(from, to, class).unwrap_or_default() }
            }
            (Some(_), _) => Joined::Somehow,
            (None, None) => Joined::Apart,
            // An edge of unknown class that is open joins them all the same.
            (None, Some(_)) if self.surely_joined(a, b) => Joined::Somehow,
            (None, Some(_)) => Joined::Unknown,
        }
    }

    fn surely_joined(&self, a: usize, b: usize) -> bool {
        let mut found = UnionFind::new(self.graph.node_count());
        for edge in self.graph.edge_references().filter(|edge| edge.weight().open == Some(true)) {
            found.union(edge.source().index(), edge.target().index());
        }
        found.equiv(a, b)
    }

    /// The way of fewest edges over those that are certain, by the names of the edges.
    fn route(&self, from: NodeIndex, to: NodeIndex, class: usize) -> Option<String> {
        let mut before: HashMap<NodeIndex, (NodeIndex, &str)> = HashMap::new();
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            if at == to {
                break;
            }
            // The edges of a node come last added first; the first in order of keys goes first.
            let mut edges: Vec<_> = self.graph.edges(at).collect();
            edges.reverse();
            for edge in edges {
                let next = if edge.source() == at { edge.target() } else { edge.source() };
                if next != from && Self::counts(edge.weight(), class, Sight::Certain) {
                    before.entry(next).or_insert_with(|| {
                        queue.push_back(next);
                        (at, edge.weight().name.as_str())
                    });
                }
            }
        }
        let mut names = Vec::new();
        let mut at = to;
        while at != from {
            let (previous, name) = before.get(&at)?;
            names.push(*name);
            at = *previous;
        }
        names.reverse();
        Some(shown(&names))
    }

    /// How many ways lead from a node out of the area that `inside` says, sharing no edge.
    pub fn ways_out(
        &self,
        from: &str,
        inside: &dyn Fn(&str) -> bool,
        at_least: Option<usize>,
    ) -> Option<WaysOut> {
        let from = *self.nodes.get(from)?;
        let class = at_least.unwrap_or(self.classes.saturating_sub(1));
        let within: Vec<bool> = {
            let mut within = vec![false; self.graph.node_count()];
            for (key, node) in &self.nodes {
                within[node.index()] = inside(key);
            }
            within
        };
        if !within[from.index()] {
            return None;
        }
        // Where every class counts, an unknown one does too.
        let any = at_least.is_none();
        let usable = |link: &Link, sight: Sight| match (any, sight) {
            (true, Sight::Certain) => link.open == Some(true),
            (true, Sight::Possible) => link.open != Some(false),
            (false, sight) => Self::counts(link, class, sight),
        };
        let routes = self.disjoint(from, &within, &|link| usable(link, Sight::Certain));
        let possible = self.disjoint(from, &within, &|link| usable(link, Sight::Possible));
        let count = (routes.len() == possible.len()).then_some(routes.len());
        Some(WaysOut { count, routes })
    }

    /// Ways from a node to the outside that share no edge: a greatest flow where each edge carries one.
    fn disjoint(&self, from: NodeIndex, within: &[bool], usable: &dyn Fn(&Link) -> bool) -> Vec<String> {
        let mut flow: DiGraph<(), u32> = DiGraph::new();
        let outside = flow.add_node(());
        let mut places: HashMap<NodeIndex, NodeIndex> = HashMap::new();
        let mut names: Vec<&str> = Vec::new();
        for edge in self.graph.edge_references().filter(|edge| usable(edge.weight())) {
            let mut place = |node: NodeIndex| {
                if within[node.index()] {
                    *places.entry(node).or_insert_with(|| flow.add_node(()))
                } else {
                    outside
                }
            };
            let (a, b) = (place(edge.source()), place(edge.target()));
            if a != b {
                // One each way: opposite flows on an edge cancel.
                flow.add_edge(a, b, 1);
                flow.add_edge(b, a, 1);
                names.extend([edge.weight().name.as_str(); 2]);
            }
        }
        let Some(&start) = places.get(&from) else { return Vec::new() };
        let (count, flows) = ford_fulkerson(&flow, start, outside);
        let mut carried: BTreeMap<NodeIndex, Vec<(NodeIndex, &str)>> = BTreeMap::new();
        for edge in flow.edge_references() {
            let number = edge.id().index();
            let opposite = number ^ 1;
            if flows[number] == 1 && flows[opposite] == 0 {
                carried.entry(edge.source()).or_default().push((edge.target(), names[number]));
            }
        }
        let mut routes: Vec<String> = (0..count)
            .map(|_| {
                let mut at = start;
                let mut passed = Vec::new();
                while at != outside
                    && let Some((next, name)) = carried.get_mut(&at).and_then(Vec::pop)
                {
                    passed.push(name);
                    at = next;
                }
                shown(&passed)
            })
            .collect();
        routes.sort();
        routes
    }
}

/// The names of edges passed, each run of the same name once.
fn shown(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.dedup();
    names.join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(key: &str, from: &str, to: &str, class: Option<usize>, open: Option<bool>) -> (String, Link) {
        let link = Link { from: from.to_owned(), to: to.to_owned(), name: key.to_owned(), class, open };
        (key.to_owned(), link)
    }

    fn graph(nodes: &[&str], links: Vec<(String, Link)>) -> Graph {
        Graph::new(nodes.iter().map(|node| (*node).to_owned()).collect(), links, 3)
    }

    #[test]
    fn the_best_way_is_the_one_whose_worst_edge_is_best() {
        let yes = Some(true);
        let graph = graph(
            &["a", "b", "c", "d"],
            vec![
                link("short", "a", "c", Some(2), yes),
                link("one", "a", "b", Some(0), yes),
                link("two", "b", "c", Some(1), yes),
                link("closed", "a", "c", Some(0), Some(false)),
            ],
        );
        assert_eq!(graph.join("a", "c"), Joined::By { class: 1, route: "one → two".to_owned() });
        assert_eq!(graph.join("a", "a"), Joined::By { class: 0, route: String::new() });
        assert_eq!(graph.join("a", "d"), Joined::Apart);
        assert_eq!(graph.join("a", "nowhere"), Joined::Unknown);
    }

    #[test]
    fn an_unknown_class_proves_nothing_and_hides_nothing_that_is_known() {
        let yes = Some(true);
        let better =
            graph(&["a", "b"], vec![link("x", "a", "b", None, yes), link("y", "a", "b", Some(0), yes)]);
        assert_eq!(better.join("a", "b"), Joined::By { class: 0, route: "y".to_owned() });
        let open =
            graph(&["a", "b"], vec![link("x", "a", "b", None, yes), link("y", "a", "b", Some(1), yes)]);
        assert_eq!(open.join("a", "b"), Joined::Somehow);
        let only = graph(&["a", "b"], vec![link("x", "a", "b", None, yes)]);
        assert_eq!(only.join("a", "b"), Joined::Somehow);
        let maybe = graph(&["a", "b"], vec![link("x", "a", "b", Some(0), None)]);
        assert_eq!(maybe.join("a", "b"), Joined::Unknown);
    }

    #[test]
    fn ways_out_share_no_edge() {
        let yes = Some(true);
        // Two ways leave the seat; they would both have to use the bridge to a third border crossing.
        let links = vec![
            link("s1", "seat", "m", Some(0), yes),
            link("s2", "seat", "n", Some(0), yes),
            link("m1", "m", "out1", Some(0), yes),
            link("m2", "m", "out2", Some(1), yes),
            link("n1", "n", "m", Some(2), yes),
        ];
        let graph = graph(&["seat", "m", "n", "out1", "out2"], links);
        let inside = |key: &str| !key.starts_with("out");
        let all = graph.ways_out("seat", &inside, None).expect("the seat is a node");
        assert_eq!(all.count, Some(2));
        assert_eq!(all.routes.len(), 2);
        assert!(all.routes.iter().any(|route| route.starts_with("s2 → n1 → m")), "{:?}", all.routes);
        let good = graph.ways_out("seat", &inside, Some(1)).expect("the seat is a node");
        assert_eq!(good.count, Some(1));
        assert_eq!(graph.ways_out("out1", &inside, None), None);
    }

    #[test]
    fn an_unknown_class_leaves_the_number_of_ways_unknown_where_classes_count() {
        let links =
            vec![link("a", "seat", "out1", Some(0), Some(true)), link("b", "seat", "out2", None, Some(true))];
        let graph = graph(&["seat", "out1", "out2"], links);
        let inside = |key: &str| key == "seat";
        let ways = graph.ways_out("seat", &inside, Some(1)).expect("the seat is a node");
        assert_eq!((ways.count, ways.routes), (None, vec!["a".to_owned()]));
        let any = graph.ways_out("seat", &inside, None).expect("the seat is a node");
        assert_eq!(any.count, Some(2));
    }
}
