//! Primitive expressions as DataFusion expressions.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::functions::expr_fn;
use datafusion::logical_expr::expr::{Case, InList};
use datafusion::logical_expr::{Expr, Operator, binary_expr, cast, lit, try_cast};
use pack::program::{Comparison, DatePart};

use crate::scalar::{self, Kind, Node, Scalar};

/// A decimal division multiplies its dividend by 10^4 before it divides; beyond this the product would
/// leave 128 bits, so that 256 are used.
pub(crate) const DIVIDEND_MAX: i128 = 10_i128.pow(34);

/// How a kind is stored in Arrow.
pub fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Bool => DataType::Boolean,
        Kind::Int => DataType::Int64,
        Kind::Wide => DataType::Decimal128(38, 0),
        Kind::Date => DataType::Date32,
        Kind::Text => DataType::Utf8,
        Kind::Float => DataType::Float64,
    }
}

pub(super) fn column(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}

/// The same expression over columns of the same names.
pub fn lower(scalar: &Scalar) -> Expr {
    match &scalar.node {
        Node::Column(name) => column(name),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Date(_) | Node::Text(_) | Node::Float(_) => {
            Expr::Literal(literal(scalar), None)
        }
        Node::Arithmetic(operator, a, b) => arithmetic(scalar.kind, *operator, a, b),
        Node::Negate(a) => Expr::Negative(Box::new(lower(a))),
        Node::Compare(op, a, b) => binary_expr(lower(a), comparison(*op), lower(b)),
        Node::And(all) => all.iter().map(lower).reduce(Expr::and).unwrap_or_else(|| lit(true)),
        Node::Or(all) => all.iter().map(lower).reduce(Expr::or).unwrap_or_else(|| lit(false)),
        Node::Not(a) => Expr::Not(Box::new(lower(a))),
        Node::IsNull(a) => lower(a).is_null(),
        Node::Case { branches, otherwise } => {
            let branches = branches.iter().map(|(condition, value)| (boxed(condition), boxed(value)));
            Expr::Case(Case::new(None, branches.collect(), otherwise.as_deref().map(boxed)))
        }
        Node::Coalesce(all) => expr_fn::coalesce(lowered(all)),
        Node::Least(all) => expr_fn::least(lowered(all)),
        Node::Greatest(all) => expr_fn::greatest(lowered(all)),
        Node::NullIfZero(a) => expr_fn::nullif(lower(a), zero(a.kind)),
        Node::In(a, list) => Expr::InList(InList::new(boxed(a), lowered(list), false)),
        Node::DatePart(part, a) => {
            let part = match part {
                DatePart::Year => "year",
                DatePart::Month => "month",
                DatePart::Day => "day",
            };
            cast(expr_fn::date_part(lit(part), lower(a)), DataType::Int64)
        }
        Node::MakeDate(year, month, day) => {
            let part = |part| cast(lower(part), DataType::Int32);
            expr_fn::make_date(part(year), part(month), part(day))
        }
        Node::DaysBetween(from, to) => day_number(to) - day_number(from),
        Node::AddDays(a, days) => cast(cast(day_number(a) + lower(days), DataType::Int32), DataType::Date32),
        Node::Substring { text, from, length } => {
            expr_fn::substring(lower(text), lit(i64::from(*from)), lit(i64::from(*length)))
        }
        Node::DigitsToNumber(a) => {
            // A cast alone would take signs and blanks too.
            let rest = expr_fn::btrim(vec![lower(a), lit("0123456789")]);
            let digits = (Box::new(rest.eq(lit(""))), Box::new(try_cast(lower(a), DataType::Int64)));
            Expr::Case(Case::new(None, vec![digits], None))
        }
        Node::Cast(a) => cast(lower(a), data_type(scalar.kind)),
    }
}

fn boxed(scalar: &Scalar) -> Box<Expr> {
    Box::new(lower(scalar))
}

fn lowered(all: &[Scalar]) -> Vec<Expr> {
    all.iter().map(lower).collect()
}

fn literal(scalar: &Scalar) -> ScalarValue {
    match (&scalar.node, scalar.kind) {
        (Node::Bool(value), _) => ScalarValue::Boolean(Some(*value)),
        (Node::Number(value), Kind::Int) => ScalarValue::Int64(i64::try_from(*value).ok()),
        (Node::Number(value), _) => ScalarValue::Decimal128(Some(*value), 38, 0),
        (Node::Date(days), _) => ScalarValue::Date32(Some(*days)),
        (Node::Text(text), _) => ScalarValue::Utf8(Some(text.clone())),
        (Node::Float(value), _) => ScalarValue::Float64(Some(*value)),
        (_, Kind::Bool) => ScalarValue::Boolean(None),
        (_, Kind::Int) => ScalarValue::Int64(None),
        (_, Kind::Wide) => ScalarValue::Decimal128(None, 38, 0),
        (_, Kind::Date) => ScalarValue::Date32(None),
        (_, Kind::Text) => ScalarValue::Utf8(None),
        (_, Kind::Float) => ScalarValue::Float64(None),
    }
}

fn zero(kind: Kind) -> Expr {
    lower(&match kind {
        Kind::Float => scalar::float(0.0),
        kind => scalar::cast(scalar::number(0), kind),
    })
}

fn comparison(op: Comparison) -> Operator {
    match op {
        Comparison::Equal => Operator::Eq,
        Comparison::NotEqual => Operator::NotEq,
        Comparison::Less => Operator::Lt,
        Comparison::LessOrEqual => Operator::LtEq,
        Comparison::Greater => Operator::Gt,
        Comparison::GreaterOrEqual => Operator::GtEq,
    }
}

fn arithmetic(kind: Kind, operator: scalar::Operator, a: &Scalar, b: &Scalar) -> Expr {
    let operation = |operator| binary_expr(lower(a), operator, lower(b));
    match operator {
        scalar::Operator::Add => operation(Operator::Plus),
        scalar::Operator::Subtract => operation(Operator::Minus),
        scalar::Operator::Multiply => operation(Operator::Multiply),
        scalar::Operator::Remainder => operation(Operator::Modulo),
        scalar::Operator::Quotient if kind == Kind::Wide => wide_quotient(a, b),
        scalar::Operator::Quotient => operation(Operator::Divide),
    }
}

/// The exact quotient of decimals without decimals: what is left after the remainder divides evenly,
/// so that no rounding of the decimal division can be seen.
fn wide_quotient(a: &Scalar, b: &Scalar) -> Expr {
    let even = lower(a) - lower(a) % lower(b);
    let bounds = a.bounds();
    let quotient = if bounds.min < -DIVIDEND_MAX || bounds.max > DIVIDEND_MAX {
        let huge = DataType::Decimal256(76, 0);
        cast(even, huge.clone()) / cast(lower(b), huge)
    } else {
        even / lower(b)
    };
    cast(quotient, data_type(Kind::Wide))
}

/// Days since 1970-01-01 as a 64-bit integer.
fn day_number(date: &Scalar) -> Expr {
    cast(cast(lower(date), DataType::Int32), DataType::Int64)
}
