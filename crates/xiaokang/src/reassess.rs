//! `xiaokang reassess`

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::time::Instant;

use app::explain::StoredRun;
use app::reassess::{ChangeKind, ChangedTotal, ReassessError, Reassessed, Reassessment};
use app::{Viewer, changes, registry, totals, value_text};
use model::{AsProblem as _, Lang, Text, text};
use pack::program::{ColumnId, Program, Value};

use crate::arguments::ReassessOptions;
use crate::console::{CommandResult, Failure, Outcome, program_of_run, say};

pub fn run(options: &ReassessOptions, lang: Lang) -> CommandResult {
    deep(|| reassess(options, lang))
}

/// Values rest on one another through many columns.
const STACK_BYTES: usize = 64 << 20;

/// Works where values may rest on one another through many columns.
pub fn deep(work: impl FnOnce() -> CommandResult + Send) -> CommandResult {
    std::thread::scope(|scope| {
        let work = std::thread::Builder::new()
            .name("reassess".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(Failure::internal)?;
        work.join().unwrap_or_else(|_| Err(Failure::internal("a worker panicked")))
    })
}

fn reassess(options: &ReassessOptions, lang: Lang) -> CommandResult {
    let run = StoredRun::open_with(&options.run, options.snapshot.as_deref())?;
    let program = program_of_run(&options.run, run.pack_digest(), None)?;
    let mut reassessment = Reassessment::new(&program, &run)?;
    let viewer = Viewer::masked(&program);
    let mut outcome = Outcome::Done;
    let mut tell = |reassessed: &Reassessed, since: Instant| {
        if options.timings {
            eprintln!("{:.1} ms", since.elapsed().as_secs_f64() * 1000.0);
        }
        if options.json {
            say!("{}", reassessed.to_json(&program));
        } else {
            print(&program, reassessed, lang);
        }
        if reassessed.findings.iter().any(|finding| finding.found) {
            outcome = Outcome::Findings;
        }
    };
    match (&options.changes, &options.registry) {
        (Some(path), _) => {
            for (number, line) in lines(path)?.enumerate() {
                let line = line.map_err(|error| Failure::file(path, &error))?;
                if line.trim().is_empty() {
                    continue;
                }
                let since = Instant::now();
                let number = number + 1;
                let wrong = |reason| ReassessError::Line { line: number, reason: Box::new(reason) };
                let changes = changes::read(&program, &line).map_err(wrong)?;
                let reassessed = reassessment.apply(&changes).map_err(|error| {
                    let within = (text!("第 {number} 行", "line {number}"), error.problem());
                    Failure::Problem(Box::new(within.1.within(within.0.zh, within.0.en)))
                })?;
                tell(&reassessment.masked(&viewer, reassessed), since);
            }
        }
        (None, Some(folder)) => {
            let registry = registry::open(folder, &program)?;
            let since = Instant::now();
            let changes = reassessment.since(&registry)?;
            let reassessed = reassessment.apply(&changes)?;
            tell(&reassessment.masked(&viewer, reassessed), since);
        }
        (None, None) => {}
    }
    drop(reassessment);
    // The process ends here: a whole pack is not taken apart piece by piece first.
    std::mem::forget(program);
    Ok(outcome)
}

fn lines(path: &std::path::Path) -> Result<io::Lines<Box<dyn BufRead>>, Failure> {
    let input: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let file = File::open(path);
        Box::new(BufReader::new(file.map_err(|error| Failure::file(path, &error))?))
    };
    Ok(input.lines())
}

fn print(program: &Program, reassessed: &Reassessed, lang: Lang) {
    let words = |zh: &'static str, en: &'static str| if lang == Lang::Zh { zh } else { en };
    if reassessed.records.is_empty() {
        say!("{}", words("结果没有变化", "nothing changes"));
        return;
    }
    // Those nearest to the change come first.
    for record in reassessed.records.iter().rev() {
        let entity = program.entity(record.entity);
        let kind = match record.kind {
            ChangeKind::Added => words("（新增）", " (new)"),
            ChangeKind::Changed => "",
            ChangeKind::Removed => words("（删除）", " (removed)"),
        };
        say!("{} {}{kind}", label(&entity.label, &entity.name, lang), record.key);
        for (column, before, after) in &record.values {
            say!("  {}", line(program, *column, before.as_ref(), after.as_ref(), lang));
        }
    }
    for finding in &reassessed.findings {
        let entity = program.entity(finding.entity);
        let state = if finding.found { words("新发现", "found") } else { words("不再有", "no longer") };
        let rule = finding.rule.as_deref().unwrap_or_default();
        say!("{state}: {} {} {} {rule}", label(&entity.label, &entity.name, lang), finding.key, finding.code);
    }
    print_totals(program, &reassessed.totals, lang);
}

/// Totals that are others, with how many they leave out as unknown.
pub fn print_totals(program: &Program, changed: &[ChangedTotal], lang: Lang) {
    let words = |zh: &'static str, en: &'static str| if lang == Lang::Zh { zh } else { en };
    if !changed.is_empty() {
        say!("{}", words("合计", "totals"));
    }
    for ChangedTotal { id, value: (before, after), unknown } in changed {
        let Some(total) = program.totals.iter().find(|total| total.id == *id) else { continue };
        let text = |value: i128| totals::value_text(program, total, value, lang);
        let unknown = match unknown {
            Some((before, after)) if before != after => {
                let text = |unknown: u64| totals::unknown_text(program, total, unknown, lang);
                format!("{}{} → {}{}", words("（", " ("), text(*before), text(*after), words("）", ")"))
            }
            Some((_, 0)) => String::new(),
            Some((_, unknown)) => {
                let text = totals::unknown_text(program, total, *unknown, lang);
                format!("{}{text}{}", words("（", " ("), words("）", ")"))
            }
            None => words("（未知数须重新运行才知）", " (only a run counts the unknown)").to_owned(),
        };
        say!("  {}: {} → {}{unknown}", label(&total.title, id, lang), text(*before), text(*after));
    }
}

fn label(text: &Text, name: &str, lang: Lang) -> String {
    match text.get(lang) {
        "" => name.to_owned(),
        label => label.to_owned(),
    }
}

/// `poverty line gap [gap]: 120.00 → unknown`
pub fn line(
    program: &Program,
    column: ColumnId,
    before: Option<&Value>,
    after: Option<&Value>,
    lang: Lang,
) -> String {
    let column = program.column(column);
    let value = |value: Option<&Value>| value_text(program, &column.ty, value, lang);
    let label = column.label.get(lang);
    let named = if label.is_empty() { column.name.clone() } else { format!("{label} [{}]", column.name) };
    format!("{named}: {} → {}", value(before), value(after))
}
