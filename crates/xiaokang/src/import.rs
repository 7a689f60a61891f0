//! `xiaokang import`

use app::import::{ImportOptions, Phase, import};
use model::Lang;
use store_moment::now;

use crate::arguments;
use crate::console::{CommandResult, Outcome, load_pack, open_or_create_registry, progress_bar, say};

pub fn run(options: &arguments::ImportOptions, lang: Lang) -> CommandResult {
    let pack = load_pack(&options.pack, &[], &[])?;
    let mut opened = open_or_create_registry(&options.registry, &pack)?;
    let bar = progress_bar(if lang == Lang::Zh { "导入" } else { "importing" });
    let report = import(
        opened.registry(),
        &pack.program,
        &options.files,
        &ImportOptions {
            actor: options.actor.clone(),
            now: now(),
            as_of: options.as_of.map_or(pack.program.info.as_of, |date| date.0),
            report: options.report.clone(),
            preview: options.preview,
            allow_erase: options.allow_erase,
            progress: &|progress| {
                if progress.phase == Phase::Reading || progress.total.is_some() {
                    bar.set_length(progress.total.unwrap_or(progress.done));
                }
                bar.set_position(progress.done);
                true
            },
        },
    )?;
    bar.finish_and_clear();
    // A registry of which nothing was accepted is as good as none.
    let made_for_nothing = opened.is_new() && (options.preview || report.accepted() == 0);
    if !made_for_nothing {
        opened.keep()?;
    }
    if options.json {
        say!("{:#}", report.to_json());
    } else {
        say!("{}", report.summary(lang, 20).trim_end());
        if made_for_nothing {
            say!(
                "{}",
                if lang == Lang::Zh {
                    "没有导入任何记录，未建立登记库"
                } else {
                    "nothing was stored, and no registry was made"
                }
            );
        }
        if let Some(path) = &report.workbook {
            let what = if lang == Lang::Zh {
                "标注了错误的工作簿"
            } else {
                "workbook with the faults marked"
            };
            say!("{what}: {}", path.display());
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
