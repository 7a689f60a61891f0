//! The part of a program that some columns need.

use std::collections::{BTreeSet, HashMap};

use crate::program::{CaseRecord, Column, ColumnId, ColumnKind, Expr, ExprKind, Program};

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
    /// The part of the program that computes the needed columns. Entities, edges, lists and parameters are all
    /// there under their numbers; rules, totals, findings and cases are not.
    pub fn restricted_to(&self, needed: &BTreeSet<ColumnId>) -> Restricted {
        let mut kept: BTreeSet<ColumnId> = needed.clone();
        kept.extend(self.entities.iter().map(|entity| entity.key));
        for edge in &self.edges {
            kept.extend([edge.via, edge.on]);
        }
        let mut place = HashMap::new();
        let (mut columns, mut classes) = (Vec::new(), Vec::new());
        for (position, column) in self.columns.iter().enumerate() {
            let id = ColumnId(position as u32);
            if kept.contains(&id) {
                place.insert(id, ColumnId(columns.len() as u32));
                columns.push(Column { rule: None, ..column.clone() });
                classes.push(self.class(id));
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
            classes,
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
