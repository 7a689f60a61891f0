//! One transaction of one actor: sources, records, divisions, streams, and the commit.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use pack::program::{ColumnId, EntityId, Value};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::conflict::Expected;
use crate::error::{Result, StoreError};
use crate::expectation::{check_record, check_removal};
use crate::growth::{create_indexes, drop_indexes};
use crate::layout::Layout;
use crate::registry::Registry;
use crate::upsert::{Plan, Statements, Writer};
use crate::view::View;
use model::Moment;

/// Who writes, when, and by which pack.
#[derive(Clone, Debug)]
pub struct ImportMeta {
    pub actor: String,
    /// In which the actor writes; empty if in none.
    pub role: String,
    /// The clock of whoever writes. What is recorded is this or the time of the transaction before, whichever is
    /// later ([`ImportSession::recorded_at`]): times never run backwards, and nobody waits for a clock.
    pub recorded_at: Moment,
    pub pack_digest: String,
}

/// What records come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A sheet of a file.
    File,
    /// A step of a case.
    Step,
    /// Taking back an import.
    Undo,
}

impl SourceKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Step => "step",
            Self::Undo => "undo",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::File, Self::Step, Self::Undo].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A sheet of a file, or a step of a case, that records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSource {
    pub kind: SourceKind,
    /// Name of the file, without folders; of the case's stream.
    pub file: String,
    /// Empty where the format has no sheets; the case's step.
    pub sheet: String,
    /// Of the file's bytes, lower-case hexadecimal; empty if it is none.
    pub sha256: String,
}

impl NewSource {
    /// A sheet of a file; `sheet` is empty where the format has none.
    pub fn file(file: impl Into<String>, sheet: impl Into<String>, sha256: impl Into<String>) -> Self {
        let (file, sheet, sha256) = (file.into(), sheet.into(), sha256.into());
        Self { kind: SourceKind::File, file, sheet, sha256 }
    }

    /// A step of the case that a stream is.
    pub fn step(stream: impl Into<String>, step: impl Into<String>) -> Self {
        let (file, sheet) = (stream.into(), step.into());
        Self { kind: SourceKind::Step, file, sheet, sha256: String::new() }
    }
}

/// Number of a source in the registry, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A record as read, of some entity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Aligned with the fields given to [`ImportSession::upsert`]; `None` is unknown.
    pub values: Vec<Option<Value>>,
    pub source: Option<SourceId>,
    /// Row number as a spreadsheet counts it, from 1.
    pub source_row: Option<u32>,
    /// Day from which the facts hold, if known.
    pub valid_from: Option<model::Date>,
    /// What must be recorded so far for the record to be written.
    pub expected: Expected,
}

/// A record to be removed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Removal {
    pub key: String,
    pub source: Option<SourceId>,
    pub source_row: Option<u32>,
    /// Day from which it is no longer so, if known.
    pub valid_from: Option<model::Date>,
    /// What must be recorded so far for the record to be removed.
    pub expected: Expected,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Inserted,
    /// With the fields whose values differ from before, in the order given.
    Updated {
        fields: Vec<ColumnId>,
    },
    /// Nothing is written, not even where it was read this time.
    Unchanged,
}

/// What a commit has written. `last_change` is the number of the last change of the whole registry, `events` the
/// number of events appended to streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportSummary {
    pub import: u32,
    pub inserted: u64,
    pub updated: u64,
    pub deleted: u64,
    pub unchanged: u64,
    pub last_change: u64,
    pub events: u64,
    pub recorded_at: Moment,
}

/// An open transaction. Dropping it undoes everything; so does a kill. After an error only that is left.
pub struct ImportSession<'r> {
    pub(crate) transaction: Transaction<'r>,
    pub(crate) layout: &'r Layout,
    pub(crate) folder: &'r Path,
    pub(crate) writer: Writer,
    pub(crate) meta: ImportMeta,
    pub(crate) events: u64,
    sources: Sources,
    deferred: Deferred,
    touched: BTreeSet<u32>,
    failed: bool,
}

impl<'r> ImportSession<'r> {
    pub(crate) fn begin(registry: &'r mut Registry, meta: ImportMeta) -> Result<Self> {
        let Registry { connection, layout, folder } = registry;
        // The number and the time are given here, where no other can write until this one has ended.
        let begin = || -> Result<Self> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let (import, last): (i64, Option<i64>) = transaction.query_row(
                "SELECT coalesce(max(id), 0) + 1, max(recorded_at) FROM import",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let last = last.map_or(meta.recorded_at, Moment::from_unix_ms);
            let recorded_at = meta.recorded_at.max(last);
            let last_change = last_change(&transaction)?;
            let recorded: u32 = transaction.query_row("SELECT count(*) FROM source", [], |row| row.get(0))?;
            Ok(Self {
                transaction,
                layout,
                folder,
                writer: Writer::new(import, recorded_at, last_change),
                meta,
                events: 0,
                sources: Sources { recorded, new: Vec::new() },
                deferred: Deferred::default(),
                touched: BTreeSet::new(),
                failed: false,
            })
        };
        begin().map_err(|error| error.at(folder))
    }

    /// When what this session writes is recorded.
    pub fn recorded_at(&self) -> Moment {
        self.writer.recorded_at
    }

    /// Number of this transaction.
    pub fn import(&self) -> u32 {
        self.writer.import as u32
    }

    /// Names a source of records. The same file, sheet and hash as before gives the same number.
    pub fn add_source(&mut self, source: NewSource) -> Result<SourceId> {
        let known = self.sources.find(&self.transaction, &source).map_err(|error| error.at(self.folder))?;
        Ok(known.unwrap_or_else(|| self.sources.add(source)))
    }

    /// Records what is new or different, and says for each record which it was, in order.
    ///
    /// `fields` are those of the entity's fields that the records carry (mostly all), the key among them;
    /// fields not listed keep what is recorded, or are unknown in a new record. A batch of some hundred to
    /// some thousand records is best. Of two records with one key the later one counts.
    ///
    /// A record that is not as [`Record::expected`] says is answered `changed-meanwhile`, with the values side by
    /// side; nothing of the batch is written then, and the session goes on.
    ///
    /// Errors: `value-mismatch`, `value-missing` (required), `key-missing`, `source-unknown`, `changed-meanwhile`.
    pub fn upsert(
        &mut self,
        entity: EntityId,
        fields: &[ColumnId],
        batch: &[Record],
    ) -> Result<Vec<Outcome>> {
        let result = self.try_upsert(entity, fields, batch);
        self.settle(result)
    }

    /// Ends records: they leave the current state and snapshots, and their history stays. Keys that are not
    /// there are an error, `record-missing`.
    pub fn delete(&mut self, entity: EntityId, keys: &[&str]) -> Result<()> {
        let removal = |key: &&str| Removal { key: (*key).to_owned(), ..Removal::default() };
        self.remove(entity, &keys.iter().map(removal).collect::<Vec<_>>())
    }

    /// Ends records, each a change that says where it comes from. One that is not as [`Removal::expected`] says is
    /// answered `changed-meanwhile`; nothing of the batch is removed then, and the session goes on.
    ///
    /// Errors: `record-missing`, `source-unknown`, `changed-meanwhile`.
    pub fn remove(&mut self, entity: EntityId, batch: &[Removal]) -> Result<()> {
        let result = self.try_remove(entity, batch);
        self.settle(result)
    }

    /// Reads what the session has written so far over what was there.
    pub fn view(&self) -> View<'_> {
        View {
            connection: &self.transaction,
            layout: self.layout,
            folder: self.folder,
            deferred: Some(&self.deferred),
        }
    }

    /// Makes it so, durably, all at once. Panics if an earlier call of the session failed, since part of a
    /// batch could be missing.
    pub fn commit(self) -> Result<ImportSummary> {
        assert!(!self.failed, "a session is dropped after an error, not committed");
        let folder = self.folder;
        self.try_commit().map_err(|error| error.at(folder))
    }

    pub(crate) fn settle<T>(&mut self, result: Result<T>) -> Result<T> {
        self.failed |= result.as_ref().is_err_and(|error| !error.left_no_trace());
        result.map_err(|error| error.at(self.folder))
    }

    fn try_upsert(
        &mut self,
        entity: EntityId,
        fields: &[ColumnId],
        batch: &[Record],
    ) -> Result<Vec<Outcome>> {
        let plan = Plan::new(self.layout, entity, fields)?;
        for (index, record) in batch.iter().enumerate() {
            plan.check(index, record)?;
            check_record(&self.transaction, &plan, record)?;
        }
        for record in batch {
            self.sources.count(record.source)?;
        }
        if self.touched.insert(entity.0) {
            self.deferred.defer_if_empty(&self.transaction, self.layout, entity)?;
        }
        let mut statements = Statements::prepare(&self.transaction, &plan)?;
        self.writer.bind_constants(&mut statements, &plan)?;
        batch.iter().map(|record| self.writer.upsert(&mut statements, &plan, record)).collect()
    }

    fn try_remove(&mut self, entity: EntityId, batch: &[Removal]) -> Result<()> {
        let layout = self.layout.entity(entity);
        for removal in batch {
            check_removal(&self.transaction, layout, removal)?;
        }
        for removal in batch {
            self.sources.count(removal.source)?;
        }
        self.writer.remove(&self.transaction, layout, batch)
    }

    fn try_commit(self) -> Result<ImportSummary> {
        let transaction = &self.transaction;
        self.deferred.build_all(transaction, self.layout)?;
        let at = self.writer.recorded_at.unix_ms();
        let import = self.writer.import;
        for (id, (source, rows)) in (self.sources.recorded..).zip(&self.sources.new) {
            transaction.execute(
                "INSERT INTO source (id, import, file, sheet, sha256, imported_at, rows, kind)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    id,
                    import,
                    source.file,
                    source.sheet,
                    source.sha256,
                    at,
                    *rows as i64,
                    source.kind.as_str()
                ],
            )?;
        }
        let summary = ImportSummary { events: self.events, ..self.writer.summary() };
        transaction.execute(
            "INSERT INTO import (id, actor, recorded_at, pack_digest, inserted, updated, deleted, unchanged,
                 last_change, role, events) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                import,
                self.meta.actor,
                at,
                self.meta.pack_digest,
                summary.inserted as i64,
                summary.updated as i64,
                summary.deleted as i64,
                summary.unchanged as i64,
                summary.last_change as i64,
                self.meta.role,
                summary.events as i64,
            ],
        )?;
        self.transaction.commit()?;
        Ok(summary)
    }
}

pub(crate) fn last_change(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("SELECT coalesce(max(id), 0) FROM change", [], |row| row.get(0))?)
}

/// Sources of the registry by number, and of the session with the rows read from them.
struct Sources {
    recorded: u32,
    new: Vec<(NewSource, u64)>,
}

impl Sources {
    fn find(&self, connection: &Connection, source: &NewSource) -> Result<Option<SourceId>> {
        if let Some(index) = self.new.iter().position(|(new, _)| new == source) {
            return Ok(Some(SourceId(self.recorded + index as u32)));
        }
        let id = connection.query_row(
            "SELECT id FROM source WHERE sha256 = ? AND sheet = ? AND file = ?",
            params![source.sha256, source.sheet, source.file],
            |row| row.get(0),
        );
        Ok(id.optional()?.map(SourceId))
    }

    fn add(&mut self, source: NewSource) -> SourceId {
        self.new.push((source, 0));
        SourceId(self.recorded + self.new.len() as u32 - 1)
    }

    fn count(&mut self, source: Option<SourceId>) -> Result<()> {
        let Some(SourceId(id)) = source else { return Ok(()) };
        if id < self.recorded {
            return Ok(());
        }
        let (_, rows) =
            self.new.get_mut((id - self.recorded) as usize).ok_or(StoreError::SourceUnknown { id })?;
        *rows += 1;
        Ok(())
    }
}

/// Indexes that a session has put off: filling an empty table is quicker without, and building them at the
/// end is quicker than row by row. A look-up that needs them builds them earlier.
#[derive(Default)]
pub(crate) struct Deferred(RefCell<BTreeSet<u32>>);

impl Deferred {
    fn defer_if_empty(&self, connection: &Connection, layout: &Layout, entity: EntityId) -> Result<()> {
        let described = layout.entity(entity);
        let empty = !connection.prepare(&format!("SELECT 1 FROM {} LIMIT 1", described.table))?.exists([])?;
        if empty {
            drop_indexes(connection, described)?;
            self.0.borrow_mut().insert(entity.0);
        }
        Ok(())
    }

    pub fn build(&self, connection: &Connection, layout: &Layout, entity: EntityId) -> Result<()> {
        if self.0.borrow_mut().remove(&entity.0) {
            create_indexes(connection, layout.entity(entity))?;
        }
        Ok(())
    }

    fn build_all(&self, connection: &Connection, layout: &Layout) -> Result<()> {
        for entity in std::mem::take(&mut *self.0.borrow_mut()) {
            create_indexes(connection, layout.entity(EntityId(entity)))?;
        }
        Ok(())
    }
}
