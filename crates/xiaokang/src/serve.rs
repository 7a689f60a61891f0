//! `xiaokang serve`

use model::{Lang, Moment, Text, io_text, text};
use web::{Listening, Office, Sources};

use crate::acting::random;
use crate::arguments::ServeOptions;
use crate::console::{CommandResult, Failure, Outcome, now_ms, pack_cache, say};

pub fn run(options: &ServeOptions, lang: Lang) -> CommandResult {
    let sources = Sources { now, random };
    let office =
        Office::open(&options.registry, options.run.as_deref(), pack_cache(), sources, options.https)?;
    let listening = Listening::at(options.bind).map_err(|error| {
        let (bind, Text { zh, en }) = (options.bind, io_text(&error));
        Failure::with_hint(
            text!("不能在 `{bind}` 提供页面：{zh}", "`{bind}` cannot be served: {en}"),
            Text::new(
                "可能另有程序占用：请用 `--bind 127.0.0.1:端口` 另指一个",
                "another program may have it: name another with --bind 127.0.0.1:PORT",
            ),
        )
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
