//! The command line in the reader's language: help, usage, and what is wrong with arguments.
//!
//! Arguments are declared once, with English words beside them. [`words`] has the Chinese for each; a test finds what it
//! lacks. The language has to be known before arguments are read, so it is looked for first.

mod mistake;
mod words;

use std::ffi::OsString;

use clap::builder::{Resettable, StyledStr};
use clap::{Arg, Command, CommandFactory, FromArgMatches};
use model::Lang;

use crate::console::Failure;

/// What stands in place of the words that clap prints by itself.
const TEMPLATE: &str = "{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

/// Reads the arguments of a program. `None` if help or the version was asked for and has been printed.
///
/// # Errors
/// What is wrong with the arguments, in the language that they name.
pub fn parse<P: CommandFactory + FromArgMatches>(all: &[OsString]) -> Result<Option<P>, Failure> {
    let lang = language(all);
    let mut command = localized(P::command(), lang);
    let read = command.try_get_matches_from_mut(all.iter().cloned());
    match read.and_then(|matches| P::from_arg_matches(&matches)) {
        Ok(arguments) => Ok(Some(arguments)),
        Err(error) if !error.use_stderr() => {
            // The reader may have seen enough already (`| head`).
            let _ = error.print();
            Ok(None)
        }
        Err(error) => Err(mistake::failure(&error, &command)),
    }
}

/// The language that the arguments name; Chinese if none or no known one.
pub fn language(all: &[OsString]) -> Lang {
    let mut words = all.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        let named = match word.strip_prefix("--lang") {
            Some("") => words.next().map(std::borrow::Cow::into_owned),
            Some(rest) => rest.strip_prefix('=').map(ToOwned::to_owned),
            None => None,
        };
        if let Some(named) = named {
            return named.parse().unwrap_or_default();
        }
    }
    Lang::Zh
}

/// The command with all its words in a language.
pub fn localized(mut command: Command, lang: Lang) -> Command {
    command.build();
    match lang {
        Lang::En => command,
        Lang::Zh => chinese(command),
    }
}

fn chinese(mut command: Command) -> Command {
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage:").unwrap_or(&usage).trim().to_owned();
    let usage =
        usage.replace("[OPTIONS]", "[选项]").replace("<COMMAND>", "<命令>").replace("[COMMAND]", "[命令]");
    let about = command.get_about().map(said);
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let arguments: Vec<String> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
    command = command
        .help_template(TEMPLATE)
        .override_usage(usage)
        .subcommand_help_heading("命令")
        .long_about(Resettable::<StyledStr>::Reset);
    if let Some(about) = about {
        command = command.about(about);
    }
    for id in arguments {
        command = command.mut_arg(id, argument);
    }
    for name in names {
        command = command.mut_subcommand(name, chinese);
    }
    command
}

fn argument(arg: Arg) -> Arg {
    let heading = if arg.is_positional() { "参数" } else { "选项" };
    let mut words = arg.get_help().map(said).unwrap_or_default();
    let shown =
        |values: Vec<String>| values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join("、");
    let possible: Vec<String> = match arg.get_num_args() {
        Some(count) if count.takes_values() => {
            arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect()
        }
        _ => vec![],
    };
    if !possible.is_empty() {
        words.push_str(&format!("（可取 {}）", shown(possible)));
    }
    let default: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if !default.is_empty() && arg.get_action().takes_values() {
        words.push_str(&format!("（默认 {}）", shown(default)));
    }
    arg.help(words)
        .long_help(Resettable::<StyledStr>::Reset)
        .help_heading(heading)
        .hide_default_value(true)
        .hide_possible_values(true)
}

/// The Chinese for words that are declared in English; those words themselves where there is none.
fn said(words: &StyledStr) -> String {
    let english = words.to_string();
    words::chinese(&english).map_or(english, ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;

    /// Every English sentence of a command and of what is below it, with its place.
    fn sentences(command: &Command, place: &str, found: &mut Vec<(String, String)>) {
        let place = format!("{place} {}", command.get_name());
        found.extend(command.get_about().map(|about| (place.clone(), about.to_string())));
        for arg in command.get_arguments() {
            found.extend(arg.get_help().map(|help| (format!("{place} {}", arg.get_id()), help.to_string())));
        }
        for sub in command.get_subcommands() {
            sentences(sub, &place, found);
        }
    }

    #[test]
    fn every_word_of_the_help_is_there_in_chinese() {
        let mut found = vec![];
        let mut command = Arguments::command();
        command.build();
        sentences(&command, "", &mut found);
        assert!(found.len() > 150, "{} sentences", found.len());
        let missing: Vec<_> = found.iter().filter(|(_, words)| words::chinese(words).is_none()).collect();
        assert!(missing.is_empty(), "{missing:#?}");
    }

    #[test]
    fn every_argument_says_what_it_is() {
        fn check(command: &Command, place: &str) {
            let place = format!("{place} {}", command.get_name());
            for arg in command.get_arguments().filter(|arg| !arg.is_trailing_var_arg_set()) {
                assert!(arg.get_help().is_some(), "{place}: {} has no words", arg.get_id());
            }
            for sub in command.get_subcommands() {
                check(sub, &place);
            }
        }
        let mut command = Arguments::command();
        command.build();
        check(&command, "");
    }

    #[test]
    fn the_language_is_found_wherever_it_is_said() {
        let check = |line: &str, lang: Lang| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(language(&words), lang, "{line}");
        };
        check("xiaokang demo", Lang::Zh);
        check("xiaokang --lang en demo", Lang::En);
        check("xiaokang import --lang=en-GB", Lang::En);
        check("xiaokang --lang", Lang::Zh);
        check("xiaokang --lang fr", Lang::Zh);
    }
}
