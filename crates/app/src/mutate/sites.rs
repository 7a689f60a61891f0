//! The places of a pack's text that can be changed, and how.

use std::collections::{BTreeMap, HashMap};

use pack::program::{
    ColumnId, ColumnKind, Comparison, Expr, ExprKind, ParameterId, ParameterShape, Program, Span, Type, Value,
};

use super::Mutant;

/// What is changed to what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// `<` and `<=`, `>` and `>=`, `=` and `<>`.
    Comparison(Symbol),
    AndToOr,
    OrToAnd,
    AddToSub,
    SubToAdd,
    MulToDiv,
    DivToMul,
    /// NOT is left out.
    Not,
    /// A number one more in its last written place.
    Number,
    /// TRUE and FALSE.
    Bool,
    /// FILTER is left out.
    Filter,
    /// A value of a parameter one more in its last place.
    Parameter {
        parameter: u32,
        dated: usize,
        entry: Entry,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Symbol {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Which number of a parameter's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    Whole,
    Code(String),
    BracketFrom(usize),
    BracketRate(usize),
}

/// A change at one place of the text.
#[derive(Clone, Debug)]
pub struct Site {
    pub span: Span,
    pub change: Change,
    /// Columns in which the place shows.
    columns: Vec<ColumnId>,
}

impl Symbol {
    fn of(op: Comparison) -> Self {
        match op {
            Comparison::Equal => Self::Equal,
            Comparison::NotEqual => Self::NotEqual,
            Comparison::Less => Self::Less,
            Comparison::LessOrEqual => Self::LessOrEqual,
            Comparison::Greater => Self::Greater,
            Comparison::GreaterOrEqual => Self::GreaterOrEqual,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// The neighbour of a comparison: the boundary moves, or equality turns.
fn neighbour(op: Comparison) -> Comparison {
    match op {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::LessOrEqual,
        Comparison::LessOrEqual => Comparison::Less,
        Comparison::Greater => Comparison::GreaterOrEqual,
        Comparison::GreaterOrEqual => Comparison::Greater,
    }
}

/// Every place that can be changed, in order of the text.
pub fn find(program: &Program) -> Vec<Site> {
    let mut found: BTreeMap<(Span, Change), Vec<ColumnId>> = BTreeMap::new();
    let mut readers: HashMap<ParameterId, Vec<ColumnId>> = HashMap::new();
    let open = program.needed_by(program.networks.iter().filter_map(|network| network.open_column));
    for (position, column) in program.columns.iter().enumerate() {
        let id = ColumnId(position as u32);
        if column.rule.is_none() && !open.contains(&id) {
            // Totals are no rules: a worked case cannot expect one.
            continue;
        }
        let mut note = |span: Span, change: Change| {
            let columns = found.entry((span, change)).or_default();
            if columns.last() != Some(&id) {
                columns.push(id);
            }
        };
        for expr in column.expressions() {
            expr.each(&mut |part| {
                if let Some(change) = change_of(program, part) {
                    note(part.span, change);
                }
                if let ExprKind::Parameter { id: read, .. } | ExprKind::Bracket { parameter: read, .. } =
                    part.kind
                {
                    readers.entry(read).or_default().push(id);
                }
            });
        }
        if let ColumnKind::Aggregate(aggregate) = &column.kind
            && let Some(filter) = &aggregate.filter
            && filter.span != column.span
        {
            note(filter.span, Change::Filter);
        }
    }
    let mut sites: Vec<Site> =
        found.into_iter().map(|((span, change), columns)| Site { span, change, columns }).collect();
    for (id, columns) in readers {
        let span = program.parameters[id.index()].span;
        for (dated, entry) in entries(&program.parameters[id.index()].shape) {
            let change = Change::Parameter { parameter: id.0, dated, entry };
            sites.push(Site { span, change, columns: columns.clone() });
        }
    }
    sites.sort_by(|a, b| (a.span, &a.change).cmp(&(b.span, &b.change)));
    sites
}

/// The sites by the columns in which they show.
pub fn by_column(sites: &[Site]) -> HashMap<ColumnId, Vec<usize>> {
    let mut found: HashMap<ColumnId, Vec<usize>> = HashMap::new();
    for (position, site) in sites.iter().enumerate() {
        for column in &site.columns {
            found.entry(*column).or_default().push(position);
        }
    }
    found
}

fn text_at(program: &Program, span: Span) -> &str {
    let file = program.files.get(span.file as usize).map_or("", |file| file.text.as_str());
    file.get(span.start as usize..span.end as usize).unwrap_or("")
}

/// The text between two operands. What the compiler adds of its own has none: its operands do not follow one
/// another in the text.
fn between<'p>(program: &'p Program, a: &Expr, b: &Expr) -> &'p str {
    if a.span.file != b.span.file || a.span.end > b.span.start {
        return "";
    }
    text_at(program, Span { file: a.span.file, start: a.span.end, end: b.span.start })
}

fn pure(expr: &Expr) -> bool {
    matches!(&expr.ty, Type::Number(number) if number.unit.0.is_empty())
}

fn change_of(program: &Program, part: &Expr) -> Option<Change> {
    let stands = |a: &Expr, b: &Expr, word: &str| between(program, a, b).to_uppercase().contains(word);
    match &part.kind {
        ExprKind::Compare { op, a, b } => {
            let symbol = Symbol::of(*op);
            let written = stands(a, b, symbol.text())
                || (*op == Comparison::NotEqual && stands(a, b, "!="))
                || (matches!(op, Comparison::GreaterOrEqual | Comparison::LessOrEqual)
                    && stands(a, b, "BETWEEN"));
            written.then_some(Change::Comparison(symbol))
        }
        ExprKind::And(parts) if parts.windows(2).any(|pair| stands(&pair[0], &pair[1], "AND")) => {
            Some(Change::AndToOr)
        }
        ExprKind::Or(parts) if parts.windows(2).any(|pair| stands(&pair[0], &pair[1], "OR")) => {
            Some(Change::OrToAnd)
        }
        ExprKind::Add(a, b) if stands(a, b, "+") => Some(Change::AddToSub),
        ExprKind::Sub(a, b) if stands(a, b, "-") => Some(Change::SubToAdd),
        // A product with a unit on the right would be no quotient of the same type.
        ExprKind::Mul { a, b, .. } if pure(b) && stands(a, b, "*") => Some(Change::MulToDiv),
        ExprKind::Div { a, b, .. } if pure(b) && stands(a, b, "/") => Some(Change::DivToMul),
        ExprKind::Not(_) => {
            // The parser's place of `NOT x` is that of `x`.
            let file = program.files.get(part.span.file as usize).map_or("", |file| file.text.as_str());
            let ahead = file.get(..part.span.start as usize).unwrap_or("");
            let ahead = ahead.trim_end_matches(|letter: char| letter == '(' || letter.is_whitespace());
            ahead.to_uppercase().ends_with("NOT").then_some(Change::Not)
        }
        ExprKind::Literal(Value::Number(_)) => {
            written_decimals(text_at(program, part.span)).map(|_| Change::Number)
        }
        ExprKind::Literal(Value::Bool(_)) => {
            let text = text_at(program, part.span).to_uppercase();
            matches!(text.as_str(), "TRUE" | "FALSE").then_some(Change::Bool)
        }
        _ => None,
    }
}

/// Decimals of a number as written, trailing zeros aside; `None` if it is no number.
fn written_decimals(text: &str) -> Option<u32> {
    let body = text.trim().trim_start_matches(['-', '+']);
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = !(whole.is_empty() && fraction.is_empty()) && digits(whole) && digits(fraction);
    number.then(|| fraction.trim_end_matches('0').len() as u32)
}

fn entries(shape: &ParameterShape) -> Vec<(usize, Entry)> {
    let mut found = Vec::new();
    match shape {
        ParameterShape::Scalar(values) => {
            for (dated, value) in values.iter().enumerate() {
                if matches!(value.value, Value::Number(_)) {
                    found.push((dated, Entry::Whole));
                }
            }
        }
        ParameterShape::Table { values, .. } => {
            for (dated, value) in values.iter().enumerate() {
                let numbers = value.value.iter().filter(|(_, value)| matches!(value, Value::Number(_)));
                found.extend(numbers.map(|(code, _)| (dated, Entry::Code(code.clone()))));
            }
        }
        ParameterShape::Brackets { values, .. } => {
            for (dated, value) in values.iter().enumerate() {
                for step in 0..value.value.len() {
                    // The first bracket begins at the bottom, whatever is written.
                    if step > 0 {
                        found.push((dated, Entry::BracketFrom(step)));
                    }
                    found.push((dated, Entry::BracketRate(step)));
                }
            }
        }
    }
    found
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

impl Site {
    /// Makes the change wherever the place shows.
    pub fn change(&self, program: &mut Program) {
        if let Change::Parameter { parameter, dated, entry } = &self.change {
            return change_parameter(program, ParameterId(*parameter), *dated, entry);
        }
        let files = std::mem::take(&mut program.files);
        for column in &mut program.columns {
            if self.change == Change::Filter {
                let own = column.span;
                if let ColumnKind::Aggregate(aggregate) = &mut column.kind
                    && aggregate
                        .filter
                        .as_ref()
                        .is_some_and(|filter| filter.span == self.span && own != self.span)
                {
                    aggregate.filter = None;
                }
                continue;
            }
            for expr in column.expressions_mut() {
                self.rewrite(expr);
            }
        }
        program.files = files;
    }

    fn rewrite(&self, expr: &mut Expr) {
        for operand in expr.operands_mut() {
            self.rewrite(operand);
        }
        if expr.span != self.span {
            return;
        }
        let decimals = |expr: &Expr| match &expr.ty {
            Type::Number(number) => i16::from(number.decimals),
            _ => 0,
        };
        let own = decimals(expr);
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
            (_, kind) => kind,
        };
    }

    /// What is told of it.
    pub fn mutant(&self, program: &Program, caught: bool) -> Mutant {
        let file = program.files.get(self.span.file as usize);
        let before = file.and_then(|file| file.text.get(..self.span.start as usize)).unwrap_or("");
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count()) as u32 + 1;
        let (kind, change) = self.told(program);
        let text = match &self.change {
            Change::Parameter { parameter, .. } => program.parameters[*parameter as usize].id.clone(),
            _ => text_at(program, self.span).split_whitespace().collect::<Vec<_>>().join(" "),
        };
        Mutant {
            file: file.map(|file| file.name.clone()).unwrap_or_default(),
            line,
            column,
            text,
            change,
            kind,
            caught,
        }
    }

    fn told(&self, program: &Program) -> (&'static str, String) {
        let instead = |new: &str, old: &str| format!("`{new}` instead of `{old}`");
        match &self.change {
            Change::Comparison(symbol) => {
                let other = match symbol {
                    Symbol::Equal => "<>",
                    Symbol::NotEqual => "=",
                    Symbol::Less => "<=",
                    Symbol::LessOrEqual => "<",
                    Symbol::Greater => ">=",
                    Symbol::GreaterOrEqual => ">",
                };
                ("comparison", instead(other, symbol.text()))
            }
            Change::AndToOr => ("logic", instead("OR", "AND")),
            Change::OrToAnd => ("logic", instead("AND", "OR")),
            Change::Not => ("logic", "without `NOT`".to_owned()),
            Change::Bool => ("logic", "the other truth value".to_owned()),
            Change::AddToSub => ("arithmetic", instead("-", "+")),
            Change::SubToAdd => ("arithmetic", instead("+", "-")),
            Change::MulToDiv => ("arithmetic", instead("/", "*")),
            Change::DivToMul => ("arithmetic", instead("*", "/")),
            Change::Number => ("number", "one more in the last place".to_owned()),
            Change::Filter => ("filter", "without the filter".to_owned()),
            Change::Parameter { parameter, dated, entry } => {
                let shape = &program.parameters[*parameter as usize].shape;
                let from = match shape {
                    ParameterShape::Scalar(values) => values[*dated].from,
                    ParameterShape::Table { values, .. } => values[*dated].from,
                    ParameterShape::Brackets { values, .. } => values[*dated].from,
                };
                let which = match entry {
                    Entry::Whole => String::new(),
                    Entry::Code(code) => format!(" for `{code}`"),
                    Entry::BracketFrom(step) => format!(", where bracket {} begins,", step + 1),
                    Entry::BracketRate(step) => format!(" in bracket {}", step + 1),
                };
                ("parameter", format!("the value from {from}{which} one more in its last place"))
            }
        }
    }
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

    #[test]
    fn only_numbers_have_written_decimals() {
        assert_eq!(written_decimals("0.60"), Some(1));
        assert_eq!(written_decimals("-12"), Some(0));
        assert_eq!(written_decimals("\"poor\""), None);
        assert_eq!(written_decimals(""), None);
    }
}
