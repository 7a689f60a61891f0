//! `xiaokang sql`

use app::explain::StoredRun;
use model::Lang;

use crate::arguments::{RowFormat, SqlOptions};
use crate::console::{CommandResult, Failure, Outcome, pack_of_run, say};

pub fn run(options: &SqlOptions, lang: Lang) -> CommandResult {
    StoredRun::open(&options.run).map_err(crate::explain::failure)?;
    let pack = pack_of_run(&options.run, None)?;
    let format = match options.format {
        RowFormat::Table => app::query::Format::Table,
        RowFormat::Csv => app::query::Format::Csv,
        RowFormat::Json => app::query::Format::Json,
    };
    let answer = app::query::answer(&pack.program, &options.run, &options.query, format, options.unmasked)
        .map_err(refused)?;
    say!("{}", answer.text.trim_end());
    let columns = answer.personal.join(", ");
    match (options.unmasked, columns.is_empty(), lang) {
        (true, _, Lang::Zh) => eprintln!("注意：姓名、证件号码、电话和账号未作遮盖，请勿外传"),
        (true, _, Lang::En) => {
            eprintln!(
                "note: names, identity numbers, phones and accounts are not masked: do not pass them on"
            );
        }
        (false, false, Lang::Zh) => eprintln!("注意：{columns} 已遮盖；确需查看时用 --unmasked"),
        (false, false, Lang::En) => eprintln!("note: {columns} masked; `--unmasked` shows what is needed"),
        (false, true, _) => {}
    }
    Ok(Outcome::Done)
}

/// DataFusion lists every column there is; what it takes to be meant is enough.
fn refused(error: app::query::QueryError) -> Failure {
    let message = error.to_string();
    let short = message.split("\nValid fields are").next().unwrap_or_default();
    Failure::with_hint(short, "`select * from household limit 1` shows the columns of a table")
}
