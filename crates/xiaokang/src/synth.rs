//! `xiaokang synth`

use std::time::{Duration, Instant};

use app::synth::{GenerateOptions, generate};
use model::Lang;
use serde_json::{Map, Value as Json, json};

use crate::arguments::{self, SynthFormat};
use crate::console::{CommandResult, Outcome, load_pack, progress_bar};

pub fn run(options: &arguments::SynthOptions, lang: Lang) -> CommandResult {
    let pack = load_pack(&options.pack, &[], &[])?;
    let bar = progress_bar(if lang == Lang::Zh { "生成" } else { "making" });
    let start = now();
    let summary = generate(
        &pack,
        &options.pack,
        &GenerateOptions {
            count: options.persons,
            seed: options.seed,
            provinces: options.provinces,
            format: match options.format {
                SynthFormat::Snapshot => app::synth::Format::Snapshot,
                SynthFormat::Csv => app::synth::Format::Csv,
                SynthFormat::Xlsx => app::synth::Format::Xlsx,
            },
            threads: options.threads.unwrap_or(0),
            progress: &|done, parts| {
                bar.set_length(parts as u64);
                bar.set_position(done as u64);
            },
        },
        &options.out,
    )?;
    bar.finish_and_clear();
    let taken = start.elapsed();
    for name in &summary.unused {
        eprintln!("warning: the profile describes `{name}`, which the pack does not have");
    }
    if options.json {
        let rows: Map<String, Json> =
            summary.rows.iter().map(|(entity, rows)| (entity.clone(), json!(rows))).collect();
        let seconds = taken.as_secs_f64();
        let all =
            json!({ "rows": rows, "seconds": seconds, "bytes": summary.bytes, "digest": summary.digest });
        println!("{all:#}");
    } else {
        print!("{}", text(&summary, taken, lang));
        println!("{}: {}", if lang == Lang::Zh { "目录" } else { "folder" }, options.out.display());
    }
    Ok(Outcome::Done)
}

fn text(summary: &app::synth::Summary, taken: Duration, lang: Lang) -> String {
    let width = summary.rows.iter().map(|(entity, _)| entity.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (entity, rows) in &summary.rows {
        text.push_str(&format!("{entity:width$}  {rows:>11}\n"));
    }
    let rows: u64 = summary.rows.iter().map(|(_, rows)| rows).sum();
    let (seconds, megabytes) = (taken.as_secs_f64(), summary.bytes as f64 / 1e6);
    let rate = rows as f64 / seconds.max(1e-9);
    text.push_str(&match lang {
        Lang::Zh => format!("共 {rows} 行，{seconds:.2} 秒（每秒 {rate:.0} 行），{megabytes:.1} MB\n"),
        Lang::En => format!("{rows} rows in {seconds:.2} s ({rate:.0} rows a second), {megabytes:.1} MB\n"),
    });
    text
}

/// A stopwatch, for what is printed.
fn now() -> Instant {
    Instant::now()
}
