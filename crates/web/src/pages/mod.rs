//! The pages.

mod address;
pub mod cases;
pub mod decision;
pub mod explain;
pub mod fault;
mod figure;
pub mod find;
pub mod list;
pub mod lists;
pub mod money;
pub mod places;
pub mod record;
pub mod run;
pub mod sign_in;

use crate::answer::{Answer, see};
use crate::shell::Desk;

/// The Decision is the front door.
pub fn home(_: &Desk) -> Answer {
    see("/decision")
}
