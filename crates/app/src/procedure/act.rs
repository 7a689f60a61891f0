//! Acting on a case.

use model::flow::{Act, Command, Position, Strand, StrandId};
use model::{RecordKey, Refusal, RefusalCode, Text};
use pack::program::Program;
use store::Registry;

use std::collections::BTreeSet;

use super::context::Day;
use super::effects::{Told, carry_out};
use super::{Case, declared, read_case};
use crate::acting::{Acting, ActingError, Deed, Pending, Randomness};

/// An act as it is asked for.
pub struct Asked<'a> {
    pub case: &'a RecordKey,
    /// Which part of the case; needed only where several are open.
    pub strand: Option<u32>,
    /// Where the actor saw the case: refused if it has moved on meanwhile.
    pub step: Option<&'a str>,
    pub act: Act,
}

/// Acts, and says what happened.
pub fn act(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    asked: Asked<'_>,
    random: Randomness<'_>,
) -> Result<Told, ActingError> {
    let mut deed = Deed::begin(registry, program, acting, random)?;
    let case = read_case(deed.view(), asked.case)?;
    let flow = declared(program, &case.state.flow)?;
    let strand = strand(&case, &asked)?;
    let at = match &strand.position {
        Position::At(step) => *step,
        Position::Ended(end) => end.step,
    };
    let step = match asked.step {
        None => at,
        Some(id) => flow.machine.step_named(id).ok_or_else(|| {
            let hint =
                Text::new("用 `xiaokang case show` 查看步骤", "see the steps with `xiaokang case show`");
            ActingError::unknown(format!("没有步骤“{id}”"), format!("there is no step `{id}`"), hint)
        })?,
    };
    let command = Command::Act { strand: strand.id, step, act: asked.act };
    decide(&mut deed, &case, &flow, &command).and_then(|told| deed.commit().map(|()| told))
}

/// Lets time do to a case what it does: lapses, and marks as overdue.
pub fn tick(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    id: &RecordKey,
    random: Randomness<'_>,
) -> Result<Told, ActingError> {
    let mut deed = Deed::begin(registry, program, acting, random)?;
    let case = read_case(deed.view(), id)?;
    let flow = declared(program, &case.state.flow)?;
    decide(&mut deed, &case, &flow, &Command::Tick).and_then(|told| deed.commit().map(|()| told))
}

fn decide<'p>(
    deed: &mut Deed<'p>,
    case: &Case,
    flow: &super::Declared<'p>,
    command: &Command,
) -> Result<Told, ActingError> {
    let none = (&BTreeSet::new(), None);
    let day = Day::of((deed.program, deed.view()), deed.acting, flow, case, none, &Pending::new())?;
    let seed = u64::from_be_bytes(deed.random()[..8].try_into().expect("eight of 32 bytes"));
    let context = day.context(deed.acting, seed);
    let events = model::flow::decide(flow.machine, &case.state, command, &context)
        .map_err(|refusal| day.refused(case, refusal))?;
    carry_out(deed, flow, case, &day, None, events)
}

/// The strand that is meant: the one named, the one that holds all records named, or the only one that is open.
fn strand<'c>(case: &'c Case, asked: &Asked<'_>) -> Result<&'c Strand, ActingError> {
    let strands = &case.state.strands;
    if let Some(id) = asked.strand {
        let named = case.state.strand(StrandId(id));
        return named.ok_or_else(|| Refusal::new(RefusalCode::NotFound).value(id).into());
    }
    let named = items_of(&asked.act);
    let at = |strand: &&Strand| matches!(strand.position, Position::At(_));
    let after_end = matches!(asked.act, Act::Deliver { .. } | Act::Appeal { .. });
    let answering = match asked.act {
        Act::Answer { objection, .. } => Some(objection),
        _ => None,
    };
    let fits = |strand: &&Strand| {
        let holds = named.iter().all(|item| strand.items.contains(item));
        let asked = answering.is_none_or(|id| strand.objections.iter().any(|open| open.id == id));
        holds && asked && at(strand) != after_end
    };
    let found: Vec<&Strand> = strands.iter().filter(fits).collect();
    match found[..] {
        [strand] => Ok(strand),
        // The machine says why nothing can be done with what is not there.
        [] => strands.first().ok_or_else(|| Refusal::from(RefusalCode::NotFound).into()),
        _ => {
            let ids: Vec<String> = found.iter().map(|strand| strand.id.0.to_string()).collect();
            let ids = ids.join(", ");
            let hint = Text {
                zh: format!("用 --strand 指明：{ids}"),
                en: format!("name it with --strand: {ids}"),
            };
            Err(ActingError::unknown(
                "该办件分成几路，没有说明是哪一路",
                "the case has several parts open",
                hint,
            ))
        }
    }
}

fn items_of(act: &Act) -> BTreeSet<RecordKey> {
    match act {
        Act::Visit { items } | Act::SetApart { items } => items.clone(),
        Act::Vote(minutes) => minutes.ballots.keys().cloned().collect(),
        Act::Object { item, .. } => item.iter().cloned().collect(),
        Act::Refuse { items, .. } | Act::Withdraw { items } => items.clone().unwrap_or_default(),
        _ => BTreeSet::new(),
    }
}
