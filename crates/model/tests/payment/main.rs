//! Batches of payments and bank files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod files;
mod office;
mod peers;
mod properties;
mod stages;
mod whole_way;
