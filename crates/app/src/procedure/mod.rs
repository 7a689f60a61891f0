//! Cases of procedures: started, acted upon, listed and shown.
//!
//! A case is a stream of events in the registry. Each act is one transaction: the facts of the day are computed from
//! the registry as it then is, [`model::flow::decide`] says what follows, and the events, the records that the step
//! writes, the money that it reserves and what it publishes are written together.
//!
//! Deliberately lacking: whether an actor belongs to the place of a case, which needs accounts; kinship beyond the
//! actor's own household, until relations are recorded; and anything that only one procedure needs.

mod act;
mod case;
mod context;
mod declared;
mod effects;
mod promised;
mod reserve;
mod show;
mod start;
mod words;

pub use act::{Asked, act, tick};
pub use case::{Case, CaseEvent, Shown, read_case};
pub use declared::{Declared, declared};
pub use effects::Told;
pub use promised::{Promised, promised};
pub use reserve::holder;
pub use show::{CaseLine, CaseView, StrandView, list, show};
pub use start::{Start, start};
pub use words::{event_text, kind, outcome_text};
