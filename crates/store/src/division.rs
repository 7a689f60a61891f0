//! The tree of divisions on any day, from its events.

use std::collections::BTreeMap;

use model::{Date, DivisionCode, DivisionLevel};
use rusqlite::{Connection, Row, params};

use crate::error::{Result, StoreError};
use crate::registry::Registry;
use crate::view::{day, moment};
use model::Moment;

/// A division on some day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    pub code: DivisionCode,
    pub parent: Option<DivisionCode>,
    pub level: DivisionLevel,
    pub name: String,
    /// Day of the last event that concerned it.
    pub since: Date,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DivisionEventKind {
    Create,
    /// `name` is the new one.
    Rename,
    /// Into `to_code`; the division ends.
    Merge,
    /// `to_code` is a part; without it, the division has ended with the split.
    Split,
    /// `parent` is the new one, and `to_code` the new code if that changes.
    Move,
}

impl DivisionEventKind {
    const ALL: [Self; 5] = [Self::Create, Self::Rename, Self::Merge, Self::Split, Self::Move];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Rename => "rename",
            Self::Merge => "merge",
            Self::Split => "split",
            Self::Move => "move",
        }
    }
}

/// One event in the life of a division.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DivisionEvent {
    pub kind: DivisionEventKind,
    /// Day from which it is in force.
    pub on: Date,
    pub code: DivisionCode,
    pub to_code: Option<DivisionCode>,
    pub level: DivisionLevel,
    pub name: Option<String>,
    pub parent: Option<DivisionCode>,
    /// The document it rests on, or a remark.
    pub note: String,
    pub import: u32,
    pub recorded_at: Moment,
}

impl Registry {
    /// The divisions on a day, by code, as far as recorded by now.
    pub fn divisions_at(&self, on: Date) -> Result<Vec<Division>> {
        let tree = DivisionTree::read(&self.connection, on).map_err(|error| error.at(&self.folder))?;
        Ok(tree.divisions.into_values().collect())
    }

    /// What happened to a division, or made others part of it, by day.
    pub fn division_events(&self, code: DivisionCode) -> Result<Vec<DivisionEvent>> {
        let events = || -> Result<Vec<DivisionEvent>> {
            let mut statement = self
                .connection
                .prepare_cached(&format!("{SELECT} WHERE code = ?1 OR to_code = ?1 ORDER BY on_day, id"))?;
            let mut rows = statement.query([code.to_string()])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push(event(row)?);
            }
            Ok(events)
        };
        events().map_err(|error| error.at(&self.folder))
    }
}

/// The tree on a day.
pub(crate) struct DivisionTree {
    pub divisions: BTreeMap<DivisionCode, Division>,
}

impl DivisionTree {
    pub fn read(connection: &Connection, on: Date) -> Result<Self> {
        let mut tree = Self { divisions: BTreeMap::new() };
        let mut statement =
            connection.prepare_cached(&format!("{SELECT} WHERE on_day <= ? ORDER BY on_day, id"))?;
        let mut rows = statement.query([on.days()])?;
        while let Some(row) = rows.next()? {
            tree.apply(&event(row)?)?;
        }
        Ok(tree)
    }

    /// Brings the tree from before an event to after it.
    pub fn apply(&mut self, event: &DivisionEvent) -> Result<()> {
        let damage = || {
            StoreError::damage(format!(
                "the {} of division {} makes no sense",
                event.kind.as_str(),
                event.code
            ))
        };
        if event.kind == DivisionEventKind::Create {
            let division = Division {
                code: event.code,
                parent: event.parent,
                level: event.level,
                name: event.name.clone().unwrap_or_default(),
                since: event.on,
            };
            self.divisions.insert(event.code, division);
            return Ok(());
        }
        let division = self.divisions.get_mut(&event.code).ok_or_else(damage)?;
        division.since = event.on;
        match (event.kind, event.to_code) {
            (DivisionEventKind::Rename, _) => {
                division.name = event.name.clone().ok_or_else(damage)?;
            }
            (DivisionEventKind::Merge, Some(into)) => {
                self.divisions.remove(&event.code);
                self.divisions.get_mut(&into).ok_or_else(damage)?.since = event.on;
                self.reparent(event.code, into);
            }
            (DivisionEventKind::Split, None) => {
                self.divisions.remove(&event.code);
            }
            (DivisionEventKind::Move, to) => {
                division.parent = event.parent;
                if let Some(to) = to {
                    let mut moved = self.divisions.remove(&event.code).ok_or_else(damage)?;
                    moved.code = to;
                    self.divisions.insert(to, moved);
                    self.reparent(event.code, to);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn reparent(&mut self, from: DivisionCode, to: DivisionCode) {
        for division in self.divisions.values_mut() {
            if division.parent == Some(from) {
                division.parent = Some(to);
            }
        }
    }

    /// The division of a level that contains this one, or is it.
    pub fn ancestor(&self, code: DivisionCode, level: DivisionLevel) -> Option<DivisionCode> {
        self.line(code).find(|division| division.level == level).map(|division| division.code)
    }

    /// Whether a division is another or lies in it.
    pub fn is_within(&self, code: DivisionCode, other: DivisionCode) -> bool {
        self.line(code).any(|division| division.code == other)
    }

    /// A division and those above it. A tree has at most as many generations as there are levels.
    fn line(&self, code: DivisionCode) -> impl Iterator<Item = &Division> {
        let above = |division: &&Division| self.divisions.get(&division.parent?);
        std::iter::successors(self.divisions.get(&code), above).take(DivisionLevel::ALL.len())
    }
}

const SELECT: &str = "SELECT kind, on_day, code, to_code, level, name, parent, note, import, recorded_at
    FROM division_event";

fn event(row: &Row<'_>) -> Result<DivisionEvent> {
    let damage = |what: &str| StoreError::damage(format!("a division event has a wrong {what}"));
    let kind: String = row.get(0)?;
    let code = |text: String| text.parse().map_err(|_| damage("code"));
    let level: String = row.get(4)?;
    Ok(DivisionEvent {
        kind: DivisionEventKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| damage("kind"))?,
        on: day(row.get(1)?)?,
        code: code(row.get(2)?)?,
        to_code: row.get::<_, Option<String>>(3)?.map(code).transpose()?,
        level: level.parse().map_err(|_| damage("level"))?,
        name: row.get(5)?,
        parent: row.get::<_, Option<String>>(6)?.map(code).transpose()?,
        note: row.get(7)?,
        import: row.get(8)?,
        recorded_at: moment(row.get(9)?),
    })
}

pub(crate) fn write_event(connection: &Connection, event: &DivisionEvent) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO division_event (import, recorded_at, kind, on_day, code, to_code, level, name, parent, note)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute(params![
        event.import,
        event.recorded_at.unix_ms(),
        event.kind.as_str(),
        event.on.days(),
        event.code.to_string(),
        event.to_code.map(|code| code.to_string()),
        event.level.as_str(),
        event.name,
        event.parent.map(|code| code.to_string()),
        event.note,
    ])?;
    Ok(())
}
