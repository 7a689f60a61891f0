//! `xiaokang assess`

use std::sync::Arc;

use app::assess::{AssessError, AssessOptions, assess, assess_snapshot};
use app::{EngineError, Progress};
use model::Lang;
use pack::program::{Program, TotalFunction, Type};
use serde_json::{Value as Json, json};

use crate::arguments;
use crate::console::{CommandResult, Failure, Outcome, load_pack, open_registry, progress_bar, say};

pub fn run(options: &arguments::AssessOptions, lang: Lang) -> CommandResult {
    let overrides: Vec<_> = options.set.iter().map(|set| set.0.clone()).collect();
    let pack = load_pack(&options.pack, &options.overlay, &overrides)?;
    let bar = progress_bar(if lang == Lang::Zh { "运行" } else { "assessing" });
    let shown = bar.clone();
    let how = AssessOptions {
        as_of: options.as_of.0,
        out: options.out.clone(),
        previous: options.previous.clone(),
        threads: options.threads.unwrap_or(0),
        memory_limit: None,
        progress: Arc::new(move |progress| match progress {
            Progress::Started { parts } => shown.set_length(parts as u64),
            Progress::Parts { done, .. } => shown.set_position(done as u64),
            Progress::Finishing => {
                shown.set_message(if lang == Lang::Zh { "汇总" } else { "finishing" });
            }
        }),
    };
    let done = match (&options.snapshot, &options.registry) {
        (Some(snapshot), _) => assess_snapshot(snapshot, &pack, &how),
        (None, Some(registry)) => assess(&open_registry(registry, &pack.program)?, &pack, &how),
        (None, None) => return Err(Failure::input("either a registry or a snapshot is needed")),
    }
    .map_err(failure)?;
    bar.finish_and_clear();
    let manifest = done.manifest;
    if options.json {
        say!("{:#}", totals_json(&manifest, &done.run));
    } else {
        say!("{}", totals_text(&pack.program, &manifest, lang).trim_end());
        say!("{}: {}", if lang == Lang::Zh { "运行目录" } else { "run" }, done.run.display());
    }
    let findings = manifest["findings"].as_object().is_some_and(|findings| !findings.is_empty());
    if findings && !options.json {
        let list: Vec<String> = manifest["findings"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(code, count)| format!("{code} {count}"))
            .collect();
        let what = if lang == Lang::Zh { "需人工处理" } else { "findings for a person" };
        say!("{what}: {}", list.join(", "));
    }
    Ok(if findings { Outcome::Findings } else { Outcome::Done })
}

pub fn failure(error: AssessError) -> Failure {
    match error {
        AssessError::Io { .. } => Failure::internal(error),
        AssessError::Engine(EngineError::ParameterNotInForce { .. }) => Failure::with_hint(
            error,
            "choose another `--as-of`, or add the value to the pack with the day from which it holds",
        ),
        other => Failure::input(other),
    }
}

/// The totals by their stable names, and what they were made from.
fn totals_json(manifest: &Json, run: &std::path::Path) -> Json {
    let mut all = manifest["totals"].clone();
    if let Some(map) = all.as_object_mut() {
        map.insert("as_of".to_owned(), manifest["as_of"].clone());
        map.insert("pack_digest".to_owned(), manifest["pack"]["digest"].clone());
        map.insert("snapshot_digest".to_owned(), manifest["snapshot"]["digest"].clone());
        map.insert("findings".to_owned(), manifest["findings"].clone());
        map.insert("run".to_owned(), json!(run.display().to_string()));
    }
    all
}

/// A line for each total, money in yuan.
pub fn totals_text(program: &Program, manifest: &Json, lang: Lang) -> String {
    let mut text = String::new();
    let width = program.totals.iter().map(|total| columns(total.title.get(lang))).max().unwrap_or(0);
    for total in &program.totals {
        let value = &manifest["totals"][&total.id];
        let number = value.as_i64().map_or_else(|| value.to_string(), |number| number.to_string());
        let money = matches!(&total.function, TotalFunction::Sum(id)
            if matches!(&program.column(*id).ty, Type::Number(ty) if ty.is_money()));
        let shown = match (money, value.as_i64()) {
            (true, Some(fen)) => {
                let fen = model::Fen::from_fen(fen);
                let unit = if lang == Lang::Zh { " 元" } else { " yuan" };
                fen.format_exact(model::MoneyUnit::Yuan) + unit
            }
            _ => number,
        };
        let title = total.title.get(lang);
        let pad = " ".repeat(width - columns(title));
        text.push_str(&format!("{title}{pad}  {shown}\n"));
    }
    text
}

/// Columns that a text takes on a terminal: a Chinese character takes two.
fn columns(text: &str) -> usize {
    text.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum()
}
