//! Programs that stand beside this one: what is large and rarely used costs nobody a compile.
//!
//! They are found as git finds its own: `xiaokang sql` is the program `xiaokang-sql`, in the folder of this program or
//! on the PATH.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use model::{Lang, Text, io_text, text};

use crate::console::{CommandResult, Failure, Outcome};

/// A program beside this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Companion {
    /// Free queries, with DataFusion.
    Sql,
    /// Runs on many machines, with Ballista.
    Cluster,
}

impl Companion {
    fn program(self) -> &'static str {
        match self {
            Self::Sql => "xiaokang-sql",
            Self::Cluster => "xiaokang-cluster",
        }
    }

    /// The one command that builds it.
    fn build(self) -> &'static str {
        match self {
            Self::Sql => "cargo build --release -p query",
            Self::Cluster => "cargo build --release -p cluster",
        }
    }

    /// Runs it with these arguments in place of this program.
    ///
    /// # Errors
    /// If it is not there or does not start; the message says how it is built.
    pub fn run(self, lang: Lang, arguments: impl IntoIterator<Item = OsString>) -> CommandResult {
        let Some(program) = self.find() else { return Err(self.missing()) };
        let mut command = Command::new(&program);
        command.arg("--lang").arg(if lang == Lang::Zh { "zh" } else { "en" }).args(arguments);
        let status = command.status().map_err(|error| {
            let (program, Text { zh, en }) = (program.display(), io_text(&error));
            Failure::input(text!("`{program}` 无法启动：{zh}", "`{program}` does not start: {en}"))
        })?;
        match status.code() {
            Some(0) => Ok(Outcome::Done),
            Some(1) => Ok(Outcome::Findings),
            // It has said what was wrong.
            Some(code) => Err(Failure::Said { code: u8::try_from(code).unwrap_or(3) }),
            None => Err(Failure::internal(format!("{}: {status}", self.program()))),
        }
    }

    fn find(self) -> Option<PathBuf> {
        let name = format!("{}{}", self.program(), std::env::consts::EXE_SUFFIX);
        let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.to_owned()));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = beside.into_iter().chain(std::env::split_paths(&path));
        folders.map(|folder| folder.join(&name)).find(|file| file.is_file())
    }

    fn missing(self) -> Failure {
        let (program, build) = (self.program(), self.build());
        Failure::with_hint(
            text!("没有找到程序 `{program}`", "the program `{program}` is not there"),
            text!(
                "在项目文件夹中运行 `{build}`，它就会在本程序旁边（或放在 PATH 中）",
                "`{build}`, in the project's folder, puts it beside this one (or have it on the PATH)"
            ),
        )
    }
}

/// What was said to this program after its own options, for a companion that has the same command.
pub fn own_arguments() -> Vec<OsString> {
    let mut arguments = vec![];
    let mut all = std::env::args_os().skip(1);
    while let Some(argument) = all.next() {
        if argument == "--lang" {
            all.next();
        } else if !argument.to_string_lossy().starts_with("--lang=") {
            arguments.push(argument);
        }
    }
    arguments
}
