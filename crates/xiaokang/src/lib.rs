//! The command line: reads arguments, calls one use case, prints what it says.
//!
//! Exit codes: 0 done, 1 done with findings that need a person, 2 bad usage or input, 3 internal. The programs beside this
//! one (`xiaokang-sql`, `xiaokang-cluster`) say the same things in the same way, so what they share stands here.
//!
//! Deliberately lacking: anything that a page would do otherwise; that belongs to the use cases.

pub mod acting;
pub mod allocator;
pub mod arguments;
pub mod assess;
pub mod calculate;
pub mod companion;
pub mod console;
pub mod demo;
pub mod explain;
pub mod import;
pub mod migrate;
pub mod packs;
pub mod reassess;
pub mod report;
pub mod synth;
