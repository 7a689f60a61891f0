//! `xiaokang explain`

use app::Viewer;
use app::explain::{StoredRun, explain};
use model::Lang;

use crate::arguments::ExplainOptions;
use crate::console::{CommandResult, Outcome, program_of_run, say};

pub fn run(options: &ExplainOptions, lang: Lang) -> CommandResult {
    let run = StoredRun::open_with(&options.run, options.snapshot.as_deref())?;
    let program = program_of_run(&options.run, run.pack_digest(), options.pack.as_deref())?;
    let viewer = Viewer::masked(&program);
    let explained = explain(&viewer, &run, &options.entity, &options.key, options.rule.as_deref())?;
    if options.json {
        let list: Vec<_> = explained.iter().map(engine_json).collect();
        let one = options.rule.is_some() && list.len() == 1;
        say!("{:#}", if one { list[0].clone() } else { serde_json::Value::Array(list) });
    } else {
        for explanation in &explained {
            say!("{}", explanation.to_text(lang).trim_end());
            say!("");
        }
    }
    // The process ends here: a whole pack is not taken apart piece by piece first.
    std::mem::forget(program);
    Ok(Outcome::Done)
}

fn engine_json(explanation: &app::Explanation) -> serde_json::Value {
    explanation.to_json()
}
