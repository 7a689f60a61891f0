//! Derived fields: facts that nobody types in, because they follow from others by an algorithm over a
//! network, or from an earlier run.

use model::Text;

use crate::compiler::{Compiler, Definition, Pending, Timing};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{
    Column, ColumnId, ColumnKind, Derived, Edge, EdgeId, EntityId, ExprKind, Field, Network, NetworkFunction,
    NodePath, NumberType, RuleId, Type,
};
use crate::surface::{Table, Word, list_words};

const FUNCTIONS: &[(&str, NetworkFunction)] = &[
    ("best_worst_class", NetworkFunction::BestWorstClass),
    ("connected", NetworkFunction::Connected),
    ("route", NetworkFunction::Route),
    ("edge_disjoint_paths", NetworkFunction::EdgeDisjointPaths),
    ("disjoint_routes", NetworkFunction::DisjointRoutes),
];

impl NetworkFunction {
    /// Whether it counts ways out of an area, rather than joining two nodes.
    pub fn leaves(self) -> bool {
        matches!(self, Self::EdgeDisjointPaths | Self::DisjointRoutes)
    }
}

impl Compiler<'_> {
    pub fn declare_networks(&mut self, tables: &[Table<'_>]) {
        for table in tables {
            if let Some(network) = self.network(table) {
                self.program.networks.push(network);
            }
        }
    }

    fn network(&mut self, table: &Table<'_>) -> Option<Network> {
        let id = self.identifier(table);
        let nodes = table.require("nodes", table.word("nodes"));
        let edges = table.require("edges", table.word("edges"));
        let from = table.require("from", table.word("from"));
        let to = table.require("to", table.word("to"));
        let class = table.require("class", table.word("class"));
        let (open, name) = (table.word("open"), table.word("name"));
        table.finish();
        let id = id?;
        if let Some(known) = self.program.networks.iter().find(|known| known.id == id.text) {
            let place = known.span;
            self.report(crate::declare::duplicate("network", &id, place));
            return None;
        }
        let (nodes, edges) = (self.entity_word(&nodes?)?, self.entity_word(&edges?)?);
        let (from, to) = (self.end(edges, nodes, &from?), self.end(edges, nodes, &to?));
        let class_word = class?;
        let class = self.field(edges, &class_word)?;
        if !matches!(self.program.column(class).ty, Type::Code(_)) {
            self.report(
                Diagnostic::new("bad-network", class_word.span, "the class of a network is a code of a list")
                    .hint("declare the list with the best class first"),
            );
            return None;
        }
        let name = match &name {
            Some(name) => Some(self.field(edges, name)?),
            None => None,
        };
        let (from, to) = (from?, to?);
        self.used.extend([from, to, class].into_iter().chain(name));
        let open = open.map(|text| self.announce_open(edges, &id, text));
        Some(Network {
            id: id.text,
            nodes,
            edges,
            from,
            to,
            class,
            open,
            open_column: None,
            name,
            span: id.span,
        })
    }

    /// The field of a network's edges that names one of its ends.
    fn end(&mut self, edges: EntityId, nodes: EntityId, word: &Word) -> Option<ColumnId> {
        let known = |edge: &&Edge| edge.child == edges && edge.parent == nodes;
        let named = self
            .program
            .edges
            .iter()
            .filter(known)
            .find(|edge| edge.name == word.text || self.program.column(edge.via).name == word.text);
        if let Some(edge) = named.filter(|edge| edge.required) {
            return Some(edge.via);
        }
        let (edges, nodes) = (&self.program.entity(edges).name, &self.program.entity(nodes).name);
        let (message, hint) = if named.is_some() {
            (
                format!("a `{edges}` may lack its `{}`", word.text),
                "add `required = true` to that reference: what joins no two nodes is no part of a network",
            )
        } else {
            (
                format!("`{}` does not lead from `{edges}` to `{nodes}`", word.text),
                "name a reference of the edges to the nodes",
            )
        };
        self.report(Diagnostic::new("bad-network", word.span, message).hint(hint));
        None
    }

    fn announce_open(&mut self, edges: EntityId, network: &Word, text: Word) -> String {
        let name = format!("_{}_open", network.text);
        self.announce(Pending {
            entity: edges,
            name: name.clone(),
            label: Text { zh: "通行".to_owned(), en: "open".to_owned() },
            rule: RuleId(u32::MAX),
            span: text.span,
            round: self.round,
            timing: Timing::AsOf,
            definition: Definition::Expression { text, ty: Some(Type::Bool) },
        });
        name
    }

    /// Says of the fields declared as derived what they follow from.
    pub fn declare_derived(&mut self, entities: &[Table<'_>]) {
        for table in entities {
            let Some(entity) = table.word("id").and_then(|id| self.program.entity_named(&id.text)) else {
                continue;
            };
            for field in table.tables("field", "field") {
                if !field.has("derived") {
                    continue;
                }
                let Some(id) = field.word("id").and_then(|id| self.known(entity, &id.text)) else { continue };
                let Some(derived) = field.table("derived", "derived field") else { continue };
                if let Some(found) = self.derived(entity, id, &derived)
                    && let ColumnKind::Field(field) = &mut self.program.columns[id.index()].kind
                {
                    field.derived = Some(found);
                }
            }
        }
    }

    fn derived(&mut self, entity: EntityId, id: ColumnId, table: &Table<'_>) -> Option<Derived> {
        let column = self.program.column(id).clone();
        if let ColumnKind::Field(field) = &column.kind
            && (field.required || field.unique)
        {
            self.report(Diagnostic::new(
                "bad-derived",
                column.span,
                format!(
                    "`{}` is derived: it can be unknown, and is neither required nor unique",
                    column.name
                ),
            ));
            return None;
        }
        if let Some(previous) = table.word("previous_run") {
            table.finish();
            return Some(Derived::PreviousRun { column: previous.text });
        }
        if let Some(wanted) = table.word("as_at") {
            return self.as_at(entity, id, &wanted, table);
        }
        let network = table.require("network", table.word("network"));
        let function = self.choice(table, "function", FUNCTIONS);
        let function = table.require("function", function);
        let from = table.require("from", table.word("from"));
        let function = function?;
        let key = if function.leaves() { "within" } else { "to" };
        let other = table.require(key, table.word(key));
        let at_least = if function.leaves() { table.word("at_least") } else { None };
        table.finish();
        let network = self.network_word(&network?)?;
        self.derived_type(network, function, &column)?;
        let from = self.node_path(entity, network, &from?)?;
        let at_least = match at_least {
            Some(word) => Some(self.class_position(network, &word)?),
            None => None,
        };
        let (to, within) = if function.leaves() {
            (None, Some(self.within(entity, network, &other?)?))
        } else {
            (Some(self.node_path(entity, network, &other?)?), None)
        };
        if matches!(function, NetworkFunction::Route | NetworkFunction::DisjointRoutes) {
            // It says what another derived field rests on.
            self.used.insert(id);
        }
        Some(Derived::Network { network, function, from, to, within, at_least })
    }

    /// `as_at = "status.state"`: what the dated records of the subject, or of what is above it, said on a day of its own.
    fn as_at(&mut self, entity: EntityId, id: ColumnId, wanted: &Word, table: &Table<'_>) -> Option<Derived> {
        let since = table.require("since", table.word("since"));
        let on = table.require("on", table.word("on"));
        table.finish();
        let (since, on) = (since?, on?);
        let Some((records, field)) = wanted.text.split_once('.') else {
            self.report(
                Diagnostic::new(
                    "bad-derived",
                    wanted.span,
                    format!("`{}` names no dated record", wanted.text),
                )
                .hint("write the entity of the records and its field: `household_status.state`"),
            );
            return None;
        };
        let records = self.entity_word(&Word { text: records.to_owned(), span: wanted.span })?;
        let value = self.field(records, &Word { text: field.to_owned(), span: wanted.span })?;
        let (since, on) = (self.day_field(records, &since)?, self.day_field(entity, &on)?);
        let (have, declared) = (self.program.column(value).clone(), self.program.column(id).clone());
        if have.ty != declared.ty {
            let (have, want) = (self.type_name(&have.ty), self.type_name(&declared.ty));
            self.report(Diagnostic::new(
                "type-mismatch",
                declared.span,
                format!("`{}` is {want}, and `{}` is {have}", declared.name, wanted.text),
            ));
            return None;
        }
        let Some(held) = self.program.entity(records).parent else {
            self.report(
                Diagnostic::new(
                    "bad-derived",
                    wanted.span,
                    format!("`{}` says nothing of anything", wanted.text),
                )
                .hint("give its entity a `parent`: what the dated records are about"),
            );
            return None;
        };
        let holder = self.program.edge(held).parent;
        let edges = if holder == entity {
            Vec::new()
        } else {
            let name = self.program.entity(holder).name.clone();
            let Some(edges) = self.edges_towards(entity, &name) else {
                self.no_edge(entity, &name, &[field], wanted.span);
                return None;
            };
            edges
        };
        self.used.extend([since, value, on, self.program.edge(held).via]);
        Some(Derived::AsAt { edges, held, since, value, on })
    }

    fn day_field(&mut self, entity: EntityId, word: &Word) -> Option<ColumnId> {
        let id = self.field(entity, word)?;
        if self.program.column(id).ty != Type::Date || self.program.is_derived(id) {
            let message = format!("`{}` is no recorded date", word.text);
            self.report(Diagnostic::new("type-mismatch", word.span, message));
            return None;
        }
        Some(id)
    }

    fn network_word(&mut self, word: &Word) -> Option<usize> {
        let found = self.program.networks.iter().position(|network| network.id == word.text);
        if found.is_none() {
            let hint = did_you_mean(&word.text, self.program.networks.iter().map(|known| known.id.as_str()));
            self.report(
                Diagnostic::new("unknown-network", word.span, format!("there is no network `{}`", word.text))
                    .hint_opt(hint),
            );
        }
        found
    }

    fn derived_type(&mut self, network: usize, function: NetworkFunction, column: &Column) -> Option<()> {
        let class = self.program.column(self.program.networks[network].class).ty.clone();
        let wanted = match function {
            NetworkFunction::BestWorstClass => class,
            NetworkFunction::Connected => Type::Bool,
            NetworkFunction::EdgeDisjointPaths => Type::Number(NumberType::count()),
            NetworkFunction::Route | NetworkFunction::DisjointRoutes => Type::Text,
        };
        if column.ty == wanted {
            return Some(());
        }
        self.report(Diagnostic::new(
            "type-mismatch",
            column.span,
            format!(
                "`{}` is derived as {}, and declared as {}",
                column.name,
                self.type_name(&wanted),
                self.type_name(&column.ty)
            ),
        ));
        None
    }

    /// `seat` or `prefecture.seat`: a field of the subject, or of one above it, that names a node.
    fn node_path(&mut self, entity: EntityId, network: usize, word: &Word) -> Option<NodePath> {
        let (edges, top, name) = match word.text.rsplit_once('.') {
            Some((above, name)) => {
                let Some(edges) = self.edges_towards(entity, above) else {
                    let rest = [name];
                    self.no_edge(entity, above, &rest, word.span);
                    return None;
                };
                let top = edges.last().map_or(entity, |edge| self.program.edge(*edge).parent);
                (edges, top, name)
            }
            None => (Vec::new(), entity, word.text.as_str()),
        };
        let nodes = self.program.networks[network].nodes;
        let edge = self.program.edges.iter().find(|edge| edge.child == top && edge.name == name);
        let field = match edge {
            Some(edge) if edge.parent == nodes => edge.via,
            _ => self.field(top, &Word { text: name.to_owned(), span: word.span })?,
        };
        if self.program.column(field).ty != Type::Text {
            self.report(Diagnostic::new(
                "type-mismatch",
                word.span,
                format!(
                    "`{}` names no node: it is {}",
                    word.text,
                    self.type_name(&self.program.column(field).ty)
                ),
            ));
            return None;
        }
        self.used.insert(field);
        Some(NodePath { edges, field })
    }

    /// The edge by which nodes say to which subject they belong.
    fn within(&mut self, entity: EntityId, network: usize, word: &Word) -> Option<EdgeId> {
        let nodes = self.program.networks[network].nodes;
        let found = self.program.edges.iter().position(|edge| {
            edge.child == nodes && edge.parent == entity && edge.name == word.text && edge.required
        });
        if found.is_none() {
            let (nodes, on) = (&self.program.entity(nodes).name, &self.program.entity(entity).name);
            self.report(
                Diagnostic::new(
                    "bad-derived",
                    word.span,
                    format!("`{}` does not say of every `{nodes}` to which `{on}` it belongs", word.text),
                )
                .hint(format!("name a reference of `{nodes}` to `{on}` with `required = true`")),
            );
        }
        found.map(|position| EdgeId(position as u32))
    }

    fn class_position(&mut self, network: usize, word: &Word) -> Option<usize> {
        let Type::Code(list) = self.program.column(self.program.networks[network].class).ty else {
            return None;
        };
        let codes: Vec<&str> = self.program.list(list).codes.iter().map(|code| code.code.as_str()).collect();
        let found = codes.iter().position(|code| *code == word.text);
        if found.is_none() {
            let hint = did_you_mean(&word.text, codes.iter().copied())
                .unwrap_or_else(|| format!("one of {}", list_words(&codes)));
            let message = format!("`{}` is not a code of `{}`", word.text, self.program.list(list).id);
            self.report(Diagnostic::new("unknown-code", word.span, message).hint(hint));
        }
        found
    }

    /// Finds the columns that say whether a network's edges are open, once they are compiled: they rest on
    /// the edge's own record alone.
    pub fn complete_networks(&mut self) {
        for position in 0..self.program.networks.len() {
            let network = self.program.networks[position].clone();
            let Some(id) = network.open.as_ref().and_then(|name| self.known(network.edges, name)) else {
                continue;
            };
            if let Some(place) = self.beyond_record(id) {
                self.report(
                    Diagnostic::new(
                        "bad-network",
                        place,
                        "whether an edge is open follows from its own record, before anything is computed",
                    )
                    .hint("use fields of the edge, parameters and `as_of` only"),
                );
            }
            self.program.networks[position].open_column = Some(id);
        }
    }

    /// A result of an earlier run has the name and type of a result of this pack.
    pub fn complete_previous(&mut self) {
        for position in 0..self.program.columns.len() {
            let id = ColumnId(position as u32);
            let Some(Derived::PreviousRun { column }) = self.program.derived(id).cloned() else { continue };
            let field = self.program.column(id).clone();
            let Some(result) = self.resolve(field.entity, &column, field.span) else { continue };
            let result = self.program.column(result);
            if result.ty != field.ty {
                let (have, want) = (self.type_name(&field.ty), self.type_name(&result.ty));
                self.report(
                    Diagnostic::new(
                        "type-mismatch",
                        field.span,
                        format!("`{}` is {have}, and the earlier `{column}` is {want}", field.name),
                    )
                    .also(result.span, "declared here"),
                );
            }
        }
    }

    /// The place of a look-up, aggregate, window or derived field that a column needs, if it needs one.
    fn beyond_record(&self, id: ColumnId) -> Option<crate::program::Span> {
        let column = self.program.column(id);
        match &column.kind {
            ColumnKind::Field(field) => field.derived.is_some().then_some(column.span),
            ColumnKind::Scalar(expr) => {
                let mut columns = Vec::new();
                expr.each(&mut |part| {
                    if let ExprKind::Column(id) = part.kind {
                        columns.push(id);
                    }
                });
                columns.into_iter().find_map(|other| self.beyond_record(other))
            }
            _ => Some(column.span),
        }
    }

    /// The edge from an entity to one of its ancestors, made where there is none: a derived field holds the
    /// ancestor's key.
    pub fn ancestor_edge(&mut self, entity: EntityId, ancestor: &str) -> Option<String> {
        let edges = self.edges_towards(entity, ancestor)?;
        if let [only] = edges.as_slice() {
            return Some(self.program.edge(*only).name.clone());
        }
        let name = format!("_{ancestor}");
        if self.program.edges.iter().any(|edge| edge.child == entity && edge.name == name) {
            return Some(name);
        }
        let top = self.program.edge(*edges.last()?).parent;
        let required = edges.iter().all(|edge| self.program.edge(*edge).required);
        let (label, span) = (self.program.entity(top).label.clone(), self.program.entity(entity).span);
        let via = self.add_column(Column {
            entity,
            name: format!("_key_of_{ancestor}"),
            label,
            ty: Type::Text,
            nullable: !required,
            range: None,
            kind: ColumnKind::Field(Field::derived(Derived::Ancestor { edges })),
            rule: None,
            span,
        });
        self.used.insert(via);
        self.program.entities[entity.index()].fields.push(via);
        let on = self.program.entity(top).key;
        self.program.edges.push(Edge {
            name: name.clone(),
            child: entity,
            parent: top,
            via,
            on,
            tree: false,
            required,
            also: Vec::new(),
            key_prefix: None,
        });
        Some(name)
    }
}
