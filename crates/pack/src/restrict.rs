//! Reading expressions from outside, and the part of a program that some columns need.

use std::collections::{HashMap, HashSet};

use crate::program::{Aggregate, CaseRecord, Column, ColumnId, ColumnKind, Expr, ExprKind, Program, Window};

impl Expr {
    /// The operands, in order.
    pub fn operands(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::AsOf => Vec::new(),
            ExprKind::Parameter { at, key, .. } => at.iter().chain(key.iter()).map(AsRef::as_ref).collect(),
            ExprKind::Add(a, b)
            | ExprKind::Sub(a, b)
            | ExprKind::Mul { a, b, .. }
            | ExprKind::Div { a, b, .. }
            | ExprKind::Compare { a, b, .. }
            | ExprKind::DaysBetween { from: a, to: b }
            | ExprKind::AddMonths { a, months: b }
            | ExprKind::AddDays { a, days: b }
            | ExprKind::Age { birth: a, at: b } => vec![a, b],
            ExprKind::MakeDate { year, month, day } => vec![year, month, day],
            ExprKind::Neg(a)
            | ExprKind::Abs(a)
            | ExprKind::Rescale { a, .. }
            | ExprKind::Round { a, .. }
            | ExprKind::Not(a)
            | ExprKind::IsUnknown(a)
            | ExprKind::In { a, .. }
            | ExprKind::DatePart { a, .. }
            | ExprKind::Bracket { x: a, .. }
            | ExprKind::Substring { a, .. }
            | ExprKind::DigitsToCount(a)
            | ExprKind::ToIndex(a) => vec![a],
            ExprKind::And(parts)
            | ExprKind::Or(parts)
            | ExprKind::Coalesce(parts)
            | ExprKind::Least(parts)
            | ExprKind::Greatest(parts) => parts.iter().collect(),
            ExprKind::Case { branches, otherwise } => branches
                .iter()
                .flat_map(|(when, then)| [when, then])
                .chain(otherwise.iter().map(AsRef::as_ref))
                .collect(),
        }
    }

    /// The operands, to be changed.
    pub fn operands_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::AsOf => Vec::new(),
            ExprKind::Parameter { at, key, .. } => {
                at.iter_mut().chain(key.iter_mut()).map(AsMut::as_mut).collect()
            }
            ExprKind::Add(a, b)
            | ExprKind::Sub(a, b)
            | ExprKind::Mul { a, b, .. }
            | ExprKind::Div { a, b, .. }
            | ExprKind::Compare { a, b, .. }
            | ExprKind::DaysBetween { from: a, to: b }
            | ExprKind::AddMonths { a, months: b }
            | ExprKind::AddDays { a, days: b }
            | ExprKind::Age { birth: a, at: b } => vec![a, b],
            ExprKind::MakeDate { year, month, day } => vec![year, month, day],
            ExprKind::Neg(a)
            | ExprKind::Abs(a)
            | ExprKind::Rescale { a, .. }
            | ExprKind::Round { a, .. }
            | ExprKind::Not(a)
            | ExprKind::IsUnknown(a)
            | ExprKind::In { a, .. }
            | ExprKind::DatePart { a, .. }
            | ExprKind::Bracket { x: a, .. }
            | ExprKind::Substring { a, .. }
            | ExprKind::DigitsToCount(a)
            | ExprKind::ToIndex(a) => vec![a],
            ExprKind::And(parts)
            | ExprKind::Or(parts)
            | ExprKind::Coalesce(parts)
            | ExprKind::Least(parts)
            | ExprKind::Greatest(parts) => parts.iter_mut().collect(),
            ExprKind::Case { branches, otherwise } => branches
                .iter_mut()
                .flat_map(|(when, then)| [when, then])
                .chain(otherwise.iter_mut().map(AsMut::as_mut))
                .collect(),
        }
    }

    /// This expression and everything inside it.
    pub fn each<'e>(&'e self, see: &mut dyn FnMut(&'e Self)) {
        see(self);
        for operand in self.operands() {
            operand.each(see);
        }
    }
}

impl Column {
    /// The expressions that it is computed from.
    pub fn expressions(&self) -> Vec<&Expr> {
        match &self.kind {
            ColumnKind::Field(_) | ColumnKind::Lookup { .. } => Vec::new(),
            ColumnKind::Scalar(expr) => vec![expr],
            ColumnKind::Aggregate(Aggregate { argument, filter, .. }) => {
                argument.iter().chain(filter.iter()).collect()
            }
            ColumnKind::Window(Window { argument, partition, order, .. }) => {
                argument.iter().chain(partition).chain(order.iter().map(|(expr, _)| expr)).collect()
            }
        }
    }

    /// The same, to be changed.
    pub fn expressions_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ColumnKind::Field(_) | ColumnKind::Lookup { .. } => Vec::new(),
            ColumnKind::Scalar(expr) => vec![expr],
            ColumnKind::Aggregate(Aggregate { argument, filter, .. }) => {
                argument.iter_mut().chain(filter.iter_mut()).collect()
            }
            ColumnKind::Window(Window { argument, partition, order, .. }) => argument
                .iter_mut()
                .chain(partition.iter_mut())
                .chain(order.iter_mut().map(|(expr, _)| expr))
                .collect(),
        }
    }
}

/// A program that computes some columns and what they need, and nothing else.
pub struct Restricted {
    pub program: Program,
    /// Where a column of the whole program is in this one.
    pub place: HashMap<ColumnId, ColumnId>,
}

impl Restricted {
    /// A record without the fields that are not read.
    pub fn record(&self, record: &CaseRecord) -> CaseRecord {
        let fields = record.fields.iter();
        let fields = fields.filter_map(|(id, value)| Some((*self.place.get(id)?, value.clone()))).collect();
        CaseRecord { entity: record.entity, key: record.key.clone(), fields }
    }
}

impl Program {
    /// The columns that some columns need, themselves included.
    pub fn needed_by(&self, roots: impl IntoIterator<Item = ColumnId>) -> HashSet<ColumnId> {
        let mut needed = HashSet::new();
        let mut waiting: Vec<ColumnId> = roots.into_iter().collect();
        while let Some(id) = waiting.pop() {
            if !needed.insert(id) {
                continue;
            }
            let column = self.column(id);
            if let ColumnKind::Lookup { column, .. } = column.kind {
                waiting.push(column);
            }
            for expr in column.expressions() {
                expr.each(&mut |part| {
                    if let ExprKind::Column(id) = part.kind {
                        waiting.push(id);
                    }
                });
            }
        }
        needed
    }

    /// The part of the program that computes the needed columns. Entities, edges, lists and parameters are all
    /// there under their numbers; rules, totals, findings and cases are not.
    pub fn restricted_to(&self, needed: &HashSet<ColumnId>) -> Restricted {
        let mut kept: HashSet<ColumnId> = needed.clone();
        kept.extend(self.entities.iter().map(|entity| entity.key));
        for edge in &self.edges {
            kept.extend([edge.via, edge.on]);
        }
        let mut place = HashMap::new();
        let mut columns = Vec::new();
        for (position, column) in self.columns.iter().enumerate() {
            let id = ColumnId(position as u32);
            if kept.contains(&id) {
                place.insert(id, ColumnId(columns.len() as u32));
                columns.push(Column { rule: None, ..column.clone() });
            }
        }
        for column in &mut columns {
            if let ColumnKind::Lookup { column, .. } = &mut column.kind {
                *column = place[column];
            }
            for expr in column.expressions_mut() {
                renumber(expr, &place);
            }
        }
        let entities = self.entities.iter().cloned().map(|mut entity| {
            entity.key = place[&entity.key];
            entity.fields = entity.fields.iter().filter_map(|id| place.get(id).copied()).collect();
            entity
        });
        let edges = self.edges.iter().cloned().map(|mut edge| {
            (edge.via, edge.on) = (place[&edge.via], place[&edge.on]);
            edge.also = Vec::new();
            edge
        });
        let program = Self {
            info: self.info.clone(),
            digest: self.digest.clone(),
            entities: entities.collect(),
            edges: edges.collect(),
            lists: self.lists.clone(),
            parameters: self.parameters.clone(),
            order: self.order.iter().filter_map(|id| place.get(id).copied()).collect(),
            columns,
            ..Self::default()
        };
        Restricted { program, place }
    }
}

fn renumber(expr: &mut Expr, place: &HashMap<ColumnId, ColumnId>) {
    if let ExprKind::Column(id) = &mut expr.kind {
        *id = place[id];
    }
    for operand in expr.operands_mut() {
        renumber(operand, place);
    }
}
