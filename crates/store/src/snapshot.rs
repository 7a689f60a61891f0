//! Snapshots: the current records as Parquet files, as the engine reads them.
//!
//! A folder with `snapshot.json` and `<entity>.parquet` for every entity of the pack, sorted along the tree: the
//! children of one parent are one run, in the order of the parents' rows, by key within it; rows without a
//! parent come last. `_row` numbers the rows from 0, `_<edge>` is the parent's `_row`. The digest is over the
//! content, and not over when it was recorded: equal records from equal sources have an equal digest.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use arrow::array::RecordBatch;
use pack::program::{EntityId, Value};
use rusqlite::Connection;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::error::{Result, StoreError};
use crate::history::read_sources;
use crate::layout::Layout;
use crate::meta::read_id;
use crate::registry::Registry;
use crate::session::last_change;
use crate::snapshot_columns::{Derived, RowFault, Rows, schema};
use crate::snapshot_file::{FileJob, FileSummary, hex, write_file};
use crate::snapshot_order::{NO_ROW, Order, RowIndex, sortable};
use crate::work_folder::WorkFolder;

/// `format` in `snapshot.json`.
pub const SNAPSHOT_FORMAT: u32 = 1;

const BATCH_ROWS: usize = 16 * 1024;
/// Batches between reading and writing.
const QUEUE: usize = 3;

/// A snapshot that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// Lower-case hexadecimal SHA-256 of the content.
    pub digest: String,
    /// Number of the last change that is in it.
    pub change: u64,
    /// Rows by entity, in the program's order.
    pub rows: Vec<(String, u64)>,
}

impl Registry {
    /// Writes a snapshot of the last commit to a folder, which is replaced whole if it is there. The folder is
    /// prepared beside itself and renamed, so that no reader sees half of it.
    /// Errors: `required-missing`, `snapshot-failed`, `io`.
    pub fn snapshot(&self, folder: &Path) -> Result<SnapshotSummary> {
        self.snapshot_with(folder, &Derived::default())
    }

    /// The same, with the values of fields that nobody records.
    /// Errors: as [`Self::snapshot`].
    pub fn snapshot_with(&self, folder: &Path, derived: &Derived) -> Result<SnapshotSummary> {
        let work = WorkFolder::beside(folder)?;
        let summary = self.read()?.snapshot_into(&work, derived)?;
        work.replace()?;
        Ok(summary)
    }
}

pub(crate) fn write_snapshot(
    connection: &Connection,
    layout: &Layout,
    derived: &Derived,
    folder: &Path,
) -> Result<SnapshotSummary> {
    let files = thread::scope(|scope| {
        let mut orders =
            Orders { connection, layout, derived, by_entity: layout.entities.iter().map(|_| None).collect() };
        let mut writers: Vec<ScopedJoinHandle<'_, Result<FileSummary>>> = Vec::new();
        for index in 0..layout.entities.len() {
            let entity = EntityId(index as u32);
            orders.prepare(entity)?;
            let job = job(layout, entity, folder);
            let (sender, receiver) = sync_channel(QUEUE);
            // Files are encoded while the next rows are read; that is where most of the time goes.
            writers.push(scope.spawn(move || write_file(job, &receiver)));
            if send_rows(&orders, entity, &sender)?.is_stopped() {
                break;
            }
            orders.forget(entity);
        }
        let join = |writer: ScopedJoinHandle<'_, _>| writer.join().expect("a writer returns its errors");
        writers.into_iter().map(join).collect::<Result<Vec<FileSummary>>>()
    })?;
    write_manifest(connection, folder, &files)
}

pub(crate) fn job(layout: &Layout, id: EntityId, folder: &Path) -> FileJob {
    let entity = layout.entity(id);
    let distinct = std::iter::once(&entity.key).chain(&entity.unique);
    FileJob {
        entity: entity.name.clone(),
        path: folder.join(format!("{}.parquet", entity.name)),
        schema: schema(layout, id),
        distinct: distinct.map(|&position| entity.fields[position].name.clone()).collect(),
    }
}

/// The orders of entities, as far as they are needed.
struct Orders<'c> {
    connection: &'c Connection,
    layout: &'c Layout,
    derived: &'c Derived,
    by_entity: Vec<Option<Order>>,
}

impl Orders<'_> {
    /// Orders an entity and those that its rows refer to. Tree parents come before: their tree has no cycle.
    fn prepare(&mut self, entity: EntityId) -> Result<()> {
        self.order(entity)?;
        let layout = self.layout;
        layout.edges_of(entity).try_for_each(|(_, edge)| self.order(edge.parent))
    }

    fn order(&mut self, entity: EntityId) -> Result<()> {
        if self.by_entity[entity.index()].is_some() {
            return Ok(());
        }
        let tree_edge = self.layout.entity(entity).parent.map(|edge| self.layout.edge(edge));
        if let Some(edge) = tree_edge {
            self.order(edge.parent)?;
        }
        let mut referred: Vec<usize> =
            self.layout.edges.iter().filter(|edge| edge.parent == entity).map(|edge| edge.on).collect();
        referred.sort_unstable();
        referred.dedup();
        let parent = tree_edge.map(|edge| self.get(edge.parent).index(edge.on));
        let order = Order::read(self.connection, self.layout, entity, parent, &referred)?;
        self.by_entity[entity.index()] = Some(order);
        Ok(())
    }

    fn get(&self, entity: EntityId) -> &Order {
        self.by_entity[entity.index()].as_ref().expect("the order was prepared")
    }

    /// Frees what no entity after this one needs.
    fn forget(&mut self, done: EntityId) {
        for index in 0..=done.index() {
            let mut edges = self.layout.edges.iter();
            let needed = edges.any(|edge| edge.parent.index() == index && edge.child.index() > done.index());
            if !needed {
                self.by_entity[index] = None;
            } else if let Some(order) = &mut self.by_entity[index] {
                order.ids = Vec::new();
                order.parents = Vec::new();
            }
        }
    }
}

/// Whether a writer still takes rows; if not, it has failed and says why.
enum Flow {
    Open,
    Stopped,
}

impl Flow {
    fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped)
    }
}

/// Reads the rows of an entity in order, each run of neighbours in the table with one query.
fn send_rows(orders: &Orders<'_>, id: EntityId, sender: &SyncSender<RecordBatch>) -> Result<Flow> {
    let (layout, order) = (orders.layout, orders.get(id));
    let entity = layout.entity(id);
    let names = entity.field_names();
    let sql = format!(
        "SELECT _id, {names}, _source, _source_row, _recorded_on FROM {}
         WHERE _id >= ? AND _deleted = 0 ORDER BY _id",
        entity.table
    );
    let mut statement = orders.connection.prepare_cached(&sql)?;
    let mut batch = Rows::new(layout, orders.derived, id, BATCH_ROWS);
    let mut parents = Parents::new(orders, id);
    let mut next = 0;
    while next < order.ids.len() {
        let start = next;
        statement.raw_bind_parameter(1, order.ids[next])?;
        let mut rows = statement.raw_query();
        while next < order.ids.len()
            && let Some(row) = rows.next()?
        {
            if row.get::<_, u32>(0)? != order.ids[next] {
                break;
            }
            let parents = parents.of(next, row)?;
            batch.push(next as i32, parents, row).map_err(|fault| match fault {
                RowFault::Other(error) => error,
                RowFault::Required(position) => required_missing(orders, id, position),
            })?;
            next += 1;
            if batch.len() == BATCH_ROWS && sender.send(batch.finish()).is_err() {
                return Ok(Flow::Stopped);
            }
        }
        assert!(next > start, "a row that was ordered is there, in one transaction");
    }
    if batch.len() > 0 && sender.send(batch.finish()).is_err() {
        return Ok(Flow::Stopped);
    }
    Ok(Flow::Open)
}

/// Finds the parents of a row, one along each edge.
struct Parents<'o> {
    /// Position of the referring field and where to find the parent; the tree edge has that already.
    edges: Vec<(usize, Source<'o>)>,
    /// Position of the key, by which derived references are found.
    key: usize,
    found: Vec<Option<i32>>,
    text: Vec<u8>,
}

enum Source<'o> {
    Ordered(&'o [i32]),
    Index(&'o RowIndex),
    Derived(&'o RowIndex, &'o HashMap<String, Value>),
}

impl<'o> Parents<'o> {
    fn new(orders: &'o Orders<'_>, child: EntityId) -> Self {
        let layout = orders.layout.entity(child);
        let tree_edge = layout.parent;
        let edges = orders.layout.edges_of(child).map(|(id, edge)| {
            let index = || orders.get(edge.parent).index(edge.on);
            let source = if Some(id) == tree_edge {
                Source::Ordered(&orders.get(child).parents)
            } else {
                match orders.derived.get(&layout.fields[edge.via].column) {
                    Some(values) => Source::Derived(index(), values),
                    None => Source::Index(index()),
                }
            };
            (edge.via, source)
        });
        Self { edges: edges.collect(), key: layout.key, found: Vec::new(), text: Vec::new() }
    }

    fn of(&mut self, number: usize, row: &rusqlite::Row<'_>) -> Result<&[Option<i32>]> {
        self.found.clear();
        for (via, source) in &self.edges {
            self.found.push(match source {
                Source::Ordered(parents) => Some(parents[number]).filter(|&parent| parent != NO_ROW),
                Source::Index(index) => index.row(sortable(row.get_ref(via + 1)?, &mut self.text)),
                Source::Derived(index, values) => match row.get_ref(self.key + 1)?.as_str().ok() {
                    Some(key) => match values.get(key) {
                        Some(Value::Text(text)) => index.row(text.as_bytes()),
                        _ => None,
                    },
                    None => None,
                },
            });
        }
        Ok(&self.found)
    }
}

fn required_missing(orders: &Orders<'_>, id: EntityId, position: usize) -> StoreError {
    let entity = orders.layout.entity(id);
    let (key, field) = (&entity.key_field().quoted, &entity.fields[position]);
    let sql = format!(
        "SELECT count(*), CAST(min({key}) AS TEXT) FROM {} WHERE {} IS NULL AND _deleted = 0",
        entity.table, field.quoted
    );
    let found = orders.connection.query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    match found {
        Ok((count, key)) => StoreError::RequiredMissing {
            entity: entity.name.clone(),
            field: field.name.clone(),
            key,
            count: count as u64,
        },
        Err(error) => error.into(),
    }
}

fn write_manifest(connection: &Connection, folder: &Path, files: &[FileSummary]) -> Result<SnapshotSummary> {
    let change = last_change(connection)? as u64;
    let sources: Vec<Json> = read_sources(connection)?
        .into_iter()
        .map(|source| {
            json!({
                "id": source.id.0,
                "kind": source.kind.as_str(),
                "file": source.file,
                "sheet": source.sheet,
                "sha256": source.sha256,
                "imported_at": source.imported_at.to_string(),
            })
        })
        .collect();
    let registry = Json::String(read_id(connection)?.to_string());
    let more =
        Map::from_iter([("sources".to_owned(), Json::Array(sources)), ("registry".to_owned(), registry)]);
    finish_manifest(folder, files, change, more)
}

/// Writes `snapshot.json`; `more` is what else it says.
pub(crate) fn finish_manifest(
    folder: &Path,
    files: &[FileSummary],
    change: u64,
    more: Map<String, Json>,
) -> Result<SnapshotSummary> {
    let mut hash = Sha256::new();
    let mut entities = Map::new();
    for file in files {
        hash.update(format!("{} {}\n", file.entity, hex(&file.content)));
        entities.insert(file.entity.clone(), json!({ "rows": file.rows, "sha256": file.sha256 }));
    }
    let digest = hex(&hash.finalize());
    let mut manifest = json!({
        "format": SNAPSHOT_FORMAT,
        "digest": digest,
        "change": change,
        "entities": entities,
    });
    manifest.as_object_mut().expect("an object was made").extend(more);
    let path = folder.join("snapshot.json");
    fs::write(&path, format!("{manifest:#}\n")).map_err(StoreError::io(&path))?;
    let rows = files.iter().map(|file| (file.entity.clone(), file.rows)).collect();
    Ok(SnapshotSummary { digest, change, rows })
}
