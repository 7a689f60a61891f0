//! Trying other values for recorded facts.

use model::Date;
use pack::program::{Type, Value};

use crate::interpret::{Cell, Cells as _, Evaluator};

/// Up to so many steps away every value is tried; farther away distances double.
const TRIED_SINGLY_MAX: i128 = 64;
/// Dates have no declared range: a long life back, a long loan ahead.
const YEARS_BACK: i32 = 120;
const YEARS_AHEAD: i32 = 30;

/// A result that is to be turned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub cell: Cell,
    pub test: Test,
}

/// What of the result counts as its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    True,
    /// A number above zero.
    Positive,
}

/// Another value for a fact.
#[derive(Clone, Debug)]
pub(super) struct Alternative {
    pub value: Value,
    /// Distance from the recorded value: a share of it for numbers, days for dates, 1 for others.
    pub size: f64,
}

/// Tries values until the trials allowed are used up.
pub(super) struct Search<'w, 'a> {
    evaluator: &'w mut Evaluator<'a>,
    target: Target,
    /// The verdict as recorded.
    verdict: bool,
    left: u32,
    needs: Vec<Cell>,
}

impl<'w, 'a> Search<'w, 'a> {
    /// `None` if the result has no verdict to turn. The evaluator is tracking.
    pub fn new(evaluator: &'w mut Evaluator<'a>, target: Target, trials_max: u32) -> Option<Self> {
        let verdict = verdict(evaluator, target)?;
        let needs = evaluator.needs(target.cell);
        evaluator.close_reads();
        Some(Self { evaluator, target, verdict, left: trials_max, needs })
    }

    /// Everything that the result read, the nearest first.
    pub fn needs(&self) -> Vec<Cell> {
        self.needs.clone()
    }

    pub fn exhausted(&self) -> bool {
        self.left == 0
    }

    /// The value as it stands.
    pub fn recorded(&mut self, cell: Cell) -> Option<Value> {
        self.evaluator.cell(cell).ok().flatten()
    }

    /// Changes a fact while others are tried.
    pub fn hold(&mut self, cell: Cell, value: &Value) {
        self.evaluator.change(cell, Some(value.clone()));
    }

    pub fn release(&mut self, cell: Cell) {
        self.evaluator.restore(cell);
    }

    fn turns(&mut self, cell: Cell, value: &Value) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.evaluator.change(cell, Some(value.clone()));
        let turned = verdict(self.evaluator, self.target) == Some(!self.verdict);
        self.evaluator.restore(cell);
        turned
    }

    /// The nearest values of one fact that turn the verdict: one in each direction for numbers and
    /// dates, every code, the other answer.
    pub fn alternatives(&mut self, cell: Cell) -> Vec<Alternative> {
        let old = self.recorded(cell);
        match self.scale(cell) {
            Some(scale) => self.nearest(cell, &scale, old.as_ref()),
            None => self
                .discrete(cell, old.as_ref())
                .into_iter()
                .filter(|alternative| self.turns(cell, &alternative.value))
                .collect(),
        }
    }

    /// Values that stand for all others of a fact when another fact is searched: the ends of a
    /// range, every code, the other answer.
    pub fn probes(&mut self, cell: Cell) -> Vec<Alternative> {
        let old = self.recorded(cell);
        let Some(scale) = self.scale(cell) else { return self.discrete(cell, old.as_ref()) };
        let from = scale.position(old.as_ref());
        [scale.min, scale.max]
            .into_iter()
            .filter(|end| *end != from || old.is_none())
            .filter_map(|end| scale.alternative(end, from))
            .collect()
    }

    fn discrete(&self, cell: Cell, old: Option<&Value>) -> Vec<Alternative> {
        let program = self.evaluator.program();
        let values: Vec<Value> = match &program.columns[cell.column.index()].ty {
            Type::Bool => vec![Value::Bool(true), Value::Bool(false)],
            Type::Code(list) => {
                let codes = &program.lists[list.index()].codes;
                codes.iter().map(|code| Value::Text(code.code.clone())).collect()
            }
            _ => Vec::new(),
        };
        let others = values.into_iter().filter(|value| Some(value) != old);
        others.map(|value| Alternative { value, size: 1.0 }).collect()
    }

    fn scale(&self, cell: Cell) -> Option<Scale> {
        let column = &self.evaluator.program().columns[cell.column.index()];
        match column.ty {
            Type::Number(_) => {
                let range = column.range?;
                Some(Scale { min: range.min, max: range.max, dates: false })
            }
            Type::Date => {
                let end = |years| self.evaluator.as_of().add_years(years).map(|end| i128::from(end.days()));
                Some(Scale { min: end(-YEARS_BACK)?, max: end(YEARS_AHEAD)?, dates: true })
            }
            _ => None,
        }
    }

    fn nearest(&mut self, cell: Cell, scale: &Scale, old: Option<&Value>) -> Vec<Alternative> {
        let from = scale.position(old);
        let mut found = Vec::new();
        if old.is_none() {
            // Of an unknown fact its starting point is a change already.
            let start = scale.alternative(from, from);
            if start.as_ref().is_some_and(|start| self.turns(cell, &start.value)) {
                found.extend(start);
                return found;
            }
        }
        for (limit, step) in [(scale.max, 1), (scale.min, -1)] {
            let distance = (limit - from) * step;
            if distance > 0 {
                let nearest = self.nearest_within(cell, scale, from, step, distance);
                found.extend(nearest.and_then(|position| scale.alternative(position, from)));
            }
        }
        found
    }

    /// Goes away from `from` at doubling distances until the verdict turns, then halves the last
    /// stretch. What is returned turns the verdict, and the position before it does not.
    fn nearest_within(
        &mut self,
        cell: Cell,
        scale: &Scale,
        from: i128,
        step: i128,
        distance: i128,
    ) -> Option<i128> {
        let turns = |search: &mut Self, away: i128| {
            let value = scale.value(from + step * away);
            value.is_some_and(|value| search.turns(cell, &value))
        };
        let (mut near, mut far) = (0, 1);
        while !turns(self, far) {
            if far == distance || self.left == 0 {
                return None;
            }
            near = far;
            far = if distance <= TRIED_SINGLY_MAX { far + 1 } else { (far * 2).min(distance) };
        }
        while far - near > 1 {
            let middle = near + (far - near) / 2;
            if turns(self, middle) {
                far = middle;
            } else {
                near = middle;
            }
        }
        Some(from + step * far)
    }
}

/// The grid on which a number or a date moves.
struct Scale {
    min: i128,
    max: i128,
    /// Whether positions are days since 1970-01-01.
    dates: bool,
}

impl Scale {
    /// Where a value stands; an unknown one is taken to stand at zero, or today's end of the range.
    fn position(&self, value: Option<&Value>) -> i128 {
        match value {
            Some(Value::Number(number)) => *number,
            Some(Value::Date(date)) => i128::from(date.days()),
            _ => 0.clamp(self.min, self.max),
        }
    }

    fn value(&self, position: i128) -> Option<Value> {
        if self.dates {
            Date::from_days(i32::try_from(position).ok()?).map(Value::Date)
        } else {
            Some(Value::Number(position))
        }
    }

    fn alternative(&self, position: i128, from: i128) -> Option<Alternative> {
        let distance = (position - from).unsigned_abs() as f64;
        let whole = if self.dates { 1.0 } else { from.unsigned_abs().max(1) as f64 };
        Some(Alternative { value: self.value(position)?, size: distance / whole })
    }
}

fn verdict(evaluator: &mut Evaluator<'_>, target: Target) -> Option<bool> {
    match (target.test, evaluator.cell(target.cell).ok().flatten()?) {
        (Test::True, Value::Bool(value)) => Some(value),
        (Test::Positive, Value::Number(number)) => Some(number > 0),
        _ => None,
    }
}
