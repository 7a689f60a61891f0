//! Acting on a case by a form: what somebody may do there now, and doing it.
//!
//! Whether it may be done is decided by the procedure alone, in the moment of doing; a refusal comes back on the case's
//! page with its reason. Of a document its digest is kept; the document itself stays with the office. Deliberately lacking: votes that differ
//! from record to record, refusals and returns, for which there is the command line.

use std::collections::BTreeSet;

use app::acting::Acting;
use app::procedure::{self, Asked, CaseView, Declared};
use model::flow::{Act, Ballot, Minutes, Pending, Strand};
use model::{Digest, RecordKey, Text};

use super::{is_within, page_with, reader};
use crate::access::Wish;
use crate::answer::{Answer, Fault, see};
use crate::link::Link;
use crate::shell::Desk;

/// One thing that may be done, as a form.
pub struct Deed {
    pub fields: Vec<(&'static str, String)>,
    pub button: String,
    /// What is to be filled in.
    pub inputs: Vec<Input>,
}

/// Something to be filled in.
pub struct Input {
    pub name: &'static str,
    pub label: String,
    /// As HTML calls it: `text`, `number`, `file`.
    pub kind: &'static str,
}

/// What this person may do about something that waits; nothing if it is not theirs.
pub fn deeds(desk: &Desk, flow: &Declared<'_>, pending: &Pending, refused: bool) -> Vec<Deed> {
    let Some(role) = role_for(desk, &pending.roles) else { return Vec::new() };
    let Some(step) = flow.machine.step(pending.step) else { return Vec::new() };
    let w = desk.w;
    let base =
        || vec![("strand", pending.strand.0.to_string()), ("step", step.id.clone()), ("role", role.clone())];
    let deed = |act: &str, more: Vec<(&'static str, String)>, button: &str, inputs: Vec<Input>| {
        let mut fields = base();
        fields.push(("act", act.to_owned()));
        fields.extend(more);
        Deed { fields, button: button.to_owned(), inputs }
    };
    let input = |name, label: &str, kind| Input { name, label: label.to_owned(), kind };
    if let Some(objection) = pending.objection {
        let answer = |verdict: &str, button: &str| {
            let more = vec![("objection", objection.to_string()), ("verdict", verdict.to_owned())];
            deed("answer", more, button, vec![input("reasons", w.reason, "text")])
        };
        return vec![answer("dismissed", w.dismiss), answer("upheld", w.uphold)];
    }
    let mut deeds = Vec::new();
    if step.investigators > 0 {
        deeds.push(deed("investigate", vec![], w.investigated, vec![]));
    }
    if step.sample.is_some() {
        deeds.push(deed("draw", vec![], w.draw, vec![]));
        deeds.push(deed("visit", vec![], w.visited, vec![]));
    }
    if step.vote.is_some() {
        let numbers =
            [("entitled", w.entitled), ("present", w.present), ("for", w.in_favour), ("against", w.against)];
        let inputs = numbers.map(|(name, label)| input(name, label, "number"));
        deeds.push(deed("vote", vec![], w.vote, inputs.into()));
    }
    for evidence in &step.evidence {
        let file = input("file", evidence.title.get(desk.lang), "file");
        deeds.push(deed("attach", vec![("kind", evidence.id.clone())], w.attach, vec![file]));
    }
    for place in step.notice.iter().flat_map(|notice| &notice.places) {
        let button = format!("{} {}", w.post, place.title.get(desk.lang));
        deeds.push(deed("post", vec![("place", place.id.clone())], &button, vec![]));
    }
    if !refused {
        deeds.push(deed("complete", vec![], w.complete, vec![]));
    }
    deeds
}

/// The role in which this person may do what is for these roles.
fn role_for(desk: &Desk, roles: &[String]) -> Option<String> {
    let own = desk.viewer.roles();
    roles.iter().find(|role| own.contains(&role.as_str())).cloned()
}

pub fn act(desk: &Desk) -> Answer {
    desk.must(Wish::Cases)?;
    let program = desk.reading.program();
    let id = RecordKey::new(desk.ask.part("case")).map_err(|_| Fault::Missing)?;
    let form = &desk.ask.form;
    let role = form.get("role").filter(|role| desk.viewer.roles().contains(role)).ok_or(Fault::Missing)?;
    let signed = desk.viewer.signed().ok_or(Fault::Missing)?;
    let at = desk.office.now();
    let acting = Acting { role: role.to_owned(), name: signed.account.name.clone(), at, on: at.day() };
    let strand = form.get("strand").and_then(|strand| strand.parse().ok());
    let step = form.get("step");
    let random = desk.office.sources.random;
    let done = desk.office.with_registry(&desk.reading, |registry| {
        let view = seen(desk, registry, &id)?;
        if !is_within(desk, &view)? {
            return Err(Fault::Missing);
        }
        let case = procedure::read_case(registry.view(), &id)?;
        let wanted = wanted(desk, case.state.strands.iter().find(|it| Some(it.id.0) == strand))?;
        let asked = Asked { case: &id, strand, step, act: wanted };
        Ok(procedure::act(registry, program, &acting, asked, &mut || random()))
    })?;
    match done {
        Ok(_) => see(&Link::to(["cases", id.as_str()]).to_string()),
        Err(refused) => page_with(desk, &id, Some(&refused)),
    }
}

/// The case as it stands.
pub fn seen(desk: &Desk, registry: &app::Registry, id: &RecordKey) -> Result<CaseView, Fault> {
    if registry.view().stream_length(&procedure::Case::stream(id))? == 0 {
        return Err(Fault::Missing);
    }
    let program = desk.reading.program();
    Ok(procedure::show(registry, program, &reader(desk), id, &app::acting::Pending::new())?)
}

/// What the form asks for. Visits are of all that was drawn or has to be visited, and votes go for all records alike.
fn wanted(desk: &Desk, strand: Option<&Strand>) -> Result<Act, Fault> {
    let form = &desk.ask.form;
    let items: BTreeSet<RecordKey> = strand.map(|strand| strand.items.clone()).unwrap_or_default();
    let number = |name: &str| -> Result<u32, Fault> {
        let text = form.get(name).unwrap_or_default();
        text.parse().map_err(|_| {
            Fault::Bad(Text::new(format!("“{text}”不是人数"), format!("`{text}` is no number of persons")))
        })
    };
    let unknown = || Fault::Bad(Text::new("没有这种办理", "there is no such act"));
    Ok(match form.get("act").unwrap_or_default() {
        "investigate" => Act::Investigate,
        "draw" => Act::Draw,
        "visit" => {
            let sample = strand.and_then(|strand| strand.work.sample.as_ref());
            let drawn = sample.map(|sample| sample.drawn.union(&sample.musts).cloned().collect());
            Act::Visit { items: drawn.unwrap_or(items) }
        }
        "vote" => {
            let ballot = Ballot { in_favour: number("for")?, against: number("against")? };
            let ballots = items.into_iter().map(|item| (item, ballot)).collect();
            Act::Vote(Minutes {
                entitled: number("entitled")?,
                present: number("present")?,
                secret: true,
                ballots,
            })
        }
        "attach" => {
            let file = desk.ask.files.iter().find(|file| file.field == "file" && !file.bytes.is_empty());
            let file = file.ok_or_else(|| Fault::Bad(Text::new("请选择文件", "choose a file")))?;
            let document = Digest::of(&file.bytes);
            Act::Attach { kind: form.get("kind").ok_or_else(unknown)?.to_owned(), document }
        }
        "post" => Act::Post { place: form.get("place").ok_or_else(unknown)?.to_owned() },
        "complete" => Act::Complete { choice: form.get("choice").map(str::to_owned) },
        "answer" => Act::Answer {
            objection: form.get("objection").and_then(|text| text.parse().ok()).ok_or_else(unknown)?,
            upheld: form.get("verdict") == Some("upheld"),
            reasons: form.get("reasons").unwrap_or_default().trim().to_owned(),
        },
        _ => return Err(unknown()),
    })
}
