//! Why a whole import could not be done. A bad row is a [`Fault`](super::Fault), never an error.

use std::path::PathBuf;

use model::{Lang, Text};
use store::StoreError;
use thiserror::Error;

/// An import that changed nothing. [`ImportError::code`] is stable; the words may improve.
#[derive(Debug, Error)]
pub enum ImportError {
    #[error("`{file}` cannot be read: {reason}")]
    FileUnreadable { file: String, reason: String },
    #[error("there is no file `{path}`\nhint: mend the path")]
    FileMissing { path: String },
    #[error("`{path}` is a folder\nhint: name the files in it, like {path}/*.xlsx")]
    FileIsFolder { path: String },
    #[error("`{file}` is not a workbook, a CSV file or a Parquet file\nhint: save it as xlsx or csv")]
    FileKindUnknown { file: String },
    #[error("`{file}` {}\nhint: {}", what.en, mend.en)]
    FileUnusable { file: Box<str>, code: &'static str, what: Box<Text>, mend: Box<Text> },
    #[error("{} {}\nhint: {}", place.en, what.en, mend.en)]
    DelimitedFaulty { place: Box<Text>, code: &'static str, what: Box<Text>, mend: Box<Text> },
    #[error("`{file}`: no sheet holds anything that the pack records\nhint: {}", reason.en)]
    SheetUnrecognised { file: Box<str>, reason: Box<Text> },
    #[error("`{file}`, sheet `{sheet}`: no column for {missing}\nhint: found {found}; expected {expected}")]
    ColumnMissing { file: Box<str>, sheet: Box<str>, missing: Box<str>, found: Box<str>, expected: Box<str> },
    #[error(
        "`{file}`, sheet `{sheet}`: `{first}` and `{second}` both mean `{field}`\nhint: delete one of them"
    )]
    ColumnRepeated { file: Box<str>, sheet: Box<str>, first: Box<str>, second: Box<str>, field: Box<str> },
    #[error("`{file}` is given twice\nhint: name each file once")]
    FileRepeated { file: String },
    #[error("{0}")]
    Store(#[source] Box<StoreError>),
    #[error(
        "only lock files of a spreadsheet program are given (`~$…`)\nhint: name the workbooks themselves"
    )]
    OnlyLockFiles,
    #[error("the report would overwrite `{}`, which is imported\nhint: give the report another name", path.display())]
    ReportOverInput { path: PathBuf },
    #[error("the report `{}` {}\nhint: {}", path.display(), what.en, mend.en)]
    ReportPath { path: PathBuf, what: Box<Text>, mend: Box<Text> },
    #[error("the report `{}` cannot be written: {reason}", path.display())]
    ReportUnwritable { path: PathBuf, reason: String },
    #[error("`{file}`, which the pack ships, row {row}: {}\nhint: mend the pack's file", reason.en)]
    SeedFaulty { file: String, row: u32, reason: Text },
    #[error("the import was cancelled; nothing was changed")]
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

    /// The message for a reader of the language; what comes from other crates stays in English.
    pub fn message(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.to_string(),
            Lang::Zh => self.chinese(),
        }
    }

    /// The message in both languages.
    pub fn text(&self) -> Text {
        Text::new(self.chinese(), self.to_string())
    }

    fn chinese(&self) -> String {
        match self {
            Self::FileUnreadable { file, reason } => format!("无法读取“{file}”：{reason}"),
            Self::FileMissing { path } => format!("没有文件“{path}”\n提示：请检查路径"),
            Self::FileIsFolder { path } => {
                format!("“{path}”是文件夹\n提示：请给出其中的文件，如 {path}/*.xlsx")
            }
            Self::FileKindUnknown { file } => {
                format!("“{file}”不是工作簿、CSV 或 Parquet 文件\n提示：请另存为 xlsx 或 csv")
            }
            Self::FileUnusable { file, what, mend, .. } => {
                format!("“{file}”{}\n提示：{}", what.zh, mend.zh)
            }
            Self::DelimitedFaulty { place, what, mend, .. } => {
                format!("{}{}\n提示：{}", place.zh, what.zh, mend.zh)
            }
            Self::SheetUnrecognised { file, reason } => {
                format!("“{file}”中没有可识别的表\n提示：{}", reason.zh)
            }
            Self::OnlyLockFiles => "只给了表格软件的锁定文件（~$…）\n提示：请给出工作簿本身".to_owned(),
            Self::ReportOverInput { path } => {
                format!("报告会覆盖正在导入的“{}”\n提示：请给报告另起文件名", path.display())
            }
            Self::ReportPath { path, what, mend } => {
                format!("报告“{}”{}\n提示：{}", path.display(), what.zh, mend.zh)
            }
            Self::ColumnMissing { file, sheet, missing, found, expected } => {
                format!("“{file}”的表“{sheet}”缺少列 {missing}\n提示：现有列 {found}；应有列 {expected}")
            }
            Self::ColumnRepeated { file, sheet, first, second, field } => {
                format!("“{file}”的表“{sheet}”中“{first}”和“{second}”都表示“{field}”\n提示：请删除其中一列")
            }
            Self::FileRepeated { file } => format!("“{file}”给了两次\n提示：每个文件只给一次"),
            Self::Store(error) => error.to_string(),
            Self::ReportUnwritable { path, reason } => format!("无法写出报告“{}”：{reason}", path.display()),
            Self::SeedFaulty { file, row, reason } => {
                format!("政策包自带的“{file}”第 {row} 行：{}\n提示：请改正政策包中的文件", reason.zh)
            }
            Self::Cancelled => "导入已取消，未作任何更改".to_owned(),
        }
    }
}
