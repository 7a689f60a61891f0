//! Payees from the registry: a household's head and account.

use std::collections::BTreeMap;

use model::ledger::Holder;
use model::payment::{Line, LineId, Payee, Payees};
use pack::program::Program;
use store::View;

use crate::acting::{ActingError, Salts, record_text};

/// Where the pack keeps whom to pay for a holder: entity, its record, name and account.
struct Place<'a> {
    entity: &'static str,
    key: &'a str,
    name: &'static str,
}

fn place(holder: &Holder) -> Option<Place<'_>> {
    match holder {
        Holder::Household(key) => Some(Place { entity: "household", key: key.as_str(), name: "head_name" }),
        Holder::Person(key) => Some(Place { entity: "person", key: key.as_str(), name: "name" }),
        _ => None,
    }
}

/// The payee of a holder as recorded today; `None` if name or account is not known.
pub fn payee(
    program: &Program,
    view: View<'_>,
    holder: &Holder,
    salt: &[u8; 32],
) -> Result<Option<Payee>, ActingError> {
    let Some(place) = place(holder) else { return Ok(None) };
    let Some(entity) = program.entity_named(place.entity) else { return Ok(None) };
    let text = |name: &str| match program.column_named(entity, name) {
        Some(column) => record_text(program, view, entity, place.key, column),
        None => Ok(None),
    };
    let (name, account) = (text(place.name)?, text("account")?);
    Ok(name.zip(account).map(|(name, account)| Payee { name, account, salt: salt.to_vec() }))
}

/// The payees of lines as recorded today, with the salts that hide them. Who is not known is left out, and missed by
/// whoever needs them.
pub fn payees<'l>(
    program: &Program,
    view: View<'_>,
    salts_file: &Salts,
    lines: impl Iterator<Item = &'l Line>,
    salts: &BTreeMap<LineId, String>,
) -> Result<Payees, ActingError> {
    let mut found = Payees::new();
    for line in lines {
        let Some(id) = salts.get(&line.id) else { continue };
        let Some(salt) = salts_file.find(id)? else { continue };
        if let Some(payee) = payee(program, view, &line.to.holder, &salt)? {
            found.insert(line.id.clone(), payee);
        }
    }
    Ok(found)
}
