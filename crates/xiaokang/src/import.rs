//! `xiaokang import`

use app::import::{ImportOptions, Phase, import};
use model::Lang;
use store_moment::now;

use crate::arguments;
use crate::console::{CommandResult, Failure, Outcome, load_pack, open_or_create_registry, progress_bar};

pub fn run(options: &arguments::ImportOptions, lang: Lang) -> CommandResult {
    let pack = load_pack(&options.pack, &[], &[])?;
    let mut registry = open_or_create_registry(&options.registry, &options.pack, &pack.program)?;
    let bar = progress_bar(if lang == Lang::Zh { "导入" } else { "importing" });
    let report = import(
        &mut registry,
        &pack.program,
        &options.files,
        &ImportOptions {
            actor: options.actor.clone(),
            now: now(),
            as_of: options.as_of.map_or(pack.program.info.as_of, |date| date.0),
            report: options.report.clone(),
            preview: options.preview,
            progress: &|progress| {
                if progress.phase == Phase::Reading || progress.total.is_some() {
                    bar.set_length(progress.total.unwrap_or(progress.done));
                }
                bar.set_position(progress.done);
                true
            },
        },
    )
    .map_err(|error| Failure::input(error.message(lang)))?;
    bar.finish_and_clear();
    if options.json {
        println!("{:#}", report.to_json());
    } else {
        println!("{}", report.summary(lang, 20).trim_end());
        if let Some(path) = &options.report {
            let what = if lang == Lang::Zh {
                "标注了错误的工作簿"
            } else {
                "workbook with the faults marked"
            };
            println!("{what}: {}", path.display());
        }
    }
    Ok(if report.needs_attention() { Outcome::Findings } else { Outcome::Done })
}

mod store_moment {
    use crate::console::now_ms;

    /// The moment of this command, for the registry's history.
    pub fn now() -> app::Moment {
        app::Moment::from_unix_ms(now_ms())
    }
}
