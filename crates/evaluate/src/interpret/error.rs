//! What can go wrong with one subject.

use model::Text;
use pack::program::{ColumnId, Program};
use thiserror::Error;

/// Why a value could not be computed. It concerns one subject and is kept as that subject's result;
/// other subjects are computed all the same.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EvalError {
    /// A number left 128 bits in the expression of `column`.
    #[error("column {} overflows", column.0)]
    Overflow { column: ColumnId },
    /// A text that the program takes for digits holds something else.
    #[error("column {} reads digits from a text that has others", column.0)]
    NotDigits { column: ColumnId },
    /// The column needs itself. The compiler refuses such packs, so this is a bug of the compiler.
    #[error("column {} needs itself", column.0)]
    Cycle { column: ColumnId },
    /// An operand has another type than its operation expects: a bug of the compiler.
    #[error("column {} is wrongly typed", column.0)]
    Malformed { column: ColumnId },
}

impl EvalError {
    /// The error in words, with labels instead of ids.
    pub fn message(&self, program: &Program) -> Text {
        let label = |column: &ColumnId| {
            let column = &program.columns[column.index()];
            if column.label.zh.is_empty() { Text::same(&column.name) } else { column.label.clone() }
        };
        let say = |column: &ColumnId, zh: &str, en: &str| {
            let label = label(column);
            Text::new(format!("“{}”{zh}", label.zh), format!("“{}” {en}", label.en))
        };
        match self {
            Self::Overflow { column } => say(column, "超出可计算的范围", "is beyond what can be computed"),
            Self::NotDigits { column } => {
                say(column, "含有非数字字符", "contains other characters than digits")
            }
            Self::Cycle { column } => say(column, "依赖其自身", "depends on itself"),
            Self::Malformed { column } => say(column, "类型不符", "has an operand of the wrong type"),
        }
    }
}
