//! Money that went to people under a clause, by the book: who was owed how much, and what of it arrived.

use app::funds::Given;
use app::reading::Place;
use askama::Template;
use model::ledger::Holder;
use model::{ClauseId, RecordKey};
use pack::program::EntityId;

use crate::access::{PUBLIC_COUNT_MIN, Wish};
use crate::answer::{Answer, Fault, html};
use crate::format::{self, Shown};
use crate::link::Link;
use crate::phrase;
use crate::shell::{Anchor, Desk, Section, Shell};

#[derive(Template)]
#[template(path = "money.html")]
struct Page {
    s: Shell,
    clause: String,
    summary: String,
    place: String,
    all: String,
    owed: Shown,
    paid: Shown,
    rows: Vec<Row>,
}

struct Row {
    holder: Anchor,
    owed: Shown,
    paid: Shown,
    /// Whether less arrived than is owed.
    open: bool,
}

/// What a clause paid in a division, for its margin.
pub struct Sum {
    pub text: String,
    pub owed: Shown,
    pub paid: Shown,
    pub link: Option<String>,
}

/// A beneficiary in the run.
struct Found<'g> {
    given: &'g Given,
    entity: EntityId,
    row: u32,
}

/// The entity of a beneficiary, by what the pack calls it, and its key.
fn holder(desk: &Desk, holder: &Holder) -> Option<(EntityId, RecordKey)> {
    let (name, key) = match holder {
        Holder::Household(key) => ("household", key),
        Holder::Person(key) => ("person", key),
        Holder::Project(key) => ("project", key),
        Holder::Bank(key) => ("bank", key),
        Holder::Division(_) | Holder::Body(_) => return None,
    };
    Some((desk.reading.program().entity_named(name)?, key.clone()))
}

fn found<'g>(
    desk: &Desk,
    place: Place,
    clause: &ClauseId,
    given: &'g [Given],
) -> Result<Vec<Found<'g>>, Fault> {
    let mut found = Vec::new();
    for one in given.iter().filter(|given| given.clause == *clause) {
        let Some((entity, key)) = holder(desk, &one.holder) else { continue };
        let Some(row) = desk.reading.find(entity, key.as_str())? else { continue };
        if desk.reading.is_within(entity, row, place)? {
            found.push(Found { given: one, entity, row });
        }
    }
    Ok(found)
}

fn sums(found: &[Found<'_>]) -> (i128, i128) {
    let add = |(owed, paid): (i128, i128), one: &Found<'_>| {
        (owed + i128::from(one.given.owed.fen()), paid + i128::from(one.given.paid.fen()))
    };
    found.iter().fold((0, 0), add)
}

/// What a clause paid in a division; nothing where the book has nothing of it, or too few for anyone to be told.
pub fn sum(desk: &Desk, place: Place, clause: &ClauseId, given: &[Given]) -> Result<Option<Sum>, Fault> {
    let found = found(desk, place, clause, given)?;
    if found.is_empty() || (desk.viewer.withholds() && (found.len() as u64) < PUBLIC_COUNT_MIN) {
        return Ok(None);
    }
    let (owed, paid) = sums(&found);
    let code = desk.reading.place_code(place)?;
    let link = Link::to(["money", &clause.to_string()]).with("division", code).to_string();
    Ok(Some(Sum {
        text: phrase::paid_to(found.len(), desk.lang),
        owed: format::money(owed, desk.lang),
        paid: format::money(paid, desk.lang),
        link: desk.may(Wish::List(place))?.then_some(link),
    }))
}

pub fn page(desk: &Desk) -> Answer {
    let place = desk.place()?;
    desk.must(Wish::List(place))?;
    let id: ClauseId = desk.ask.part("clause").parse().map_err(|_| Fault::Missing)?;
    let clause =
        desk.reading.program().clauses.iter().find(|clause| clause.id == id).ok_or(Fault::Missing)?;
    let given = desk.office.given(&desk.reading)?;
    let found = found(desk, place, &id, &given)?;
    let (owed, paid) = sums(&found);
    let mut rows = Vec::new();
    for one in &found {
        let label = desk.reading.entity_label(one.entity, desk.lang);
        let key = desk.reading.key(one.entity, one.row)?;
        let name = desk.reading.name(one.entity, one.row, false, desk.lang)?;
        let link = super::address::record(desk, one.entity, one.row)?;
        rows.push(Row {
            holder: Anchor::new(format!("{label} {key} {name}"), &link),
            owed: format::money(i128::from(one.given.owed.fen()), desk.lang),
            paid: format::money(i128::from(one.given.paid.fen()), desk.lang),
            open: one.given.paid < one.given.owed,
        });
    }
    let mut s = desk.shell(Section::Decision, format!("{} {id}", desk.w.money));
    s.crumbs = desk.crumbs(place, |code| Link::at(&desk.ask.path).with("division", code))?;
    let page = Page {
        clause: id.to_string(),
        summary: clause.summary.get(desk.lang).to_owned(),
        place: desk.reading.place_name(place)?,
        all: phrase::paid_to(found.len(), desk.lang),
        owed: format::money(owed, desk.lang),
        paid: format::money(paid, desk.lang),
        rows,
        s,
    };
    html(&page)
}
