//! Which rows are held because a record they belong to was refused, and which have no parent at all.

use std::collections::{HashMap, HashSet};

use store::View;

use super::ImportError;
use super::fault::{RowFault, Severity};
use super::incomplete::{self, Incomplete, Waiting};
use super::link::{EdgeLinks, Links, Parent, Tables, parent_missing, registered};
use super::schema::{EdgePlan, EntityPlan, Schema};
use super::stage::{Place, State, Table};

/// For each held row, the row with the fault that holds it.
#[derive(Debug, Default)]
pub struct Held {
    causes: HashMap<Place, Place>,
}

impl Held {
    /// The row with the fault, for a held row.
    pub fn cause(&self, place: Place) -> Option<Place> {
        self.causes.get(&place).copied()
    }

    fn hold(&mut self, tables: &mut Tables, place: Place, cause: Place) {
        if let Some(table) = &mut tables[place.0.index()]
            && let state @ State::Sound = &mut table.states[place.1 as usize]
        {
            *state = State::Held;
            self.causes.insert(place, cause);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (Place, Place)> + '_ {
        self.causes.iter().map(|(row, cause)| (*row, *cause))
    }
}

/// Settles every row of every table, parents first.
pub fn settle(
    schema: &Schema<'_>,
    tables: &mut Tables,
    links: &Links,
    view: &View<'_>,
) -> Result<(Held, Vec<Incomplete>), ImportError> {
    let mut held = Held::default();
    let waiting = incomplete::find(schema, tables, links, view)?;
    for (place, cause) in &waiting.causes {
        held.hold(tables, *place, *cause);
    }
    for entity in &schema.entities {
        for edge in links.of(entity.id) {
            settle_edge(schema, tables, (entity, edge), view, &waiting, &mut held)?;
        }
    }
    Ok((held, waiting.list))
}

fn settle_edge(
    schema: &Schema<'_>,
    tables: &mut Tables,
    (entity, links): (&EntityPlan, &EdgeLinks),
    view: &View<'_>,
    waiting: &Waiting,
    held: &mut Held,
) -> Result<(), ImportError> {
    let plan = &links.plan;
    let Some(mut table) = tables[entity.id.index()].take() else { return Ok(()) };
    let above = tables[plan.parent.index()].as_ref();
    let known = registered_anyway(schema, above, &table, links, view)?;
    let suspects = Suspects::new(plan, above);
    for row in 0..table.len() {
        if table.states[row] == State::Repeated {
            continue;
        }
        let place = (entity.id, row as u32);
        let culprit = match links.parents[row] {
            Parent::Unsaid | Parent::Registered => continue,
            Parent::Row(parent) => {
                let stands = above.is_some_and(|above| above.states[parent as usize] == State::Sound);
                let waits = waiting.causes.contains_key(&(plan.parent, parent));
                if stands || (known.contains(&parent) && !waits) {
                    continue;
                }
                Some(parent)
            }
            Parent::Missing => suspects.find(plan, above, &table, row),
        };
        if let Some(parent) = culprit {
            if plan.required && table.states[row] == State::Sound {
                table.states[row] = State::Held;
                let cause = held.cause((plan.parent, parent)).unwrap_or((plan.parent, parent));
                held.causes.insert(place, cause);
            }
            continue;
        }
        let belongs = links
            .strays
            .get(&(row as u32))
            .zip(above)
            .map(|(parent, above)| above.text(plan.on, *parent as usize));
        let fault = parent_missing(schema, entity, links, row as u32, table.text(plan.via, row), belongs);
        // Where it belongs is this row's own fault, even if the row is held for another reason.
        if table.states[row] == State::Held && fault.severity == Severity::Refused {
            table.states[row] = State::Sound;
            held.causes.remove(&place);
        }
        table.blame(fault);
    }
    tables[entity.id.index()] = Some(table);
    Ok(())
}

/// Parents whose row was refused but that the registry has from an earlier import.
fn registered_anyway(
    schema: &Schema<'_>,
    above: Option<&Table>,
    table: &Table,
    links: &EdgeLinks,
    view: &View<'_>,
) -> Result<HashSet<u32>, ImportError> {
    let Some(above) = above else { return Ok(HashSet::new()) };
    let refused: HashSet<u32> = (0..table.len())
        .filter_map(|row| match links.parents[row] {
            Parent::Row(parent) if above.states[parent as usize] != State::Sound => Some(parent),
            _ => None,
        })
        .collect();
    let on = links.plan.on;
    let column = schema.entity(links.plan.parent).fields[on].column;
    let texts = refused.iter().map(|row| above.text(on, *row as usize));
    let known = registered(view, links.plan.parent, column, texts)?;
    Ok(refused.iter().copied().filter(|row| known.contains(above.text(on, *row as usize))).collect())
}

/// Refused parent rows whose own reference is not to be trusted, by the fields that must agree.
struct Suspects {
    by_fields: HashMap<String, Vec<u32>>,
    /// Rejected texts of the field that children refer to.
    raw: HashMap<u32, String>,
}

impl Suspects {
    fn new(plan: &EdgePlan, above: Option<&Table>) -> Self {
        let mut suspects = Self { by_fields: HashMap::new(), raw: HashMap::new() };
        let Some(above) = above.filter(|_| !plan.also.is_empty()) else { return suspects };
        for fault in &above.faults {
            if fault.field == plan.on && fault.severity == Severity::Refused {
                suspects.raw.insert(fault.row, fault.raw.clone());
                let fields = agreeing(above, plan.also.iter().map(|(_, parent)| *parent), fault.row as usize);
                suspects.by_fields.entry(fields).or_default().push(fault.row);
            }
        }
        suspects
    }

    /// The refused row that a child most likely means: its other fields agree, and what is left of its
    /// number is most like the child's.
    fn find(&self, plan: &EdgePlan, above: Option<&Table>, table: &Table, row: usize) -> Option<u32> {
        above?;
        let fields = agreeing(table, plan.also.iter().map(|(child, _)| *child), row);
        let wanted = table.text(plan.via, row);
        let likeness = |row: &&u32| {
            let raw = self.raw.get(*row).map_or("", String::as_str);
            raw.bytes().zip(wanted.bytes()).take_while(|(one, other)| one == other).count()
        };
        // The first of equals, so that the answer does not depend on hashing.
        let rows = self.by_fields.get(&fields)?;
        rows.iter().rev().max_by_key(likeness).copied()
    }
}

fn agreeing(table: &Table, fields: impl Iterator<Item = usize>, row: usize) -> String {
    fields.map(|field| table.text(field, row)).collect::<Vec<_>>().join("\u{1f}")
}

/// Forgets a value that was found to be another record's, so that nothing is concluded from it.
pub fn forget(fault: &RowFault, table: &mut Table) {
    if let Some(column) = &mut table.columns[fault.field] {
        column.forget(fault.row as usize);
    }
}
