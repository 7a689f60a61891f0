//! Aggregates over children, strict about what is unknown.

use std::cmp::Ordering;

use pack::program::{Aggregate, AggregateFunction, Value};

use super::cells::{Cells, Here, Outcome};
use super::expression::Expressions;
use super::{EvalError, operate};

/// Evaluates aggregates.
pub(crate) trait Aggregates<'a>: Cells<'a> + Sized {
    /// The rules are those of [`Aggregate`]. An error about a child is the parent's too.
    fn aggregate(&mut self, here: Here, aggregate: &'a Aggregate, children: &[u32]) -> Outcome {
        match aggregate.function {
            AggregateFunction::Count => self.count(here, aggregate, children),
            AggregateFunction::Sum => self.sum(here, aggregate, children),
            AggregateFunction::Any => self.quantify(here, aggregate, children, true),
            AggregateFunction::All => self.quantify(here, aggregate, children, false),
            AggregateFunction::Min => self.extreme_of(here, aggregate, children, Ordering::Less),
            AggregateFunction::Max => self.extreme_of(here, aggregate, children, Ordering::Greater),
        }
    }

    /// Whether a child counts; true where there is no filter.
    fn passes(
        &mut self,
        here: Here,
        aggregate: &'a Aggregate,
        child: u32,
    ) -> Result<Option<bool>, EvalError> {
        match &aggregate.filter {
            Some(filter) => self.condition(Here { row: child, ..here }, filter),
            None => Ok(Some(true)),
        }
    }

    /// The argument of a child.
    fn argument(&mut self, here: Here, aggregate: &'a Aggregate, child: u32) -> Outcome {
        match &aggregate.argument {
            Some(argument) => self.expression(Here { row: child, ..here }, argument),
            None => Err(EvalError::Malformed { column: here.column }),
        }
    }

    fn count(&mut self, here: Here, aggregate: &'a Aggregate, children: &[u32]) -> Outcome {
        let mut count = Some(0_i128);
        for &child in children {
            match self.passes(here, aggregate, child)? {
                Some(passes) => count = count.map(|count| count + i128::from(passes)),
                None => count = None,
            }
        }
        Ok(count.map(Value::Number))
    }

    fn sum(&mut self, here: Here, aggregate: &'a Aggregate, children: &[u32]) -> Outcome {
        let mut sum = Some(Value::Number(0));
        if aggregate.argument.as_ref().is_some_and(|argument| argument.ty == pack::program::Type::Index) {
            sum = Some(Value::Index(0.0));
        }
        for &child in children {
            let passes = self.passes(here, aggregate, child)?;
            if passes == Some(false) {
                continue;
            }
            sum = match (self.argument(here, aggregate, child)?, sum) {
                (Some(value), sum) if passes.is_none() && is_zero(&value) => sum,
                (Some(value), Some(sum)) if passes.is_some() => {
                    operate::add(&sum, &value).map_err(|fault| fault.at(here.column))?
                }
                _ => None,
            };
        }
        Ok(sum)
    }

    /// `Any` is decided by a child that passes and is true, `All` by one that passes and is false.
    fn quantify(
        &mut self,
        here: Here,
        aggregate: &'a Aggregate,
        children: &[u32],
        deciding: bool,
    ) -> Outcome {
        let mut decided = false;
        let mut unknown = false;
        for &child in children {
            let passes = self.passes(here, aggregate, child)?;
            if passes == Some(false) {
                continue;
            }
            match self.argument(here, aggregate, child)? {
                Some(Value::Bool(value)) if value == deciding => match passes {
                    Some(_) => decided = true,
                    None => unknown = true,
                },
                Some(Value::Bool(_)) => {}
                None => unknown = true,
                Some(_) => return Err(EvalError::Malformed { column: here.column }),
            }
        }
        Ok(match (decided, unknown) {
            (true, _) => Some(Value::Bool(deciding)),
            (false, true) => None,
            (false, false) => Some(Value::Bool(!deciding)),
        })
    }

    fn extreme_of(
        &mut self,
        here: Here,
        aggregate: &'a Aggregate,
        children: &[u32],
        wanted: Ordering,
    ) -> Outcome {
        let mut best: Option<Value> = None;
        let mut unknown = false;
        for &child in children {
            let passes = self.passes(here, aggregate, child)?;
            if passes == Some(false) {
                continue;
            }
            let value = self.argument(here, aggregate, child)?;
            let (Some(_), Some(value)) = (passes, value) else {
                unknown = true;
                continue;
            };
            let better = match &best {
                None => true,
                Some(best) => operate::order(&value, best).map_err(|fault| fault.at(here.column))? == wanted,
            };
            if better {
                best = Some(value);
            }
        }
        Ok(best.filter(|_| !unknown))
    }
}

impl<'a, T: Cells<'a>> Aggregates<'a> for T {}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Number(number) => *number == 0,
        Value::Index(index) => *index == 0.0,
        _ => false,
    }
}
