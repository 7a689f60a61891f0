//! `xiaokang serve`

use model::{Lang, Moment};
use web::{Listening, Office, OfficeError, Sources};

use crate::acting::random;
use crate::arguments::ServeOptions;
use crate::console::{CommandResult, Failure, Outcome, now_ms, pack_cache, say};

pub fn run(options: &ServeOptions, lang: Lang) -> CommandResult {
    let sources = Sources { now, random };
    let office =
        Office::open(&options.registry, options.run.as_deref(), pack_cache(), sources, options.https)
            .map_err(|error| failure(&error))?;
    let listening = Listening::at(options.bind).map_err(|error| {
        let hint = "another program may have it: name another with --bind 127.0.0.1:PORT";
        Failure::with_hint(format!("`{}` cannot be served: {error}", options.bind), hint)
    })?;
    let address = listening.address();
    say!(
        "{}",
        if lang == Lang::Zh {
            format!("页面在 http://{address}/ ，按 Ctrl+C 结束")
        } else {
            format!("the pages are at http://{address}/; Ctrl+C ends it")
        }
    );
    listening.serve(office).map_err(Failure::internal)?;
    Ok(Outcome::Done)
}

fn now() -> Moment {
    Moment::from_unix_ms(now_ms())
}

fn failure(error: &OfficeError) -> Failure {
    Failure::input(error)
}
