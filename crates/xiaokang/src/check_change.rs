//! `xiaokang check-change`

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use app::check_change::{CheckFinding, Checked, FindingState, Standing, check_change};
use app::explain::StoredRun;
use app::reassess::{ChangeKind, ReassessError};
use app::{changes, registry};
use model::Lang;
use pack::program::Program;

use crate::arguments::CheckChangeOptions;
use crate::console::{CommandResult, Failure, Outcome, program_of_run, say};
use crate::reassess::{deep, line, print_totals};

pub fn run(options: &CheckChangeOptions, lang: Lang) -> CommandResult {
    deep(|| check(options, lang))
}

fn check(options: &CheckChangeOptions, lang: Lang) -> CommandResult {
    let run = StoredRun::open_with(&options.run, options.snapshot.as_deref())?;
    let program = Arc::new(program_of_run(&options.run, run.pack_digest(), None)?);
    let mut standing = Standing::new(Arc::clone(&program), Arc::new(run))?;
    if let Some(folder) = &options.registry {
        let registry = registry::open(folder, &program)?;
        standing = standing.caught_up(&registry)?;
    }
    let mut pencilled = Arc::default();
    let mut outcome = Outcome::Done;
    for (number, change) in given(&options.changes)?.iter().enumerate() {
        let since = Instant::now();
        let at = |reason| ReassessError::Line { line: number + 1, reason: Box::new(reason) };
        let change = changes::read(&program, change).map_err(at)?;
        let checked = check_change(&standing, &pencilled, &change)?;
        if options.timings {
            eprintln!("{:.1} ms", since.elapsed().as_secs_f64() * 1000.0);
        }
        if options.json {
            say!("{}", checked.to_json(&program, lang));
        } else {
            print(&program, &checked, lang);
        }
        if checked.findings.iter().any(|finding| finding.state != FindingState::Gone) {
            outcome = Outcome::Findings;
        }
        pencilled = checked.pencilled;
    }
    drop(standing);
    // The process ends here: a whole pack is not taken apart piece by piece first.
    std::mem::forget(program);
    Ok(outcome)
}

/// The changes said, those of standard input among them.
fn given(changes: &[String]) -> Result<Vec<String>, Failure> {
    let mut given = Vec::new();
    for change in changes {
        if change != "-" {
            given.push(change.clone());
            continue;
        }
        for line in io::stdin().lines() {
            let line = line.map_err(|error| Failure::file(Path::new("-"), &error))?;
            given.extend(Some(line).filter(|line| !line.trim().is_empty()));
        }
    }
    Ok(given)
}

fn print(program: &Program, checked: &Checked, lang: Lang) {
    let words = |zh: &'static str, en: &'static str| if lang == Lang::Zh { zh } else { en };
    for finding in &checked.findings {
        say!("{}", finding_line(program, finding, lang));
    }
    let mut before = None;
    for result in &checked.results {
        let entity = program.entity(result.entity);
        if before.replace((result.entity, &result.key)) != Some((result.entity, &result.key)) {
            let kind = match result.kind {
                ChangeKind::Added => words("（新增）", " (new)"),
                ChangeKind::Changed => "",
                ChangeKind::Removed => words("（删除）", " (removed)"),
            };
            say!("{} {}{kind}", entity.label.get(lang), result.key);
        }
        let cited = match (result.clauses.as_slice(), lang) {
            ([], _) => String::new(),
            (clauses, Lang::Zh) => format!("（{}）", clauses.join("、")),
            (clauses, Lang::En) => format!(" ({})", clauses.join(", ")),
        };
        let (was, is) = (result.before.as_ref(), result.after.as_ref());
        say!("  {}{cited}", line(program, result.column, was, is, lang));
    }
    if checked.findings.is_empty() && checked.results.is_empty() {
        say!("{}", words("没有问题，结果没有变化", "nothing is found, and nothing changes"));
    }
    print_totals(program, &checked.totals, lang);
}

fn finding_line(program: &Program, finding: &CheckFinding, lang: Lang) -> String {
    let words = |zh: &'static str, en: &'static str| if lang == Lang::Zh { zh } else { en };
    let state = match (finding.state, finding.severity) {
        (FindingState::Gone, _) => words("已消除", "mended"),
        (FindingState::Remains, _) => words("仍有", "remains"),
        (FindingState::New, app::import::Severity::Refused) => words("不能保存", "refused"),
        (FindingState::New, app::import::Severity::Warning) => words("疑点", "doubtful"),
    };
    let (entity, key) = (program.entity(finding.entity).label.get(lang), &finding.key);
    format!("{state}: {entity} {key}: {} [{}]", finding.message.get(lang), finding.code)
}
