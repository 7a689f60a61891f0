//! The program of the office.

use std::process::ExitCode;

use xiaokang::allocator::{self, FOR_EVER, Keep};
use xiaokang::arguments::{Arguments, Command};
use xiaokang::console::ended;
use xiaokang::{assess, dispatch, help};

/// A run makes and drops columns of megabytes for every part; this allocator keeps their pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let all: Vec<_> = std::env::args_os().collect();
    let lang = help::language(&all);
    let arguments: Arguments = match help::parse(&all) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return ExitCode::SUCCESS,
        Err(failure) => return ended(Err(failure), lang),
    };
    match &arguments.command {
        Command::Assess(options) if !assess::is_elsewhere(options) => {
            allocator::keep_pages(allocator::of_run(options));
        }
        Command::Synth(_) => allocator::keep_pages(Keep { milliseconds: FOR_EVER, huge: "0" }),
        _ => {}
    }
    ended(dispatch(arguments), lang)
}
