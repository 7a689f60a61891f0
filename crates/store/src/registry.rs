//! A registry: a folder with a database, opened with a pack.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pack::program::Program;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::{Result, StoreError};
use crate::layout::Layout;
use crate::migrate::{migrate, read_meta, write_meta};
use crate::schema::{APPEND_ONLY, APPLICATION_ID, FORMAT, TABLES, append_only};
use crate::session::{ImportMeta, ImportSession};
use crate::view::View;

const FILE: &str = "registry.sqlite";

/// How long to wait for another writer before saying `registry-locked`.
const PATIENCE: Duration = Duration::from_secs(1);

/// The records of an office, with their history. One process writes at a time; any number read beside it
/// and see the registry as it was before the write or after, whatever happens to the writer.
pub struct Registry {
    pub(crate) connection: Connection,
    pub(crate) layout: Layout,
    pub(crate) folder: PathBuf,
}

impl Registry {
    /// A new registry for a pack. The folder is made if needed. Errors: `registry-exists`, `pack-invalid`, `io`.
    pub fn create(folder: &Path, program: &Program) -> Result<Self> {
        let layout = Layout::of(program)?;
        fs::create_dir_all(folder).map_err(StoreError::io(folder))?;
        let mut connection = connect(folder, OpenFlags::SQLITE_OPEN_CREATE)?;
        create_tables(&mut connection, folder, program).map_err(|error| error.at(folder))?;
        Self::finish(connection, layout, folder)
    }

    /// An existing registry. If the pack has grown, tables and columns are added in one transaction.
    /// Errors: `registry-missing`, `registry-locked` (only while migrating), `registry-newer`,
    /// `registry-other-pack`, `registry-foreign`, `registry-corrupt`, `pack-incompatible`.
    pub fn open(folder: &Path, program: &Program) -> Result<Self> {
        let layout = Layout::of(program)?;
        if !Self::exists(folder) {
            return Err(StoreError::Missing { path: folder.to_owned() });
        }
        let connection = connect(folder, OpenFlags::empty())?;
        check_identity(&connection, folder, program).map_err(|error| error.at(folder))?;
        Self::finish(connection, layout, folder)
    }

    fn finish(mut connection: Connection, mut layout: Layout, folder: &Path) -> Result<Self> {
        migrate(&mut connection, &mut layout).map_err(|error| error.at(folder))?;
        Ok(Self { connection, layout, folder: folder.to_owned() })
    }

    /// Whether the folder holds a registry file.
    pub fn exists(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts an import and takes the writer's lock. Errors: `registry-locked`, `time-backwards`.
    pub fn begin(&mut self, meta: ImportMeta) -> Result<ImportSession<'_>> {
        ImportSession::begin(self, meta)
    }

    /// Reads the current state. Each call sees the latest commit.
    pub fn view(&self) -> View<'_> {
        View { connection: &self.connection, layout: &self.layout, folder: &self.folder, deferred: None }
    }
}

fn connect(folder: &Path, flags: OpenFlags) -> Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> Result<Connection> {
        let connection = Connection::open_with_flags(folder.join(FILE), flags)?;
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

fn create_tables(connection: &mut Connection, folder: &Path, program: &Program) -> Result<()> {
    let tables = |connection: &Connection| -> Result<i64> {
        Ok(connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?)
    };
    // A file without tables is left by a creation that was killed; it is as good as none.
    if tables(connection)? > 0 {
        return Err(StoreError::Exists { path: folder.to_owned() });
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if tables(&transaction)? > 0 {
        return Err(StoreError::Exists { path: folder.to_owned() });
    }
    transaction.execute_batch(TABLES)?;
    for table in APPEND_ONLY {
        transaction.execute_batch(&append_only(table))?;
    }
    write_meta(&transaction, "pack", &program.info.id)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()?;
    Ok(())
}

fn check_identity(connection: &Connection, folder: &Path, program: &Program) -> Result<()> {
    let path = folder.to_owned();
    let pragma =
        |name: &str| -> Result<i64> { Ok(connection.pragma_query_value(None, name, |row| row.get(0))?) };
    if pragma("application_id")? != APPLICATION_ID {
        return Err(StoreError::NotARegistry { path });
    }
    let found = pragma("user_version")?;
    if found > FORMAT {
        return Err(StoreError::Newer { path, found, known: FORMAT });
    }
    let recorded = read_meta(connection, "pack")?.ok_or_else(|| StoreError::damage("no pack is recorded"))?;
    let info = &program.info;
    if recorded != info.id && !info.extends.contains(&recorded) {
        return Err(StoreError::OtherPack { path, recorded, given: info.id.clone() });
    }
    Ok(())
}
