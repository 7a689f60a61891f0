//! Procedures of an institution as a pure machine: what is declared, what has happened, and which act is
//! allowed now.
//!
//! [`decide`] takes a declared [`Flow`], the [`State`] of one case, a [`Command`] and a [`Context`], and gives
//! the [`Event`]s that follow, or a [`Refusal`](crate::Refusal). [`apply`] folds an event into the state; it
//! needs neither the flow nor the calendar, so that a case replays from its events alone.
//!
//! A case is about one record or a sheet of them. Its records move in *strands*: all in one at first; what an
//! objection, a vote or a branch sets apart goes on in a strand of its own, and strands never join again.
//!
//! Deliberately lacking: facts, the clock, the calendar and randomness, which the context gives; the scope of
//! an actor (whether this village is his), which the caller checks; and money, which the ledger moves when it
//! reads [`What::Reserved`] and [`What::Released`].

mod acts;
mod apply;
mod calendar;
mod command;
mod context;
mod decide;
mod declaration;
mod ending;
mod event;
mod notice;
mod pending;
mod quantity;
mod sample;
mod state;
mod turn;

pub use apply::apply;
pub use calendar::{DayUnit, WorkingCalendar};
pub use command::{Act, Ballot, Command, Minutes};
pub use context::{Actor, Context, Fact, Facts, Now};
pub use decide::decide;
pub use declaration::{
    Appeal, Branch, BranchOn, Deadline, Effect, Evidence, Flow, Majority, Must, Notice, Objection, Objectors,
    Outcome, Place, Refusing, Reserve, Sample, Step, Target, Vote, Write,
};
pub use event::{Event, Overdue, What};
pub use pending::{Pending, pending};
pub use quantity::{Days, ExpressionId, Fraction, ParameterId, Quantity, StepIndex, UnixSecond};
pub use sample::draw;
pub use state::{
    Clock, Drawn, End, LodgedObjection, Position, Reservation, State, Strand, StrandId, Tally, Work,
};
