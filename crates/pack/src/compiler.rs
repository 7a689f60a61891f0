//! The compiler's state: what has been declared, what is still to be compiled, what it found.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::{Date, Text};

use crate::diagnostic::{Diagnostic, did_you_mean, nearest};
use crate::program::{
    Aggregate, Column, ColumnId, ColumnKind, Comparison, EdgeId, EntityId, Expr, ExprKind, FindingRule,
    ParameterId, Program, Range, Rounding, RuleId, Span, Type, Value, Window,
};
use crate::surface::{Sink, Word};
use crate::types::type_text;

/// A computed column that has a name but no expression yet.
#[derive(Clone, Debug)]
pub struct Pending {
    pub entity: EntityId,
    pub name: String,
    pub label: Text,
    pub rule: RuleId,
    pub span: Span,
    pub round: Rounding,
    pub timing: Timing,
    pub definition: Definition,
}

/// Which value of a parameter counts, where it changes within the calendar year of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// The one in force on the as-of date.
    AsOf,
    /// The one in force on 1 January.
    PeriodStart,
    /// Each for the days it is in force: the amount is computed for every stretch of the year.
    Split,
    /// The one in force on this day: a stretch of a split year.
    On(Date),
}

#[derive(Clone, Debug)]
pub enum Definition {
    Expression {
        text: Word,
        ty: Option<Type>,
    },
    /// A benefit's amount: base and exceptions where `who` holds, zero elsewhere.
    Amount {
        who: String,
        amount: Word,
        exceptions: Vec<(String, Word)>,
        conflict: Option<String>,
        ty: Type,
    },
    /// Two of these bool columns are true together.
    Conflict {
        of: Vec<String>,
    },
    /// All of these bool columns are true.
    All {
        of: Vec<String>,
    },
    /// Quantity that is missing where a standard that applies does not hold; zero elsewhere.
    Gap {
        holds: String,
        applies: Option<String>,
        quantity: Word,
    },
    /// Quantity times the unit cost of a programme; `by` picks the entry where that is a table.
    Cost {
        quantity: String,
        parameter: ParameterId,
        by: Option<Word>,
    },
    /// A step of sharing out an asset's money.
    Sharing(crate::assets::Sharing),
    /// Points of a scorecard's item.
    Points {
        text: Word,
    },
    /// `part / (part + rest)` of two counts; unknown, without a finding, where both are zero.
    Share {
        part: String,
        rest: String,
    },
    /// Quotient of two columns.
    Ratio {
        numerator: String,
        denominator: String,
        ty: Option<Type>,
    },
}

enum State {
    Waiting(Box<Pending>),
    Compiling(Span),
    Failed,
}

/// Where names are looked up while an expression is read.
#[derive(Clone)]
pub struct Context {
    pub entity: EntityId,
    /// Inside an aggregate: the name that children's columns must carry in front.
    pub child: Option<String>,
    pub round: Rounding,
    pub rule: Option<RuleId>,
    pub timing: Timing,
    /// Conditions under which the expression at hand is evaluated at all.
    pub path: Vec<Expr>,
}

pub struct Compiler<'a> {
    pub program: Program,
    pub sink: &'a Sink,
    names: HashMap<(EntityId, String), ColumnId>,
    states: HashMap<(EntityId, String), State>,
    stack: Vec<(EntityId, String, Span)>,
    lookups: HashMap<(EdgeId, ColumnId), ColumnId>,
    shared: HashMap<String, ColumnId>,
    hidden: usize,
    /// Whether equal hidden columns are computed once.
    pub sharing: bool,
    pub used: HashSet<ColumnId>,
    pub round: Rounding,
    /// `(rule, parameter)` pairs met, for rules that refuse changes within the period.
    pub reads: Vec<(RuleId, ParameterId)>,
    /// Parameters that are declared and have mistakes of their own.
    pub faulty_parameters: HashSet<String>,
    /// Place of each programme's unit cost parameter.
    pub programmes: BTreeMap<String, Option<ParameterId>>,
}

impl<'a> Compiler<'a> {
    pub fn new(sink: &'a Sink) -> Self {
        Self {
            program: Program::default(),
            sink,
            names: HashMap::new(),
            states: HashMap::new(),
            stack: Vec::new(),
            lookups: HashMap::new(),
            shared: HashMap::new(),
            hidden: 0,
            sharing: true,
            used: HashSet::new(),
            round: Rounding::HalfUp,
            reads: Vec::new(),
            faulty_parameters: HashSet::new(),
            programmes: BTreeMap::new(),
        }
    }

    pub fn report(&self, diagnostic: Diagnostic) {
        self.sink.borrow_mut().push(diagnostic);
    }

    pub fn file_text(&self, span: Span) -> String {
        self.program.files.get(span.file as usize).map(|file| file.text.clone()).unwrap_or_default()
    }

    pub fn type_name(&self, ty: &Type) -> String {
        type_text(ty, &self.program.lists)
    }

    /// Adds a field or computed column.
    pub fn add_column(&mut self, column: Column) -> ColumnId {
        let id = ColumnId(self.program.columns.len() as u32);
        self.names.insert((column.entity, column.name.clone()), id);
        if !matches!(column.kind, ColumnKind::Field(_)) {
            self.program.order.push(id);
        }
        self.program.columns.push(column);
        id
    }

    /// Follows a new numbering of entities.
    pub fn rename_entities(&mut self, place: &[u32]) {
        let names = std::mem::take(&mut self.names);
        self.names = names
            .into_iter()
            .map(|((entity, name), id)| ((EntityId(place[entity.index()]), name), id))
            .collect();
    }

    pub fn known(&self, entity: EntityId, name: &str) -> Option<ColumnId> {
        self.names.get(&(entity, name.to_owned())).copied()
    }

    /// Announces a column that an expression will define; a second one with its name is an error.
    pub fn announce(&mut self, pending: Pending) {
        let key = (pending.entity, pending.name.clone());
        let earlier = self.names.get(&key).map(|id| self.program.column(*id).span).or_else(|| {
            self.states.get(&key).and_then(|state| match state {
                State::Waiting(other) => Some(other.span),
                State::Compiling(span) => Some(*span),
                State::Failed => None,
            })
        });
        if let Some(earlier) = earlier {
            let entity = self.program.entity(pending.entity).name.clone();
            self.report(
                Diagnostic::new(
                    "duplicate-name",
                    pending.span,
                    format!("`{}` is declared twice on `{entity}`", pending.name),
                )
                .label("declared again here")
                .also(earlier, "first declared here"),
            );
            return;
        }
        self.states.insert(key, State::Waiting(Box::new(pending)));
    }

    /// Compiles everything announced.
    pub fn compile_all(&mut self) {
        let mut waiting: Vec<(Span, EntityId, String)> = self
            .states
            .iter()
            .filter_map(|(key, state)| match state {
                State::Waiting(pending) => Some((pending.span, key.0, key.1.clone())),
                _ => None,
            })
            .collect();
        waiting.sort();
        for (span, entity, name) in waiting {
            let _ = self.resolve(entity, &name, span);
        }
    }

    /// The column with this name, compiling it first if need be. Reports nothing if it failed before.
    pub fn resolve(&mut self, entity: EntityId, name: &str, span: Span) -> Option<ColumnId> {
        if let Some(id) = self.known(entity, name) {
            self.used.insert(id);
            return Some(id);
        }
        let key = (entity, name.to_owned());
        match self.states.get(&key) {
            None => {
                self.unknown_name(entity, name, span);
                None
            }
            Some(State::Failed) => None,
            Some(State::Compiling(_)) => {
                self.cycle(entity, name, span);
                None
            }
            Some(State::Waiting(_)) => {
                let Some(State::Waiting(pending)) = self.states.insert(key.clone(), State::Compiling(span))
                else {
                    return None;
                };
                self.stack.push((entity, name.to_owned(), pending.span));
                let made = self.define(&pending);
                self.stack.pop();
                if made.is_some() {
                    self.states.remove(&key);
                } else {
                    self.states.insert(key, State::Failed);
                }
                made
            }
        }
    }

    fn cycle(&mut self, entity: EntityId, name: &str, span: Span) {
        let start =
            self.stack.iter().position(|(on, other, _)| *on == entity && other == name).unwrap_or_default();
        let names: Vec<String> =
            self.stack[start..].iter().map(|(_, other, _)| format!("`{other}`")).collect();
        let mut diagnostic = Diagnostic::new(
            "cycle",
            span,
            format!("`{name}` depends on itself: {} → `{name}`", names.join(" → ")),
        )
        .label("needed here");
        for (_, other, place) in &self.stack[start..] {
            diagnostic = diagnostic.also(*place, format!("`{other}` is declared here"));
        }
        self.report(diagnostic);
    }

    /// All names of an entity: fields, compiled and announced columns.
    pub fn names_of(&self, entity: EntityId) -> Vec<String> {
        let mut names: Vec<String> = self
            .names
            .keys()
            .chain(self.states.keys())
            .filter(|(on, name)| *on == entity && !name.starts_with('_'))
            .map(|(_, name)| name.clone())
            .collect();
        names.sort();
        names
    }

    fn unknown_name(&mut self, entity: EntityId, name: &str, span: Span) {
        let on = self.program.entity(entity).name.clone();
        let names = self.names_of(entity);
        let mut hint = self
            .program
            .parameter_named(name)
            .map(|_| format!("it is a parameter: write `param.{name}`"))
            .or_else(|| did_you_mean(name, names.iter().map(String::as_str)));
        if hint.is_none() {
            hint = (0..self.program.entities.len() as u32)
                .map(EntityId)
                .find(|other| *other != entity && self.names_of(*other).iter().any(|known| known == name))
                .map(|other| {
                    let other = self.program.entity(other).name.clone();
                    format!("`{other}` has it: write `{other}.{name}`")
                });
        }
        self.report(
            Diagnostic::new("unknown-name", span, format!("`{on}` has no field or variable `{name}`"))
                .label("not known")
                .hint_opt(hint),
        );
    }

    /// A name that nothing else has.
    pub fn hidden_name(&mut self, stem: &str) -> String {
        self.hidden += 1;
        format!("_{stem}_{}", self.hidden)
    }

    pub fn add_hidden(&mut self, entity: EntityId, stem: &str, kind: ColumnKind, like: &Shape) -> ColumnId {
        let shared_key = self.sharing.then(|| share_key(entity, &kind)).flatten();
        if let Some(found) = shared_key.as_ref().and_then(|key| self.shared.get(key)) {
            return *found;
        }
        let name = self.hidden_name(stem);
        let id = self.add_column(Column {
            entity,
            name,
            label: like.label.clone(),
            ty: like.ty.clone(),
            nullable: like.nullable,
            range: like.range,
            kind,
            rule: like.rule,
            span: like.span,
        });
        if let Some(key) = shared_key {
            self.shared.insert(key, id);
        }
        id
    }

    /// The hidden column of `edge.child` that repeats the parent's `column`.
    pub fn lookup(&mut self, edge: EdgeId, column: ColumnId, span: Span) -> ColumnId {
        if let Some(id) = self.lookups.get(&(edge, column)) {
            return *id;
        }
        let edge_now = self.program.edge(edge).clone();
        let source = self.program.column(column).clone();
        let name = format!("_{}_{}", edge_now.name, source.name.trim_start_matches('_'));
        let name =
            if self.known(edge_now.child, &name).is_some() { self.hidden_name("lookup") } else { name };
        let id = self.add_column(Column {
            entity: edge_now.child,
            name,
            label: source.label,
            ty: source.ty,
            nullable: source.nullable || !edge_now.required,
            range: source.range,
            kind: ColumnKind::Lookup { edge, column },
            rule: None,
            span,
        });
        self.used.insert(edge_now.via);
        self.lookups.insert((edge, column), id);
        id
    }

    pub fn column_expr(&self, id: ColumnId, span: Span) -> Expr {
        let column = self.program.column(id);
        Expr {
            kind: ExprKind::Column(id),
            ty: column.ty.clone(),
            nullable: column.nullable,
            range: column.range,
            span,
        }
    }

    /// Notes that where `condition` holds, the subject is a finding.
    pub fn add_finding(&mut self, context: &Context, condition: Expr, code: &str, message: Text) {
        let mut parts = context.path.clone();
        let span = condition.span;
        parts.push(condition);
        let expr = if parts.len() == 1 { parts.remove(0) } else { and(parts, span) };
        let shape = Shape {
            label: message.clone(),
            ty: Type::Bool,
            nullable: expr.nullable,
            range: None,
            rule: context.rule,
            span,
        };
        let column = self.add_hidden(context.entity, "finding", ColumnKind::Scalar(expr), &shape);
        if !self.program.findings.iter().any(|known| known.column == column) {
            self.program.findings.push(FindingRule {
                column,
                code: code.to_owned(),
                rule: context.rule,
                message,
            });
        }
    }

    pub fn parameter(&mut self, name: &str, span: Span) -> Option<ParameterId> {
        let position = self.program.parameters.iter().position(|parameter| parameter.id == name);
        // What is wrong with a parameter that is declared has been said where it stands.
        if position.is_none() && !self.faulty_parameters.contains(name) {
            let near = nearest(name, self.program.parameters.iter().map(|parameter| parameter.id.as_str()));
            self.report(
                Diagnostic::new("unknown-parameter", span, format!("there is no parameter `{name}`"))
                    .hint_opt(near.map(|near| format!("did you mean `param.{near}`?"))),
            );
        }
        position.map(|position| ParameterId(position as u32))
    }
}

/// What a hidden column takes over from the expression it stands for.
pub struct Shape {
    pub label: Text,
    pub ty: Type,
    pub nullable: bool,
    pub range: Option<Range>,
    pub rule: Option<RuleId>,
    pub span: Span,
}

pub fn and(parts: Vec<Expr>, span: Span) -> Expr {
    let nullable = parts.iter().any(|part| part.nullable);
    Expr { kind: ExprKind::And(parts), ty: Type::Bool, nullable, range: None, span }
}

pub fn not(expr: Expr) -> Expr {
    let (nullable, span) = (expr.nullable, expr.span);
    Expr { kind: ExprKind::Not(Box::new(expr)), ty: Type::Bool, nullable, range: None, span }
}

pub fn number(value: i128, ty: Type, span: Span) -> Expr {
    Expr {
        kind: ExprKind::Literal(Value::Number(value)),
        ty,
        nullable: false,
        range: Some(Range::new(value, value)),
        span,
    }
}

pub fn compare(op: Comparison, a: Expr, b: Expr, span: Span) -> Expr {
    let nullable = a.nullable || b.nullable;
    Expr {
        kind: ExprKind::Compare { op, a: Box::new(a), b: Box::new(b) },
        ty: Type::Bool,
        nullable,
        range: None,
        span,
    }
}

/// Aggregates and windows that are alike but for their places are computed once.
fn share_key(entity: EntityId, kind: &ColumnKind) -> Option<String> {
    let mut kind = kind.clone();
    match &mut kind {
        ColumnKind::Aggregate(Aggregate { argument, filter, .. }) => {
            argument.iter_mut().chain(filter.iter_mut()).for_each(clear_spans);
        }
        ColumnKind::Window(Window { argument, partition, order, .. }) => {
            argument
                .iter_mut()
                .chain(partition.iter_mut())
                .chain(order.iter_mut().map(|(expr, _)| expr))
                .for_each(clear_spans);
        }
        ColumnKind::Scalar(expr) => clear_spans(expr),
        _ => return None,
    }
    Some(format!("{} {kind:?}", entity.0))
}

fn clear_spans(expr: &mut Expr) {
    expr.span = Span::default();
    for child in expr.operands_mut() {
        clear_spans(child);
    }
}
