//! Changing the map: events of divisions, with the records that follow them.
//!
//! A division has a record of its own where the pack has an entity of its level. That record's key is the
//! code in 12 digits, a field `name` takes the name, and the field of its tree edge the division above of the
//! parent entity's level. Records that refer to a division by its key follow it; each is a change in the log.

use std::collections::BTreeSet;

use model::{Date, DivisionCode, DivisionLevel};
use pack::program::{ColumnId, EntityId, Value};

use crate::division::{DivisionEvent, DivisionEventKind, DivisionTree, write_event};
use crate::division_list::NewDivision;
use crate::error::{Result, StoreError};
use crate::session::{ImportSession, Record};
use crate::value::key_value;

/// What loading a list has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DivisionsLoaded {
    pub created: u64,
    /// Already there, with the same name and parent.
    pub unchanged: u64,
    /// Already there, with another name or parent; left as they are.
    pub differing: Vec<DivisionCode>,
}

/// A record that goes to a part of a division that is split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassignment {
    pub entity: EntityId,
    pub key: String,
    pub to: DivisionCode,
}

impl ImportSession<'_> {
    /// Creates the divisions of a list (see [`crate::read_division_list`]), each parent before its children.
    /// Those of `record_levels` get records too, where the pack has such an entity.
    pub fn load_divisions(
        &mut self,
        list: &[NewDivision],
        on: Date,
        record_levels: &[DivisionLevel],
    ) -> Result<DivisionsLoaded> {
        let result = self.try_load(list, on, record_levels);
        self.settle(result)
    }

    /// Gives a division another name. `note` names the document it rests on.
    pub fn rename_division(&mut self, code: DivisionCode, name: &str, on: Date, note: &str) -> Result<()> {
        let result = self.try_rename(code, name, on, note);
        self.settle(result)
    }

    /// Ends divisions by making them part of another of the same level. What refers to them refers to it then,
    /// and their own records end; whether its facts change is for whoever surveys it to say.
    pub fn merge_divisions(
        &mut self,
        from: &[DivisionCode],
        into: DivisionCode,
        on: Date,
        note: &str,
    ) -> Result<()> {
        let result = from.iter().try_for_each(|&code| self.try_merge(code, into, on, note));
        self.settle(result)
    }

    /// Divides a division into parts, new ones and, if it goes on under its code, itself. A division that does
    /// not must be empty when `reassign` is done (`division-not-empty`). Divisions below it are reassigned
    /// like other records.
    pub fn split_division(
        &mut self,
        from: DivisionCode,
        parts: &[NewDivision],
        reassign: &[Reassignment],
        on: Date,
        note: &str,
    ) -> Result<()> {
        let result = self.try_split(from, parts, reassign, on, note);
        self.settle(result)
    }

    /// Puts a division under another parent, with a new code if it gets one.
    pub fn move_division(
        &mut self,
        code: DivisionCode,
        parent: DivisionCode,
        new_code: Option<DivisionCode>,
        on: Date,
        note: &str,
    ) -> Result<()> {
        let result = self.try_move(code, parent, new_code, on, note);
        self.settle(result)
    }

    fn try_load(
        &mut self,
        list: &[NewDivision],
        on: Date,
        record_levels: &[DivisionLevel],
    ) -> Result<DivisionsLoaded> {
        let mut tree = DivisionTree::read(&self.transaction, on)?;
        let mut loaded = DivisionsLoaded::default();
        for division in list {
            match tree.divisions.get(&division.code) {
                Some(known) if known.name == division.name && known.parent == division.parent => {
                    loaded.unchanged += 1;
                }
                Some(_) => loaded.differing.push(division.code),
                None => {
                    self.create(&mut tree, division, on, "")?;
                    loaded.created += 1;
                }
            }
        }
        for &level in record_levels {
            let codes: Vec<DivisionCode> = list
                .iter()
                .filter(|division| division.level == level)
                .map(|division| division.code)
                .collect();
            self.record_divisions(&tree, level, &codes, on)?;
        }
        Ok(loaded)
    }

    fn try_rename(&mut self, code: DivisionCode, name: &str, on: Date, note: &str) -> Result<()> {
        let mut tree = DivisionTree::read(&self.transaction, on)?;
        let mut event = self.event(&tree, DivisionEventKind::Rename, code, on, note)?;
        event.name = Some(name.to_owned());
        self.happen(&mut tree, &event)?;
        self.refresh_record(&tree, code, event.level, on)
    }

    fn try_merge(&mut self, code: DivisionCode, into: DivisionCode, on: Date, note: &str) -> Result<()> {
        let mut tree = DivisionTree::read(&self.transaction, on)?;
        let mut event = self.event(&tree, DivisionEventKind::Merge, code, on, note)?;
        let level = event.level;
        if code == into || tree.divisions.get(&into).is_none_or(|target| target.level != level) {
            return Err(missing(into, on));
        }
        event.to_code = Some(into);
        self.happen(&mut tree, &event)?;
        self.follow(level, code, into, on)?;
        self.refresh_below(&tree, into, on)?;
        self.end_record(level, code)
    }

    fn try_split(
        &mut self,
        from: DivisionCode,
        parts: &[NewDivision],
        reassign: &[Reassignment],
        on: Date,
        note: &str,
    ) -> Result<()> {
        let mut tree = DivisionTree::read(&self.transaction, on)?;
        let event = self.event(&tree, DivisionEventKind::Split, from, on, note)?;
        let level = event.level;
        for part in parts {
            if part.code != from {
                self.create(&mut tree, part, on, note)?;
            }
            self.happen(&mut tree, &DivisionEvent { to_code: Some(part.code), ..event.clone() })?;
        }
        if self.has_record(level, from)? {
            let created: Vec<DivisionCode> =
                parts.iter().map(|part| part.code).filter(|&code| code != from).collect();
            self.record_divisions(&tree, level, &created, on)?;
        }
        for Reassignment { entity, key, to } in reassign {
            if !parts.iter().any(|part| part.code == *to) {
                return Err(missing(*to, on));
            }
            self.reassign(level, *entity, key, *to, on, note)?;
        }
        if parts.iter().all(|part| part.code != from) {
            let mut tree = DivisionTree::read(&self.transaction, on)?;
            self.check_empty(&tree, level, from)?;
            self.happen(&mut tree, &event)?;
            self.end_record(level, from)?;
        }
        Ok(())
    }

    fn try_move(
        &mut self,
        code: DivisionCode,
        parent: DivisionCode,
        new_code: Option<DivisionCode>,
        on: Date,
        note: &str,
    ) -> Result<()> {
        let mut tree = DivisionTree::read(&self.transaction, on)?;
        let mut event = self.event(&tree, DivisionEventKind::Move, code, on, note)?;
        let level = event.level;
        if tree.divisions.get(&parent).is_none_or(|above| above.level >= level) {
            return Err(missing(parent, on));
        }
        let new_code = new_code.filter(|&new| new != code);
        if let Some(new) = new_code.filter(|new| tree.divisions.contains_key(new)) {
            return Err(StoreError::DivisionExists { code: new.to_string(), on: on.to_string() });
        }
        event.parent = Some(parent);
        event.to_code = new_code;
        self.happen(&mut tree, &event)?;
        let Some(new) = new_code else { return self.refresh_below(&tree, code, on) };
        self.copy_record(level, code, new)?;
        self.follow(level, code, new, on)?;
        self.refresh_below(&tree, new, on)?;
        self.end_record(level, code)
    }

    fn create(&mut self, tree: &mut DivisionTree, new: &NewDivision, on: Date, note: &str) -> Result<()> {
        if tree.divisions.contains_key(&new.code) {
            return Err(StoreError::DivisionExists { code: new.code.to_string(), on: on.to_string() });
        }
        let above = new.parent.map(|parent| tree.divisions.get(&parent).ok_or_else(|| missing(parent, on)));
        above.transpose()?;
        self.check_order(new.code, on)?;
        let event = DivisionEvent {
            kind: DivisionEventKind::Create,
            on,
            code: new.code,
            to_code: None,
            level: new.level,
            name: Some(new.name.clone()),
            parent: new.parent,
            note: note.to_owned(),
            import: self.writer.import as u32,
            recorded_at: self.writer.recorded_at,
        };
        self.happen(tree, &event)
    }

    /// An event of a division that exists, to be completed.
    fn event(
        &self,
        tree: &DivisionTree,
        kind: DivisionEventKind,
        code: DivisionCode,
        on: Date,
        note: &str,
    ) -> Result<DivisionEvent> {
        let division = tree.divisions.get(&code).ok_or_else(|| missing(code, on))?;
        self.check_order(code, on)?;
        Ok(DivisionEvent {
            kind,
            on,
            code,
            to_code: None,
            level: division.level,
            name: None,
            parent: None,
            note: note.to_owned(),
            import: self.writer.import as u32,
            recorded_at: self.writer.recorded_at,
        })
    }

    /// Events are recorded in order of their days, so that each finds the tree that it was decided on.
    fn check_order(&self, code: DivisionCode, on: Date) -> Result<()> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT max(on_day) FROM division_event WHERE code = ?")?;
        let last: Option<i32> = statement.query_row([code.to_string()], |row| row.get(0))?;
        match last.and_then(Date::from_days).filter(|last| *last > on) {
            None => Ok(()),
            Some(last) => {
                let (on, last) = (on.to_string(), last.to_string());
                Err(StoreError::DivisionOrder { code: code.to_string(), on, last })
            }
        }
    }

    fn happen(&self, tree: &mut DivisionTree, event: &DivisionEvent) -> Result<()> {
        write_event(&self.transaction, event)?;
        tree.apply(event)
    }

    /// Writes key, name and place of divisions to their records.
    fn record_divisions(
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
    fn refresh_record(
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
    fn refresh_below(&mut self, tree: &DivisionTree, code: DivisionCode, on: Date) -> Result<()> {
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

    fn has_record(&self, level: DivisionLevel, code: DivisionCode) -> Result<bool> {
        match self.layout.division(level) {
            Some(id) => Ok(self.view().record(id, &code.to_string())?.is_some()),
            None => Ok(false),
        }
    }

    /// A record under the new code with the facts of the old.
    fn copy_record(&mut self, level: DivisionLevel, from: DivisionCode, to: DivisionCode) -> Result<()> {
        let Some(id) = self.layout.division(level) else { return Ok(()) };
        let Some(state) = self.view().record(id, &from.to_string())? else { return Ok(()) };
        let entity = self.layout.entity(id);
        let columns: Vec<ColumnId> = entity.fields.iter().map(|field| field.column).collect();
        let mut values = state.values;
        values[entity.key] = key_value(&entity.key_field().ty, &to.to_string());
        let record =
            Record { values, source: state.source, source_row: state.source_row, valid_from: state.valid_from };
        self.upsert(id, &columns, &[record])?;
        Ok(())
    }

    fn end_record(&mut self, level: DivisionLevel, code: DivisionCode) -> Result<()> {
        match self.layout.division(level) {
            Some(id) if self.has_record(level, code)? => self.delete(id, &[code.to_string().as_str()]),
            _ => Ok(()),
        }
    }

    /// Makes everything that refers to one division refer to another.
    fn follow(&mut self, level: DivisionLevel, from: DivisionCode, to: DivisionCode, on: Date) -> Result<()> {
        for (edge, child, via) in self.references(level) {
            for key in self.view().children(edge, &from.to_string())? {
                self.refer(child, via, &key, to, on)?;
            }
        }
        Ok(())
    }

    /// Edges by which records refer to the divisions of a level by key, one for each referring field.
    fn references(&self, level: DivisionLevel) -> Vec<(pack::program::EdgeId, EntityId, usize)> {
        let Some(id) = self.layout.division(level) else { return Vec::new() };
        let mut seen = BTreeSet::new();
        let edges = self.layout.edges.iter().enumerate().filter(|(_, edge)| {
            let by_key = edge.parent == id && edge.on == self.layout.entity(id).key;
            by_key && edge.via != self.layout.entity(edge.child).key && seen.insert((edge.child, edge.via))
        });
        edges.map(|(index, edge)| (pack::program::EdgeId(index as u32), edge.child, edge.via)).collect()
    }

    /// Writes a reference to a division into a record.
    fn refer(&mut self, child: EntityId, via: usize, key: &str, to: DivisionCode, on: Date) -> Result<()> {
        let entity = self.layout.entity(child);
        let (key_field, via) = (entity.key_field(), &entity.fields[via]);
        let values = vec![key_value(&key_field.ty, key), key_value(&via.ty, &to.to_string())];
        let columns = [key_field.column, via.column];
        self.upsert(child, &columns, &[Record { values, valid_from: Some(on), ..Record::default() }])?;
        Ok(())
    }

    fn reassign(
        &mut self,
        level: DivisionLevel,
        entity: EntityId,
        key: &str,
        to: DivisionCode,
        on: Date,
        note: &str,
    ) -> Result<()> {
        let layout = self.layout.entity(entity);
        if let (Some(_), Ok(code)) = (layout.division, key.parse()) {
            return self.try_move(code, to, None, on, note);
        }
        if self.view().record(entity, key)?.is_none() {
            return Err(StoreError::RecordMissing { entity: layout.name.clone(), key: key.to_owned() });
        }
        for (_, child, via) in self.references(level) {
            if child == entity {
                self.refer(child, via, key, to, on)?;
            }
        }
        Ok(())
    }

    fn check_empty(&self, tree: &DivisionTree, level: DivisionLevel, code: DivisionCode) -> Result<()> {
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

fn missing(code: DivisionCode, on: Date) -> StoreError {
    StoreError::DivisionMissing { code: code.to_string(), on: on.to_string() }
}
