//! A batch as its stream tells it, and how it goes on.

use std::collections::BTreeMap;

use model::payment::{Batch, BatchEvent, BatchId, LineId, fold, postings};
use model::{Refusal, RefusalCode, Text};
use serde::{Deserialize, Serialize};
use store::{Registry, View};

use super::record::{stream, write_transfers};
use crate::acting::{ActingError, Deed};

/// An event of a batch as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredEvent {
    pub event: BatchEvent,
    /// With a plan or a correction: which salt hides the payee of each line.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub salts: BTreeMap<LineId, String>,
}

/// A batch with what its stream tells beside.
pub struct BatchView {
    pub batch: Batch,
    /// The latest salt of each line.
    pub salts: BTreeMap<LineId, String>,
    /// Number of events so far.
    pub length: u64,
    /// Who planned it.
    pub planned_by: String,
}

/// A batch, or `None` if there is none of this id.
pub(super) fn find(view: View<'_>, id: &BatchId) -> Result<Option<BatchView>, ActingError> {
    let stream = stream(id);
    let length = view.stream_length(&stream)?;
    let mut batch = None;
    let mut salts = BTreeMap::new();
    let mut planned_by = String::new();
    for stored in view.stream(&stream, 0, usize::try_from(length).unwrap_or(usize::MAX))? {
        let event: StoredEvent =
            serde_json::from_str(&stored.payload).map_err(|error| ActingError::damaged(&stream, error))?;
        if matches!(event.event, BatchEvent::Planned { .. }) {
            planned_by = stored.actor;
        }
        batch = Some(fold(batch, &event.event)?);
        salts.extend(event.salts);
    }
    Ok(batch.map(|batch| BatchView { batch, salts, length, planned_by }))
}

/// A batch as it stands.
pub fn show(registry: &Registry, id: &BatchId) -> Result<BatchView, ActingError> {
    read(registry.view(), id)
}

/// Ids of all batches.
pub fn list(registry: &Registry) -> Result<Vec<BatchId>, ActingError> {
    let streams = registry.view().streams("payment/", None, usize::MAX >> 1)?;
    let id = |head: &store::StreamHead| head.stream.trim_start_matches("payment/").parse();
    streams.iter().map(id).collect::<Result<_, _>>().map_err(|error| ActingError::damaged("payment/", error))
}

pub(super) fn read(view: View<'_>, id: &BatchId) -> Result<BatchView, ActingError> {
    find(view, id)?.ok_or_else(|| {
        let hint = Text::new("用 `xiaokang pay list` 列出批次", "list the batches with `xiaokang pay list`");
        ActingError::unknown(format!("批次“{id}”不存在"), format!("there is no batch `{id}`"), hint)
    })
}

/// Writes events of a batch with what they post and record. No events: it was done before, and nothing changes.
pub(super) fn go_on(
    deed: &mut Deed<'_>,
    before: Option<&BatchView>,
    id: &BatchId,
    events: Vec<BatchEvent>,
    salts: BTreeMap<LineId, String>,
) -> Result<Option<Batch>, ActingError> {
    let mut batch = before.map(|view| view.batch.clone());
    let mut stored = Vec::with_capacity(events.len());
    let mut salts = Some(salts);
    let mut known = before.map(|view| view.salts.clone()).unwrap_or_default();
    for event in events {
        if let Some(command) = postings(batch.as_ref(), &event) {
            deed.post(&command)?;
        }
        let salts = salts.take().unwrap_or_default();
        known.extend(salts.clone());
        if let (Some(before), BatchEvent::ReturnApplied { outcomes, .. }) = (&batch, &event) {
            write_transfers(deed, before, &known, outcomes)?;
        }
        batch = Some(fold(batch, &event)?);
        stored.push((kind(&event), StoredEvent { event, salts }));
    }
    deed.append(&stream(id), before.map_or(0, |view| view.length), &stored)?;
    Ok(batch)
}

/// Who planned a batch does not also send it off, acknowledge or reconcile it.
pub(super) fn not_the_planner(deed: &Deed<'_>, view: &BatchView) -> Result<(), ActingError> {
    if view.planned_by == deed.acting.name {
        let field = Text::new("付款编制", "plan of the payment");
        return Err(Refusal::new(RefusalCode::MakerIsChecker).field(field).into());
    }
    Ok(())
}

/// Payments are the county's.
pub(super) fn county_acts(deed: &Deed<'_>) -> Result<(), ActingError> {
    if deed.acting.role == "county" {
        return Ok(());
    }
    Err(Refusal::new(RefusalCode::NotPermitted).value(&deed.acting.role).expected("county").into())
}

const fn kind(event: &BatchEvent) -> &'static str {
    match event {
        BatchEvent::Planned { .. } => "planned",
        BatchEvent::Cancelled { .. } => "cancelled",
        BatchEvent::Sent { .. } => "sent",
        BatchEvent::Rejected { .. } => "rejected",
        BatchEvent::Acknowledged { .. } => "acknowledged",
        BatchEvent::ReturnApplied { .. } => "return-applied",
        BatchEvent::Corrected { .. } => "corrected",
        BatchEvent::PaidAgain { .. } => "paid-again",
        BatchEvent::GivenUp { .. } => "given-up",
        BatchEvent::Reconciled { .. } => "reconciled",
        BatchEvent::Closed { .. } => "closed",
    }
}
