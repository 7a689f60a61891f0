//! The pack language: law as data, compiled to a checked program.
//!
//! Pure: it is given names and texts of files, and returns a [`program::Program`] or every
//! diagnostic of the pack at once. It reads no disk, knows no clock and runs nothing.

mod aggregates;
mod arithmetic;
mod assets;
mod calendars;
mod cases;
mod classes;
mod compile;
pub mod compiled;
mod compiler;
mod declare;
mod define;
mod derived;
mod details;
pub mod diagnostic;
mod duties;
mod entities;
mod expression;
mod flow;
mod functions;
mod levels;
mod logic;
mod money;
mod names;
mod parameters;
pub mod parts;
mod payments;
pub mod program;
mod restrict;
mod rules;
mod scorecards;
mod seeds;
mod surface;
mod syntax;
mod traverse;
mod types;
mod windows;

pub use compile::{Failure, Override, PackSource, Sharing, compile, compile_sharing, digest, extends};
pub use functions::FUNCTIONS;
pub use restrict::Restricted;
pub use types::{parse_type, type_text, unit_text};
