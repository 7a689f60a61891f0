//! The program of the office.

use std::process::ExitCode;

use clap::Parser as _;
use xiaokang::allocator::{self, FOR_EVER, Keep};
use xiaokang::arguments::{Arguments, Command};
use xiaokang::console::ended;
use xiaokang::{assess, dispatch};

/// A run makes and drops columns of megabytes for every part; this allocator keeps their pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let lang = arguments.lang.0;
    match &arguments.command {
        Command::Assess(options) if !assess::is_elsewhere(options) => {
            allocator::keep_pages(allocator::of_run(options));
        }
        Command::Synth(_) => allocator::keep_pages(Keep { milliseconds: FOR_EVER, huge: "0" }),
        _ => {}
    }
    ended(dispatch(arguments), lang)
}
