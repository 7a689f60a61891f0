//! Procedures: tables of commands with what they lead to, and properties of all sequences of commands.

mod failures;
mod matrix;
mod oracle;
mod properties;
mod scripts;
mod world;
