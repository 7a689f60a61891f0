//! Why a subject has the result it has: the tree of its rule with the values used, down to recorded
//! facts; what is missing where the result is unknown; and the smallest changes that would turn it.
//!
//! Built on the direct evaluator: [`explain`] looks at one subject and needs its facts only. Every
//! text exists in both languages before a language is chosen.
//!
//! Every value and key is shown as the [`Viewer`](crate::Viewer) may see it. Deliberately lacking: markup.

mod aggregate;
mod blame;
mod citizen;
mod format;
mod json;
mod print;
mod question;
mod readings;
mod search;
mod steps;
mod text;
mod tree;
mod turns;
mod walk;
mod window;

#[cfg(test)]
mod tests;

pub use format::{unit_text, value_text};
pub use print::expression_text;
pub use question::{Asked, Effort, asked_columns, explain};
pub use tree::{
    Answer, Citation, ColumnNote, Conflict, Explanation, Gap, GapKind, Heading, Node, NodeKind, Role,
    Subject, Turn, TurnChange, Turns, Verdict,
};
pub use walk::route_of;
