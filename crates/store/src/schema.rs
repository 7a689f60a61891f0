//! The tables that every registry has, whatever its pack.
//!
//! `change` is the truth about records and `event` about everything that goes on in streams (cases, postings,
//! leaves of the public log); `import`, `source` and `division_event` say who, from what and where. These five
//! only grow: triggers refuse to change, remove or replace a row. The state tables (`state_<entity>`) are
//! derived from `change` and made by [`crate::growth`]. What earlier formats lacked is added by [`crate::format`].

/// `XKRG`: tells registries from other SQLite files.
pub(crate) const APPLICATION_ID: i64 = 0x584b_5247;

/// Format of the file, as `PRAGMA user_version`.
pub(crate) const FORMAT: i64 = 2;

/// Tables that only grow.
pub(crate) const APPEND_ONLY: [&str; 5] = ["change", "import", "source", "division_event", "event"];

/// - `entity`, `field`: numbers that payloads and changes use; they never change their meaning.
/// - `meta`: `id` (of the registry), `pack` (its pack's id).
/// - `import`: one row a transaction. Times are milliseconds since 1970 (UTC), days are days since 1970.
/// - `source.kind`: `file`, `step` (of a case: its stream and step stand for file and sheet) or `undo`.
/// - `change.previous` is the change before it of the same record: a record's history is a chain that starts
///   at `state_<entity>._change`, so that the log needs no index of its own.
/// - `change.payload`: for an insert (kind 0), a JSON array of the values by field number, short of trailing
///   nulls; for an update (1), an array of number, value, number, value …; for a deletion (2), empty.
///   Booleans are 0 and 1, dates days, numbers scaled integers (as text beyond 64 bits), index values text.
/// - `event`: `sequence` counts all events from 1 without gaps, `position` those of one stream from 0. `key` is
///   what makes a repeated append known. `payload` is JSON, kept to the byte.
pub(crate) const TABLES: &str = "
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE entity (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL
) STRICT;
CREATE TABLE field (
    entity INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (entity, position),
    UNIQUE (entity, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE import (
    id INTEGER PRIMARY KEY,
    actor TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    pack_digest TEXT NOT NULL,
    inserted INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    last_change INTEGER NOT NULL,
    role TEXT NOT NULL DEFAULT '',
    events INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    import INTEGER NOT NULL,
    file TEXT NOT NULL,
    sheet TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    imported_at INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    kind TEXT NOT NULL DEFAULT 'file',
    UNIQUE (sha256, sheet, file)
) STRICT;
CREATE TABLE change (
    id INTEGER PRIMARY KEY,
    previous INTEGER,
    import INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    key TEXT NOT NULL,
    kind INTEGER NOT NULL,
    payload TEXT NOT NULL,
    valid_from INTEGER,
    recorded_at INTEGER NOT NULL,
    source INTEGER,
    source_row INTEGER
) STRICT;
CREATE TABLE division_event (
    id INTEGER PRIMARY KEY,
    import INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    on_day INTEGER NOT NULL,
    code TEXT NOT NULL,
    to_code TEXT,
    level TEXT NOT NULL,
    name TEXT,
    parent TEXT,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX division_event_by_code ON division_event (code, on_day, id);
";

pub(crate) const EVENT_TABLE: &str = "
CREATE TABLE event (
    sequence INTEGER PRIMARY KEY,
    import INTEGER NOT NULL,
    stream TEXT NOT NULL,
    position INTEGER NOT NULL,
    key TEXT UNIQUE,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    UNIQUE (stream, position)
) STRICT;
";

/// The triggers that keep a table from anything but growing.
pub(crate) fn append_only(table: &str) -> String {
    let refuse = |when: &str| format!("BEGIN SELECT RAISE(ABORT, '{table} is append-only: {when}'); END;");
    format!(
        "CREATE TRIGGER {table}_keeps_its_rows BEFORE UPDATE ON {table} {}
         CREATE TRIGGER {table}_never_shrinks BEFORE DELETE ON {table} {}",
        refuse("record a new row instead of changing one"),
        refuse("no row is ever removed"),
    )
}
