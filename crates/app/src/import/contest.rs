//! One number on two records: which of the rows is wrong.
//!
//! A record that the registry already has under that number keeps it. Among rows of the import, the one whose
//! other facts contradict more of the pack's checks is at fault (a sex, an age, a place in the family that
//! the number belies); if they are equal, the later one.

use std::collections::BTreeMap;

use model::{Date, RefusalCode, Text};
use store::View;

use super::ImportError;
use super::check::doubts;
use super::fault::{RowFault, Severity, mask, with_hint};
use super::index::RowIndex;
use super::link::{LOOKUP_BATCH, Links, Parent, Tables};
use super::schema::{EntityPlan, FieldPlan, Schema};
use super::settle::forget;
use super::stage::{State, Table};

/// Who keeps the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// A row that fits it better.
    Fitting(u32),
    /// A row that fits it no worse and comes first.
    Earlier(u32),
    /// A record that this import does not touch.
    Registered,
}

impl Owner {
    fn row(self) -> Option<u32> {
        match self {
            Self::Fitting(row) | Self::Earlier(row) => Some(row),
            Self::Registered => None,
        }
    }
}

/// Refuses the wrong row of each pair, and points what referred to it at the right one.
pub fn settle_contests(
    schema: &Schema<'_>,
    tables: &mut Tables,
    links: &mut Links,
    view: &View<'_>,
    as_of: Date,
) -> Result<(), ImportError> {
    for entity in &schema.entities {
        let unique =
            (0..entity.fields.len()).filter(|field| entity.fields[*field].unique && *field != entity.key);
        for field in unique {
            let losers = losers(schema, tables, links, view, as_of, entity, field)?;
            for (loser, winner) in &losers {
                if let Some(winner) = winner.row() {
                    relink(schema, links, entity, field, *loser, winner);
                }
            }
            let Some(table) = &mut tables[entity.id.index()] else { continue };
            for (loser, winner) in losers {
                let fault = claimed(entity, field, table, loser, winner);
                forget(&fault, table);
                table.blame(fault);
            }
        }
    }
    Ok(())
}

/// Rows at fault with the owner of the value.
fn losers(
    schema: &Schema<'_>,
    tables: &Tables,
    links: &Links,
    view: &View<'_>,
    as_of: Date,
    entity: &EntityPlan,
    field: usize,
) -> Result<BTreeMap<u32, Owner>, ImportError> {
    let mut losers = BTreeMap::new();
    let Some(table) = tables[entity.id.index()].as_ref().filter(|table| table.columns[field].is_some())
    else {
        return Ok(losers);
    };
    let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    RowIndex::new(table, field, |first, row| groups.entry(first).or_insert_with(|| vec![first]).push(row));
    let rows: Vec<u32> = groups.values().flatten().copied().collect();
    let counts: BTreeMap<u32, usize> = if rows.is_empty() {
        BTreeMap::new()
    } else {
        rows.iter().copied().zip(doubts(schema, tables, links, view, as_of, entity, &rows)?).collect()
    };
    let owned = owned_elsewhere(view, entity, field, table)?;
    for group in groups.values() {
        let winner =
            group.iter().copied().filter(|row| !owned.contains(row)).min_by_key(|row| (counts[row], *row));
        for row in group.iter().filter(|row| Some(**row) != winner) {
            let owner = match winner {
                Some(winner) if counts[row] > counts[&winner] => Owner::Fitting(winner),
                Some(winner) => Owner::Earlier(winner),
                None => Owner::Registered,
            };
            losers.insert(*row, owner);
        }
    }
    for row in owned {
        losers.entry(row).or_insert(Owner::Registered);
    }
    Ok(losers)
}

/// Rows whose value a record of the registry has that this import does not touch.
fn owned_elsewhere(
    view: &View<'_>,
    entity: &EntityPlan,
    field: usize,
    table: &Table,
) -> Result<Vec<u32>, ImportError> {
    let mut owned = Vec::new();
    if view.count(entity.id)? == 0 {
        return Ok(owned);
    }
    let keys = RowIndex::new(table, entity.key, |_, _| {});
    let rows: Vec<u32> = (0..table.len() as u32)
        .filter(|row| {
            table.states[*row as usize] != State::Repeated && !table.text(field, *row as usize).is_empty()
        })
        .collect();
    for batch in rows.chunks(LOOKUP_BATCH) {
        let texts: Vec<&str> = batch.iter().map(|row| table.text(field, *row as usize)).collect();
        let owners = view.lookup(entity.id, entity.fields[field].column, &texts)?;
        for (row, owner) in batch.iter().zip(owners) {
            let other = owner.is_some_and(|owner| {
                owner != table.text(entity.key, *row as usize)
                    && keys.get(table, entity.key, &owner).is_none()
            });
            if other {
                owned.push(*row);
            }
        }
    }
    Ok(owned)
}

/// What referred to the loser by the value means the winner.
fn relink(
    schema: &Schema<'_>,
    links: &mut Links,
    entity: &EntityPlan,
    field: usize,
    loser: u32,
    winner: u32,
) {
    for child in &schema.entities {
        let edges = links.0[child.id.index()].iter_mut();
        for edge in edges.filter(|edge| edge.plan.parent == entity.id && edge.plan.on == field) {
            for parent in edge.parents.iter_mut().filter(|parent| **parent == Parent::Row(loser)) {
                *parent = Parent::Row(winner);
            }
        }
    }
}

fn claimed(entity: &EntityPlan, field: usize, table: &Table, loser: u32, owner: Owner) -> RowFault {
    let plan: &FieldPlan = &entity.fields[field];
    let code = RefusalCode::IdDuplicate;
    let text = table.text(field, loser as usize);
    let number = owner.row().map_or(0, |row| table.numbers[row as usize]);
    let sheet = owner.row().map_or("", |row| &table.parts[table.part_of(row as usize)].sheet);
    let (label, entity) = (&plan.label, &entity.label);
    let message = match owner {
        Owner::Fitting(_) => Text::new(
            format!("“{}”与第 {number} 行（{sheet}）相同，而本行其他内容与该号码不符", label.zh),
            format!("the {} is also that of row {number} (`{sheet}`), which it fits better", label.en),
        ),
        Owner::Earlier(_) => Text::new(
            format!("“{}”与第 {number} 行（{sheet}）相同，以先出现的一行为准", label.zh),
            format!("the {} is also that of row {number} (`{sheet}`), which comes first", label.en),
        ),
        Owner::Registered => Text::new(
            format!("“{}”已登记在另一{}名下", label.zh, entity.zh),
            format!("the {} is already registered for another {}", label.en, entity.en),
        ),
    };
    RowFault {
        row: loser,
        field,
        code: code.as_str().to_owned(),
        severity: Severity::Refused,
        message: with_hint(&message, &code.hint()),
        value: Some(mask(plan.pii, text)),
        raw: String::new(),
    }
}
