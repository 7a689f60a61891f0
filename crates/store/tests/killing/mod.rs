//! Processes that write to a registry and are cut off: at a statement of their choice, or from outside.
//!
//! A scenario is a registry before, what a process does to it in some transactions, and what must be there after
//! each: *stages*, 0 before the first. A killed process must have left the stage of the transactions that had ended;
//! doing all of it again in the end must lead to the last stage.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(dead_code, reason = "every program of tests uses a part of this")]

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use pack::program::{Program, Value};
use rusqlite::Connection;
use store::{Expected, NewEvent, NewSource, Record, Registry, Statement, listen_to_statements};

use crate::common::{Builder, county, entity, fields, import, meta, number, record, registry_id, text};

/// What a child is told: scenario, number of the moment to die at (0: live), folder.
const TASK: &str = "STORE_KILL_TASK";

/// What a process does to a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    Records,
    Creation,
    Streams,
    Migration,
}

/// A moment of a process: when a statement begins or ends.
#[derive(Clone, Debug)]
pub struct Moment {
    pub number: u64,
    /// Whether a transaction was open.
    pub within: bool,
    /// Transactions that had ended.
    pub commits: u64,
    pub statement: String,
}

impl Scenario {
    pub const ALL: [Self; 4] = [Self::Records, Self::Creation, Self::Streams, Self::Migration];

    /// The stage when everything is done.
    pub const fn last_stage(self) -> u64 {
        match self {
            Self::Creation => 1,
            Self::Records | Self::Streams | Self::Migration => 2,
        }
    }

    pub fn prepare(self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let program = county().0;
        match self {
            Self::Creation => {}
            Self::Migration => {
                let database = Connection::open(folder.join("registry.sqlite")).unwrap();
                database.execute_batch(include_str!("../fixtures/format-1.sql")).unwrap();
            }
            Self::Records | Self::Streams => {
                let mut registry = Registry::create(folder, &program, registry_id()).unwrap();
                let households = (0..40).map(|index| household(index, 1)).collect();
                import(&mut registry, &program, 1, "household", households);
                let mut session = registry.begin(meta(1)).unwrap();
                session.append("case/1", 0, &events("opened", 0..2)).unwrap();
                session.commit().unwrap();
            }
        }
    }

    /// Does all of it, or what is left of it to do.
    pub fn act(self, folder: &Path) {
        match self {
            Self::Records => write_records(folder),
            Self::Streams => append_events(folder),
            Self::Creation => {
                if !Registry::exists(folder) {
                    drop(Registry::create(folder, &county().0, registry_id()).unwrap());
                }
            }
            Self::Migration => {
                Registry::migrate(folder, registry_id()).unwrap();
                drop(Registry::open(folder, &grown()).unwrap());
            }
        }
    }

    /// The stage that a registry is at. Panics if it is at none: half done.
    pub fn stage(self, folder: &Path) -> u64 {
        match self {
            Self::Records => stage_of_records(folder),
            Self::Streams => stage_of_streams(folder),
            Self::Creation => {
                if !Registry::exists(folder) {
                    return 0;
                }
                let registry = Registry::open_unchanged(folder, &county().0).unwrap();
                assert_eq!(registry.check().unwrap().changes, 0);
                assert_eq!(registry.id().unwrap(), registry_id());
                1
            }
            Self::Migration => stage_of_migration(folder),
        }
    }
}

fn household(index: usize, income: i128) -> Vec<Option<Value>> {
    vec![text(&format!("h{index}")), text(&format!("v{}", index % 5)), None, number(income), None]
}

fn events(kind: &str, numbers: std::ops::Range<usize>) -> Vec<NewEvent> {
    let event = |number: usize| NewEvent {
        kind: kind.into(),
        payload: number.to_string(),
        key: Some(format!("{kind}/{number}")),
    };
    numbers.map(event).collect()
}

/// Changes 20 households, adds 20 and removes 3; then changes 5.
fn write_records(folder: &Path) {
    let program = county().0;
    let id = entity(&program, "household");
    let mut registry = Registry::open(folder, &program).unwrap();
    let mut session = registry.begin(meta(2)).unwrap();
    let source = Some(session.add_source(NewSource::file("户.csv", "", "aa")).unwrap());
    let records: Vec<Record> =
        (20..60).map(|index| Record { source, ..record(household(index, 2)) }).collect();
    for batch in records.chunks(8) {
        session.upsert(id, fields(&program, id), batch).unwrap();
    }
    for key in ["h0", "h1", "h2"] {
        if session.view().record(id, key).unwrap().is_some() {
            session.delete(id, &[key]).unwrap();
        }
    }
    session.commit().unwrap();
    let mut session = registry.begin(meta(3)).unwrap();
    for index in 55..60 {
        let known = session.view().record(id, &format!("h{index}")).unwrap().unwrap().change;
        let write = Record { expected: Expected::Change(known), ..record(household(index, 3)) };
        session.upsert(id, fields(&program, id), &[write]).unwrap();
    }
    session.commit().unwrap();
}

fn stage_of_records(folder: &Path) -> u64 {
    let program = county().0;
    let id = entity(&program, "household");
    let registry = Registry::open(folder, &program).unwrap();
    registry.check().unwrap();
    let income = |index: usize| -> Option<Value> {
        registry.view().record(id, &format!("h{index}")).unwrap().and_then(|state| state.values[3].clone())
    };
    let all = |range: std::ops::Range<usize>, value: i128| {
        range.into_iter().all(|index| income(index) == number(value))
    };
    let none = |mut range: std::ops::Range<usize>| range.all(|index| income(index).is_none());
    if all(0..40, 1) && none(40..60) {
        return 0;
    }
    assert!(none(0..3) && all(3..20, 1) && all(20..55, 2), "half of an import is there");
    assert_eq!(registry.sources().unwrap().len(), 1);
    if all(55..60, 2) {
        return 1;
    }
    assert!(all(55..60, 3), "half of an import is there");
    2
}

/// Appends 15 events to a case and 5 to the ledger, with a record; then 10 to the case.
fn append_events(folder: &Path) {
    let program = county().0;
    let id = entity(&program, "household");
    let mut registry = Registry::open(folder, &program).unwrap();
    let mut session = registry.begin(meta(2)).unwrap();
    session.append("case/1", 2, &events("surveyed", 0..15)).unwrap();
    session.append("ledger", 0, &events("posted", 0..5)).unwrap();
    let source = Some(session.add_source(NewSource::step("case/1", "decision")).unwrap());
    let decided = Record { source, ..record(household(0, 9)) };
    session.upsert(id, fields(&program, id), &[decided]).unwrap();
    session.commit().unwrap();
    let mut session = registry.begin(meta(3)).unwrap();
    for number in 0..10 {
        session.append("case/1", 17 + number as u64, &events("paid", number..number + 1)).unwrap();
    }
    session.commit().unwrap();
}

fn stage_of_streams(folder: &Path) -> u64 {
    let program = county().0;
    let registry = Registry::open(folder, &program).unwrap();
    registry.check().unwrap();
    let view = registry.view();
    let (case, ledger) = (view.stream_length("case/1").unwrap(), view.stream_length("ledger").unwrap());
    let all = view.events_after(0, 1000).unwrap();
    assert!(all.iter().map(|event| event.sequence).eq(1..=case + ledger), "there is a gap");
    let case_events = view.stream("case/1", 0, 1000).unwrap();
    assert!(case_events.iter().map(|event| event.position).eq(0..case), "there is a gap");
    let income = view.record(entity(&program, "household"), "h0").unwrap().unwrap().values[3].clone();
    match (case, ledger) {
        (2, 0) => assert_eq!(income, number(1)),
        (17 | 27, 5) => assert_eq!(income, number(9), "record and events stand together"),
        other => panic!("{other:?} events are half of it"),
    }
    [2, 17, 27].iter().position(|&length| length == case).unwrap() as u64
}

/// The county with fields and an entity more.
fn grown() -> Program {
    let mut builder = county().entity("well", None, &["code text key required", "depth count"]);
    let ids =
        Builder::new("other").entity("more", None, &["a text key", "b bool", "c money", "d date"]).0.columns;
    let village = entity(&builder.0, "village");
    for mut column in ids {
        column.entity = village;
        let id = pack::program::ColumnId(builder.0.columns.len() as u32);
        builder.0.columns.push(column);
        builder.0.entities[village.index()].fields.push(id);
    }
    builder.0
}

fn stage_of_migration(folder: &Path) -> u64 {
    let database = Connection::open(folder.join("registry.sqlite")).unwrap();
    let one = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    let fields = one("SELECT count(*) FROM field");
    let streams = one("SELECT count(*) FROM sqlite_schema WHERE tbl_name = 'event'");
    let records = one("SELECT count(*) FROM change") + one("SELECT count(*) FROM import");
    assert_eq!(records, 10, "what was recorded stays");
    let format = one("PRAGMA user_version");
    if format == 1 {
        assert_eq!((fields, streams, one("SELECT count(*) FROM pragma_table_info('import')")), (22, 0, 9));
        assert_eq!(one("SELECT count(*) FROM meta WHERE name = 'id'"), 0);
        return 0;
    }
    drop(database);
    let registry = Registry::open_unchanged(folder, &county().0).unwrap();
    registry.check().unwrap();
    assert_eq!(registry.id().unwrap(), registry_id());
    if fields == 22 {
        return 1;
    }
    drop(registry);
    Registry::open_unchanged(folder, &grown()).unwrap().check().unwrap();
    2
}

static DIE_AT: AtomicU64 = AtomicU64::new(0);
static MOMENTS: AtomicU64 = AtomicU64::new(0);
static COMMITS: AtomicU64 = AtomicU64::new(0);
static WITHIN: AtomicBool = AtomicBool::new(false);

/// Tells every moment, and dies at the one that is asked for: no destructor runs, nothing is flushed.
fn note(statement: Statement<'_>) {
    let (ends, sql) = match statement {
        Statement::Begins(sql) => (false, sql),
        Statement::Ends(sql) => (true, sql),
    };
    if ends && sql.starts_with("BEGIN") {
        WITHIN.store(true, Ordering::Relaxed);
    }
    if ends && sql.starts_with("COMMIT") {
        WITHIN.store(false, Ordering::Relaxed);
        COMMITS.fetch_add(1, Ordering::Relaxed);
    }
    let number = MOMENTS.fetch_add(1, Ordering::Relaxed) + 1;
    let (within, commits) = (WITHIN.load(Ordering::Relaxed), COMMITS.load(Ordering::Relaxed));
    let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let what = if ends { "ends" } else { "begins" };
    let mut output = std::io::stdout().lock();
    writeln!(output, "\nmoment {number} {within} {commits} {what} {sql}").unwrap();
    output.flush().unwrap();
    if number == DIE_AT.load(Ordering::Relaxed) {
        std::process::abort();
    }
}

/// Does what a parent has asked for, if there is one.
pub fn is_child() -> bool {
    let Ok(task) = env::var(TASK) else { return false };
    let mut words = task.splitn(3, ' ');
    let scenario = words.next().unwrap();
    let scenario = Scenario::ALL.into_iter().find(|known| format!("{known:?}") == scenario).unwrap();
    DIE_AT.store(words.next().unwrap().parse().unwrap(), Ordering::Relaxed);
    assert!(listen_to_statements(note));
    scenario.act(Path::new(words.next().unwrap()));
    true
}

/// Starts this program again as a child; `arguments` lead it to [`is_child`].
pub fn start(arguments: &[&str], scenario: Scenario, die_at: u64, folder: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(arguments).env(TASK, format!("{scenario:?} {die_at} {}", folder.display()));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// The moments of a child that was not or will not be killed from outside, and whether it came to its end.
pub fn moments(mut child: Child) -> (Vec<Moment>, bool) {
    let output = BufReader::new(child.stdout.take().unwrap());
    let moments = output.lines().map_while(Result::ok).filter_map(|line| read_moment(&line)).collect();
    (moments, child.wait().unwrap().success())
}

/// Kills a child so long after its first statement. Says how many of its transactions had ended for certain.
pub fn kill_after(mut child: Child, wait: Duration) -> u64 {
    let output = BufReader::new(child.stdout.take().unwrap());
    let (begun, first) = channel();
    let reader = std::thread::spawn(move || {
        let mut commits = 0;
        for line in output.lines().map_while(Result::ok) {
            if let Some(moment) = read_moment(&line) {
                commits = moment.commits;
                let _ = begun.send(());
            }
        }
        commits
    });
    let _ = first.recv();
    pause(wait);
    let _ = child.kill();
    child.wait().unwrap();
    reader.join().unwrap()
}

fn pause(wait: Duration) {
    let (never, nothing): (_, Receiver<()>) = channel();
    let _ = nothing.recv_timeout(wait);
    drop(never);
}

fn read_moment(line: &str) -> Option<Moment> {
    let mut words = line.strip_prefix("moment ")?.splitn(4, ' ');
    Some(Moment {
        number: words.next()?.parse().ok()?,
        within: words.next()?.parse().ok()?,
        commits: words.next()?.parse().ok()?,
        statement: words.next()?.to_owned(),
    })
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
