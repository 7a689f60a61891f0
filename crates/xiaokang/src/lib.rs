//! The command line: reads arguments, calls one use case, prints what it says.
//!
//! Exit codes: 0 done, 1 done with findings that need a person, 2 bad usage or input, 3 internal. The programs beside this
//! one (`xiaokang-sql`, `xiaokang-cluster`) say the same things in the same way, so what they share stands here.
//!
//! Deliberately lacking: anything that a page would do otherwise; that belongs to the use cases.

pub mod account;
pub mod acting;
pub mod allocator;
pub mod arguments;
pub mod assess;
pub mod calculate;
pub mod check_change;
pub mod companion;
pub mod console;
pub mod demo;
pub mod explain;
pub mod help;
pub mod import;
pub mod migrate;
pub mod packs;
pub mod reassess;
pub mod report;
pub mod serve;
pub mod synth;

use crate::arguments::{Arguments, Command};
use crate::companion::Companion;
use crate::console::CommandResult;

/// Does what was asked.
pub fn dispatch(arguments: Arguments) -> CommandResult {
    let lang = arguments.lang.0;
    match arguments.command {
        Command::Demo(options) => demo::run(&options, lang),
        Command::Import(options) => import::run(&options, lang),
        Command::Migrate(options) => migrate::run(&options, lang),
        Command::Assess(options) => assess::run(&options, lang),
        Command::Calculate(options) => calculate::run(&options),
        Command::Explain(options) => explain::run(&options, lang),
        Command::Reassess(options) => reassess::run(&options, lang),
        Command::CheckChange(options) => check_change::run(&options, lang),
        Command::Cluster(companion) => Companion::Cluster.run(lang, companion.arguments),
        Command::Synth(options) => synth::run(&options, lang),
        Command::Report(options) => report::run(&options, lang),
        Command::Sql(companion) => Companion::Sql.run(lang, companion.arguments),
        Command::Case(command) => acting::case::run(command, lang),
        Command::Fund(command) => acting::fund::run(command, lang),
        Command::Pay(command) => acting::pay::run(command, lang),
        Command::Log(command) => acting::log::run(command, lang),
        Command::Verify(options) => acting::log::verify(&options, lang),
        Command::Serve(options) => serve::run(&options, lang),
        Command::Account(options) => account::run(&options, lang),
        Command::Pack(options) => packs::run(&options, lang),
    }
}
