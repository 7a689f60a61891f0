//! Making a change in a compiled program.

use pack::program::{
    ColumnId, ColumnKind, Dated, Expr, ExprKind, ParameterId, ParameterShape, Program, Rounding, Type, Value,
};

use super::Site;
use super::change::{Change, Entry, Symbol, neighbour};

impl Site {
    /// Makes the change wherever the place shows. `place` says where a column of the whole program is in this one.
    pub fn change(&self, program: &mut Program, place: &dyn Fn(ColumnId) -> Option<ColumnId>) {
        match &self.change {
            Change::Parameter { parameter, dated, entry } => {
                return change_parameter(program, ParameterId(*parameter), *dated, entry);
            }
            Change::ParameterDate { parameter, dated, later } => {
                return change_date(program, ParameterId(*parameter), *dated, *later);
            }
            _ => {}
        }
        for column in &mut program.columns {
            let own = column.span;
            match (&self.change, &mut column.kind) {
                (Change::Filter, ColumnKind::Aggregate(aggregate)) => {
                    if own != self.span
                        && aggregate.filter.as_ref().is_some_and(|filter| filter.span == self.span)
                    {
                        aggregate.filter = None;
                    }
                }
                (Change::Aggregate(function), ColumnKind::Aggregate(aggregate)) if own == self.span => {
                    if super::change::Function::of(aggregate.function) == Some(*function) {
                        aggregate.function = function.other();
                    }
                }
                (Change::Join { from, to }, ColumnKind::Aggregate(aggregate)) if own == self.span => {
                    if aggregate.edge == *from {
                        aggregate.edge = *to;
                    }
                }
                (Change::Join { from, to }, ColumnKind::Lookup { edge, .. }) if own == self.span => {
                    if *edge == *from {
                        *edge = *to;
                    }
                }
                (Change::Filter | Change::Aggregate(_) | Change::Join { .. }, _) => {}
                (Change::Share { column: name, share }, ColumnKind::Scalar(expr)) => {
                    if own == self.span && column.name == *name {
                        halve_share(expr, *share);
                    }
                }
                (Change::Share { .. }, _) => {}
                _ => {
                    for expr in column.expressions_mut() {
                        self.rewrite(expr, place);
                    }
                }
            }
        }
    }

    fn rewrite(&self, expr: &mut Expr, place: &dyn Fn(ColumnId) -> Option<ColumnId>) {
        for operand in expr.operands_mut() {
            self.rewrite(operand, place);
        }
        if expr.span != self.span {
            return;
        }
        let own = decimals(expr);
        let (span, ty) = (expr.span, expr.ty.clone());
        let kind = std::mem::replace(&mut expr.kind, ExprKind::AsOf);
        expr.kind = match (&self.change, kind) {
            (Change::Comparison(symbol), ExprKind::Compare { op, a, b }) if Symbol::of(op) == *symbol => {
                ExprKind::Compare { op: neighbour(op), a, b }
            }
            (Change::AndToOr, ExprKind::And(parts)) => ExprKind::Or(parts),
            (Change::OrToAnd, ExprKind::Or(parts)) => ExprKind::And(parts),
            (Change::AddToSub, ExprKind::Add(a, b)) => ExprKind::Sub(a, b),
            (Change::SubToAdd, ExprKind::Sub(a, b)) => ExprKind::Add(a, b),
            (Change::MulToDiv, ExprKind::Mul { a, b, round, .. }) => {
                let up = (own + decimals(&b) - decimals(&a)).max(0) as u8;
                ExprKind::Div { a, b, up, round }
            }
            (Change::DivToMul, ExprKind::Div { a, b, round, .. }) => {
                let drop = (decimals(&a) + decimals(&b) - own).max(0) as u8;
                ExprKind::Mul { a, b, drop, round }
            }
            (Change::Not, ExprKind::Not(inner)) => inner.kind,
            (Change::Number, ExprKind::Literal(Value::Number(value))) => {
                ExprKind::Literal(Value::Number(next(value, own as u8)))
            }
            (Change::Bool, ExprKind::Literal(Value::Bool(value))) => ExprKind::Literal(Value::Bool(!value)),
            (Change::Conjunct(part), ExprKind::And(mut parts)) if *part < parts.len() => {
                parts.remove(*part);
                if parts.len() == 1 { parts.remove(0).kind } else { ExprKind::And(parts) }
            }
            (Change::CodeAdded(code), ExprKind::In { a, mut list }) => {
                list.push(Value::Text(code.clone()));
                ExprKind::In { a, list }
            }
            (Change::CodeRemoved(code), ExprKind::In { a, mut list }) => {
                list.retain(|value| *value != Value::Text(code.clone()));
                ExprKind::In { a, list }
            }
            (Change::IsUnknown, kind @ ExprKind::IsUnknown(_)) => {
                ExprKind::Not(Box::new(Expr { kind, ty, nullable: false, range: None, span }))
            }
            (Change::Default, ExprKind::Coalesce(mut parts)) => {
                parts.pop();
                ExprKind::Coalesce(parts)
            }
            (Change::Field { from, to }, ExprKind::Column(id)) => match (place(*from), place(*to)) {
                (Some(from), Some(to)) if from == id => ExprKind::Column(to),
                _ => ExprKind::Column(id),
            },
            (Change::At, ExprKind::Parameter { id, key, .. }) => ExprKind::Parameter { id, at: None, key },
            (Change::Rounding, ExprKind::Mul { a, b, drop, round }) => {
                ExprKind::Mul { a, b, drop, round: otherwise(round) }
            }
            (Change::Rounding, ExprKind::Div { a, b, up, round }) => {
                ExprKind::Div { a, b, up, round: otherwise(round) }
            }
            (Change::Rounding, ExprKind::Round { a, drop, round }) => {
                ExprKind::Round { a, drop, round: otherwise(round) }
            }
            (Change::At, ExprKind::Bracket { parameter, x, round, .. }) => {
                ExprKind::Bracket { parameter, at: None, x, round }
            }
            (Change::Rounding, ExprKind::Bracket { parameter, at, x, round }) => {
                ExprKind::Bracket { parameter, at, x, round: otherwise(round) }
            }
            (_, kind) => kind,
        };
    }
}

fn decimals(expr: &Expr) -> i16 {
    match &expr.ty {
        Type::Number(number) => i16::from(number.decimals),
        _ => 0,
    }
}

fn otherwise(round: Rounding) -> Rounding {
    match round {
        Rounding::HalfUp => Rounding::Down,
        Rounding::Down => Rounding::Up,
        Rounding::Up => Rounding::HalfUp,
    }
}

/// Counts are compared with a share in ten-thousandths: `met * 10000 >= all * share`.
fn halve_share(expr: &mut Expr, share: i64) {
    if let ExprKind::Compare { b, .. } = &mut expr.kind
        && let ExprKind::Mul { b, .. } = &mut b.kind
        && let ExprKind::Literal(Value::Number(number)) = &mut b.kind
        && *number == i128::from(share)
    {
        *number /= 2;
    }
    for operand in expr.operands_mut() {
        halve_share(operand, share);
    }
}

fn change_date(program: &mut Program, id: ParameterId, dated: usize, later: bool) {
    fn shift<T>(values: &mut [Dated<T>], dated: usize, later: bool) {
        let from = values[dated].from;
        let Some(moved) = model::Date::from_days(from.days() + if later { 1 } else { -1 }) else { return };
        values[dated].from = moved;
        // The value before is in force until then.
        for value in values.iter_mut().filter(|value| value.until == Some(from)) {
            value.until = Some(moved);
        }
    }
    match &mut program.parameters[id.index()].shape {
        ParameterShape::Scalar(values) => shift(values, dated, later),
        ParameterShape::Table { values, .. } => shift(values, dated, later),
        ParameterShape::Brackets { values, .. } => shift(values, dated, later),
    }
}

/// One more in the last place that is not zero, of a number with so many decimals: 0.6 becomes 0.7, 2855 2856.
fn next(value: i128, decimals: u8) -> i128 {
    let mut step = 1;
    for _ in 0..decimals {
        if value % (step * 10) != 0 {
            break;
        }
        step *= 10;
    }
    value + step
}

fn change_parameter(program: &mut Program, id: ParameterId, dated: usize, entry: &Entry) {
    let parameter = &mut program.parameters[id.index()];
    let decimals = match &parameter.ty {
        Type::Number(number) => number.decimals,
        _ => 0,
    };
    let raise = |value: &mut Value| {
        if let Value::Number(number) = value {
            *number = next(*number, decimals);
        }
    };
    match (&mut parameter.shape, entry) {
        (ParameterShape::Scalar(values), Entry::Whole) => raise(&mut values[dated].value),
        (ParameterShape::Table { values, .. }, Entry::Code(code)) => {
            if let Some(value) = values[dated].value.get_mut(code) {
                raise(value);
            }
        }
        (ParameterShape::Brackets { over, values }, Entry::BracketFrom(step)) => {
            let step = &mut values[dated].value[*step];
            step.from = next(step.from, over.decimals);
        }
        (ParameterShape::Brackets { values, .. }, Entry::BracketRate(step)) => {
            let step = &mut values[dated].value[*step];
            step.rate = next(step.rate, decimals);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_raised_in_its_last_written_place() {
        assert_eq!(next(6000, 4), 7000);
        assert_eq!(next(435, 4), 436);
        assert_eq!(next(285_500, 2), 285_600);
        assert_eq!(next(50_000, 0), 50_001);
        assert_eq!(next(0, 2), 100);
        assert_eq!(next(-500, 2), -400);
    }
}
