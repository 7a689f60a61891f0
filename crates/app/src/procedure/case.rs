//! A case as its stream tells it.

use std::collections::BTreeMap;

use model::RecordKey;
use model::flow::{Event, Position, State, StepIndex, Strand, apply};
use serde::{Deserialize, Serialize};
use store::View;

use crate::acting::ActingError;
use model::Text;

/// Values of the shown columns by name, as they were printed.
pub type Shown = BTreeMap<String, String>;

/// An event of a case as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseEvent {
    pub event: Event,
    /// With the first event: the record that the sheet belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// With a proposal: what was shown of each record, so that a later change can be named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shown: BTreeMap<RecordKey, Shown>,
}

/// A case with everything that happened.
pub struct Case {
    pub id: RecordKey,
    pub events: Vec<CaseEvent>,
    pub state: State,
}

impl Case {
    pub fn stream(id: &RecordKey) -> String {
        format!("case/{id}")
    }

    /// The record that the sheet belongs to.
    pub fn sheet(&self) -> Option<&str> {
        self.events.first()?.sheet.as_deref()
    }

    /// All records of the case.
    pub fn items(&self) -> impl Iterator<Item = &RecordKey> {
        self.state.strands.iter().flat_map(|strand| &strand.items)
    }

    /// What was shown of a record when it was last proposed.
    pub fn shown(&self, item: &RecordKey) -> Option<&Shown> {
        self.events.iter().rev().find_map(|event| event.shown.get(item))
    }
}

/// Reads a case. Error: there is none of this id.
pub fn read_case(view: View<'_>, id: &RecordKey) -> Result<Case, ActingError> {
    let stream = Case::stream(id);
    let length = view.stream_length(&stream)?;
    if length == 0 {
        let hint = Text::new("用 `xiaokang case list` 列出办件", "list the cases with `xiaokang case list`");
        return Err(ActingError::unknown(
            format!("办件 `{id}` 不存在"),
            format!("there is no case `{id}`"),
            hint,
        ));
    }
    let mut state = State::default();
    let mut events = Vec::new();
    for stored in view.stream(&stream, 0, usize::try_from(length).unwrap_or(usize::MAX))? {
        let event: CaseEvent =
            serde_json::from_str(&stored.payload).map_err(|error| ActingError::damaged(&stream, error))?;
        state = apply(state, &event.event);
        events.push(event);
    }
    Ok(Case { id: id.clone(), events, state })
}

/// The step of an open strand.
pub(super) fn position(strand: &Strand) -> StepIndex {
    match &strand.position {
        Position::At(step) => *step,
        Position::Ended(end) => end.step,
    }
}
