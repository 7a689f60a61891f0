//! What cases there are, where they stand, and what they wait for.

use std::collections::BTreeSet;

use model::flow::{Event, Outcome, Pending as Waiting, Position, Reservation, StrandId, pending};
use model::{Date, RecordKey, Refusal, Text};
use pack::program::Program;
use store::Registry;

use super::case::position;
use super::context::Day;
use super::{Case, declared, read_case};
use crate::acting::{Acting, ActingError, Pending};

/// Cases that are read at once.
const PAGE: usize = 1_000;

/// One case in a list.
pub struct CaseLine {
    pub id: RecordKey,
    pub flow: String,
    pub items: usize,
    pub started: Date,
    /// Title of the step of each open strand, and since when.
    pub at: Vec<(Text, Date)>,
}

/// One strand of a case.
pub struct StrandView {
    pub id: StrandId,
    pub items: BTreeSet<RecordKey>,
    /// Id and title of the step at which it stands or ended.
    pub step: (String, Text),
    pub ended: Option<(Outcome, Date)>,
    pub due: Option<Date>,
    pub reserved: Vec<Reservation>,
    /// What is different from what was proposed.
    pub changes: Vec<Text>,
}

/// A case with everything that a person needs to act.
pub struct CaseView {
    pub id: RecordKey,
    pub flow: String,
    pub title: Text,
    pub sheet: Option<String>,
    pub strands: Vec<StrandView>,
    /// What is waited for, with the refusal that acting now would meet.
    pub waiting: Vec<(Waiting, Text, Option<ActingError>)>,
    pub events: Vec<Event>,
}

/// All cases, by name.
pub fn list(registry: &Registry, program: &Program) -> Result<Vec<CaseLine>, ActingError> {
    let view = registry.view();
    let mut lines = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = view.streams("case/", after.as_deref(), PAGE)?;
        for head in &page {
            let key = head.stream.trim_start_matches("case/");
            let id = RecordKey::new(key).map_err(Refusal::from)?;
            let case = read_case(view, &id)?;
            let flow = declared(program, &case.state.flow)?;
            let open = case.state.strands.iter().filter(|it| matches!(it.position, Position::At(_)));
            let title = |strand| flow.machine.step(position(strand)).map(|step| step.title.clone());
            let at = open.filter_map(|strand| Some((title(strand)?, strand.entered))).collect();
            let started = case.events.first().map_or(Date::MIN, |event| event.event.day);
            lines.push(CaseLine {
                id,
                flow: case.state.flow.clone(),
                items: case.items().count(),
                started,
                at,
            });
        }
        match page.last() {
            Some(head) if page.len() == PAGE => after = Some(head.stream.clone()),
            _ => return Ok(lines),
        }
    }
}

/// A case as it stands today. `given` are changes that are not recorded: what would be so with them.
pub fn show(
    registry: &Registry,
    program: &Program,
    acting: &Acting,
    id: &RecordKey,
    given: &Pending,
) -> Result<CaseView, ActingError> {
    let view = registry.view();
    let case = read_case(view, id)?;
    let flow = declared(program, &case.state.flow)?;
    let day = Day::of((program, view), acting, &flow, &case, (&BTreeSet::new(), None), given)?;
    let context = day.context(acting, 0);
    let waiting = pending(flow.machine, &case.state, &context)
        .into_iter()
        .map(|mut waiting| {
            let title = flow.machine.step(waiting.step).map(|step| step.title.clone()).unwrap_or_default();
            let refused = waiting.waits_for.take().map(|refusal| day.refused(&case, refusal));
            (waiting, title, refused)
        })
        .collect();
    let strands = case.state.strands.iter().map(|strand| {
        let step = flow.machine.step(position(strand));
        let step = step.map(|step| (step.id.clone(), step.title.clone())).unwrap_or_default();
        let ended = match &strand.position {
            Position::Ended(end) => Some((end.outcome, end.on)),
            Position::At(_) => None,
        };
        let changes = match ended {
            None => strand.proposed.keys().flat_map(|item| day.changes(&case, item)).collect(),
            Some(_) => Vec::new(),
        };
        StrandView {
            id: strand.id,
            items: strand.items.clone(),
            step,
            ended,
            due: strand.due,
            reserved: strand.reserved.clone(),
            changes,
        }
    });
    let strands = strands.collect();
    let events = case.events.iter().map(|event| event.event.clone()).collect();
    let sheet = case.sheet().map(str::to_owned);
    let Case { id, state, .. } = case;
    Ok(CaseView { id, flow: state.flow, title: flow.rule.title.clone(), sheet, strands, waiting, events })
}
