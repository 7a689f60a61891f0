//! Names and values that a registry says of itself.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{Result, StoreError};
use crate::identity::RegistryId;

/// Id of the pack that the registry was made for.
pub(crate) const PACK: &str = "pack";
/// Id of the registry.
pub(crate) const ID: &str = "id";

pub(crate) fn read_meta(connection: &Connection, name: &str) -> Result<Option<String>> {
    let value = connection.query_row("SELECT value FROM meta WHERE name = ?", [name], |row| row.get(0));
    Ok(value.optional()?)
}

pub(crate) fn write_meta(connection: &Connection, name: &str, value: &str) -> Result<()> {
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
        params![name, value],
    )?;
    Ok(())
}

pub(crate) fn read_id(connection: &Connection) -> Result<RegistryId> {
    let text = read_meta(connection, ID)?;
    let id = text.and_then(|text| text.parse().ok());
    id.ok_or_else(|| StoreError::damage("the registry has no id"))
}
