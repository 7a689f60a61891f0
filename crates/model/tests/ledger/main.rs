//! The book of public money: every refusal, every way, and what must hold whatever is asked of it.

mod peers;
mod properties;
mod refusals;
mod stages;
mod trace;
mod world;
