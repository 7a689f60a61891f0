//! The words of the field as types: money to the fen, exact quantities, civil dates, division codes,
//! citizen numbers, clause ids, the stable reasons for which something is refused, and procedures as a
//! machine ([`flow`]). [`access`] says who may do what to whose data, and what is left of a datum for the others.
//!
//! A value that exists is valid: every type here is checked when it is made, and its arithmetic returns
//! `None` rather than wrap. Parsing never rounds and never guesses.
//!
//! Upon them stand two state machines that hold nothing but values: [`ledger`], the double-entry book of public
//! money, and [`payment`], batches of payments through a bank.
//!
//! Deliberately lacking: input and output, the clock, randomness, async and serialisation. Entities are
//! missing too, because they are data of a pack and not types of the program.

pub mod access;
mod citizen;
mod clause;
mod date;
mod dated;
mod decimal;
mod digest;
mod disability;
mod division;
mod excel;
mod fen;
mod fen_format;
mod fixed;
pub mod flow;
mod ids;
pub mod ledger;
mod moment;
mod money_unit;
mod normalise;
pub mod payment;
mod period;
mod problem;
mod reason;
mod refusal;
mod refusal_code;
mod rounding;
mod text;
mod wire;

pub use citizen::{CitizenNumber, CitizenNumberError, Sex};
pub use clause::{ClauseId, ClauseIdError};
pub use date::{Date, DateError};
pub use dated::{Dated, DatedError};
pub use decimal::NumberError;
pub use digest::Digest;
pub use disability::{DisabilityCertificate, DisabilityCertificateError, DisabilityGrade, DisabilityKind};
pub use division::{DivisionCode, DivisionCodeError, DivisionLevel, UnknownDivisionLevel};
pub use fen::Fen;
pub use fixed::Fixed;
pub use ids::{EntityName, IdError, PackId, RecordKey, RunId};
pub use moment::Moment;
pub use money_unit::{MoneyUnit, MoneyUnitError};
pub use normalise::{normalise_header, normalise_text};
pub use period::{Period, PeriodError};
pub use problem::{AsProblem, Problem, ProblemKind, io_problem, io_text};
pub use reason::{Reason, Refused};
pub use refusal::Refusal;
pub use refusal_code::{RefusalCode, UnknownRefusalCode};
pub use rounding::{Rounding, UnknownRounding, div_round};
pub use text::{Lang, Text, UnknownLang};
