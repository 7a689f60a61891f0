//! Changing the map: events of divisions, with the records that follow them.

use model::{Date, DivisionCode, DivisionLevel};
use pack::program::EntityId;

use crate::division::{DivisionEvent, DivisionEventKind, DivisionTree, write_event};
use crate::division_list::NewDivision;
use crate::error::{Result, StoreError};
use crate::session::ImportSession;

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
        let mut statement =
            self.transaction.prepare_cached("SELECT max(on_day) FROM division_event WHERE code = ?")?;
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
}

pub(crate) fn missing(code: DivisionCode, on: Date) -> StoreError {
    StoreError::DivisionMissing { code: code.to_string(), on: on.to_string() }
}
