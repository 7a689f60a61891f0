//! Procedures: reads `[[role]]` and `[[flow]]`, compiles their conditions, and checks that a case can come to its
//! end and that whoever makes something does not check it.
//!
//! The steps are read straight into [`model::flow`]; until columns have numbers, an expression's number is its
//! place in the draft's list of wanted expressions.

mod check;
mod complete;
mod parts;
mod read;
mod roles;

use model::flow::Flow as Machine;

use crate::program::{EntityId, Span, Type};
use crate::surface::Word;

/// A flow whose expressions are announced but have no columns yet.
pub struct FlowDraft {
    pub sheet: Option<EntityId>,
    pub machine: Machine,
    /// By the number that stands in the machine.
    pub expressions: Vec<Wanted>,
    pub places: Vec<StepPlaces>,
}

/// A column that an expression of the flow is, by its name.
pub struct Wanted {
    pub entity: EntityId,
    pub column: Word,
    /// What it has to be; anything if absent.
    pub ty: Option<Type>,
}

/// Where a step and its parts stand, for messages.
#[derive(Clone, Copy, Debug)]
pub struct StepPlaces {
    pub id: Span,
    pub when: Span,
    pub role: Span,
    pub notice: Span,
    pub objection: Span,
}
