//! Reading several things as of one commit.

use std::path::Path;

use rusqlite::Transaction;

use crate::error::{Result, StoreError};
use crate::layout::Layout;
use crate::registry::Registry;
use crate::snapshot::{SnapshotSummary, write_snapshot};
use crate::snapshot_columns::Derived;
use crate::view::View;
use crate::work_folder::WorkFolder;

/// The registry as it was when this began, whatever is committed meanwhile. Writers do not wait for it; what they
/// write stays beside the database until it ends, so it should not be held for longer than it is needed.
pub struct ReadSession<'r> {
    transaction: Transaction<'r>,
    layout: &'r Layout,
    folder: &'r Path,
}

impl Registry {
    /// Keeps to the latest commit. Panics if there is such a session already: one registry reads once at a time.
    pub fn read(&self) -> Result<ReadSession<'_>> {
        assert!(self.connection.is_autocommit(), "a registry has one session at a time");
        let begin = || -> Result<Transaction<'_>> {
            let transaction = self.connection.unchecked_transaction()?;
            // A transaction keeps to the commit that its first read meets.
            transaction.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))?;
            Ok(transaction)
        };
        let transaction = begin().map_err(|error| error.at(&self.folder))?;
        Ok(ReadSession { transaction, layout: &self.layout, folder: &self.folder })
    }
}

impl ReadSession<'_> {
    pub fn view(&self) -> View<'_> {
        View { connection: &self.transaction, layout: self.layout, folder: self.folder, deferred: None }
    }

    /// Writes a snapshot into an empty folder, with the values of fields that nobody records.
    /// Errors: `required-missing`, `snapshot-failed`, `io`.
    pub fn snapshot_into(&self, folder: &WorkFolder, derived: &Derived) -> Result<SnapshotSummary> {
        write_snapshot(&self.transaction, self.layout, derived, folder.path())
            .map_err(|error: StoreError| error.at(self.folder))
    }
}
