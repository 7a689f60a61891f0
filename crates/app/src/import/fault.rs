//! What is wrong with a cell, in words for the person who typed it.

use model::access::mask;
use model::{Refusal, RefusalCode, Text};
use pack::program::{Action, DataClass};
use serde_json::{Value, json};

use super::cell::Cell;
use super::schema::FieldPlan;

/// What a fault does to its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The row stays out of the registry.
    Refused,
    /// The row was taken all the same.
    Warning,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Warning => "warning",
        }
    }

    pub const fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Refused => ("未导入", "refused"),
            Self::Warning => ("已导入，请核对", "taken, please check"),
        }
    }
}

impl From<Action> for Severity {
    fn from(action: Action) -> Self {
        match action {
            Action::Refuse => Self::Refused,
            Action::Warn => Self::Warning,
        }
    }
}

/// A cell that is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub file: String,
    pub sheet: String,
    /// As a spreadsheet numbers it, from 1.
    pub row: u32,
    /// The header as written, less its line breaks.
    pub column: String,
    /// Stable, in kebab case.
    pub code: String,
    pub severity: Severity,
    pub message: Text,
    /// What the cell holds, masked where the field is personal.
    pub value: Option<String>,
    /// Position of the column in the sheet, from 0, if the sheet has it.
    pub position: Option<u16>,
    /// Whether the cell was taken as it is; if not, what was recorded before stays, or it is unknown.
    pub taken: bool,
}

impl Fault {
    /// What became of the cell and its row, in words.
    pub const fn label(&self) -> (&'static str, &'static str) {
        match (self.severity, self.taken) {
            (Severity::Warning, false) => {
                ("本格未采用，其余已导入", "cell not taken, the rest of the row is")
            }
            (severity, _) => severity.label(),
        }
    }

    pub fn to_json(&self) -> Value {
        json!({
            "file": self.file,
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "severity": self.severity.as_str(),
            "message": { "zh": self.message.zh, "en": self.message.en },
            "value": self.value,
            "taken": self.taken && self.severity == Severity::Warning,
        })
    }
}

/// A fault by positions: row of the staged table, field of its entity.
#[derive(Clone, Debug)]
pub struct RowFault {
    pub row: u32,
    pub field: usize,
    pub code: String,
    pub severity: Severity,
    pub message: Text,
    pub value: Option<String>,
    /// The rejected text of a field that other sheets refer to; helps to find whom they mean.
    pub raw: String,
    /// Whether the cell was taken as it is.
    pub taken: bool,
}

/// Characters of a cell that are shown.
const SHOWN_MAX: usize = 60;

impl RowFault {
    /// A number in a cell that is merged over several records.
    pub fn shared(row: u32, field: &FieldPlan, position: usize, first: u32) -> Self {
        let label = &field.label;
        Self {
            row,
            field: position,
            code: "cell-shared".to_owned(),
            severity: if field.required { Severity::Refused } else { Severity::Warning },
            message: Text::new(
                format!(
                    "“{}”是与第 {first} 行合并的单元格，数值只计入第 {first} 行。请取消合并后分别填写",
                    label.zh
                ),
                format!(
                    "the {} is one cell with row {first}, which alone has its value; unmerge it and fill in each",
                    label.en
                ),
            ),
            value: None,
            raw: String::new(),
            taken: false,
        }
    }

    /// A formula without its result.
    fn uncomputed(row: u32, field: &FieldPlan, position: usize) -> Self {
        let label = &field.label;
        Self {
            row,
            field: position,
            code: "formula-uncomputed".to_owned(),
            severity: if field.required { Severity::Refused } else { Severity::Warning },
            message: Text::new(
                format!(
                    "“{}”是公式，文件中没有计算结果，原登记值不变。请用表格软件打开并保存，或粘贴为数值",
                    label.zh
                ),
                format!(
                    "the {} is a formula without its result; what was recorded stays. Open and save the file in a spreadsheet program, or paste values",
                    label.en
                ),
            ),
            value: None,
            raw: String::new(),
            taken: false,
        }
    }

    /// A cell that cannot be read for its field.
    pub fn unreadable(
        row: u32,
        field: &FieldPlan,
        position: usize,
        cell: &Cell<'_>,
        refusal: Refusal,
    ) -> Self {
        if *cell == Cell::Uncomputed {
            return Self::uncomputed(row, field, position);
        }
        let value = (!cell.is_blank()).then(|| shortened(&mask(&cell.to_string(), field.pii)));
        let severity = match refusal.code {
            // A value beyond what the rules allow for must not get in, whatever the field says.
            RefusalCode::OutOfRange | RefusalCode::RequiredMissing => Severity::Refused,
            _ if field.required => Severity::Refused,
            _ => field.unreadable.into(),
        };
        let raw = if field.unique { cell.to_string() } else { String::new() };
        let code = refusal.code.as_str().to_owned();
        Self {
            row,
            field: position,
            code,
            severity,
            message: sentence(field, refusal, value.as_deref()),
            value,
            raw,
            taken: false,
        }
    }
}

/// Field, what is wrong, the value as it may be shown, and a hint.
fn sentence(field: &FieldPlan, refusal: Refusal, shown: Option<&str>) -> Text {
    let code = refusal.code;
    let mut refusal = refusal.field(field.label.clone());
    refusal.value = match (field.pii, refusal.value) {
        (DataClass::Open, Some(value)) => Some(shortened(&value)),
        (_, None) => None,
        (_, Some(_)) => shown.map(str::to_owned),
    };
    // The pattern `0.00` stands for two decimals, and reads like the value that is wanted.
    let decimals = match (code, &refusal.expected) {
        (RefusalCode::TooManyDecimals, Some(pattern)) => pattern_decimals(pattern),
        _ => None,
    };
    refusal.expected = refusal.expected.filter(|_| decimals.is_none());
    let mut message = refusal.message();
    if let Some(count) = decimals {
        message = Text::new(
            format!("{}；最多 {count} 位小数", message.zh),
            format!("{}; at most {count} decimals", message.en),
        );
    }
    with_hint(&message, &code.hint())
}

/// How many decimals `0.00` shows.
fn pattern_decimals(pattern: &str) -> Option<usize> {
    let fraction = pattern.strip_prefix('0')?.strip_prefix('.').unwrap_or_default();
    fraction.bytes().all(|byte| byte == b'0').then_some(fraction.len())
}

/// A long text by its beginning.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…（{}）", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}

/// A message and its hint as one text.
pub fn with_hint(message: &Text, hint: &Text) -> Text {
    Text::new(format!("{}。{}", message.zh, hint.zh), format!("{}; {}", message.en, hint.en))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_values_are_masked() {
        let check = |pii, value: &str, expected: &str| assert_eq!(mask(value, pii), expected);
        check(DataClass::Open, "一万二", "一万二");
        check(DataClass::Name, "阿牛阿依", "阿**");
        check(DataClass::Identity, "513431197210162405", "*****************5");
        check(DataClass::Identity, "5134", "****");
        check(DataClass::Account, "6214139478417987624", "****7624");
    }
}
