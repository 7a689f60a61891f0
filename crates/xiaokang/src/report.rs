//! `xiaokang report`

use app::explain::StoredRun;
use app::report::{ReportError, write};
use model::Lang;

use crate::arguments::ReportOptions;
use crate::console::{CommandResult, Failure, Outcome, pack_of_run, say};

pub fn run(options: &ReportOptions, lang: Lang) -> CommandResult {
    let run = StoredRun::open(&options.run).map_err(crate::explain::failure)?;
    let pack = pack_of_run(&options.run, options.pack.as_deref())?;
    let summary = write(&pack.program, &run, &options.out, lang).map_err(|error| match error {
        ReportError::Run(error) => crate::explain::failure(error),
        other => Failure::input(other),
    })?;
    match lang {
        Lang::Zh => say!("{}：{} 张表，{} 行", options.out.display(), summary.sheets, summary.rows),
        Lang::En => say!("{}: {} sheets, {} rows", options.out.display(), summary.sheets, summary.rows),
    }
    Ok(Outcome::Done)
}
