//! A registry: a folder with a database, opened with a pack.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pack::program::Program;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::{Result, StoreError};
use crate::format::recorded_format;
use crate::growth::{Growth, add_missing, number, settle};
use crate::identity::RegistryId;
use crate::layout::Layout;
use crate::meta::{ID, PACK, read_id, read_meta, write_meta};
use crate::schema::{APPEND_ONLY, APPLICATION_ID, EVENT_TABLE, FORMAT, TABLES, append_only};
use crate::session::{ImportMeta, ImportSession};
use crate::trace;
use crate::view::View;

const FILE: &str = "registry.sqlite";

/// How long to wait for another writer before saying `registry-locked`, unless told otherwise: longer than an
/// import of a county's workbooks takes to store.
const PATIENCE: Duration = Duration::from_mins(1);

/// The records of an office, with their history. One process writes at a time, while others wait for their turn;
/// any number read beside it and see the registry as it was before the write or after, whatever happens to the
/// writer.
pub struct Registry {
    pub(crate) connection: Connection,
    pub(crate) layout: Layout,
    pub(crate) folder: PathBuf,
}

impl Registry {
    /// A new registry for a pack. The folder is made if needed. Errors: `registry-exists`, `pack-invalid`, `io`.
    pub fn create(folder: &Path, program: &Program, id: RegistryId) -> Result<Self> {
        let mut layout = Layout::of(program)?;
        fs::create_dir_all(folder).map_err(StoreError::io(folder))?;
        let mut connection = connect(folder, OpenFlags::SQLITE_OPEN_CREATE)?;
        create_tables(&mut connection, folder, program, &mut layout, id).map_err(|error| error.at(folder))?;
        Ok(Self { connection, layout, folder: folder.to_owned() })
    }

    /// An existing registry of the present format. If the pack has grown, tables and columns are added in one
    /// transaction.
    /// Errors: `registry-missing`, `registry-locked` (only while growing), `registry-newer`, `registry-older`,
    /// `registry-other-pack`, `registry-foreign`, `registry-corrupt`, `pack-incompatible`.
    pub fn open(folder: &Path, program: &Program) -> Result<Self> {
        Self::open_with(folder, program, Growth::Allowed)
    }

    /// The same for a process that serves many and changes no table in passing: a pack that has grown is refused.
    /// Errors: as [`Self::open`], and `pack-grown`.
    pub fn open_unchanged(folder: &Path, program: &Program) -> Result<Self> {
        Self::open_with(folder, program, Growth::Refused)
    }

    fn open_with(folder: &Path, program: &Program, growth: Growth) -> Result<Self> {
        let mut layout = Layout::of(program)?;
        if !Self::exists(folder) {
            return Err(StoreError::Missing { path: folder.to_owned() });
        }
        let mut connection = connect(folder, OpenFlags::empty())?;
        check_identity(&connection, folder, program).map_err(|error| error.at(folder))?;
        settle(&mut connection, &mut layout, growth).map_err(|error| error.at(folder))?;
        Ok(Self { connection, layout, folder: folder.to_owned() })
    }

    /// Whether the folder holds a registry, or a file that stands in its place. A creation that was killed has
    /// left none.
    pub fn exists(folder: &Path) -> bool {
        let file = folder.join(FILE);
        let tables = || -> Result<i64> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            count_tables(&Connection::open_with_flags(&file, flags)?)
        };
        // What cannot be read is there all the same; opening it says what is wrong.
        file.is_file() && tables().map_or(true, |tables| tables > 0)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The registry's id. Error: `registry-corrupt`.
    pub fn id(&self) -> Result<RegistryId> {
        read_id(&self.connection).map_err(|error| error.at(&self.folder))
    }

    /// How long to wait for another writer from now on before saying `registry-locked`; a minute if not set.
    pub fn set_patience(&self, patience: Duration) -> Result<()> {
        self.connection.busy_timeout(patience).map_err(|error| StoreError::from(error).at(&self.folder))
    }

    /// Starts a transaction, once the writers before have finished. Error: `registry-locked`.
    pub fn begin(&mut self, meta: ImportMeta) -> Result<ImportSession<'_>> {
        ImportSession::begin(self, meta)
    }

    /// Reads the current state. Each call sees the latest commit; [`Self::read`] keeps to one.
    pub fn view(&self) -> View<'_> {
        View { connection: &self.connection, layout: &self.layout, folder: &self.folder, deferred: None }
    }
}

pub(crate) fn connect(folder: &Path, flags: OpenFlags) -> Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> Result<Connection> {
        let mut connection = Connection::open_with_flags(folder.join(FILE), flags)?;
        trace::attach(&mut connection)?;
        connection.busy_timeout(PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(128);
        // Write-ahead log: readers go on during an import, and a killed writer leaves only frames that no
        // one reads. FULL: a commit is on the disk when it returns. Replacing a row counts as deleting it.
        connection.execute_batch(
            "PRAGMA page_size = 8192;
             PRAGMA synchronous = FULL;
             PRAGMA cache_size = -131072;
             PRAGMA journal_size_limit = 67108864;
             PRAGMA recursive_triggers = ON;",
        )?;
        Ok(connection)
    };
    open().map_err(|error| error.at(folder))
}

fn count_tables(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?)
}

fn create_tables(
    connection: &mut Connection,
    folder: &Path,
    program: &Program,
    layout: &mut Layout,
    id: RegistryId,
) -> Result<()> {
    // A file without tables is left by a creation that was killed; it is as good as none.
    if count_tables(connection)? > 0 {
        return Err(StoreError::Exists { path: folder.to_owned() });
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if count_tables(&transaction)? > 0 {
        return Err(StoreError::Exists { path: folder.to_owned() });
    }
    transaction.execute_batch(TABLES)?;
    transaction.execute_batch(EVENT_TABLE)?;
    for table in APPEND_ONLY {
        transaction.execute_batch(&append_only(table))?;
    }
    write_meta(&transaction, PACK, &program.info.id)?;
    write_meta(&transaction, ID, &id.to_string())?;
    add_missing(&transaction, layout)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    number(&transaction, layout)?;
    transaction.commit()?;
    Ok(())
}

fn check_identity(connection: &Connection, folder: &Path, program: &Program) -> Result<()> {
    let path = folder.to_owned();
    let found = recorded_format(connection, folder)?;
    if found < FORMAT {
        return Err(StoreError::Older { path, found, known: FORMAT });
    }
    let recorded = read_meta(connection, PACK)?.ok_or_else(|| StoreError::damage("no pack is recorded"))?;
    let info = &program.info;
    if recorded != info.id && !info.extends.contains(&recorded) {
        return Err(StoreError::OtherPack { path, recorded, given: info.id.clone() });
    }
    Ok(())
}
