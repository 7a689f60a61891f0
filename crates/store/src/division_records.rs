//! Records that follow the map.
//!
//! A division has a record of its own where the pack has an entity of its level. That record's key is the
//! code in 12 digits, a field `name` takes the name, and the field of its tree edge the division above of the
//! parent entity's level. Records that refer to a division by its key follow it; each is a change in the log.

use std::collections::BTreeSet;

use model::{Date, DivisionCode, DivisionLevel};
use pack::program::{ColumnId, EdgeId, EntityId, Value};

use crate::division::DivisionTree;
use crate::division_change::missing;
use crate::error::{Result, StoreError};
use crate::session::{ImportSession, Record};
use crate::value::key_value;

impl ImportSession<'_> {
    /// Writes key, name and place of divisions to their records.
    pub(crate) fn record_divisions(
        &mut self,
        tree: &DivisionTree,
        level: DivisionLevel,
        codes: &[DivisionCode],
        on: Date,
    ) -> Result<()> {
        let layout = self.layout;
        let Some(id) = layout.division(level) else { return Ok(()) };
        let entity = layout.entity(id);
        let name = entity.field_named("name").filter(|&position| position != entity.key);
        let tree_edge = entity.parent.map(|edge| layout.edge(edge));
        let above = tree_edge.filter(|edge| edge.via != entity.key).and_then(|edge| {
            let parent = layout.entity(edge.parent);
            parent.division.filter(|_| edge.on == parent.key).map(|level| (edge.via, level))
        });
        let mut columns = vec![entity.key_field().column];
        columns.extend(name.map(|position| entity.fields[position].column));
        columns.extend(above.map(|(via, _)| entity.fields[via].column));
        let mut batch = Vec::with_capacity(codes.len());
        for &code in codes {
            let division = tree.divisions.get(&code).ok_or_else(|| missing(code, on))?;
            let mut values = vec![key_value(&entity.key_field().ty, &code.to_string())];
            values.extend(name.map(|_| Some(Value::Text(division.name.clone()))));
            values.extend(above.map(|(via, level)| {
                let above = tree.ancestor(code, level)?;
                key_value(&entity.fields[via].ty, &above.to_string())
            }));
            batch.push(Record { values, valid_from: Some(on), ..Record::default() });
        }
        self.upsert(id, &columns, &batch)?;
        Ok(())
    }

    /// As [`Self::record_divisions`] for one that has a record.
    pub(crate) fn refresh_record(
        &mut self,
        tree: &DivisionTree,
        code: DivisionCode,
        level: DivisionLevel,
        on: Date,
    ) -> Result<()> {
        if self.has_record(level, code)? { self.record_divisions(tree, level, &[code], on) } else { Ok(()) }
    }

    /// As [`Self::refresh_record`] for a division and all below it: where the pack has no entity of a level
    /// in between, their records name a division further up.
    pub(crate) fn refresh_below(&mut self, tree: &DivisionTree, code: DivisionCode, on: Date) -> Result<()> {
        for level in DivisionLevel::ALL {
            if self.layout.division(level).is_none() {
                continue;
            }
            let below = tree.divisions.values().filter(|division| division.level == level);
            let below = below.filter(|division| tree.is_within(division.code, code));
            for division in below.map(|division| division.code).collect::<Vec<_>>() {
                self.refresh_record(tree, division, level, on)?;
            }
        }
        Ok(())
    }

    pub(crate) fn has_record(&self, level: DivisionLevel, code: DivisionCode) -> Result<bool> {
        match self.layout.division(level) {
            Some(id) => Ok(self.view().record(id, &code.to_string())?.is_some()),
            None => Ok(false),
        }
    }

    /// A record under the new code with the facts of the old.
    pub(crate) fn copy_record(
        &mut self,
        level: DivisionLevel,
        from: DivisionCode,
        to: DivisionCode,
    ) -> Result<()> {
        let Some(id) = self.layout.division(level) else { return Ok(()) };
        let Some(state) = self.view().record(id, &from.to_string())? else { return Ok(()) };
        let entity = self.layout.entity(id);
        let columns: Vec<ColumnId> = entity.fields.iter().map(|field| field.column).collect();
        let mut values = state.values;
        values[entity.key] = key_value(&entity.key_field().ty, &to.to_string());
        let record = Record {
            values,
            source: state.source,
            source_row: state.source_row,
            valid_from: state.valid_from,
            ..Record::default()
        };
        self.upsert(id, &columns, &[record])?;
        Ok(())
    }

    pub(crate) fn end_record(&mut self, level: DivisionLevel, code: DivisionCode) -> Result<()> {
        match self.layout.division(level) {
            Some(id) if self.has_record(level, code)? => self.delete(id, &[code.to_string().as_str()]),
            _ => Ok(()),
        }
    }

    /// Makes everything that refers to one division refer to another.
    pub(crate) fn follow(
        &mut self,
        level: DivisionLevel,
        from: DivisionCode,
        to: DivisionCode,
        on: Date,
    ) -> Result<()> {
        for (edge, child, via) in self.references(level) {
            for key in self.view().children(edge, &from.to_string())? {
                self.refer(child, via, &key, to, on)?;
            }
        }
        Ok(())
    }

    /// Edges by which records refer to the divisions of a level by key, one for each referring field.
    pub(crate) fn references(&self, level: DivisionLevel) -> Vec<(EdgeId, EntityId, usize)> {
        let Some(id) = self.layout.division(level) else { return Vec::new() };
        let mut seen = BTreeSet::new();
        let edges = self.layout.edges.iter().enumerate().filter(|(_, edge)| {
            let by_key = edge.parent == id && edge.on == self.layout.entity(id).key;
            by_key && edge.via != self.layout.entity(edge.child).key && seen.insert((edge.child, edge.via))
        });
        edges.map(|(index, edge)| (EdgeId(index as u32), edge.child, edge.via)).collect()
    }

    /// Writes a reference to a division into a record.
    pub(crate) fn refer(
        &mut self,
        child: EntityId,
        via: usize,
        key: &str,
        to: DivisionCode,
        on: Date,
    ) -> Result<()> {
        let entity = self.layout.entity(child);
        let (key_field, via) = (entity.key_field(), &entity.fields[via]);
        let values = vec![key_value(&key_field.ty, key), key_value(&via.ty, &to.to_string())];
        let columns = [key_field.column, via.column];
        self.upsert(child, &columns, &[Record { values, valid_from: Some(on), ..Record::default() }])?;
        Ok(())
    }

    pub(crate) fn check_empty(
        &self,
        tree: &DivisionTree,
        level: DivisionLevel,
        code: DivisionCode,
    ) -> Result<()> {
        let below = tree.divisions.values().find(|division| division.parent == Some(code));
        let mut child = below.map(|division| division.code.to_string());
        for (edge, _, _) in self.references(level) {
            child = child.or(self.view().children(edge, &code.to_string())?.into_iter().next());
        }
        match child {
            Some(child) => Err(StoreError::DivisionNotEmpty { code: code.to_string(), child }),
            None => Ok(()),
        }
    }
}
