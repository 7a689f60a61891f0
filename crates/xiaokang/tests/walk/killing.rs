//! Processes that do what the walk's commands do and are killed: at a statement of the database, or from outside.
//!
//! A kind is a stage of the story and what a process does from there, in some transactions. A process that was killed
//! must have left exactly what the transactions that had ended made of the stage; doing the rest must lead to what a
//! process leaves that was not killed.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(dead_code, reason = "every program that shares this uses a part of it")]

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use model::{Fen, Lang};
use rusqlite::{Connection, OpenFlags};
use store::{Statement, listen_to_statements};
use xiaokang::console::Failure;
use xiaokang::demo::cast::Cast;
use xiaokang::demo::story::{self, Teller};

use crate::stages::{FILES, Stages, copy, keys_of, nobody, pack_folder, sums_of, workbooks};

/// What a child is told: the kind, the number of the moment to die at (0: live), transactions done before, its folder.
const TASK: &str = "XIAOKANG_KILL_TASK";

/// What is done by a process that is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Creation,
    Import,
    Assess,
    Fund,
    Case,
    Pay,
    Log,
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

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Creation, Self::Import, Self::Assess, Self::Fund, Self::Case, Self::Pay, Self::Log];

    /// The stage that it goes on from; none for a registry that is not there yet.
    const fn stage(self) -> Option<&'static str> {
        match self {
            Self::Creation => None,
            Self::Import => Some("half"),
            Self::Assess | Self::Fund => Some("imported"),
            Self::Case => Some("published"),
            Self::Pay => Some("approved"),
            Self::Log => Some("paid"),
        }
    }

    /// Makes what is there before.
    pub fn prepare(self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let stages = Stages::get();
        if let Some(stage) = self.stage() {
            copy(&stages.path(stage), folder);
        }
        write_cast(folder, &stages.cast);
    }

    /// Does all of it, but for the steps that are done.
    pub fn act(self, folder: &Path, done: u64) -> Result<(), Failure> {
        let mut teller = teller(folder);
        teller.done_before = usize::try_from(done).unwrap();
        let run = folder.join("run").display().to_string();
        match self {
            // What is whole is not done again: a second import is another.
            Self::Creation | Self::Import if done > 0 => Ok(()),
            Self::Creation => import(&teller, &FILES[..1]),
            Self::Import => import(&teller, &FILES[3..]),
            Self::Assess if Path::new(&run).exists() => Ok(()),
            Self::Assess => teller.look(&["assess", "--as-of", "2016-03-01", "--out", &run]).map(|_| ()),
            Self::Fund => story::money(&mut teller),
            Self::Case => story::decision(&mut teller),
            Self::Pay => story::payment(&mut teller),
            Self::Log => publish(&mut teller),
        }
    }

    /// What is there, without moments and random numbers. Panics if it is half of something.
    pub fn state(self, folder: &Path) -> String {
        let path = folder.join("registry/registry.sqlite");
        let mut state = String::new();
        if path.exists() {
            let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
            for table in ["import", "source", "change", "event"] {
                let count = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
                write!(state, "{table} {} ", count(&format!("SELECT count(*) FROM {table}"))).unwrap();
            }
            let mut kinds =
                database.prepare("SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind").unwrap();
            let rows =
                kinds.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap();
            for row in rows {
                let (kind, count) = row.unwrap();
                write!(state, "{kind} {count} ").unwrap();
            }
        }
        if path.exists() && !matches!(self, Self::Creation | Self::Import | Self::Assess) {
            let office = teller(folder).office().unwrap();
            let [granted, committed, owed, with_bank, delivered] = sums_of(&office);
            let promised = committed + owed + with_bank + delivered;
            assert!(promised <= granted, "more is promised than granted");
            let decided = keys_of(&office, "decision").len();
            assert_eq!(decided == 0, promised == 0, "decisions and promises stand together");
            let paid = keys_of(&office, "transfer").len();
            write!(state, "{granted} {committed} {owed} {with_bank} {delivered} {decided} {paid}").unwrap();
        }
        let run = folder.join("run");
        if run.exists() {
            let files = fs::read_dir(&run).unwrap().count();
            let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
            assert!(manifest.trim_end().ends_with('}'), "a run is there whole or not at all");
            write!(state, " run {files}").unwrap();
        }
        state
    }

    /// Whether the registry agrees with its own history, if there is one.
    pub fn check(self, folder: &Path) {
        if folder.join("registry/registry.sqlite").exists() {
            teller(folder).office().unwrap().registry.check().unwrap();
        }
    }
}

fn import(teller: &Teller, files: &[&str]) -> Result<(), Failure> {
    let books = workbooks(files);
    let mut all = vec!["import"];
    all.extend(books.iter().map(String::as_str));
    teller.look(&all).map(|_| ())
}

/// Publishes, corrects an account, publishes that, and checks the log.
fn publish(teller: &mut Teller) -> Result<(), Failure> {
    let log = teller.path("log").display().to_string();
    teller.run(&["log", "publish", "--log", &log, "--as", "county:岳", "--on", "2016-04-09"])?;
    story::correction(teller)?;
    teller.run(&["log", "publish", "--log", &log, "--as", "county:岳", "--on", "2016-04-18"])?;
    let key = app::publish::signing_key(&teller.office()?.registry, &[7; 32]).map_err(Failure::internal)?;
    teller.look(&["log", "check", &log, "--key", &key.verifier().to_string()]).map(|_| ())
}

fn teller(folder: &Path) -> Teller {
    Teller::new(folder, &folder.join("registry"), &pack_folder(), Lang::En, read_cast(folder))
}

/// Who is in the story is found once, and told to the processes.
fn write_cast(folder: &Path, cast: &Cast) {
    let mut text = format!("{}\n{}\n{}\n", cast.village, cast.objected, cast.entitled);
    for (key, fen) in &cast.households {
        writeln!(text, "{key} {}", fen.fen()).unwrap();
    }
    fs::write(folder.join("cast"), text).unwrap();
}

fn read_cast(folder: &Path) -> Cast {
    let Ok(text) = fs::read_to_string(folder.join("cast")) else { return nobody() };
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap().to_owned();
    let (village, objected, entitled) = (next(), next(), next().parse().unwrap());
    let household = |line: &str| {
        let (key, fen) = line.split_once(' ').unwrap();
        (key.to_owned(), Fen::from_fen(fen.parse().unwrap()))
    };
    Cast { village, objected, entitled, households: lines.map(household).collect() }
}

/// Where a child is.
struct Progress {
    die_at: u64,
    number: u64,
    commits: u64,
    within: bool,
    told: fs::File,
}

static PROGRESS: OnceLock<Mutex<Progress>> = OnceLock::new();

/// Tells every moment, and dies at the one that is asked for: no destructor runs, nothing is flushed.
fn note(statement: Statement<'_>) {
    use std::io::Write as _;
    let (ends, sql) = match statement {
        Statement::Begins(sql) => (false, sql),
        Statement::Ends(sql) => (true, sql),
    };
    let mut progress = PROGRESS.get().expect("it listens from its beginning").lock().unwrap();
    if ends && sql.starts_with("BEGIN") {
        progress.within = true;
    }
    if ends && (sql.starts_with("COMMIT") || sql.starts_with("ROLLBACK")) {
        progress.within = false;
        progress.commits += u64::from(sql.starts_with("COMMIT"));
    }
    progress.number += 1;
    let sql = sql.split_whitespace().take(4).collect::<Vec<_>>().join(" ");
    let what = if ends { "ends" } else { "begins" };
    let (number, within, commits) = (progress.number, progress.within, progress.commits);
    let line = format!("{number} {within} {commits} {what} {sql}\n");
    progress.told.write_all(line.as_bytes()).unwrap();
    if number == progress.die_at {
        std::process::abort();
    }
}

/// Does what a parent has asked for, if there is one.
pub fn is_child() -> bool {
    let Ok(task) = env::var(TASK) else { return false };
    let mut words = task.splitn(4, ' ');
    let kind = words.next().unwrap();
    let kind = Kind::ALL.into_iter().find(|known| format!("{known:?}") == kind).unwrap();
    let die_at = words.next().unwrap().parse().unwrap();
    let commits = words.next().unwrap().parse().unwrap();
    let folder = PathBuf::from(words.next().unwrap());
    let told = fs::File::create(moments_file(&folder)).unwrap();
    let progress = Progress { die_at, number: 0, commits: 0, within: false, told };
    assert!(PROGRESS.set(Mutex::new(progress)).is_ok() && listen_to_statements(note));
    kind.act(&folder, commits).unwrap();
    true
}

fn moments_file(folder: &Path) -> PathBuf {
    folder.with_extension("moments")
}

/// Starts this program again as a child; `arguments` lead it to [`is_child`].
pub fn start(arguments: &[&str], kind: Kind, die_at: u64, folder: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(arguments).env(TASK, format!("{kind:?} {die_at} 0 {}", folder.display()));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// What a child has told of its moments.
pub fn moments(folder: &Path) -> Vec<Moment> {
    let text = fs::read_to_string(moments_file(folder)).unwrap_or_default();
    let read = |line: &str| {
        let mut words = line.splitn(4, ' ');
        Some(Moment {
            number: words.next()?.parse().ok()?,
            within: words.next()?.parse().ok()?,
            commits: words.next()?.parse().ok()?,
            statement: words.next()?.to_owned(),
        })
    };
    text.lines().filter_map(read).collect()
}

/// A kind with all that is known of a process that is not killed.
pub struct Prepared {
    pub kind: Kind,
    folder: PathBuf,
    pub moments: Vec<Moment>,
    /// What is there after each transaction; 0 is before the first.
    pub states: BTreeMap<u64, String>,
    /// What is there when all is done.
    pub last: String,
    pub duration: Duration,
}

impl Prepared {
    pub fn new(kind: Kind, arguments: &[&str], folder: &Path) -> Self {
        let before = folder.join("before");
        kind.prepare(&before);
        let whole = folder.join("whole");
        copy(&before, &whole);
        let begun = Instant::now();
        assert!(
            start(arguments, kind, 0, &whole).wait().unwrap().success(),
            "{kind:?}: without a kill all is done"
        );
        let duration = begun.elapsed();
        let all = moments(&whole);
        let (last, mut states) = (kind.state(&whole), BTreeMap::from([(0, kind.state(&before))]));
        let prepared =
            Self { kind, folder: folder.to_owned(), moments: all, states: BTreeMap::new(), last, duration };
        // What a process leaves that is killed right after a transaction has ended.
        for moment in prepared.moments.iter().filter(|moment| moment.statement.starts_with("ends COMMIT")) {
            let killed = prepared.kill_at(arguments, moment);
            states.insert(moment.commits, kind.state(&killed));
            fs::remove_dir_all(&killed).unwrap();
        }
        Self { states, ..prepared }
    }

    /// A folder in which a process was killed at a moment.
    pub fn kill_at(&self, arguments: &[&str], moment: &Moment) -> PathBuf {
        let killed = self.copy(&moment.number.to_string());
        let ended = start(arguments, self.kind, moment.number, &killed).wait().unwrap();
        let told = moments(&killed);
        let last = told.last().unwrap();
        assert!(!ended.success(), "{:?}: it has outlived {moment:?}", self.kind);
        let found = (last.number, last.within, last.commits);
        assert_eq!(found, (moment.number, moment.within, moment.commits), "{:?}: {moment:?}", self.kind);
        killed
    }

    /// A folder in which a process was killed so long after its beginning, and the transactions that had ended for
    /// certain; none if it had come to its end.
    #[expect(clippy::disallowed_methods, reason = "another process gives no event to wait for")]
    pub fn kill_after(&self, arguments: &[&str], wait: Duration) -> Option<(PathBuf, Option<Moment>)> {
        let killed = self.copy("outside");
        let mut child = start(arguments, self.kind, 0, &killed);
        let begun = Instant::now();
        // The time is that of its statements, whatever it takes to read the pack.
        while moments(&killed).is_empty() && begun.elapsed() < Duration::from_mins(1) {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(wait);
        let _ = child.kill();
        if child.wait().unwrap().success() {
            fs::remove_dir_all(&killed).unwrap();
            return None;
        }
        let last = moments(&killed).pop();
        Some((killed, last))
    }

    fn copy(&self, name: &str) -> PathBuf {
        let killed = self.folder.join(format!("killed-{name}"));
        let _ = fs::remove_dir_all(&killed);
        copy(&self.folder.join("before"), &killed);
        killed
    }

    /// Holds what was left against what had ended, and removes the folder; thoroughly, it also holds the registry against
    /// its history, and goes on to the end. Says whether all was done.
    pub fn judge(&self, killed: &Path, least: u64, most: u64, thoroughly: bool) -> bool {
        let kind = self.kind;
        if thoroughly {
            kind.check(killed);
        }
        let found = kind.state(killed);
        let mut fits = (least..=most).any(|commits| self.states.get(&commits) == Some(&found));
        // What is moved to its place after the last transaction is there whole or not at all.
        fits |= found == self.last && most >= *self.states.keys().next_back().unwrap();
        assert!(
            fits,
            "{kind:?}: after {least} to {most} transactions there is\n{found}\nof\n{:#?}\n{}",
            self.states, self.last
        );
        if thoroughly {
            kind.act(killed, self.steps(&found)).unwrap();
            assert_eq!(kind.state(killed), self.last, "{kind:?}: it goes on from\n{found}");
        }
        fs::remove_dir_all(killed).unwrap();
        found == self.last
    }

    /// The steps that have led to a state: some transactions make nothing but an index.
    fn steps(&self, found: &str) -> u64 {
        let mut states: Vec<&String> = self.states.values().collect();
        states.dedup();
        let place = states.iter().position(|state| *state == found);
        place.unwrap_or(states.len()) as u64
    }
}
