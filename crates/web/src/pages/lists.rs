//! All registers: what is recorded of what, and how much.

use app::reading::Place;
use askama::Template;
use pack::program::EntityId;

use crate::access::Wish;
use crate::answer::{Answer, Fault, html};
use crate::format;
use crate::link::Link;
use crate::phrase;
use crate::shell::{Anchor, Desk, Section, Shell};

#[derive(Template)]
#[template(path = "lists.html")]
struct Page {
    s: Shell,
    place: String,
    registers: Vec<Register>,
    empty: Vec<String>,
    findings: Vec<FindingView>,
}

struct Register {
    title: String,
    link: String,
    count: String,
    of: String,
}

struct FindingView {
    label: String,
    key: Anchor,
    rule: Option<Anchor>,
    message: String,
}

/// Findings that are shown.
const FINDINGS: usize = 200;

pub fn page(desk: &Desk) -> Answer {
    let place = desk.place()?;
    desk.must(Wish::List(place))?;
    let (reading, lang) = (&desk.reading, desk.lang);
    let mut s = desk.shell(Section::Lists, desk.w.lists);
    s.crumbs = desk.crumbs(place, |code| Link::at("/lists").with("division", code))?;
    let code = reading.place_code(place)?;
    let (mut registers, mut empty) = (Vec::new(), Vec::new());
    for (at, entity) in reading.program().entities.iter().enumerate() {
        let id = EntityId(at as u32);
        let label = reading.entity_label(id, lang);
        let count = reading.count(id, place)?;
        if count == 0 {
            empty.push(label.to_owned());
            continue;
        }
        registers.push(Register {
            title: label.to_owned(),
            link: Link::to(["list", &entity.name]).with("division", &code).to_string(),
            count: format::count(count),
            of: phrase::of_entity(label, count, lang),
        });
    }
    let page =
        Page { place: reading.place_name(place)?, registers, empty, findings: findings(desk, place)?, s };
    html(&page)
}

fn findings(desk: &Desk, place: Place) -> Result<Vec<FindingView>, Fault> {
    let (reading, lang) = (&desk.reading, desk.lang);
    let mut views = Vec::new();
    for finding in reading.findings(place)?.into_iter().take(FINDINGS) {
        let name = &reading.program().entity(finding.entity).name;
        let rule = finding.rule.map(|id| &reading.program().rules[id.index()]);
        views.push(FindingView {
            label: reading.entity_label(finding.entity, lang).to_owned(),
            key: Anchor::new(finding.key.as_str(), &Link::to(["record", name, &finding.key])),
            rule: rule.map(|rule| {
                Anchor::new(rule.title.get(lang), &Link::to(["explain", name, &finding.key, &rule.id]))
            }),
            message: finding.message.get(lang).to_owned(),
        });
    }
    Ok(views)
}
