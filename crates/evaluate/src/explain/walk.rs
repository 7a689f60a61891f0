//! From a column to its tree.

use std::collections::HashMap;

use model::{Lang, Text};
use pack::program::{
    Column, ColumnId, ColumnKind, DataClass, Derived, EdgeId, Expr, ExprKind, NetworkFunction, Program, Type,
    Value,
};

use super::format::{both, column_label, column_note, decimals, entity_label, is_hidden};
use super::print::Printer;
use super::tree::{Node, NodeKind, Verdict};
use crate::Viewer;
use crate::interpret::{
    Cell, Cells as _, EvalError, Evaluator, Expressions as _, Facts, Here, InForce, Outcome, in_force,
};

/// Builds the steps of one explanation. A column of a record is expanded where it is met first, and
/// pointed to from there on.
pub(super) struct Walker<'w, 'a> {
    pub evaluator: &'w mut Evaluator<'a>,
    pub viewer: &'w Viewer<'a>,
    pub program: &'a Program,
    pub facts: &'a Facts,
    next: u32,
    seen: HashMap<Cell, u32>,
    nodes_max: u32,
}

impl<'w, 'a> Walker<'w, 'a> {
    pub fn new(evaluator: &'w mut Evaluator<'a>, viewer: &'w Viewer<'a>, nodes_max: u32) -> Self {
        let (program, facts) = (evaluator.program(), evaluator.facts());
        Self { evaluator, viewer, program, facts, next: 0, seen: HashMap::new(), nodes_max }
    }

    pub fn printer(&self, lang: Lang) -> Printer<'a> {
        Printer { program: self.program, lang }
    }

    /// A step that says something and has no value yet.
    pub fn node(&mut self, kind: NodeKind, text: Text) -> Node {
        self.next += 1;
        Node {
            id: self.next,
            kind,
            text,
            verdict: None,
            value: None,
            decimals: 0,
            shown: Text::default(),
            column: None,
            provenance: None,
            in_force: None,
            see: None,
            children: Vec::new(),
        }
    }

    /// Whether columns are still expanded. Beyond it they are named only.
    fn expands(&self) -> bool {
        self.next < self.nodes_max
    }

    /// A value of a class in words, as it may be seen; an error says what is wrong.
    pub fn shown(&self, class: DataClass, ty: &Type, outcome: &Outcome) -> Text {
        match outcome {
            Ok(value) => self.viewer.text_as(class, ty, value.as_ref()),
            Err(error) => error_text(self.program, error),
        }
    }

    /// Sets value, words and, for conditions, verdict, as they may be seen.
    pub fn settle(&self, node: &mut Node, class: DataClass, ty: &Type, outcome: &Outcome) {
        node.shown = self.shown(class, ty, outcome);
        node.decimals = decimals(ty);
        let value = outcome.as_ref().ok().and_then(Option::as_ref);
        let shown = self.viewer.show_as(class, ty, value);
        if *ty == Type::Bool && !shown.is_masked() {
            node.verdict = Some(verdict(outcome));
        }
        node.value = shown.into_value();
    }

    /// The same of a column.
    fn settle_column(&self, node: &mut Node, column: ColumnId, outcome: &Outcome) {
        self.settle(node, self.program.class(column), &self.program.column(column).ty, outcome);
    }

    /// The tree of a column of a record.
    pub fn column(&mut self, cell: Cell) -> Node {
        let column = &self.program.columns[cell.column.index()];
        let given = self.facts.is_given(column.entity, cell.row, cell.column);
        match &column.kind {
            ColumnKind::Field(_) => return self.fact(cell, NodeKind::Fact),
            _ if given => return self.fact(cell, NodeKind::Given),
            ColumnKind::Lookup { edge, column: target } if is_hidden(column) => {
                return self.look_up(cell, *edge, Cell { column: *target, row: 0 });
            }
            _ => {}
        }
        let outcome = self.evaluator.cell(cell);
        let mut node = self.node(NodeKind::Column, Text::default());
        self.settle_column(&mut node, cell.column, &outcome);
        node.column = Some(column_note(self.viewer, self.facts, cell.column, cell.row));
        let see = self.seen.get(&cell).copied();
        if see.is_some() || !self.expands() {
            node.see = see;
            node.text = self.named(column, cell, &node.shown, true);
            return node;
        }
        self.seen.insert(cell, node.id);
        let here = Here { column: cell.column, row: cell.row };
        match &column.kind {
            ColumnKind::Scalar(expr) => self.scalar(here, expr, &mut node),
            ColumnKind::Lookup { edge, column: target } => {
                let target = Cell { column: *target, row: 0 };
                node.text = self.named(column, cell, &node.shown, true);
                let below = self.look_up(cell, *edge, target);
                node.children.push(below);
            }
            ColumnKind::Aggregate(aggregate) => self.aggregate(here, aggregate, &mut node),
            ColumnKind::Window(window) => self.window(here, window, &mut node),
            ColumnKind::Field(_) => {}
        }
        node
    }

    /// `人均纯收入 2,345.67 元`, for facts also `通硬化路 是`; of other conditions (`open`) the name
    /// alone, since the verdict is shown beside it.
    fn named(&self, column: &Column, cell: Cell, shown: &Text, open: bool) -> Text {
        let name = |lang| self.name(column, cell, lang);
        match (column.ty == Type::Bool, open) {
            (true, true) => both(name),
            _ => both(|lang| format!("{} {}", name(lang), shown.get(lang))),
        }
    }

    fn name(&self, column: &Column, cell: Cell, lang: Lang) -> String {
        if is_hidden(column) {
            self.printer(lang).column_text(cell.column)
        } else {
            column_label(column).get(lang).to_owned()
        }
    }

    /// Puts a definition after the column's name: `name：statement` or `name value = formula`.
    pub fn define(&self, node: &mut Node, here: Here, definition: &Text) {
        let column = &self.program.columns[here.column.index()];
        let cell = Cell { column: here.column, row: here.row };
        let hidden = is_hidden(column);
        let shown = node.shown.clone();
        node.text = both(|lang| {
            let (name, words) = (self.name(column, cell, lang), definition.get(lang));
            match (column.ty == Type::Bool, hidden) {
                (true, true) => words.to_owned(),
                (true, false) => format!("{name}{}{words}", colon(lang)),
                (false, true) => format!("{words} = {}", shown.get(lang)),
                (false, false) => format!("{name} {} = {words}", shown.get(lang)),
            }
        });
    }

    fn scalar(&mut self, here: Here, expr: &'a Expr, node: &mut Node) {
        let expr = strip(expr);
        if let ExprKind::Column(column) = &expr.kind
            && self.inline(here, *column, node)
        {
            return;
        }
        let step = self.step(here, expr);
        node.children = step.children;
        if is_hidden(&self.program.columns[here.column.index()]) {
            node.kind = step.kind;
        }
        match (&expr.kind, &expr.ty) {
            (ExprKind::Literal(_), _) => {
                let column = &self.program.columns[here.column.index()];
                let cell = Cell { column: here.column, row: here.row };
                node.text = self.named(column, cell, &node.shown, false);
            }
            _ => self.define(node, here, &step.text),
        }
    }

    /// A variable that only gives a name to an aggregate or window is described as that.
    fn inline(&mut self, here: Here, column: ColumnId, node: &mut Node) -> bool {
        let cell = Cell { column, row: here.row };
        let of = &self.program.columns[column.index()];
        let given = self.facts.is_given(of.entity, cell.row, column);
        if !is_hidden(of) || given || self.seen.contains_key(&cell) {
            return false;
        }
        let at = Here { column, ..here };
        match &of.kind {
            ColumnKind::Aggregate(aggregate) => self.aggregate(at, aggregate, node),
            ColumnKind::Window(window) => self.window(at, window, node),
            _ => return false,
        }
        self.seen.insert(cell, node.id);
        let phrase = both(|lang| self.printer(lang).column_text(column));
        self.define(node, here, &phrase);
        true
    }

    /// A recorded value, or one that came with the facts, with its source.
    fn fact(&mut self, cell: Cell, kind: NodeKind) -> Node {
        let column = &self.program.columns[cell.column.index()];
        let outcome = self.evaluator.cell(cell);
        let mut node = self.node(kind, Text::default());
        self.settle_column(&mut node, cell.column, &outcome);
        let routes = route_of(self.program, cell.column).map(|column| Cell { column, row: cell.row });
        if let Some(routes) = routes.filter(|routes| matches!(self.evaluator.cell(*routes), Ok(Some(_)))) {
            let below = self.fact(routes, NodeKind::Fact);
            node.children.push(below);
        }
        node.text = self.named(column, cell, &node.shown, false);
        if kind == NodeKind::Given {
            node.text = both(|lang| {
                let from =
                    if lang == Lang::Zh { "（取自本次运行结果）" } else { " (taken from the run)" };
                format!("{}{from}", node.text.get(lang))
            });
        } else if self.program.is_derived(cell.column) {
            node.text = both(|lang| {
                let derived = if lang == Lang::Zh { "（推算）" } else { " (derived)" };
                format!("{}{derived}", node.text.get(lang))
            });
        } else {
            node.provenance = self.facts.provenance(column.entity, cell.row).cloned();
        }
        node.column = Some(column_note(self.viewer, self.facts, cell.column, cell.row));
        node
    }

    /// A look-up is the parent's own step, with the parent named before it. `target.row` is found
    /// here.
    fn look_up(&mut self, from: Cell, edge: EdgeId, target: Cell) -> Node {
        let parent_entity = self.program.edges[edge.index()].parent;
        let label = entity_label(self.program, parent_entity);
        let Some(row) = self.facts.parent(edge, from.row) else {
            let text =
                Text::new(format!("未登记所属的{}", label.zh), format!("no {} is recorded for it", label.en));
            let mut node = self.node(NodeKind::NoParent, text);
            self.settle_column(&mut node, from.column, &Ok(None));
            return node;
        };
        let mut node = self.column(Cell { row, ..target });
        let column = &self.program.columns[target.column.index()];
        if !(is_hidden(column) && matches!(column.kind, ColumnKind::Lookup { .. })) {
            let key = self.viewer.key_along(edge, parent_entity, self.facts.key(parent_entity, row));
            prefix(&mut node, &both(|lang| format!("{} {key}{}", label.get(lang), colon(lang))));
        }
        node
    }

    /// The step of an expression on its own.
    pub fn expr(&mut self, here: Here, expr: &'a Expr) -> Node {
        let expr = strip(expr);
        match &expr.kind {
            ExprKind::Column(column) => return self.column(Cell { column: *column, row: here.row }),
            ExprKind::Parameter { .. } => return self.parameter(here, expr),
            _ => {}
        }
        let outcome = self.evaluator.expression(here, expr);
        let step = self.step(here, expr);
        let mut node = self.node(step.kind, step.text);
        node.children = step.children;
        self.settle(&mut node, self.program.class_of(expr), &expr.ty, &outcome);
        if expr.ty != Type::Bool && node.kind != NodeKind::Literal {
            node.text = both(|lang| format!("{} = {}", node.text.get(lang), node.shown.get(lang)));
        }
        node
    }

    /// A dated parameter with its value and its source.
    fn parameter(&mut self, here: Here, expr: &'a Expr) -> Node {
        let ExprKind::Parameter { id, at, key } = &expr.kind else {
            unreachable!("called for parameters only");
        };
        let outcome = self.evaluator.expression(here, expr);
        let name = both(|lang| self.printer(lang).expr(expr));
        let mut node = self.node(NodeKind::Parameter, name);
        self.settle(&mut node, DataClass::Open, &expr.ty, &outcome);
        node.text = both(|lang| format!("{} {}", node.text.get(lang), node.shown.get(lang)));
        for operand in [at, key].into_iter().flatten() {
            node.children.extend(self.parts(here, operand));
        }
        let date = match at.as_ref().map(|at| self.evaluator.expression(here, at)) {
            None => Some(self.evaluator.as_of()),
            Some(Ok(Some(Value::Date(date)))) => Some(date),
            Some(_) => None,
        };
        let code = match key.as_ref().map(|key| self.evaluator.expression(here, key)) {
            Some(Ok(Some(Value::Text(code)))) => Some(code),
            _ => None,
        };
        if let Some(found) = date.and_then(|date| in_force(self.program, *id, date, code.as_deref())) {
            cite_source(&mut node, found);
        }
        node
    }
}

/// Adds since when and on whose word the value holds.
pub(super) fn cite_source(node: &mut Node, found: InForce<'_>) {
    let (from, source) = match found {
        InForce::Value(dated) => (dated.from, &dated.source),
        InForce::Entry(_, from, source) => (from, source),
        InForce::Brackets(dated) => (dated.from, &dated.source),
    };
    node.in_force = Some((from, source.clone()));
}

/// Passes over changes of scale, which a reader does not see.
pub(super) fn strip(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Rescale { a, .. } | ExprKind::ToIndex(a) => strip(a),
        _ => expr,
    }
}

pub(super) fn prefix(node: &mut Node, words: &Text) {
    node.text = both(|lang| format!("{}{}", words.get(lang), node.text.get(lang)));
}

pub(super) fn colon(lang: Lang) -> &'static str {
    if lang == Lang::Zh { "：" } else { ": " }
}

/// The field that names the ways which a field derived from a network rests on.
pub fn route_of(program: &Program, id: ColumnId) -> Option<ColumnId> {
    let Derived::Network { network, function, from, to, within, at_least } = program.derived(id)? else {
        return None;
    };
    let wanted = match function {
        NetworkFunction::BestWorstClass | NetworkFunction::Connected => NetworkFunction::Route,
        NetworkFunction::EdgeDisjointPaths => NetworkFunction::DisjointRoutes,
        NetworkFunction::Route | NetworkFunction::DisjointRoutes => return None,
    };
    let fields = &program.entity(program.column(id).entity).fields;
    fields.iter().copied().find(|other| match program.derived(*other) {
        Some(Derived::Network {
            network: on,
            function,
            from: start,
            to: end,
            within: area,
            at_least: least,
        }) => (on, *function, start, end, area, least) == (network, wanted, from, to, within, at_least),
        _ => false,
    })
}

pub(super) fn error_text(program: &Program, error: &EvalError) -> Text {
    let message = error.message(program);
    Text::new(format!("无法计算（{}）", message.zh), format!("cannot be computed ({})", message.en))
}

pub(super) fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Ok(Some(Value::Bool(true))) => Verdict::True,
        Ok(Some(_)) => Verdict::False,
        Ok(None) => Verdict::Unknown,
        Err(_) => Verdict::Error,
    }
}
