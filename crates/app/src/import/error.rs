//! Why a whole import could not be done. A bad row is a [`Fault`](super::Fault), never an error.

use std::path::PathBuf;

use model::{AsProblem, Lang, Problem, ProblemKind as Kind, Text, text};
use store::StoreError;
use thiserror::Error;

/// An import that changed nothing. [`ImportError::code`] is stable; the words may improve.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum ImportError {
    FileUnreadable { file: String, reason: String },
    FileMissing { path: String },
    FileIsFolder { path: String },
    FileKindUnknown { file: String },
    FileUnusable { file: Box<str>, code: &'static str, what: Box<Text>, mend: Box<Text> },
    DelimitedFaulty { place: Box<Text>, code: &'static str, what: Box<Text>, mend: Box<Text> },
    SheetUnrecognised { file: Box<str>, reason: Box<Text> },
    ColumnMissing { file: Box<str>, sheet: Box<str>, missing: Box<str>, found: Box<str>, expected: Box<str> },
    ColumnRepeated { file: Box<str>, sheet: Box<str>, first: Box<str>, second: Box<str>, field: Box<str> },
    FileRepeated { file: String },
    Store(#[source] Box<StoreError>),
    OnlyLockFiles,
    ReportOverInput { path: PathBuf },
    ReportPath { path: PathBuf, what: Box<Text>, mend: Box<Text> },
    ReportUnwritable { path: PathBuf, reason: String },
    SeedFaulty { file: String, row: u32, reason: Text },
    Cancelled,
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

impl ImportError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FileUnreadable { .. } => "file-unreadable",
            Self::FileMissing { .. } => "file-missing",
            Self::FileIsFolder { .. } => "file-is-folder",
            Self::FileKindUnknown { .. } => "file-kind-unknown",
            Self::FileUnusable { code, .. } | Self::DelimitedFaulty { code, .. } => code,
            Self::SheetUnrecognised { .. } => "sheet-missing",
            Self::ColumnMissing { .. } => "column-missing",
            Self::ColumnRepeated { .. } => "column-repeated",
            Self::FileRepeated { .. } => "file-repeated",
            Self::Store(error) => error.code(),
            Self::OnlyLockFiles => "only-lock-files",
            Self::ReportOverInput { .. } => "report-over-input",
            Self::ReportPath { .. } => "report-path",
            Self::ReportUnwritable { .. } => "report-unwritable",
            Self::SeedFaulty { .. } => "seed-faulty",
            Self::Cancelled => "cancelled",
        }
    }

    /// The message for a reader of the language, with its hint on a line of its own.
    pub fn message(&self, lang: Lang) -> String {
        self.problem().message(lang)
    }
}

impl AsProblem for ImportError {
    fn problem(&self) -> Problem {
        let (kind, words, hint) = match self {
            Self::FileUnreadable { file, reason } => (
                Kind::Input,
                text!("无法读取“{file}”（`{reason}`）", "`{file}` cannot be read: {reason}"),
                None,
            ),
            Self::FileMissing { path } => (
                Kind::Missing,
                text!("没有文件“{path}”", "there is no file `{path}`"),
                Some(Text::new("请检查路径", "mend the path")),
            ),
            Self::FileIsFolder { path } => (
                Kind::Input,
                text!("“{path}”是文件夹", "`{path}` is a folder"),
                Some(text!("请给出其中的文件，如 {path}/*.xlsx", "name the files in it, like {path}/*.xlsx")),
            ),
            Self::FileKindUnknown { file } => (
                Kind::Input,
                text!(
                    "“{file}”不是工作簿、CSV 或 Parquet 文件",
                    "`{file}` is not a workbook, a CSV file or a Parquet file"
                ),
                Some(Text::new("请另存为 xlsx 或 csv", "save it as xlsx or csv")),
            ),
            Self::FileUnusable { file, what, mend, .. } => {
                let Text { zh, en } = &**what;
                (Kind::Input, text!("“{file}”{zh}", "`{file}` {en}"), Some(Text::clone(mend)))
            }
            Self::DelimitedFaulty { place, what, mend, .. } => {
                let words =
                    Text::new(format!("{}{}", place.zh, what.zh), format!("{} {}", place.en, what.en));
                (Kind::Input, words, Some(Text::clone(mend)))
            }
            Self::SheetUnrecognised { file, reason } => (
                Kind::Input,
                text!("“{file}”中没有可识别的表", "`{file}`: no sheet holds anything that the pack records"),
                Some(Text::clone(reason)),
            ),
            Self::ColumnMissing { file, sheet, missing, found, expected } => (
                Kind::Input,
                text!(
                    "“{file}”的表“{sheet}”缺少列 {missing}",
                    "`{file}`, sheet `{sheet}`: no column for {missing}"
                ),
                Some(text!("现有列 {found}；应有列 {expected}", "found {found}; expected {expected}")),
            ),
            Self::ColumnRepeated { file, sheet, first, second, field } => (
                Kind::Input,
                text!(
                    "“{file}”的表“{sheet}”中“{first}”和“{second}”都表示“{field}”",
                    "`{file}`, sheet `{sheet}`: `{first}` and `{second}` both mean `{field}`"
                ),
                Some(Text::new("请删除其中一列", "delete one of them")),
            ),
            Self::FileRepeated { file } => (
                Kind::Input,
                text!("“{file}”给了两次", "`{file}` is given twice"),
                Some(Text::new("每个文件只给一次", "name each file once")),
            ),
            Self::Store(error) => return error.problem(),
            Self::OnlyLockFiles => (
                Kind::Input,
                Text::new(
                    "只给了表格软件的锁定文件（~$…）",
                    "only lock files of a spreadsheet program are given (`~$…`)",
                ),
                Some(Text::new("请给出工作簿本身", "name the workbooks themselves")),
            ),
            Self::ReportOverInput { path } => {
                let path = path.display();
                (
                    Kind::Conflict,
                    text!(
                        "报告会覆盖正在导入的“{path}”",
                        "the report would overwrite `{path}`, which is imported"
                    ),
                    Some(Text::new("请给报告另起文件名", "give the report another name")),
                )
            }
            Self::ReportPath { path, what, mend } => {
                let (path, Text { zh, en }) = (path.display(), &**what);
                (Kind::Input, text!("报告“{path}”{zh}", "the report `{path}` {en}"), Some(Text::clone(mend)))
            }
            Self::ReportUnwritable { path, reason } => {
                let path = path.display();
                (
                    Kind::Machine,
                    text!(
                        "无法写出报告“{path}”（`{reason}`）",
                        "the report `{path}` cannot be written: {reason}"
                    ),
                    None,
                )
            }
            Self::SeedFaulty { file, row, reason } => {
                let Text { zh, en } = reason;
                (
                    Kind::Input,
                    text!(
                        "政策包自带的“{file}”第 {row} 行：{zh}",
                        "`{file}`, which the pack ships, row {row}: {en}"
                    ),
                    Some(Text::new("请改正政策包中的文件", "mend the pack's file")),
                )
            }
            Self::Cancelled => (
                Kind::Input,
                Text::new("导入已取消，未作任何更改", "the import was cancelled; nothing was changed"),
                None,
            ),
        };
        let problem = Problem::new(kind, self.code(), words);
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}
