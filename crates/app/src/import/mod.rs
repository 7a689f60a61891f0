//! Workbooks into the registry: every fault by its cell, and all sound rows or none.
//!
//! An import goes in steps, each over all sheets: read and stage ([`stage`]), settle keys and references
//! ([`link`]), find which of two claimants of a number is wrong ([`contest`]), run the pack's checks
//! ([`check`]) and those of registered records that the import belies ([`recheck`]), hold what belongs to refused rows ([`settle`]), store ([`write`]), report ([`report`],
//! [`workbook`]). The order of the files never matters. Rows are staged once, in compact columns; report
//! workbooks are made by reading the files again.
//!
//! A fault is named once, at its cause: what cannot be read is unknown to every check, rows refused for
//! reasons of their own still count as relatives, and rows that only wait for another are listed as held.

mod cell;
mod check;
pub(crate) mod closure;
mod column;
mod contest;
mod digest;
mod doubt;
mod error;
mod fault;
mod head;
mod header;
mod incomplete;
mod index;
mod keep;
mod link;
mod merged;
mod notice;
mod parse;
mod progress;
mod recheck;
mod registered;
mod report;
mod report_path;
mod schema;
mod settle;
mod source;
mod stage;
mod staged_records;
#[cfg(test)]
mod tests;
mod workbook;
mod write;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use model::{Date, Text};
use pack::program::{EntityId, Program};
use store::{ImportMeta, Moment, Registry};

pub use doubt::RegisteredDoubt;
pub use error::ImportError;
pub use fault::{Fault, Severity};
pub use notice::Notice;
pub use progress::{Phase, Progress};
pub use report::{DroppedColumn, HeldRow, ImportReport, RowPlace, SheetReport};

use doubt::registered_doubts;
use link::Tables;
use schema::Schema;
use source::Source;
use stage::{Table, stage_sheet};

/// How an import is to be done.
pub struct ImportOptions<'o> {
    /// Who imports, for the registry's history.
    pub actor: String,
    pub now: Moment,
    /// Day for which ages and parameters are taken in checks.
    pub as_of: Date,
    /// Where to write the workbooks with the faults marked, as one workbook.
    pub report: Option<PathBuf>,
    /// Read, check and report, but store nothing.
    pub preview: bool,
    /// Let empty cells erase what is recorded.
    pub allow_erase: bool,
    /// Told about progress now and then, from any thread; `false` cancels.
    pub progress: &'o (dyn Fn(Progress) -> bool + Sync),
}

/// Imports files in one transaction. Bad rows are faults in the report; an error changes nothing.
///
/// `program` is the one with which the registry was opened.
pub fn import(
    registry: &mut Registry,
    program: &Program,
    files: &[PathBuf],
    options: &ImportOptions<'_>,
) -> Result<ImportReport, ImportError> {
    let report = options.report.as_ref().map(|path| report_path::settle(path, files)).transpose()?;
    let (locks, files): (Vec<PathBuf>, Vec<PathBuf>) = files.iter().cloned().partition(|path| is_lock(path));
    if files.is_empty() && !locks.is_empty() {
        return Err(ImportError::OnlyLockFiles);
    }
    let locks: Vec<Notice> = locks
        .iter()
        .filter_map(|path| path.file_name())
        .map(|name| notice::lock_file(name.to_string_lossy().into_owned()))
        .collect();
    let (sources, targets) = (open(&files)?, vec![None; files.len()]);
    let mut outcome = store(registry, program, (&sources, &targets), report, options)?;
    outcome.notices.splice(0..0, locks);
    Ok(outcome)
}

/// `~$户.xlsx`, which a spreadsheet program puts beside a workbook while it is open.
fn is_lock(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        name.starts_with("~$") || name.starts_with(".~lock.")
    })
}

/// Imports files each of which holds records of the entity beside it. Divisions among them must exist.
pub(crate) fn import_as(
    registry: &mut Registry,
    program: &Program,
    files: &[(PathBuf, EntityId)],
    options: &ImportOptions<'_>,
) -> Result<ImportReport, ImportError> {
    let paths: Vec<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
    let targets: Vec<Option<EntityId>> = files.iter().map(|(_, entity)| Some(*entity)).collect();
    store(registry, program, (&open(&paths)?, &targets), None, options)
}

fn store(
    registry: &mut Registry,
    program: &Program,
    (sources, targets): (&[Source], &[Option<EntityId>]),
    report_path: Option<PathBuf>,
    options: &ImportOptions<'_>,
) -> Result<ImportReport, ImportError> {
    let schema = Schema::new(program);
    let mut tables = read(&schema, sources, targets, options.progress)?;
    let rows = tables.iter().flatten().map(|table| table.len() as u64).sum();
    let tell = |phase, done| {
        let go_on = (options.progress)(Progress { phase, done, total: Some(rows) });
        if go_on { Ok(()) } else { Err(ImportError::Cancelled) }
    };
    tell(Phase::Checking, 0)?;
    let recorded = registry.sources()?;
    let mut session = registry.begin(ImportMeta {
        actor: options.actor.clone(),
        role: String::new(),
        recorded_at: options.now,
        pack_digest: program.digest.clone(),
    })?;
    link::settle_keys(&schema, &mut tables, sources);
    let mut notices = notice::columns(&schema, &tables, sources);
    let erasures = keep::keep_recorded(&schema, &mut tables, &session.view(), options.allow_erase)?;
    if targets.iter().any(Option::is_some) {
        link::refuse_unknown_divisions(&schema, &mut tables, &session.view())?;
    }
    let mut links = link::link(&schema, &mut tables, &session.view())?;
    contest::settle_contests(&schema, &mut tables, &mut links, &session.view(), options.as_of)?;
    check::run(&schema, &mut tables, &links, &session.view(), options.as_of)?;
    let doubts = recheck::run(&schema, &mut tables, &links, &session.view(), options.as_of)?;
    let (held, incomplete) = settle::settle(&schema, &mut tables, &links, &session.view())?;
    tell(Phase::Checking, rows)?;
    let written = write::write(&schema, &tables, sources, &mut session, options.progress)?;
    notices.extend(notice::erasures(&schema, &tables, sources, &erasures, options.allow_erase));
    notices.extend(notice::incomplete(&schema, &tables, sources, &incomplete));
    let mut report = ImportReport::new(&schema, &tables, sources, &held, &written);
    report.registered = registered_doubts(&schema, &recorded, doubts);
    report.notices = notices;
    report.notices.extend(notice::sheets(sources, &recognised(&tables)));
    report.preview = options.preview;
    if let Some(path) = report_path {
        tell(Phase::Reporting, 0)?;
        workbook::write(&report, &tables, sources, &path)?;
        report.workbook = Some(path);
    }
    if !options.preview {
        session.commit()?;
    }
    Ok(report)
}

/// Sheets that were read, by the position of their file.
fn recognised(tables: &Tables) -> Vec<(usize, &str)> {
    tables
        .iter()
        .flatten()
        .flat_map(|table| &table.parts)
        .map(|part| (part.file, part.sheet.as_str()))
        .collect()
}

fn open(files: &[PathBuf]) -> Result<Vec<Source>, ImportError> {
    let mut seen = HashSet::new();
    files
        .iter()
        .map(|path| {
            let source = Source::open(path)?;
            let same = path.canonicalize().unwrap_or_else(|_| path.clone());
            if seen.insert(same) { Ok(source) } else { Err(ImportError::FileRepeated { file: source.name }) }
        })
        .collect()
}

/// What reading a sheet gave.
type Staged = Result<Option<Table>, ImportError>;

/// Reads all sheets, on all cores, and joins those of one entity.
fn read(
    schema: &Schema<'_>,
    sources: &[Source],
    targets: &[Option<EntityId>],
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Tables, ImportError> {
    let jobs: Vec<(usize, &str)> = sources
        .iter()
        .enumerate()
        .flat_map(|(file, source)| source.sheets.iter().map(move |sheet| (file, sheet.as_str())))
        .collect();
    let rows = AtomicU64::new(0);
    let each = |count: u64| {
        let done = rows.fetch_add(count, Ordering::Relaxed) + count;
        progress(Progress { phase: Phase::Reading, done, total: None })
    };
    let staged: Vec<Mutex<Option<Staged>>> = jobs.iter().map(|_| Mutex::default()).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            let Some((file, sheet)) = jobs.get(job) else { break };
            let table = stage_sheet(schema, &sources[*file], targets[*file], *file, sheet, &each);
            *staged[job].lock().expect("each job has one worker") = Some(table);
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let mut tables: Tables = schema.entities.iter().map(|_| None).collect();
    let mut recognised = vec![false; sources.len()];
    for ((file, _), table) in jobs.iter().zip(staged) {
        let table = table.into_inner().expect("no worker panicked").expect("every job was done")?;
        let Some(table) = table else { continue };
        recognised[*file] = true;
        let entity = schema.entity(table.entity);
        match &mut tables[table.entity.index()] {
            Some(first) => first.append(entity, table),
            none => *none = Some(table),
        }
    }
    match recognised.iter().position(|known| !known) {
        Some(file) => Err(unrecognised(schema, &sources[file])),
        None => Ok(tables),
    }
}

/// Says what the sheets come nearest to.
fn unrecognised(schema: &Schema<'_>, source: &Source) -> ImportError {
    let quote = |words: &mut dyn Iterator<Item = &String>| {
        words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    };
    let expected = quote(&mut schema.entities.iter().filter_map(|entity| entity.words.first()));
    let sheets = quote(&mut source.sheets.iter());
    let reason = if expected.is_empty() {
        Text::new(
            "本政策包没有一个实体声明 `sheet`，因此认不出任何表",
            "no entity of the pack declares `sheet`, so that no sheet can be known",
        )
    } else if let Some((entity, known)) =
        source.sheets.iter().find_map(|sheet| nearest(schema, source, sheet))
    {
        let entity = schema.entity(entity);
        let required = || entity.fields.iter().filter(|field| field.required).map(|field| &field.label.zh);
        let (known, wanted) = (quote(&mut known.iter()), quote(&mut required()));
        Text::new(
            format!("像“{}”的表，但只认出列 {known}；应有列 {wanted}", entity.label.zh),
            format!(
                "it looks like a sheet of {}, but only {known} is known; expected {wanted}",
                entity.label.en
            ),
        )
    } else {
        Text::new(
            format!("{sheets}；本政策包登记 {expected}"),
            format!("{sheets}; the pack records {expected}"),
        )
    };
    ImportError::SheetUnrecognised { file: source.name.as_str().into(), reason: Box::new(reason) }
}

/// The row of a sheet with most known headings, read again.
fn nearest(schema: &Schema<'_>, source: &Source, sheet: &str) -> Option<(EntityId, Vec<String>)> {
    let mut around = header::Surroundings::new(&source.stem(), sheet, None);
    let mut best: Option<(EntityId, Vec<String>)> = None;
    let mut rows = 0;
    // That it could be read is known; what cannot be read now is no reason to say less.
    let _ = source.read(sheet, &mut |_, cells| {
        if let Some(found) = header::nearest(schema, &around, cells)
            && best.as_ref().is_none_or(|(_, known)| found.1.len() > known.len())
        {
            best = Some(found);
        }
        around.add(cells);
        rows += 1;
        Ok(if rows > header::ROWS_ABOVE_MAX { source::Flow::Stop } else { source::Flow::Continue })
    });
    best
}
