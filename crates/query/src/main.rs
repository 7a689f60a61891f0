//! `xiaokang sql`: the program `xiaokang-sql`.

use std::path::PathBuf;
use std::process::ExitCode;

use app::explain::StoredRun;
use app::report::Disclosure;
use app::{Moment, Viewer};
use clap::{Parser, ValueEnum};
use model::Lang;
use query::Format;
use xiaokang::arguments::LangArgument;
use xiaokang::console::{CommandResult, Outcome, ended, now_ms, pack_of_run};
use xiaokang::say;

fn main() -> ExitCode {
    let options = SqlOptions::parse();
    let lang = options.lang.0;
    ended(run(&options, lang), lang)
}

/// Queries a run and its registry with SQL.
#[derive(Parser)]
#[command(name = "xiaokang sql", bin_name = "xiaokang sql", version)]
struct SqlOptions {
    /// Language of what is printed: zh or en.
    #[arg(long, default_value = "zh")]
    lang: LangArgument,
    /// Folder of the run.
    #[arg(long)]
    run: PathBuf,
    /// How rows are printed.
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    format: RowFormat,
    /// Show personal data as recorded; the query then sees it, too. Who asked, when and why is written down first.
    #[arg(long, requires = "reason")]
    unmasked: bool,
    /// Why it is needed in full.
    #[arg(long)]
    reason: Option<String>,
    /// Who asks.
    #[arg(long, default_value = "office")]
    actor: String,
    /// The query; tables are named like the pack's entities.
    query: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RowFormat {
    Table,
    Csv,
    Json,
}

fn run(options: &SqlOptions, lang: Lang) -> CommandResult {
    let run = StoredRun::open(&options.run)?;
    let pack = pack_of_run(&options.run, None)?;
    let format = match options.format {
        RowFormat::Table => Format::Table,
        RowFormat::Csv => Format::Csv,
        RowFormat::Json => Format::Json,
    };
    let viewer = match &options.reason {
        Some(reason) if options.unmasked => {
            let at = Moment::from_unix_ms(now_ms());
            let disclosure = Disclosure { actor: options.actor.clone(), reason: reason.clone(), at };
            disclosure.record(&run, "sql", &options.query.clone().into())?;
            Viewer::unmasked(&pack.program)
        }
        _ => Viewer::masked(&pack.program),
    };
    let answer = query::answer(&viewer, &options.run, &options.query, format)?;
    say!("{}", answer.text.trim_end());
    let columns = answer.personal.join(", ");
    match (options.unmasked, columns.is_empty(), lang) {
        (true, _, Lang::Zh) => eprintln!("注意：个人信息未作遮盖，请勿外传"),
        (true, _, Lang::En) => {
            eprintln!("note: personal data is not masked: do not pass it on");
        }
        (false, false, Lang::Zh) => eprintln!("注意：{columns} 已遮盖；确需查看时用 --unmasked"),
        (false, false, Lang::En) => eprintln!("note: {columns} masked; `--unmasked` shows what is needed"),
        (false, true, _) => {}
    }
    Ok(Outcome::Done)
}
