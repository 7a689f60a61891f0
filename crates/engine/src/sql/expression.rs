//! Primitive expressions as SQL text.

use pack::program::{Comparison, DatePart};

use super::dialect::{Dialect, identifier};
use crate::scalar::{Kind, Node, Operator, Scalar};

/// A decimal division multiplies its dividend by 10^4 before it divides; beyond this the product would
/// leave 128 bits, so that 256 are used.
const DIVIDEND_MAX: i128 = 10_i128.pow(34);

/// A line longer than this is broken.
const LINE_MAX: usize = 100;

/// From loosest to tightest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Unary,
    Atom,
}

/// Prints expressions in a dialect.
#[derive(Clone, Copy)]
pub(super) struct Printer {
    pub dialect: Dialect,
}

impl Printer {
    /// A column's value: of its own type whatever stands around it, broken into lines where it is long.
    pub fn column_value(self, scalar: &Scalar, indent: usize) -> String {
        if untyped(scalar) {
            let kind = self.dialect.type_name(scalar.kind);
            let line = format!("CAST({} AS {kind})", self.line(scalar));
            if line.len() + indent <= LINE_MAX {
                return line;
            }
            return format!("CAST({} AS {kind})", self.block(scalar, indent));
        }
        self.block(scalar, indent)
    }

    /// On one line.
    pub fn line(self, scalar: &Scalar) -> String {
        self.print(scalar).0
    }

    /// On one line, never of a narrower type than its kind.
    pub fn typed(self, scalar: &Scalar) -> String {
        if untyped(scalar) { self.cast(&self.line(scalar), scalar.kind) } else { self.line(scalar) }
    }

    /// As [`Self::typed`], ordered by bytes if it is a text.
    pub fn ordered(self, scalar: &Scalar) -> String {
        let collation = if scalar.kind == Kind::Text { self.dialect.collation() } else { "" };
        format!("{}{collation}", self.at(scalar, Binding::Unary))
    }

    pub fn cast(self, text: &str, kind: Kind) -> String {
        format!("CAST({text} AS {})", self.dialect.type_name(kind))
    }

    fn block(self, scalar: &Scalar, indent: usize) -> String {
        let line = self.line(scalar);
        if line.len() + indent <= LINE_MAX {
            return line;
        }
        let margin = " ".repeat(indent);
        match &scalar.node {
            Node::Case { branches, otherwise } => {
                let mut text = String::from("CASE");
                for (condition, value) in branches {
                    let condition = self.block(condition, indent + 7);
                    let value = self.block(value, indent + 7);
                    let glue = if condition.len() + value.len() + indent + 12 <= LINE_MAX {
                        " THEN ".to_owned()
                    } else {
                        format!("\n{margin}    THEN ")
                    };
                    text.extend(["\n", &margin, "  WHEN ", &condition, &glue, &value]);
                }
                if let Some(otherwise) = otherwise {
                    text.extend(["\n", &margin, "  ELSE ", &self.block(otherwise, indent + 7)]);
                }
                text.extend(["\n", &margin, "END"]);
                text
            }
            Node::And(all) => self.broken(all, "AND", Binding::Not, indent),
            Node::Or(all) => self.broken(all, "OR", Binding::Not, indent),
            Node::Arithmetic(Operator::Add, a, b) => {
                // As in one line: two bare literals in branches would make a 32-bit result.
                let left = if untyped(a) && untyped(b) {
                    self.cast(&self.block(a, indent + 5), a.kind)
                } else {
                    self.block_at(a, Binding::Sum, indent)
                };
                format!("{left}\n{margin}+ {}", self.block_at(b, Binding::Product, indent + 2))
            }
            _ => line,
        }
    }

    fn block_at(self, scalar: &Scalar, least: Binding, indent: usize) -> String {
        if self.print(scalar).1 < least {
            format!("({})", self.block(scalar, indent + 1))
        } else {
            self.block(scalar, indent)
        }
    }

    fn broken(self, all: &[Scalar], word: &str, least: Binding, indent: usize) -> String {
        let margin = " ".repeat(indent);
        let parts = all.iter().map(|part| self.block_at(part, least, indent + word.len() + 1));
        parts.collect::<Vec<_>>().join(&format!("\n{margin}{word} "))
    }

    /// In brackets if it binds looser than it must here.
    fn at(self, scalar: &Scalar, least: Binding) -> String {
        let (text, binding) = self.print(scalar);
        if binding < least { format!("({text})") } else { text }
    }

    fn print(self, scalar: &Scalar) -> (String, Binding) {
        match &scalar.node {
            Node::Column(name) => (identifier(name), Binding::Atom),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Date(_) | Node::Text(_) | Node::Float(_) => {
                self.literal(scalar)
            }
            Node::Arithmetic(operator, a, b) => self.arithmetic(scalar.kind, *operator, a, b),
            Node::Negate(a) => (format!("-{}", self.at(a, Binding::Atom)), Binding::Unary),
            Node::Compare(op, a, b) => {
                let (a, b) = if a.kind == Kind::Text && is_order(*op) {
                    (self.ordered(a), self.at(b, Binding::Sum))
                } else {
                    (self.at(a, Binding::Sum), self.at(b, Binding::Sum))
                };
                (format!("{a} {} {b}", comparison(*op)), Binding::Comparison)
            }
            Node::And(all) => (self.joined(all, " AND ", Binding::Not), Binding::And),
            // Brackets around conjunctions are for the reader.
            Node::Or(all) => (self.joined(all, " OR ", Binding::Not), Binding::Or),
            Node::Not(a) => self.negation(a),
            Node::IsNull(a) => (format!("{} IS NULL", self.at(a, Binding::Sum)), Binding::Comparison),
            Node::Case { branches, otherwise } => (self.case(branches, otherwise.as_deref()), Binding::Atom),
            Node::Coalesce(all) => self.call("coalesce", all),
            Node::Least(all) => self.call("least", all),
            Node::Greatest(all) => self.call("greatest", all),
            Node::In(a, list) => {
                let list: Vec<_> = list.iter().map(|value| self.line(value)).collect();
                (format!("{} IN ({})", self.at(a, Binding::Sum), list.join(", ")), Binding::Comparison)
            }
            _ => (self.function(scalar), Binding::Atom),
        }
    }

    fn literal(self, scalar: &Scalar) -> (String, Binding) {
        match &scalar.node {
            Node::Null => ("NULL".to_owned(), Binding::Atom),
            Node::Bool(value) => ((if *value { "TRUE" } else { "FALSE" }).to_owned(), Binding::Atom),
            Node::Number(value) if scalar.kind == Kind::Wide && self.dialect == Dialect::DataFusion => {
                // Beyond 64 bits DataFusion reads digits as a floating number.
                let long = i64::try_from(*value).is_ok();
                let digits = if long { value.to_string() } else { format!("'{value}'") };
                (self.cast(&digits, Kind::Wide), Binding::Atom)
            }
            Node::Number(value) => {
                (value.to_string(), if *value < 0 { Binding::Unary } else { Binding::Atom })
            }
            Node::Date(days) => {
                let date = model::Date::from_days(*days).map(|date| date.to_string()).unwrap_or_default();
                (format!("DATE '{date}'"), Binding::Atom)
            }
            Node::Text(text) => (format!("'{}'", text.replace('\'', "''")), Binding::Atom),
            Node::Float(value) => (self.cast(&value.to_string(), Kind::Float), Binding::Atom),
            _ => (String::new(), Binding::Atom),
        }
    }

    fn arithmetic(self, kind: Kind, operator: Operator, a: &Scalar, b: &Scalar) -> (String, Binding) {
        // Two bare literals in branches would make a 32-bit result.
        let left = |least| if untyped(a) && untyped(b) { self.typed(a) } else { self.at(a, least) };
        match operator {
            Operator::Add | Operator::Subtract => {
                let sign = if operator == Operator::Add { "+" } else { "-" };
                (format!("{} {sign} {}", left(Binding::Sum), self.at(b, Binding::Product)), Binding::Sum)
            }
            Operator::Multiply => {
                (format!("{} * {}", left(Binding::Product), self.at(b, Binding::Unary)), Binding::Product)
            }
            Operator::Remainder => {
                (format!("{} % {}", left(Binding::Unary), self.at(b, Binding::Unary)), Binding::Product)
            }
            Operator::Quotient => self.quotient(kind, left(Binding::Unary), a, b),
        }
    }

    fn quotient(self, kind: Kind, left: String, a: &Scalar, b: &Scalar) -> (String, Binding) {
        let right = self.at(b, Binding::Unary);
        match (self.dialect, kind) {
            (Dialect::DuckDb, Kind::Int | Kind::Wide) => (format!("{left} // {right}"), Binding::Product),
            (Dialect::Postgres, Kind::Wide) => {
                (format!("div({}, {})", self.line(a), self.line(b)), Binding::Atom)
            }
            (Dialect::DataFusion, Kind::Wide) => {
                let even = format!("{left} - {left} % {right}");
                let bounds = a.bounds();
                let huge = DIVIDEND_MAX;
                let quotient = if bounds.min < -huge || bounds.max > huge {
                    format!("CAST({even} AS DECIMAL(76, 0)) / CAST({right} AS DECIMAL(76, 0))")
                } else {
                    format!("({even}) / {right}")
                };
                (self.cast(&quotient, Kind::Wide), Binding::Atom)
            }
            _ => (format!("{left} / {right}"), Binding::Product),
        }
    }

    fn negation(self, a: &Scalar) -> (String, Binding) {
        match &a.node {
            Node::IsNull(inner) => {
                (format!("{} IS NOT NULL", self.at(inner, Binding::Sum)), Binding::Comparison)
            }
            _ => (format!("NOT {}", self.at(a, Binding::Atom)), Binding::Not),
        }
    }

    fn case(self, branches: &[(Scalar, Scalar)], otherwise: Option<&Scalar>) -> String {
        let branches = branches
            .iter()
            .map(|(condition, value)| format!(" WHEN {} THEN {}", self.line(condition), self.line(value)));
        let otherwise = otherwise.map(|value| format!(" ELSE {}", self.line(value))).unwrap_or_default();
        format!("CASE{}{otherwise} END", branches.collect::<String>())
    }

    fn joined(self, all: &[Scalar], word: &str, least: Binding) -> String {
        all.iter().map(|part| self.at(part, least)).collect::<Vec<_>>().join(word)
    }

    fn call(self, name: &str, all: &[Scalar]) -> (String, Binding) {
        let all: Vec<_> = all.iter().map(|part| self.line(part)).collect();
        (format!("{name}({})", all.join(", ")), Binding::Atom)
    }

    fn function(self, scalar: &Scalar) -> String {
        let datafusion = self.dialect == Dialect::DataFusion;
        match &scalar.node {
            Node::NullIfZero(a) if a.kind == Kind::Wide && datafusion => {
                format!("nullif({}, {})", self.line(a), self.cast("0", Kind::Wide))
            }
            Node::NullIfZero(a) => format!("nullif({}, 0)", self.line(a)),
            Node::DatePart(part, a) => {
                let part = match part {
                    DatePart::Year => "YEAR",
                    DatePart::Month => "MONTH",
                    DatePart::Day => "DAY",
                };
                format!("CAST(EXTRACT({part} FROM {}) AS BIGINT)", self.at(a, Binding::Atom))
            }
            Node::MakeDate(year, month, day) => {
                let part = |part: &Scalar| format!("CAST({} AS INTEGER)", self.line(part));
                format!("make_date({}, {}, {})", part(year), part(month), part(day))
            }
            Node::DaysBetween(from, to) => {
                let (from, to) = (self.at(from, Binding::Product), self.at(to, Binding::Sum));
                format!("CAST({to} - {from} AS BIGINT)")
            }
            Node::AddDays(a, days) if datafusion => {
                let days = self.at(days, Binding::Product);
                format!("CAST(CAST(CAST({} AS INTEGER) + {days} AS INTEGER) AS DATE)", self.line(a))
            }
            Node::AddDays(a, days) => {
                format!("({} + CAST({} AS INTEGER))", self.at(a, Binding::Sum), self.line(days))
            }
            Node::Substring { text, from, length } => {
                format!("substr({}, {from}, {length})", self.line(text))
            }
            Node::DigitsToNumber(a) => {
                let text = self.line(a);
                match self.dialect {
                    Dialect::Postgres => {
                        format!("CASE WHEN {text} ~ '^[0-9]{{1,18}}$' THEN CAST({text} AS BIGINT) END")
                    }
                    Dialect::DuckDb => format!(
                        "CASE WHEN regexp_full_match({text}, '[0-9]+') THEN TRY_CAST({text} AS BIGINT) END"
                    ),
                    Dialect::DataFusion => format!(
                        "CASE WHEN btrim({text}, '0123456789') = '' THEN TRY_CAST({text} AS BIGINT) END"
                    ),
                }
            }
            Node::Cast(a) => self.cast(&self.line(a), scalar.kind),
            _ => String::new(),
        }
    }
}

/// Whether an engine would take a narrower type than 64 bits, or none at all: a bare literal, or a choice
/// between bare literals.
fn untyped(scalar: &Scalar) -> bool {
    match &scalar.node {
        Node::Null => true,
        Node::Number(_) => true,
        Node::Case { branches, otherwise } if matches!(scalar.kind, Kind::Int | Kind::Wide) => {
            branches.iter().map(|(_, value)| value).chain(otherwise.as_deref()).all(untyped)
        }
        Node::Coalesce(all) | Node::Least(all) | Node::Greatest(all) => {
            matches!(scalar.kind, Kind::Int | Kind::Wide) && all.iter().all(untyped)
        }
        _ => false,
    }
}

fn is_order(op: Comparison) -> bool {
    !matches!(op, Comparison::Equal | Comparison::NotEqual)
}

fn comparison(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}
