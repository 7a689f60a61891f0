//! `xiaokang sql`

use app::explain::StoredRun;

use crate::arguments::{RowFormat, SqlOptions};
use crate::console::{CommandResult, Failure, Outcome, say};

pub fn run(options: &SqlOptions) -> CommandResult {
    StoredRun::open(&options.run).map_err(crate::explain::failure)?;
    let format = match options.format {
        RowFormat::Table => app::query::Format::Table,
        RowFormat::Csv => app::query::Format::Csv,
        RowFormat::Json => app::query::Format::Json,
    };
    let text = app::query::query(&options.run, &options.query, format).map_err(refused)?;
    say!("{}", text.trim_end());
    Ok(Outcome::Done)
}

/// DataFusion lists every column there is; what it takes to be meant is enough.
fn refused(error: app::query::QueryError) -> Failure {
    let message = error.to_string();
    let short = message.split("\nValid fields are").next().unwrap_or_default();
    Failure::with_hint(short, "`select * from household limit 1` shows the columns of a table")
}
