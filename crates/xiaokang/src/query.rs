//! `xiaokang sql`

use app::explain::StoredRun;

use crate::arguments::{RowFormat, SqlOptions};
use crate::console::{CommandResult, Failure, Outcome};

pub fn run(options: &SqlOptions) -> CommandResult {
    StoredRun::open(&options.run).map_err(crate::explain::failure)?;
    let format = match options.format {
        RowFormat::Table => app::query::Format::Table,
        RowFormat::Csv => app::query::Format::Csv,
        RowFormat::Json => app::query::Format::Json,
    };
    let text = app::query::query(&options.run, &options.query, format).map_err(Failure::input)?;
    println!("{}", text.trim_end());
    Ok(Outcome::Done)
}
