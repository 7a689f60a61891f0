//! Texts of tables as values of columns.

use std::sync::Arc;

use pack::program::{Program, Type};

use crate::shape::ColumnShape;
use crate::values::{Texts, UNKNOWN, Values};

/// Texts as the column stores them; what does not fit is unknown.
pub fn parse(program: &Program, column: &ColumnShape, texts: &[String]) -> Values {
    let numbers = |read: &dyn Fn(&str) -> Option<i64>| {
        texts.iter().map(|text| read(text).unwrap_or(UNKNOWN)).collect::<Vec<i64>>()
    };
    match &column.ty {
        Type::Text => {
            let mut all = Texts::with_capacity(texts.len());
            for text in texts {
                all.push(text);
            }
            Values::Text(all)
        }
        Type::Code(list) => {
            let codes = &program.lists[list.index()].codes;
            let position =
                |text: &str| codes.iter().position(|code| code.code == text).map(|code| code as i64);
            Values::Choice(
                numbers(&position),
                codes.iter().map(|code| code.code.clone()).collect::<Arc<[String]>>(),
            )
        }
        Type::Bool => Values::Number(numbers(&|text| text.parse::<bool>().ok().map(i64::from))),
        Type::Date => Values::Number(numbers(&|text| Some(text.parse::<model::Date>().ok()?.days().into()))),
        Type::Number(_) | Type::Index => {
            let decimals = column.decimals();
            Values::Number(numbers(&|text| Some(model::Fixed::parse(text, decimals).ok()?.mantissa())))
        }
    }
}
