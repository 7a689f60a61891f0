//! `xiaokang log` and `xiaokang verify`

use std::path::Path;

use app::publish::{self, ReceiptFacts, Wanted};
use model::Lang;

use super::{Office, acting, failure, random, with_room, words};
use crate::arguments::acting::{LogCheck, LogCommand, LogKey, LogPublish, LogReceipt, VerifyOptions};
use crate::console::{CommandResult, Failure, Outcome, say};

pub fn run(command: LogCommand, lang: Lang) -> CommandResult {
    with_room(move || match command {
        LogCommand::Publish(options) => publish(&options, lang),
        LogCommand::Receipt(options) => receipt(&options, lang),
        LogCommand::Key(options) => key(&options, lang),
        LogCommand::Check(options) => check(&options, lang),
    })
}

fn publish(options: &LogPublish, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let acting = acting(&options.actor);
    let head = publish::publish(&mut registry, &pack.program, &acting, &options.log, &mut random)
        .map_err(|error| failure(error, lang))?;
    say!("{} {}", head.checkpoint.size, head.checkpoint.root);
    Ok(Outcome::Done)
}

fn receipt(options: &LogReceipt, lang: Lang) -> CommandResult {
    let Office { registry, .. } = Office::open(&options.site)?;
    let wanted = Wanted { about: &options.about, kind: None };
    let receipts = publish::receipts(&registry, &options.log, &wanted, &mut random)
        .map_err(|error| failure(error, lang))?;
    std::fs::create_dir_all(&options.out).map_err(|error| Failure::file(&options.out, &error))?;
    for (leaf, receipt) in receipts {
        let text = receipt.to_text().map_err(|fault| failure(fault.into(), lang))?;
        let name = format!("{}-{:06}-{}.receipt", options.about, receipt.index, leaf.kind().as_str());
        let path = options.out.join(name);
        std::fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
        say!("{}", path.display());
    }
    Ok(Outcome::Done)
}

fn key(options: &LogKey, lang: Lang) -> CommandResult {
    let Office { registry, .. } = Office::open(&options.site)?;
    let key = publish::signing_key(&registry, &random()).map_err(|error| failure(error, lang))?;
    say!("{}", key.verifier());
    Ok(Outcome::Done)
}

fn check(options: &LogCheck, lang: Lang) -> CommandResult {
    let key = read_key(&options.key)?;
    let facts = publish::verify_log(&options.log, &key).map_err(|error| failure(error, lang))?;
    say!("{} {}", facts.checkpoint.size, facts.checkpoint.root);
    for (kind, count) in &facts.leaves {
        say!("  {} {count}", kind.title().get(lang));
    }
    Ok(Outcome::Done)
}

/// `xiaokang verify`
pub fn verify(options: &VerifyOptions, lang: Lang) -> CommandResult {
    let text = read(&options.receipt)?;
    let key = read_key(&options.key)?;
    let facts = publish::verify(&text, &key, options.log.as_deref()).map_err(|error| failure(error, lang))?;
    print_facts(&facts, lang);
    Ok(Outcome::Done)
}

/// What a receipt proves.
pub fn print_facts(facts: &ReceiptFacts, lang: Lang) {
    let (index, size) = (facts.index, facts.checkpoint.size);
    let kind = facts.kind.title();
    let kind = kind.get(lang);
    say!("{} {kind} {index}/{size} {}", words(lang, "属实", "verified"), facts.checkpoint.origin);
    for (name, value) in &facts.public {
        say!("  {name}: {}", plain(value));
    }
    for (name, value) in facts.personal.iter().flatten() {
        say!("  * {name}: {}", plain(value));
    }
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A key that is given itself, or the file that holds it.
fn read_key(given: &str) -> Result<String, Failure> {
    if given.contains('+') && !Path::new(given).exists() {
        Ok(given.to_owned())
    } else {
        read(Path::new(given))
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
}
