//! Cases of procedures: what is due, late or waiting for whom, and one case with everything that happened.

mod act;

use std::collections::BTreeSet;

use app::acting::{Acting, ActingError, Pending};
use app::procedure::{self, CaseView, declared, event_text, outcome_text};
use askama::Template;
use axum::http::StatusCode;
use model::{AsProblem as _, Date, RecordKey};
use pack::program::EntityId;

use act::{Deed, deeds, seen};

pub use act::act;

use crate::access::Wish;
use crate::answer::{Answer, Fault, html, html_with};
use crate::format;
use crate::link::Link;
use crate::phrase;
use crate::shell::{Anchor, Desk, Section, Shell};

#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    s: Shell,
    day: String,
    mine: Vec<Task>,
    others: Vec<Task>,
    ended: Vec<Task>,
}

/// Something that waits, or has ended.
struct Task {
    when: String,
    late: bool,
    what: Anchor,
    about: String,
    why_not: Option<String>,
}

/// What waits for whom, the most urgent first.
pub fn today(desk: &Desk) -> Answer {
    desk.must(Wish::Cases)?;
    let today = desk.office.now().day();
    let roles = desk.viewer.roles();
    let mut page = TodayPage {
        s: desk.shell(Section::Today, desk.w.today),
        day: today.to_string(),
        mine: Vec::new(),
        others: Vec::new(),
        ended: Vec::new(),
    };
    let mut waiting: Vec<(bool, Date, Task)> = Vec::new();
    for view in cases(desk)? {
        let link = Link::to(["cases", view.id.as_str()]);
        let items: BTreeSet<&RecordKey> = view.strands.iter().flat_map(|strand| &strand.items).collect();
        let about = about(desk, &view, items.len())?;
        let title = view.title.get(desk.lang);
        if view.waiting.is_empty() {
            let on = view.strands.iter().filter_map(|strand| strand.ended.map(|(_, on)| on)).max();
            page.ended.push(Task {
                when: on.map(|on| on.to_string()).unwrap_or_default(),
                late: false,
                what: Anchor::new(title, &link),
                about: about.clone(),
                why_not: None,
            });
        }
        for (pending, step, refused) in &view.waiting {
            let mine = pending.roles.iter().any(|role| roles.contains(&role.as_str()));
            let (when, late) = match pending.due {
                Some(due) => phrase::due_in(today, due, desk.lang),
                None => (String::new(), false),
            };
            let step = step.get(desk.lang);
            let what = if pending.objection.is_some() { desk.w.answer_objection } else { step };
            let who = desk.role_names(&names(&pending.roles));
            let task = Task {
                when,
                late,
                what: Anchor::new(format!("{what}{}{title}", phrase::colon(desk.lang)), &link),
                about: format!("{about} · {who}"),
                why_not: refused.as_ref().map(|refused| refused.problem().text.get(desk.lang).to_owned()),
            };
            waiting.push((mine, pending.due.unwrap_or(Date::MAX), task));
        }
    }
    waiting.sort_by_key(|(_, due, _)| *due);
    for (mine, _, task) in waiting {
        if mine { page.mine.push(task) } else { page.others.push(task) }
    }
    html(&page)
}

/// The cases within this person's reach.
fn cases(desk: &Desk) -> Result<Vec<CaseView>, Fault> {
    let program = desk.reading.program();
    desk.office.with_registry(&desk.reading, |registry| {
        let mut views = Vec::new();
        for line in procedure::list(registry, program)? {
            let view = procedure::show(registry, program, &reader(desk), &line.id, &Pending::new())?;
            if is_within(desk, &view)? {
                views.push(view);
            }
        }
        Ok(views)
    })
}

/// Whoever looks acts as nobody.
fn reader(desk: &Desk) -> Acting {
    let at = desk.office.now();
    Acting { role: String::new(), name: String::new(), at, on: at.day() }
}

/// Whether all of a case lies within this person's reach. A record that is newer than the run is judged by the sheet
/// that it stands on.
fn is_within(desk: &Desk, view: &CaseView) -> Result<bool, Fault> {
    let flow = declared(desk.reading.program(), &view.flow)?;
    let mut records: Vec<(EntityId, &str)> = Vec::new();
    match (flow.sheet, &view.sheet) {
        (Some(entity), Some(sheet)) => records.push((entity, sheet)),
        _ => {
            let items = view.strands.iter().flat_map(|strand| &strand.items);
            records.extend(items.map(|item| (flow.entity, item.as_str())));
        }
    }
    for (entity, key) in &records {
        match desk.reading.find(*entity, key)? {
            Some(row) if desk.may(Wish::Record(*entity, row))? => {}
            _ => return Ok(false),
        }
    }
    Ok(!records.is_empty())
}

fn about(desk: &Desk, view: &CaseView, items: usize) -> Result<String, Fault> {
    let flow = declared(desk.reading.program(), &view.flow)?;
    let label = desk.reading.entity_label(flow.entity, desk.lang);
    let count = phrase::all_of(items as u64, label, desk.lang);
    let place = sheet(desk, view)?.map(|anchor| anchor.text);
    Ok(match place {
        Some(place) => format!("{place} · {count} · {}", view.id),
        None => format!("{count} · {}", view.id),
    })
}

/// The division or record that a case's sheet belongs to.
fn sheet(desk: &Desk, view: &CaseView) -> Result<Option<Anchor>, Fault> {
    let flow = declared(desk.reading.program(), &view.flow)?;
    let (Some(entity), Some(key)) = (flow.sheet, &view.sheet) else { return Ok(None) };
    let Some(row) = desk.reading.find(entity, key)? else { return Ok(None) };
    let name = desk.reading.name(entity, row, false, desk.lang)?;
    Ok(Some(Anchor::new(name, &crate::pages::address::record(desk, entity, row)?)))
}

fn names(roles: &[String]) -> Vec<&str> {
    roles.iter().map(String::as_str).collect()
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    s: Shell,
    title: String,
    id: String,
    place: Option<Anchor>,
    clause: String,
    /// Why what was asked for was not done.
    refused: Option<(String, Option<String>)>,
    strands: Vec<StrandCard>,
    waiting: Vec<WaitingView>,
    events: Vec<EventView>,
}

/// A part of a case with its way through the steps.
struct StrandCard {
    items: Vec<Anchor>,
    /// Title and class: `done`, `now` or nothing.
    steps: Vec<(String, &'static str)>,
    outcome: Option<String>,
    reserved: Vec<(String, String)>,
    changes: Vec<String>,
}

struct WaitingView {
    what: String,
    who: String,
    due: Option<(String, bool)>,
    why_not: Option<String>,
    hint: Option<String>,
    deeds: Vec<Deed>,
}

struct EventView {
    day: String,
    who: String,
    text: String,
}

pub fn page(desk: &Desk) -> Answer {
    desk.must(Wish::Cases)?;
    let id = RecordKey::new(desk.ask.part("case")).map_err(|_| Fault::Missing)?;
    page_with(desk, &id, None)
}

/// The page of a case, with why something was refused there.
fn page_with(desk: &Desk, id: &RecordKey, refused: Option<&ActingError>) -> Answer {
    let program = desk.reading.program();
    let view = desk.office.with_registry(&desk.reading, |registry| seen(desk, registry, id))?;
    if !is_within(desk, &view)? {
        return Err(Fault::Missing);
    }
    let flow = declared(program, &view.flow)?;
    let today = desk.office.now().day();
    let strands = view.strands.iter().map(|strand| card(desk, &flow, strand));
    let waiting = view.waiting.iter().map(|(pending, step, refused)| WaitingView {
        what: match pending.objection {
            Some(_) => desk.w.answer_objection.to_owned(),
            None => step.get(desk.lang).to_owned(),
        },
        who: desk.role_names(&names(&pending.roles)),
        due: pending.due.map(|due| {
            let (text, late) = phrase::due_in(today, due, desk.lang);
            (format!("{due} {text}"), late)
        }),
        why_not: refused.as_ref().map(|refused| refused.problem().text.get(desk.lang).to_owned()),
        hint: refused
            .as_ref()
            .and_then(|refused| refused.problem().hint.map(|hint| hint.get(desk.lang).to_owned())),
        deeds: deeds(desk, &flow, pending, refused.is_some()),
    });
    let events = view.events.iter().map(|event| EventView {
        day: event.day.to_string(),
        who: format!("{} {}", desk.role_names(&[&event.role]), event.actor),
        text: event_text(flow.machine, event, desk.lang),
    });
    let page = CasePage {
        s: desk.shell(Section::Today, format!("{} {id}", view.title.get(desk.lang))),
        title: view.title.get(desk.lang).to_owned(),
        id: id.to_string(),
        place: sheet(desk, &view)?,
        clause: flow.clause.to_string(),
        refused: refused.map(|refused| {
            (
                refused.problem().text.get(desk.lang).to_owned(),
                refused.problem().hint.map(|hint| hint.get(desk.lang).to_owned()),
            )
        }),
        strands: strands.collect::<Result<_, _>>()?,
        waiting: waiting.collect(),
        events: events.collect(),
    };
    html_with(&page, if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK })
}

fn card(
    desk: &Desk,
    flow: &procedure::Declared<'_>,
    strand: &procedure::StrandView,
) -> Result<StrandCard, Fault> {
    let reading = &desk.reading;
    let mut items = Vec::new();
    for item in &strand.items {
        let row = reading.find(flow.entity, item.as_str())?;
        let name = row.map(|row| reading.name(flow.entity, row, false, desk.lang)).transpose()?;
        let link = Link::to(["record", &reading.program().entity(flow.entity).name, item.as_str()]);
        items.push(Anchor::new(format!("{item} {}", name.unwrap_or_default()), &link));
    }
    let at = flow.machine.steps.iter().position(|step| step.id == strand.step.0).unwrap_or(0);
    let steps = flow.machine.steps.iter().enumerate().map(|(position, step)| {
        let class = match (position.cmp(&at), strand.ended.is_some()) {
            (std::cmp::Ordering::Less, _) | (std::cmp::Ordering::Equal, true) => "done",
            (std::cmp::Ordering::Equal, false) => "now",
            (std::cmp::Ordering::Greater, _) => "",
        };
        (step.title.get(desk.lang).to_owned(), class)
    });
    let reserved = strand.reserved.iter().map(|reserved| {
        let amount = format::money(i128::from(reserved.amount.fen()), desk.lang);
        (reserved.item.to_string(), amount.text)
    });
    Ok(StrandCard {
        items,
        steps: steps.collect(),
        outcome: strand.ended.map(|(outcome, on)| format!("{} {on}", outcome_text(outcome).get(desk.lang))),
        reserved: reserved.collect(),
        changes: strand.changes.iter().map(|change| change.get(desk.lang).to_owned()).collect(),
    })
}

/// The cases that a record is in. All cases of the registry are read: an office has hundreds a year.
pub fn of_record(desk: &Desk, key: &str) -> Result<Vec<Anchor>, Fault> {
    let program = desk.reading.program();
    desk.office.with_registry(&desk.reading, |registry| {
        let mut anchors = Vec::new();
        for line in procedure::list(registry, program)? {
            let case = procedure::read_case(registry.view(), &line.id)?;
            if !case.items().any(|item| item.as_str() == key) {
                continue;
            }
            let title = declared(program, &case.state.flow)?.rule.title.get(desk.lang).to_owned();
            let at = match line.at.first() {
                Some((step, since)) => format!("{} {since}", step.get(desk.lang)),
                None => desk.w.ended.to_owned(),
            };
            anchors.push(Anchor::new(format!("{title} · {at}"), &Link::to(["cases", line.id.as_str()])));
        }
        Ok(anchors)
    })
}
