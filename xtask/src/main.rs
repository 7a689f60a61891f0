//! Developer commands: `cargo xtask test` gets what the tests need, starts it, runs them, and stops it.
//!
//! PostgreSQL comes from Debian's packages and runs as a private cluster on a free port of 127.0.0.1;
//! DuckDB and a stock verifier of the public log come as Python wheels. What cannot be had is said plainly, and
//! the command then fails: nothing is skipped in silence.

mod circles;
mod duckdb;
mod postgres;
mod process;
mod release;
mod stock;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test", rest @ ..] => test(rest),
        ["test-companions", rest @ ..] => test_companions(rest),
        ["test-release"] => release::test(),
        ["check"] => check(),
        ["circles"] => circles(),
        ["mutate-pack", rest @ ..] => mutate_pack(rest),
        ["soak", rest @ ..] => soak(rest),
        _ => {
            eprintln!(
                "usage: cargo xtask test [cargo test arguments] | cargo xtask test-companions [cargo test arguments] | \
                 cargo xtask test-release | cargo xtask check | cargo xtask circles | cargo xtask mutate-pack [options] | \
                 cargo xtask soak [--kills N] [--seed S]"
            );
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Programs beside the office's: large, rarely used, and tested apart.
const COMPANIONS: [&str; 2] = ["query", "cluster"];

/// The project's folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // What cargo says of this package must not reach build scripts that watch it: they would run again, and all
    // that depends on them be compiled again, each time `cargo test` and `cargo xtask test` take turns.
    let own = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(own)) {
        command.env_remove(name);
    }
    command
}

fn test(rest: &[&str]) -> Result<(), String> {
    let work = root().join("target").join("xtask");
    std::fs::create_dir_all(&work).map_err(|error| format!("`{}`: {error}", work.display()))?;
    process::stop_on_signals()?;
    let plain = duckdb::plain_python()?;
    let python = duckdb::python(&work)?;
    // Without it only its own tests fail, and they say why.
    let stock = stock::python(&work);
    if let Err(reason) = &stock {
        eprintln!("the stock verifier of the public log could not be had, and its tests will fail: {reason}");
    }
    let server = postgres::Server::start(&work)?;
    println!("postgres: {}", server.url());
    println!("duckdb: {}", python.display());
    let mut command = cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]);
    for companion in COMPANIONS {
        command.args(["--exclude", companion]);
    }
    command
        .args(rest)
        .env("XIAOKANG_TEST_POSTGRES", server.url())
        .env("XIAOKANG_TEST_PSQL", server.psql())
        .env("XIAOKANG_TEST_DUCKDB", &python)
        // The independent reading of the pack language needs no wheels.
        .env("XIAOKANG_TEST_PYTHON", &plain)
        // Executors and commands of the tests compile the shipped pack once, and leave the user's cache alone.
        .env("XIAOKANG_CACHE", work.join("packs"))
        .env("INSTA_UPDATE", std::env::var_os("INSTA_UPDATE").unwrap_or_else(|| "no".into()));
    match stock {
        Ok(python) => command.env("XIAOKANG_STOCK_PYTHON", python),
        Err(reason) => command.env("XIAOKANG_STOCK_MISSING", reason),
    };
    process::run(&mut command)
}

/// The tests of the programs beside the office's, which DataFusion and Ballista make long to compile.
fn test_companions(rest: &[&str]) -> Result<(), String> {
    let work = root().join("target").join("xtask");
    let mut command = cargo();
    command.args(["test", "--no-fail-fast"]);
    for companion in COMPANIONS {
        command.args(["--package", companion]);
    }
    command.args(rest).env("XIAOKANG_CACHE", work.join("packs")).env("INSTA_UPDATE", "no");
    process::run(&mut command)
}

fn check() -> Result<(), String> {
    process::run(cargo().args(["fmt", "--all", "--check"]))?;
    process::run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// Prints the circles of files, which are a failure.
fn circles() -> Result<(), String> {
    let found = circles::circles(&root().join("crates"))?;
    for (number, circle) in found.iter().enumerate() {
        println!("circle {}", number + 1);
        for file in circle {
            println!("  {}", file.strip_prefix(root()).unwrap_or(file).display());
        }
    }
    if found.is_empty() { Ok(()) } else { Err(format!("{} circles of files", found.len())) }
}

/// Changes the shipped pack at one place at a time; fewer than 90 in 100 noticed is a failure. The test command holds
/// each kind of change to a share of its own.
fn mutate_pack(rest: &[&str]) -> Result<(), String> {
    let pack = root().join("packs").join("sichuan-2015");
    let mut command = cargo();
    command.args(["run", "--release", "--quiet", "--bin", "xiaokang", "--", "pack", "mutate"]);
    process::run(command.arg(pack).args(["--at-least", "90"]).args(rest))
}

/// Kills processes that do what the walk's commands do, at random moments, and judges what each leaves behind. Long, and
/// therefore no part of the test command.
fn soak(rest: &[&str]) -> Result<(), String> {
    let mut command = cargo();
    // The packages of the test command, so that nothing is compiled twice.
    command.args(["run", "--quiet", "--package", "xiaokang", "--example", "soak", "--"]).args(rest);
    process::run(command.env("XIAOKANG_CACHE", root().join("target").join("xtask").join("packs")))
}
