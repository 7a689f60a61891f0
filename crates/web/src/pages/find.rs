//! Finding a record by its number: asked for in a form, so that no number stands in an address that is passed on.

use pack::program::EntityId;

use crate::access::Wish;
use crate::answer::{Answer, Fault, see};
use crate::link::Link;
use crate::shell::Desk;

pub fn page(desk: &Desk) -> Answer {
    if desk.viewer.signed().is_none() {
        return Err(Fault::Missing);
    }
    let key = desk.ask.form.get("key").unwrap_or_default().trim();
    let program = desk.reading.program();
    for at in 0..program.entities.len() {
        let entity = EntityId(at as u32);
        let Some(row) = desk.reading.find(entity, key)? else { continue };
        if !desk.may(Wish::Record(entity, row))? {
            continue;
        }
        let link = match program.entity(entity).division {
            Some(_) => Link::to(["places", key]),
            None => super::address::record(desk, entity, row)?,
        };
        return see(&link.to_string());
    }
    Err(Fault::Missing)
}
