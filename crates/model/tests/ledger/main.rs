//! The book of public money: every refusal, every way, and what must hold whatever is asked of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod peers;
mod properties;
mod refusals;
mod stages;
mod trace;
mod world;
