//! Procedures: tables of commands with what they lead to, and properties of all sequences of commands.

#![allow(clippy::unwrap_used, reason = "what is missing here is a mistake of the test")]

mod failures;
mod matrix;
mod oracle;
mod properties;
mod scripts;
mod world;
