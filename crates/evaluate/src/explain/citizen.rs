//! What the language's functions of a citizen number were, before the compiler spelt them out in digits.

use model::Lang;
use pack::program::{ColumnId, Expr, ExprKind, Value};

/// What is read off a citizen number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// `citizen_birth`.
    Birth,
    /// `citizen_sex`.
    Sex,
}

impl Reading {
    /// The reading that an expression stands for, and the number read.
    pub fn of(expr: &Expr) -> Option<(Self, &Expr)> {
        match &expr.kind {
            ExprKind::MakeDate { year, month, day } => {
                let number = digits(year, 7, 4)?;
                let same = |part: Option<&Expr>| part.is_some_and(|part| column(part) == column(number));
                (same(digits(month, 11, 2)) && same(digits(day, 13, 2))).then_some((Self::Birth, number))
            }
            ExprKind::Case { branches, otherwise: Some(otherwise) } => {
                let [(condition, male)] = branches.as_slice() else { return None };
                let ExprKind::In { a, .. } = &condition.kind else { return None };
                let number = characters(a, 17, 1)?;
                let says = |expr: &Expr, word: &str| matches!(&expr.kind, ExprKind::Literal(Value::Text(text)) if text == word);
                (says(male, "male") && says(otherwise, "female")).then_some((Self::Sex, number))
            }
            _ => None,
        }
    }

    /// In words, of a number in words.
    pub fn text(self, number: &str, lang: Lang) -> String {
        match (self, lang) {
            (Self::Birth, Lang::Zh) => format!("{number}中的出生日期"),
            (Self::Birth, Lang::En) => format!("the date of birth in the {number}"),
            (Self::Sex, Lang::Zh) => format!("{number}中的性别"),
            (Self::Sex, Lang::En) => format!("the sex in the {number}"),
        }
    }
}

fn digits(expr: &Expr, from: u32, length: u32) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::DigitsToCount(a) => characters(a, from, length),
        _ => None,
    }
}

fn column(expr: &Expr) -> Option<ColumnId> {
    match &expr.kind {
        ExprKind::Column(id) => Some(*id),
        _ => None,
    }
}

/// The column whose characters are taken.
fn characters(expr: &Expr, wanted: u32, many: u32) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Substring { a, from, length } if (*from, *length) == (wanted, many) => {
            column(a).map(|_| &**a)
        }
        _ => None,
    }
}
