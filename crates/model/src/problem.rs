//! What goes wrong, as data: a stable code, words in both languages, and what to do about it.
//!
//! Libraries say what happened; the command line makes an exit code and two lines of it, HTTP a status and a body.

use std::fmt;
use std::io;

use crate::{Lang, Text};

/// Who can do something about a problem. An exit code and an HTTP status follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// What was given cannot be used as it is.
    Input,
    /// What was named is not there.
    Missing,
    /// Somebody else's work is in the way: a lock, a newer change, something that is there already.
    Conflict,
    /// The rules of a procedure or of access forbid it.
    Refused,
    /// The machine does not do its part: a disk, a network, a database.
    Machine,
    /// A fault of the program.
    Bug,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    pub kind: ProblemKind,
    /// Stable, in kebab case: other programs rely on it, the words may be improved.
    pub code: &'static str,
    /// What happened, without a full stop.
    pub text: Text,
    /// What to do about it.
    pub hint: Option<Text>,
}

impl Problem {
    pub fn new(kind: ProblemKind, code: &'static str, text: Text) -> Self {
        Self { kind, code, text, hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: Text) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The same within a context that is said before it: `line 3: …`.
    #[must_use]
    pub fn within(mut self, zh: impl fmt::Display, en: impl fmt::Display) -> Self {
        self.text = Text::new(format!("{zh}：{}", self.text.zh), format!("{en}: {}", self.text.en));
        self
    }

    /// What happened and what to do about it, on two lines.
    pub fn message(&self, lang: Lang) -> String {
        let label = match lang {
            Lang::Zh => "提示：",
            Lang::En => "hint: ",
        };
        match &self.hint {
            Some(hint) => format!("{}\n{label}{}", self.text.get(lang), hint.get(lang)),
            None => self.text.get(lang).to_owned(),
        }
    }
}

/// An error that can be said to a person in both languages.
pub trait AsProblem {
    fn problem(&self) -> Problem;
}

/// `text!("zh {x}", "en {x}")`: a [`Text`] of two format strings over the names in scope.
#[macro_export]
macro_rules! text {
    ($zh:literal, $en:literal $(,)?) => {
        $crate::Text { zh: format!($zh), en: format!($en) }
    };
}

/// Why the machine did not read or write, in words. What has no words of its own keeps the number of the system's error.
pub fn io_text(error: &io::Error) -> Text {
    use io::ErrorKind as Kind;
    let (zh, en) = match error.kind() {
        Kind::NotFound => ("不存在", "it does not exist"),
        Kind::PermissionDenied => ("没有读写权限", "permission is denied"),
        Kind::AlreadyExists => ("已存在", "it exists already"),
        Kind::StorageFull | Kind::QuotaExceeded | Kind::WriteZero => ("磁盘已满", "the disk is full"),
        Kind::ReadOnlyFilesystem => ("该处只读", "the place is read-only"),
        Kind::IsADirectory => ("它是文件夹", "it is a folder"),
        Kind::NotADirectory => ("路径中有一段不是文件夹", "a part of the path is not a folder"),
        Kind::DirectoryNotEmpty => ("文件夹不是空的", "the folder is not empty"),
        Kind::FileTooLarge => ("文件过大", "the file is too large"),
        Kind::InvalidFilename => ("文件名不合规定", "the name cannot be used"),
        Kind::UnexpectedEof => ("文件不完整", "the file ends too early"),
        Kind::ConnectionRefused => ("对方拒绝连接", "the connection was refused"),
        Kind::TimedOut => ("等待超时", "it took too long"),
        Kind::AddrInUse => ("该地址已被占用", "the address is in use"),
        Kind::AddrNotAvailable => ("本机没有该地址", "this machine has no such address"),
        Kind::BrokenPipe => ("接收方已关闭", "whoever reads has stopped"),
        Kind::InvalidData => ("内容不是所要的格式", "its content is not of the form expected"),
        _ => {
            return match error.raw_os_error() {
                Some(number) => text!("系统错误 {number}", "system error {number}: {error}"),
                None => text!("读写失败（`{error}`）", "{error}"),
            };
        }
    };
    Text::new(zh, en)
}

/// A problem with a file or folder at the machine's level.
pub fn io_problem(path: impl fmt::Display, error: &io::Error) -> Problem {
    use io::ErrorKind as Kind;
    let why = io_text(error);
    let kind = match error.kind() {
        Kind::NotFound => ProblemKind::Missing,
        Kind::IsADirectory | Kind::NotADirectory | Kind::AlreadyExists | Kind::InvalidFilename => {
            ProblemKind::Input
        }
        _ => ProblemKind::Machine,
    };
    let Text { zh, en } = why;
    Problem::new(kind, "io", text!("`{path}`：{zh}", "`{path}`: {en}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_said_in_one_language_with_what_to_do_about_it() {
        let problem = Problem::new(ProblemKind::Input, "x", Text::new("表头缺失", "the header is missing"));
        assert_eq!(problem.message(Lang::En), "the header is missing");
        let problem = problem.within("第 3 行", "line 3").hint(Text::new("请补上", "add it"));
        assert_eq!(problem.message(Lang::Zh), "第 3 行：表头缺失\n提示：请补上");
        assert_eq!(problem.message(Lang::En), "line 3: the header is missing\nhint: add it");
    }

    #[test]
    fn a_full_disk_is_called_so_in_both_languages() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let problem = io_problem("/data/r", &full);
        assert_eq!(problem.kind, ProblemKind::Machine);
        assert_eq!(problem.text, Text::new("`/data/r`：磁盘已满", "`/data/r`: the disk is full"));
    }
}
