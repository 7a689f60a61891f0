//! `xiaokang migrate`

use app::registry;
use model::Lang;

use crate::arguments::MigrateOptions;
use crate::console::{CommandResult, Outcome, new_registry_id, say};

pub fn run(options: &MigrateOptions, lang: Lang) -> CommandResult {
    let done = registry::migrate(&options.registry, new_registry_id()?)?;
    match (lang, done.from == done.to) {
        (Lang::Zh, true) => say!("登记库格式已是 {}，未作改动", done.to),
        (Lang::En, true) => say!("the registry has format {} already; nothing was changed", done.to),
        (Lang::Zh, false) => say!("登记库格式已由 {} 升至 {}", done.from, done.to),
        (Lang::En, false) => say!("the registry was brought from format {} to {}", done.from, done.to),
    }
    Ok(Outcome::Done)
}
