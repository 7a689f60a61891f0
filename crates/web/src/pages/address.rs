//! Addresses that several pages lead to.

use pack::program::EntityId;

use crate::answer::Fault;
use crate::link::Link;
use crate::shell::Desk;

/// The address of a record's card.
pub fn record(desk: &Desk, entity: EntityId, row: u32) -> Result<Link, Fault> {
    let key = desk.reading.key(entity, row)?;
    Ok(Link::to(["record", &desk.reading.program().entity(entity).name, &key]))
}
