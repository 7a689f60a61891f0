//! Starting a case.

use std::collections::BTreeSet;

use model::flow::{Command, State};
use model::{RecordKey, Refusal, RefusalCode, Text};
use pack::program::Program;
use serde::Serialize;
use store::Registry;

use super::context::Day;
use super::effects::carry_out;
use super::{Case, Declared, declared};
use crate::acting::{Acting, ActingError, Deed, Pending, Randomness};

/// The stream that counts the cases of a flow and year.
fn counter(flow: &str, year: i32) -> String {
    format!("cases/{flow}/{year}")
}

/// What a case is to be about.
pub struct Start<'a> {
    pub flow: &'a str,
    /// The record that the sheet belongs to: a village.
    pub sheet: Option<&'a str>,
    /// The records. None of them: all of the sheet to whom the benefit of the flow is promised.
    pub items: &'a [String],
}

#[derive(Serialize)]
struct Counted<'a> {
    case: &'a str,
}

/// Starts a case and says what it is called.
pub fn start(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    asked: &Start<'_>,
    random: Randomness<'_>,
) -> Result<RecordKey, ActingError> {
    let flow = declared(program, asked.flow)?;
    let mut deed = Deed::begin(registry, program, acting, random)?;
    let items = items(&deed, &flow, asked)?;
    let year = acting.on.year();
    let counter = counter(&flow.rule.id, year);
    let count = deed.view().stream_length(&counter)?;
    let id = format!("{}-{year}-{:04}", flow.rule.id, count + 1);
    let id = RecordKey::new(id).map_err(Refusal::from)?;
    let case = Case { id: id.clone(), events: Vec::new(), state: State::default() };
    let opening = (&items, asked.sheet);
    let day = Day::of((program, deed.view()), acting, &flow, &case, opening, &Pending::new())?;
    let seed = u64::from_be_bytes(deed.random()[..8].try_into().expect("eight of 32 bytes"));
    let context = day.context(acting, seed);
    let command = Command::Open { items };
    let events = model::flow::decide(flow.machine, &case.state, &command, &context)
        .map_err(|refusal| day.refused(&case, refusal))?;
    deed.append(&counter, count, &[("case", Counted { case: id.as_str() })])?;
    carry_out(&mut deed, &flow, &case, &day, asked.sheet, events)?;
    deed.commit()?;
    Ok(id)
}

/// The records of the case: those named, or all of the sheet to whom the benefit is promised.
fn items(
    deed: &Deed<'_>,
    flow: &Declared<'_>,
    asked: &Start<'_>,
) -> Result<BTreeSet<RecordKey>, ActingError> {
    let program = deed.program;
    let entity = program.entity(flow.entity);
    let check = Text::new("请核对编号", "check the key");
    let absent = |key: &str| {
        let zh = format!("{}“{key}”不存在", entity.label.zh);
        ActingError::unknown(zh, format!("there is no {} `{key}`", entity.name), check.clone())
    };
    let mut keys: BTreeSet<String> = asked.items.iter().cloned().collect();
    if keys.is_empty() {
        keys = promised_below(deed, flow, asked)?;
    }
    for key in &keys {
        if deed.view().record(flow.entity, key)?.is_none() {
            return Err(absent(key));
        }
    }
    let key = |key: String| RecordKey::new(key).map_err(|error| ActingError::from(Refusal::from(error)));
    let items: BTreeSet<RecordKey> = keys.into_iter().map(key).collect::<Result<_, _>>()?;
    if items.is_empty() { Err(Refusal::from(RefusalCode::RequiredMissing).into()) } else { Ok(items) }
}

fn promised_below(
    deed: &Deed<'_>,
    flow: &Declared<'_>,
    asked: &Start<'_>,
) -> Result<BTreeSet<String>, ActingError> {
    let (Some(sheet), Some(entity)) = (asked.sheet, flow.sheet) else { return Ok(BTreeSet::new()) };
    let Some(below) = super::promised::edge(deed.program, flow.entity, entity) else {
        return Ok(BTreeSet::new());
    };
    let items = super::promised::items(deed.program, deed.view(), flow, below, sheet, deed.acting.on)?;
    Ok(items.into_keys().collect())
}
