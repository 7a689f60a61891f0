//! Layouts of banks' files, `[[bank_layout]]` of a pack.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::LayoutId;
use crate::Text;

/// The files of one bank: what it takes and what it gives back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankLayout {
    pub id: LayoutId,
    pub title: Text,
    /// The file of payments.
    pub payment: FileLayout,
    /// The return file (回盘).
    pub returns: FileLayout,
    /// The columns of the return file that together name one line: banks differ.
    pub match_by: Vec<Field>,
    /// What the bank's words for an outcome mean. Any other word is a finding.
    pub statuses: Vec<StatusCode>,
    /// Whether the bank may deliver a line in parts. If not, another amount is a finding.
    #[serde(default)]
    pub parts: bool,
}

/// One file: rows of columns, delimited or of fixed width.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLayout {
    pub encoding: Encoding,
    #[serde(default)]
    pub newline: Newline,
    /// An ASCII character between columns; without it every column has a width.
    #[serde(default)]
    pub delimiter: Option<char>,
    /// Whether a cell may stand in double quotes, and does if it has to (RFC 4180, within one line).
    #[serde(default)]
    pub quotes: bool,
    /// Whether a line with the columns' titles comes before the rows.
    #[serde(default)]
    pub header: bool,
    pub columns: Vec<Column>,
    #[serde(default)]
    pub totals: Option<Totals>,
}

/// One cell of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    pub field: Field,
    /// As the header has it; names the column in messages.
    pub title: String,
    /// In bytes of the encoding, as banks count: a Chinese character of GBK takes two.
    #[serde(default)]
    pub width: Option<u16>,
    #[serde(default)]
    pub align: Align,
    /// An ASCII character that fills a width.
    #[serde(default = "space")]
    pub pad: char,
    #[serde(default)]
    pub format: Option<Format>,
    /// What a constant column always holds.
    #[serde(default)]
    pub text: Option<String>,
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The place of the line in the file of payments, from 1.
    Number,
    Batch,
    Line,
    Name,
    Account,
    Amount,
    /// The day of the file, or of the outcome.
    Date,
    Status,
    Reason,
    /// The number of rows; in totals only.
    Count,
    /// The sum of the amounts; in totals only.
    Sum,
    Constant,
    /// Written empty, read past.
    Ignored,
}

impl Field {
    /// As packs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Batch => "batch",
            Self::Line => "line",
            Self::Name => "name",
            Self::Account => "account",
            Self::Amount => "amount",
            Self::Date => "date",
            Self::Status => "status",
            Self::Reason => "reason",
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Constant => "constant",
            Self::Ignored => "ignored",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How text becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    /// GBK as the WHATWG Encoding Standard has it: code page 936 with the few characters that GB 18030-2005 added
    /// in two bytes.
    #[serde(rename = "gbk")]
    Gbk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Newline {
    #[default]
    Lf,
    Crlf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Align {
    #[default]
    Left,
    Right,
}

/// How an amount or a date is written. Amounts are yuan with two decimals and dates `2016-01-05` unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `1234.50`.
    Yuan,
    /// `123450`.
    Fen,
    /// `2016-01-05`.
    Iso,
    /// `20160105`.
    Compact,
}

/// A line of totals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    pub place: TotalsPlace,
    pub columns: Vec<Column>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TotalsPlace {
    /// Before the header.
    First,
    /// After the rows.
    Last,
}

/// One of the bank's words for an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusCode {
    pub code: String,
    pub means: Meaning,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    Delivered,
    Returned,
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delivered => "delivered",
            Self::Returned => "returned",
        })
    }
}

/// Why a layout cannot be used. For the authors of packs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LayoutProblem {
    #[error("the {file} file has no `{field}` column")]
    FieldMissing { file: &'static str, field: Field },
    #[error("the {file} file has two `{field}` columns")]
    FieldRepeated { file: &'static str, field: Field },
    #[error("`{field}` has no place among the {place} of the {file} file")]
    FieldMisplaced { file: &'static str, field: Field, place: &'static str },
    #[error("column `{title}` of the {file} file has no width, and the file no delimiter")]
    WidthMissing { file: &'static str, title: String },
    #[error("column `{title}` of the {file} file has a width, though the file has a delimiter")]
    WidthNeedless { file: &'static str, title: String },
    #[error("`{char}` cannot delimit or fill in the {file} file: it is no printable ASCII character")]
    NotAscii { file: &'static str, char: char },
    #[error(
        "column `{title}` of the {file} file is constant without a text, or has a text and is not constant"
    )]
    ConstantText { file: &'static str, title: String },
    #[error("column `{title}` of the {file} file has a format of another kind of value")]
    FormatUnfit { file: &'static str, title: String },
    #[error("`match_by` is empty")]
    MatchByEmpty,
    #[error("lines cannot be told apart by `{field}`")]
    NotMatchable { field: Field },
    #[error("lines are matched by `{field}`, but the return file has no such column")]
    MatchMissing { field: Field },
    #[error("status `{code}` is declared twice")]
    StatusRepeated { code: String },
    #[error("no status means `{meaning}`")]
    MeaningMissing { meaning: Meaning },
}

impl LayoutProblem {
    /// The key of the layout under which it stands.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::FieldMissing { file, .. }
            | Self::FieldRepeated { file, .. }
            | Self::FieldMisplaced { file, .. }
            | Self::WidthMissing { file, .. }
            | Self::WidthNeedless { file, .. }
            | Self::NotAscii { file, .. }
            | Self::ConstantText { file, .. }
            | Self::FormatUnfit { file, .. } => match file.as_bytes() {
                b"return" => "returns",
                _ => "payment",
            },
            Self::MatchByEmpty | Self::NotMatchable { .. } | Self::MatchMissing { .. } => "match_by",
            Self::StatusRepeated { .. } | Self::MeaningMissing { .. } => "statuses",
        }
    }

    /// How to mend it.
    pub fn hint(&self) -> String {
        match self {
            Self::FieldMissing { field, .. } | Self::MatchMissing { field } => {
                format!("add a column `{{ field = \"{field}\", title = \"…\" }}`")
            }
            Self::FieldRepeated { .. } => "drop one of them, or let it be `ignored`".to_owned(),
            Self::FieldMisplaced { place: "totals", .. } => {
                "totals hold `count`, `sum`, `batch`, `date`, `constant` and `ignored`".to_owned()
            }
            Self::FieldMisplaced { .. } => "`count` and `sum` stand in `totals`".to_owned(),
            Self::WidthMissing { .. } => {
                "give each column a `width` in bytes, or the file a `delimiter`".to_owned()
            }
            Self::WidthNeedless { .. } => "drop the width, or the delimiter".to_owned(),
            Self::NotAscii { .. } => "choose a character such as `|`, `,`, `0` or a space".to_owned(),
            Self::ConstantText { .. } => {
                "a constant has a `text = \"…\"`, and no other column has one".to_owned()
            }
            Self::FormatUnfit { .. } => {
                "amounts are written as `yuan` or `fen`, dates as `iso` or `compact`".to_owned()
            }
            Self::MatchByEmpty | Self::NotMatchable { .. } => {
                "match by `number`, `line`, `name`, `account` or `amount`".to_owned()
            }
            Self::StatusRepeated { .. } => "drop one of them: one word has one meaning".to_owned(),
            Self::MeaningMissing { meaning } => {
                format!("add `{{ code = \"…\", means = \"{meaning}\" }}`, with the bank's word for it")
            }
        }
    }
}

impl BankLayout {
    /// Everything that is wrong with it.
    pub fn problems(&self) -> Vec<LayoutProblem> {
        let mut problems = self.payment.problems("payment", &[Field::Account, Field::Amount]);
        problems.extend(self.returns.problems("return", &[Field::Amount, Field::Date, Field::Status]));
        if self.match_by.is_empty() {
            problems.push(LayoutProblem::MatchByEmpty);
        }
        for field in self.match_by.iter().copied() {
            use Field::{Account, Amount, Line, Name, Number};
            if !matches!(field, Number | Line | Name | Account | Amount) {
                problems.push(LayoutProblem::NotMatchable { field });
            } else if !self.returns.has(field) {
                problems.push(LayoutProblem::MatchMissing { field });
            }
        }
        for (place, status) in self.statuses.iter().enumerate() {
            if self.statuses[..place].iter().any(|earlier| earlier.code == status.code) {
                problems.push(LayoutProblem::StatusRepeated { code: status.code.clone() });
            }
        }
        for meaning in [Meaning::Delivered, Meaning::Returned] {
            if !self.statuses.iter().any(|status| status.means == meaning) {
                problems.push(LayoutProblem::MeaningMissing { meaning });
            }
        }
        problems
    }
}

impl FileLayout {
    pub(super) fn has(&self, field: Field) -> bool {
        self.columns.iter().any(|column| column.field == field)
    }

    fn problems(&self, file: &'static str, required: &[Field]) -> Vec<LayoutProblem> {
        let mut problems = Vec::new();
        for field in required.iter().copied().filter(|field| !self.has(*field)) {
            problems.push(LayoutProblem::FieldMissing { file, field });
        }
        let fills = |char: char| char.is_ascii_graphic() || char == ' ' || char == '\t';
        let unfit = self.delimiter.filter(|char| !fills(*char));
        problems.extend(unfit.map(|char| LayoutProblem::NotAscii { file, char }));
        let totals = self.totals.iter().flat_map(|totals| &totals.columns);
        let cells =
            self.columns.iter().map(|cell| (cell, "columns")).chain(totals.map(|cell| (cell, "totals")));
        for (column, place) in cells {
            let title = || column.title.clone();
            let field = column.field;
            let summary = matches!(field, Field::Count | Field::Sum);
            let either = matches!(field, Field::Constant | Field::Ignored | Field::Batch | Field::Date);
            if !either && summary != (place == "totals") {
                problems.push(LayoutProblem::FieldMisplaced { file, field, place });
            }
            match (column.width, self.delimiter) {
                (None, None) => problems.push(LayoutProblem::WidthMissing { file, title: title() }),
                (Some(_), Some(_)) => problems.push(LayoutProblem::WidthNeedless { file, title: title() }),
                _ => {}
            }
            if !fills(column.pad) {
                problems.push(LayoutProblem::NotAscii { file, char: column.pad });
            }
            if column.text.is_some() != (field == Field::Constant) {
                problems.push(LayoutProblem::ConstantText { file, title: title() });
            }
            let fits = match column.format {
                None => true,
                Some(Format::Yuan | Format::Fen) => matches!(field, Field::Amount | Field::Sum),
                Some(Format::Iso | Format::Compact) => field == Field::Date,
            };
            if !fits {
                problems.push(LayoutProblem::FormatUnfit { file, title: title() });
            }
        }
        for (place, column) in self.columns.iter().enumerate() {
            let may_repeat = matches!(column.field, Field::Constant | Field::Ignored);
            if !may_repeat && self.columns[..place].iter().any(|earlier| earlier.field == column.field) {
                problems.push(LayoutProblem::FieldRepeated { file, field: column.field });
            }
        }
        problems
    }
}

const fn space() -> char {
    ' '
}
