//! `xiaokang explain`

use app::explain::{ExplainError, RunError, StoredRun, explain};
use model::Lang;

use crate::arguments::ExplainOptions;
use crate::console::{CommandResult, Failure, Outcome, program_of_run, say};

pub fn run(options: &ExplainOptions, lang: Lang) -> CommandResult {
    let run = StoredRun::open_with(&options.run, options.snapshot.as_deref());
    let run = run.map_err(|error| failure(error, lang))?;
    let program = program_of_run(&options.run, run.pack_digest(), options.pack.as_deref())?;
    let explained = explain(&program, &run, &options.entity, &options.key, options.rule.as_deref())
        .map_err(|error| failure(error, lang))?;
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

pub fn failure(error: impl Into<ExplainError>, lang: Lang) -> Failure {
    match error.into() {
        ExplainError::Run(error @ RunError::NotARun { .. }) => {
            Failure::with_hint(error, "name the folder that `xiaokang assess` printed")
        }
        ExplainError::Run(error @ RunError::OtherPack { .. }) => {
            Failure::with_hint(error, "leave `--pack` out: a run keeps the pack it was made with")
        }
        other => Failure::input(other.text().get(lang)),
    }
}
