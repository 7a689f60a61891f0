//! One number on two records: which of the rows is wrong.
//!
//! A record that the registry already has under that number keeps it. Among rows of the import, the one whose
//! other facts contradict more of the pack's checks that read the number is at fault (a sex, an age, a place in
//! the family that the number belies); if they are equal, the later one.

use std::collections::{BTreeMap, BTreeSet};

use model::access::mask;
use model::{Date, RefusalCode, Text};
use store::View;

use super::ImportError;
use super::check::{Staged, doubts};
use super::fault::{RowFault, Severity, with_hint};
use super::index::RowIndex;
use super::link::{LOOKUP_BATCH, Links, Parent, Tables, reads_all};
use super::schema::{EntityPlan, FieldPlan, Schema};
use super::settle::forget;
use super::stage::Table;

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
        rows.iter()
            .copied()
            .zip(doubts(Staged { schema, tables, links, view, as_of }, entity, field, &rows)?)
            .collect()
    };
    let claims = Claims::new(view, entity, field, table, &groups)?;
    for (first, group) in &groups {
        let incumbent = claims.incumbents.get(first).filter(|row| group.contains(row)).copied();
        let fittest = || group.iter().copied().min_by_key(|row| (counts[row], *row));
        let winner = incumbent.or_else(fittest).filter(|_| !claims.registered.contains(first));
        for row in group.iter().filter(|row| Some(**row) != winner) {
            let owner = match winner {
                Some(winner) if counts[row] > counts[&winner] => Owner::Fitting(winner),
                Some(winner) => Owner::Earlier(winner),
                None => Owner::Registered,
            };
            losers.insert(*row, owner);
        }
    }
    for row in claims.registered {
        losers.entry(row).or_insert(Owner::Registered);
    }
    Ok(losers)
}

/// Values of rows that the registry has. Of rows with one value the first stands for all.
#[derive(Default)]
struct Claims {
    /// Under the key of a record that this import does not touch.
    registered: BTreeSet<u32>,
    /// Under the key of a row of this import, with that row.
    incumbents: BTreeMap<u32, u32>,
}

impl Claims {
    fn new(
        view: &View<'_>,
        entity: &EntityPlan,
        field: usize,
        table: &Table,
        contested: &BTreeMap<u32, Vec<u32>>,
    ) -> Result<Self, ImportError> {
        let mut claims = Self::default();
        if view.count(entity.id)? == 0 {
            return Ok(claims);
        }
        let keys = RowIndex::new(table, entity.key, |_, _| {});
        let values = RowIndex::new(table, field, |_, _| {});
        let (key, column) = (entity.fields[entity.key].column, entity.fields[field].column);
        let mut compare = |owner: &str, value: &str| {
            match (values.get(table, field, value), keys.get(table, entity.key, owner)) {
                (Some(first), Some(incumbent)) => {
                    // Nearly every row of a repeated import is its own incumbent.
                    if first != incumbent || contested.contains_key(&first) {
                        claims.incumbents.insert(first, incumbent);
                    }
                }
                (Some(first), None) => {
                    claims.registered.insert(first);
                }
                (None, _) => {}
            }
        };
        if reads_all(view, entity.id, table.len())? {
            view.scan(entity.id, &[key, column], |row| {
                if let (Some(owner), Some(value)) = (row.text(0), row.text(1)) {
                    compare(owner, value);
                }
                Ok(())
            })?;
            return Ok(claims);
        }
        let texts: Vec<&str> =
            (0..table.len()).map(|row| table.text(field, row)).filter(|text| !text.is_empty()).collect();
        for batch in texts.chunks(LOOKUP_BATCH) {
            for (text, owner) in batch.iter().zip(view.lookup(entity.id, column, batch)?) {
                if let Some(owner) = owner {
                    compare(&owner, text);
                }
            }
        }
        Ok(claims)
    }
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
        value: Some(mask(text, plan.pii)),
        raw: String::new(),
        taken: true,
    }
}
