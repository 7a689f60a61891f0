//! `xiaokang assess`

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::assess::{AssessError, AssessOptions, FindWorkers, Out, assess, assess_snapshot};
use app::explain::StoredRun;
use app::{Progress, SnapshotFiles, Timings, notices, totals};
use model::{Lang, Text};
use serde_json::json;

use crate::arguments;
use crate::companion::{Companion, own_arguments};
use crate::console::{CommandResult, Failure, Outcome, load_pack, open_registry, progress_bar, say};

/// What of a run is not in this process or on this machine.
#[derive(Default)]
pub struct Elsewhere {
    /// Who works on it.
    pub workers: Option<FindWorkers>,
    /// The snapshot's files.
    pub snapshot_files: Option<Arc<dyn SnapshotFiles>>,
}

/// Whether a run needs a cluster or an object store: then the program for these does it.
pub fn is_elsewhere(options: &arguments::AssessOptions) -> bool {
    let snapshot = options.snapshot.as_deref().map(|snapshot| snapshot.to_string_lossy().into_owned());
    options.cluster.is_some() || snapshot.is_some_and(|snapshot| snapshot.contains("://"))
}

pub fn run(options: &arguments::AssessOptions, lang: Lang) -> CommandResult {
    if is_elsewhere(options) {
        return Companion::Cluster.run(lang, own_arguments());
    }
    run_with(options, Elsewhere::default(), lang)
}

/// Runs with what the caller has of elsewhere.
///
/// # Errors
/// As the command says them.
pub fn run_with(options: &arguments::AssessOptions, elsewhere: Elsewhere, lang: Lang) -> CommandResult {
    let overrides: Vec<_> = options.set.iter().map(|set| set.0.clone()).collect();
    let pack = load_pack(&options.pack, &options.overlay, &overrides)?;
    let bar = progress_bar(if lang == Lang::Zh { "运行" } else { "assessing" });
    let shown = bar.clone();
    let timings = Timings::default();
    let settings = AssessOptions {
        as_of: options.as_of.0,
        out: match &options.out {
            _ if options.totals_only => Out::Nowhere,
            Some(folder) => Out::Folder(folder.clone()),
            None => Out::Usual,
        },
        previous: options.previous.clone(),
        threads: options.threads.unwrap_or(0),
        memory_limit: options.memory.map(|size| size.0),
        snapshot_files: elsewhere.snapshot_files,
        workers: elsewhere.workers,
        timings: timings.clone(),
        progress: Arc::new(move |progress| match progress {
            Progress::Started { parts } => shown.set_length(parts as u64),
            Progress::Parts { done, .. } => shown.set_position(done as u64),
            Progress::Finishing => {
                shown.set_message(if lang == Lang::Zh { "汇总" } else { "finishing" });
            }
        }),
    };
    let since = Instant::now();
    let done = match (&options.snapshot, &options.registry) {
        (Some(snapshot), _) => assess_snapshot(snapshot, &pack, &settings),
        (None, Some(registry)) => assess(&open_registry(registry, &pack.program)?, &pack, &settings),
        (None, None) => {
            return Err(Failure::input(Text::new(
                "请写 `--registry` 或 `--snapshot`",
                "say `--registry` or `--snapshot`",
            )));
        }
    };
    let done = done.map_err(failure)?;
    bar.finish_and_clear();
    for warning in &done.summary.warnings {
        eprintln!("{}: {warning}", if lang == Lang::Zh { "注意" } else { "warning" });
    }
    let manifest = &done.manifest;
    // A snapshot in an object store cannot be asked why something is unknown.
    let stored = done.run.as_deref().and_then(|run| StoredRun::open(run).ok());
    let unreliable = totals::warning(&pack.program, manifest, stored.as_ref());
    let unreliable = unreliable?;
    let late = stored.as_ref().map(|run| notices::stale_records(&pack.program, run)).transpose();
    let late = late?.flatten();
    let lacking = notices::not_in_force(&pack.program, options.as_of.0, lang);
    for text in unreliable
        .iter()
        .map(|warning| warning.to_text(lang))
        .chain(late.map(|late| late.to_text(lang)))
        .chain(lacking)
    {
        // What is read by a program stays alone on its stream.
        if options.json { eprint!("{text}") } else { say!("{}", text.trim_end()) }
    }
    if options.json {
        let mut all = totals::to_json(&pack.program, manifest);
        all["run"] = json!(done.run.as_deref().map(|run| run.display().to_string()));
        say!("{all:#}");
    } else {
        say!("{}", totals::to_text(&pack.program, manifest, lang).trim_end());
        if let Some(run) = &done.run {
            say!("{}: {}", if lang == Lang::Zh { "运行目录" } else { "run" }, run.display());
        }
    }
    if options.timings {
        eprint!("{}", timings_text(&timings, since.elapsed(), lang));
    }
    let findings = !manifest.findings.is_empty();
    if findings && !options.json {
        let text = notices::findings_text(&pack.program, manifest, done.run.as_deref(), lang);
        say!("{}", text?.trim_end());
    }
    Ok(if findings || unreliable.is_some() { Outcome::Findings } else { Outcome::Done })
}

/// A line for each piece of the run.
fn timings_text(timings: &Timings, whole: Duration, lang: Lang) -> String {
    let mut text = String::new();
    let megabytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    for timing in timings.all() {
        let seconds = timing.time.as_secs_f64();
        let rate = if timing.rows > 0 && seconds > 0.0 { timing.rows as f64 / seconds / 1e6 } else { 0.0 };
        text.push_str(&format!(
            "{:<28} {seconds:>9.3} s {:>12} rows {rate:>9.2} M/s {:>9.1} MiB\n",
            timing.label,
            timing.rows,
            megabytes(timing.bytes)
        ));
    }
    let label = if lang == Lang::Zh { "历时" } else { "elapsed" };
    text.push_str(&format!("{label} {:.3} s\n", whole.as_secs_f64()));
    text
}

pub fn failure(error: AssessError) -> Failure {
    error.into()
}
