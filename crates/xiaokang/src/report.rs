//! `xiaokang report`

use app::Moment;
use app::explain::StoredRun;
use app::report::{Disclosure, ReportOptions as Wanted, write};
use app::totals;
use model::Lang;

use crate::arguments::ReportOptions;
use crate::console::{CommandResult, Outcome, now_ms, pack_of_run, say};

pub fn run(options: &ReportOptions, lang: Lang) -> CommandResult {
    let run = StoredRun::open_with(&options.run, options.snapshot.as_deref())?;
    let pack = pack_of_run(&options.run, options.pack.as_deref())?;
    let at = Moment::from_unix_ms(now_ms());
    let unmasked = options.reason.as_ref().filter(|_| options.unmasked).map(|reason| Disclosure {
        actor: options.actor.clone(),
        reason: reason.clone(),
        at,
    });
    let shown = unmasked.is_some();
    let summary = write(&pack.program, &run, &options.out, &Wanted { lang, unmasked })?;
    let unreliable = totals::warning(&pack.program, &run.manifest, Some(&run))?;
    if let Some(warning) = &unreliable {
        say!("{}", warning.to_text(lang).trim_end());
    }
    let (out, sheets, rows, unknown) = (options.out.display(), summary.sheets, summary.rows, summary.unknown);
    match lang {
        Lang::Zh => say!("{out}：{sheets} 张表，{rows} 行，其中 {unknown} 个结果未知"),
        Lang::En => say!("{out}: {sheets} sheets, {rows} rows, {unknown} results in them unknown"),
    }
    if shown {
        let log = Disclosure::log_of(&options.run);
        match lang {
            Lang::Zh => eprintln!("注意：个人信息未作遮盖，请勿外传；已记入 {}", log.display()),
            Lang::En => {
                eprintln!("note: personal data is not masked, do not pass it on; noted in {}", log.display());
            }
        }
    }
    Ok(if unreliable.is_some() { Outcome::Findings } else { Outcome::Done })
}
