//! Primitive expressions: what is left of a pack expression once the language's own words are gone.
//!
//! Every node has one meaning in DataFusion, PostgreSQL and DuckDB. A node knows its storage kind, its
//! bounds and whether it can be NULL, so that a back end prints it or lowers it without thinking. The
//! builders fold literals and widen to 128 bits where the bounds ask for it.

use pack::program::{Comparison, DatePart, Range, Type};

use crate::interval;

/// How a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Bool,
    /// 64-bit integer.
    Int,
    /// 128-bit integer: `Decimal128(38, 0)`, `NUMERIC`, `HUGEINT`.
    Wide,
    Date,
    Text,
    Float,
}

impl Kind {
    /// The kind of a column of this type and range.
    pub fn of(ty: &Type, range: Option<Range>) -> Self {
        match ty {
            Type::Bool => Self::Bool,
            Type::Number(_) if range.is_some_and(interval::is_wide) => Self::Wide,
            Type::Number(_) => Self::Int,
            Type::Date => Self::Date,
            Type::Code(_) | Type::Text => Self::Text,
            Type::Index => Self::Float,
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Wide)
    }
}

/// A primitive expression over the columns of one relation.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    pub node: Node,
    pub kind: Kind,
    /// Whether it can be NULL.
    pub nullable: bool,
    /// Bounds of `Int` and `Wide`.
    pub range: Option<Range>,
}

/// NULL in, NULL out, except where a variant says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// By its name in the relation.
    Column(String),
    Null,
    Bool(bool),
    /// A literal of kind `Int` or `Wide`.
    Number(i128),
    /// Days since 1970-01-01.
    Date(i32),
    Text(String),
    Float(f64),
    /// Both operands have the node's kind.
    Arithmetic(Operator, Box<Scalar>, Box<Scalar>),
    Negate(Box<Scalar>),
    /// Operands of one kind.
    Compare(Comparison, Box<Scalar>, Box<Scalar>),
    /// Kleene.
    And(Vec<Scalar>),
    /// Kleene.
    Or(Vec<Scalar>),
    Not(Box<Scalar>),
    /// Never NULL.
    IsNull(Box<Scalar>),
    /// As in SQL: a NULL condition does not choose its branch.
    Case {
        branches: Vec<(Scalar, Scalar)>,
        otherwise: Option<Box<Scalar>>,
    },
    /// The first operand that is not NULL.
    Coalesce(Vec<Scalar>),
    /// Operands known not to be NULL.
    Least(Vec<Scalar>),
    /// Operands known not to be NULL.
    Greatest(Vec<Scalar>),
    /// NULL where the number is zero.
    NullIfZero(Box<Scalar>),
    In(Box<Scalar>, Vec<Scalar>),
    DatePart(DatePart, Box<Scalar>),
    /// Year, month and day that make a date.
    MakeDate(Box<Scalar>, Box<Scalar>, Box<Scalar>),
    /// From the first to the second.
    DaysBetween(Box<Scalar>, Box<Scalar>),
    AddDays(Box<Scalar>, Box<Scalar>),
    Substring {
        text: Box<Scalar>,
        from: u32,
        length: u32,
    },
    /// NULL where the text is not all digits, or too many.
    DigitsToNumber(Box<Scalar>),
    /// To the node's kind, between numbers.
    Cast(Box<Scalar>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    /// Rounded toward zero for integers; the divisor is not zero, or NULL.
    Quotient,
    /// With the dividend's sign; the divisor is not zero, or NULL.
    Remainder,
}

/// A scalar and the name of the column it becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub name: String,
    pub value: Scalar,
}

impl Scalar {
    fn new(node: Node, kind: Kind, nullable: bool) -> Self {
        Self { node, kind, nullable, range: None }
    }

    fn with_range(self, range: Range) -> Self {
        Self { range: Some(range), ..self }
    }

    /// Bounds, as wide as the kind where none are known.
    pub fn bounds(&self) -> Range {
        self.range.unwrap_or(if self.kind == Kind::Wide { interval::WIDE } else { interval::LONG })
    }

    /// A column or a literal: cheap to repeat.
    pub fn is_atom(&self) -> bool {
        match &self.node {
            Node::Column(_)
            | Node::Null
            | Node::Bool(_)
            | Node::Number(_)
            | Node::Date(_)
            | Node::Text(_)
            | Node::Float(_) => true,
            Node::Cast(inner) | Node::Negate(inner) => inner.is_atom(),
            _ => false,
        }
    }

    pub fn is_literal(&self) -> bool {
        self.is_atom() && !matches!(self.node, Node::Column(_) | Node::Cast(_) | Node::Negate(_))
    }

    /// Whether it is NULL whatever the row.
    pub fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    /// The value of a number literal.
    pub fn as_number(&self) -> Option<i128> {
        if let Node::Number(value) = self.node { Some(value) } else { None }
    }

    /// Direct operands.
    pub fn children(&self) -> Vec<&Scalar> {
        match &self.node {
            Node::Column(_)
            | Node::Null
            | Node::Bool(_)
            | Node::Number(_)
            | Node::Date(_)
            | Node::Text(_)
            | Node::Float(_) => vec![],
            Node::Arithmetic(_, a, b)
            | Node::Compare(_, a, b)
            | Node::DaysBetween(a, b)
            | Node::AddDays(a, b) => vec![a, b],
            Node::Negate(a)
            | Node::Not(a)
            | Node::IsNull(a)
            | Node::NullIfZero(a)
            | Node::DatePart(_, a)
            | Node::DigitsToNumber(a)
            | Node::Cast(a)
            | Node::Substring { text: a, .. } => vec![a],
            Node::And(all) | Node::Or(all) | Node::Coalesce(all) | Node::Least(all) | Node::Greatest(all) => {
                all.iter().collect()
            }
            Node::Case { branches, otherwise } => {
                let pairs = branches.iter().flat_map(|(condition, value)| [condition, value]);
                pairs.chain(otherwise.as_deref()).collect()
            }
            Node::In(a, list) => std::iter::once(&**a).chain(list).collect(),
            Node::MakeDate(year, month, day) => vec![year, month, day],
        }
    }

    /// Number of nodes.
    pub fn size(&self) -> usize {
        1 + self.children().into_iter().map(Self::size).sum::<usize>()
    }

    /// Calls `visit` with the name of every column read, repeats included.
    pub fn columns<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        if let Node::Column(name) = &self.node {
            visit(name);
        }
        for child in self.children() {
            child.columns(visit);
        }
    }
}

pub fn column(name: impl Into<String>, kind: Kind, nullable: bool, range: Option<Range>) -> Scalar {
    Scalar { node: Node::Column(name.into()), kind, nullable, range }
}

pub fn null(kind: Kind) -> Scalar {
    Scalar::new(Node::Null, kind, true)
}

pub fn boolean(value: bool) -> Scalar {
    Scalar::new(Node::Bool(value), Kind::Bool, false)
}

pub fn number(value: i128) -> Scalar {
    let range = interval::point(value);
    let kind = if interval::is_wide(range) { Kind::Wide } else { Kind::Int };
    Scalar::new(Node::Number(value), kind, false).with_range(range)
}

pub fn date(days: i32) -> Scalar {
    Scalar::new(Node::Date(days), Kind::Date, false)
}

pub fn text(value: impl Into<String>) -> Scalar {
    Scalar::new(Node::Text(value.into()), Kind::Text, false)
}

pub fn float(value: f64) -> Scalar {
    Scalar::new(Node::Float(value), Kind::Float, false)
}

/// To another number kind; the value itself where it has it.
pub fn cast(value: Scalar, kind: Kind) -> Scalar {
    if value.kind == kind {
        return value;
    }
    if matches!(value.node, Node::Null) || (value.as_number().is_some() && kind.is_number()) {
        return Scalar { kind, ..value };
    }
    if let (Some(known), Kind::Float) = (value.as_number(), kind) {
        return float(known as f64);
    }
    let (nullable, range) = (value.nullable, value.range);
    let range = if kind.is_number() { range } else { None };
    Scalar { node: Node::Cast(Box::new(value)), kind, nullable, range }
}

/// Both in the wider of their kinds.
fn pair(a: Scalar, b: Scalar) -> (Scalar, Scalar) {
    let kind = common(&[&a, &b]);
    if kind.is_number() || kind == Kind::Float { (cast(a, kind), cast(b, kind)) } else { (a, b) }
}

fn common(all: &[&Scalar]) -> Kind {
    let has = |kind| all.iter().any(|scalar| scalar.kind == kind);
    if has(Kind::Float) {
        Kind::Float
    } else if has(Kind::Wide) {
        Kind::Wide
    } else {
        all.first().map_or(Kind::Bool, |scalar| scalar.kind)
    }
}

fn align(all: Vec<Scalar>) -> Vec<Scalar> {
    let kind = common(&all.iter().collect::<Vec<_>>());
    if kind.is_number() || kind == Kind::Float {
        all.into_iter().map(|scalar| cast(scalar, kind)).collect()
    } else {
        all
    }
}

fn hull(all: &[Scalar]) -> Option<Range> {
    let known = all.iter().filter(|scalar| !matches!(scalar.node, Node::Null));
    known.map(|scalar| scalar.kind.is_number().then(|| scalar.bounds())).reduce(|a, b| match (a, b) {
        (Some(a), Some(b)) => Some(interval::union(a, b)),
        _ => None,
    })?
}

pub fn arithmetic(operator: Operator, a: Scalar, b: Scalar) -> Scalar {
    if a.kind == Kind::Float || b.kind == Kind::Float {
        let (a, b) = pair(a, b);
        let nullable = a.nullable || b.nullable;
        return Scalar::new(Node::Arithmetic(operator, Box::new(a), Box::new(b)), Kind::Float, nullable);
    }
    if let Some(unknown) = [&a, &b].into_iter().find(|operand| operand.is_null()) {
        return null(unknown.kind);
    }
    let (x, y) = (a.bounds(), b.bounds());
    let range = match operator {
        Operator::Add => interval::add(x, y),
        Operator::Subtract => interval::subtract(x, y),
        Operator::Multiply => interval::multiply(x, y),
        Operator::Quotient => interval::quotient(x, y),
        Operator::Remainder => interval::remainder(x, y),
    };
    if let Some(folded) = fold(operator, &a, &b) {
        return folded;
    }
    let wide = interval::is_wide(range) || a.kind == Kind::Wide || b.kind == Kind::Wide;
    let kind = if wide { Kind::Wide } else { Kind::Int };
    let nullable = a.nullable || b.nullable;
    let node = Node::Arithmetic(operator, Box::new(cast(a, kind)), Box::new(cast(b, kind)));
    Scalar { node, kind, nullable, range: Some(range) }
}

/// The literal that an operation on literals gives, or the operand that it leaves as it is.
fn fold(operator: Operator, a: &Scalar, b: &Scalar) -> Option<Scalar> {
    match (operator, a.as_number(), b.as_number()) {
        (Operator::Add | Operator::Subtract, _, Some(0))
        | (Operator::Multiply | Operator::Quotient, _, Some(1)) => Some(a.clone()),
        (Operator::Add, Some(0), _) | (Operator::Multiply, Some(1), _) => Some(b.clone()),
        (_, Some(x), Some(y)) => {
            let value = match operator {
                Operator::Add => x.checked_add(y),
                Operator::Subtract => x.checked_sub(y),
                Operator::Multiply => x.checked_mul(y),
                Operator::Quotient => x.checked_div(y),
                Operator::Remainder => x.checked_rem(y),
            };
            value.filter(|value| value.abs() <= interval::WIDE_MAX).map(number)
        }
        _ => None,
    }
}

pub fn add(a: Scalar, b: Scalar) -> Scalar {
    arithmetic(Operator::Add, a, b)
}

pub fn subtract(a: Scalar, b: Scalar) -> Scalar {
    arithmetic(Operator::Subtract, a, b)
}

pub fn multiply(a: Scalar, b: Scalar) -> Scalar {
    arithmetic(Operator::Multiply, a, b)
}

/// Rounded toward zero. The caller has made the divisor NULL where it is zero.
pub fn quotient(a: Scalar, b: Scalar) -> Scalar {
    arithmetic(Operator::Quotient, a, b)
}

/// With the dividend's sign. The caller has made the divisor NULL where it is zero.
pub fn remainder(a: Scalar, b: Scalar) -> Scalar {
    arithmetic(Operator::Remainder, a, b)
}

pub fn negate(a: Scalar) -> Scalar {
    if let Some(value) = a.as_number() {
        return number(-value);
    }
    if let Node::Float(value) = a.node {
        return float(-value);
    }
    let (kind, nullable) = (a.kind, a.nullable);
    if a.is_null() {
        return a;
    }
    if kind == Kind::Float {
        return Scalar::new(Node::Negate(Box::new(a)), kind, nullable);
    }
    let range = interval::negate(a.bounds());
    let kind = if interval::is_wide(range) { Kind::Wide } else { kind };
    Scalar::new(Node::Negate(Box::new(cast(a, kind))), kind, nullable).with_range(range)
}

pub fn compare(op: Comparison, a: Scalar, b: Scalar) -> Scalar {
    if a.is_null() || b.is_null() {
        return null(Kind::Bool);
    }
    let (a, b) = pair(a, b);
    let nullable = a.nullable || b.nullable;
    Scalar::new(Node::Compare(op, Box::new(a), Box::new(b)), Kind::Bool, nullable)
}

pub fn less(a: Scalar, b: Scalar) -> Scalar {
    compare(Comparison::Less, a, b)
}

pub fn greater(a: Scalar, b: Scalar) -> Scalar {
    compare(Comparison::Greater, a, b)
}

pub fn at_least(a: Scalar, b: Scalar) -> Scalar {
    compare(Comparison::GreaterOrEqual, a, b)
}

pub fn and(all: Vec<Scalar>) -> Scalar {
    junction(all, true)
}

pub fn or(all: Vec<Scalar>) -> Scalar {
    junction(all, false)
}

/// `neutral` is true for a conjunction: the operand that changes nothing.
fn junction(all: Vec<Scalar>, neutral: bool) -> Scalar {
    let mut flat = Vec::with_capacity(all.len());
    for scalar in all {
        match scalar.node {
            Node::Bool(value) if value == neutral => {}
            Node::Bool(value) => return boolean(value),
            Node::And(inner) if neutral => flat.extend(inner),
            Node::Or(inner) if !neutral => flat.extend(inner),
            _ => flat.push(scalar),
        }
    }
    if flat.len() < 2 {
        return flat.pop().unwrap_or_else(|| boolean(neutral));
    }
    let nullable = flat.iter().any(|scalar| scalar.nullable);
    Scalar::new(if neutral { Node::And(flat) } else { Node::Or(flat) }, Kind::Bool, nullable)
}

pub fn not(a: Scalar) -> Scalar {
    match a.node {
        Node::Bool(value) => boolean(!value),
        Node::Not(inner) => *inner,
        Node::Null => null(Kind::Bool),
        _ => {
            let nullable = a.nullable;
            Scalar::new(Node::Not(Box::new(a)), Kind::Bool, nullable)
        }
    }
}

pub fn is_null(a: Scalar) -> Scalar {
    if !a.nullable {
        return boolean(false);
    }
    if matches!(a.node, Node::Null) {
        return boolean(true);
    }
    Scalar::new(Node::IsNull(Box::new(a)), Kind::Bool, false)
}

/// As in SQL: guards against unknown conditions are the caller's. Branches that cannot be chosen fall away.
pub fn case(branches: Vec<(Scalar, Scalar)>, otherwise: Option<Scalar>) -> Scalar {
    let mut kept: Vec<(Scalar, Scalar)> = Vec::with_capacity(branches.len());
    let mut last = otherwise;
    for (condition, value) in branches {
        match condition.node {
            Node::Bool(true) => {
                last = Some(value);
                break;
            }
            Node::Bool(false) | Node::Null => {}
            _ => kept.push((condition, value)),
        }
    }
    // A nested CASE in the last place continues this one.
    if let Some(Scalar { node: Node::Case { branches, otherwise }, .. }) = last {
        kept.extend(branches);
        last = otherwise.map(|scalar| *scalar);
    }
    let kind = kept.iter().map(|(_, value)| value).chain(&last).next().map_or(Kind::Bool, |value| value.kind);
    let otherwise = last.unwrap_or_else(|| null(kind));
    if kept.is_empty() {
        return otherwise;
    }
    let (conditions, mut values): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
    values.push(otherwise);
    let values = align_known(values);
    let range = hull(&values);
    let nullable = values.iter().any(|value| value.nullable);
    let mut values = values.into_iter();
    let branches: Vec<_> = conditions.into_iter().zip(values.by_ref()).collect();
    let otherwise = values.next().filter(|value| !matches!(value.node, Node::Null)).map(Box::new);
    let kind = branches.iter().map(|(_, value)| value.kind).next().unwrap_or(kind);
    Scalar { node: Node::Case { branches, otherwise }, kind, nullable, range }
}

/// As [`align`], with NULLs taking the kind of the others.
fn align_known(all: Vec<Scalar>) -> Vec<Scalar> {
    let known: Vec<&Scalar> = all.iter().filter(|scalar| !matches!(scalar.node, Node::Null)).collect();
    if known.is_empty() {
        return all;
    }
    let kind = common(&known);
    all.into_iter()
        .map(|scalar| match scalar.node {
            Node::Null => null(kind),
            _ if kind.is_number() || kind == Kind::Float => cast(scalar, kind),
            _ => scalar,
        })
        .collect()
}

pub fn coalesce(all: Vec<Scalar>) -> Scalar {
    let mut kept = Vec::with_capacity(all.len());
    for scalar in all {
        if matches!(scalar.node, Node::Null) {
            continue;
        }
        let last = !scalar.nullable;
        kept.push(scalar);
        if last {
            break;
        }
    }
    if kept.len() < 2 {
        return kept.pop().unwrap_or_else(|| null(Kind::Bool));
    }
    let kept = align(kept);
    let (kind, range) = (kept[0].kind, hull(&kept));
    let nullable = kept.iter().all(|scalar| scalar.nullable);
    Scalar { node: Node::Coalesce(kept), kind, nullable, range }
}

/// Of operands that are not NULL.
pub fn least(all: Vec<Scalar>) -> Scalar {
    extreme(all, Node::Least, |a, b| Range { min: a.min.min(b.min), max: a.max.min(b.max) })
}

/// Of operands that are not NULL.
pub fn greatest(all: Vec<Scalar>) -> Scalar {
    extreme(all, Node::Greatest, |a, b| Range { min: a.min.max(b.min), max: a.max.max(b.max) })
}

fn extreme(all: Vec<Scalar>, node: fn(Vec<Scalar>) -> Node, bounds: fn(Range, Range) -> Range) -> Scalar {
    let all = align(all);
    let kind = all.first().map_or(Kind::Int, |scalar| scalar.kind);
    let range = if kind.is_number() { all.iter().map(Scalar::bounds).reduce(bounds) } else { None };
    let nullable = all.iter().any(|scalar| scalar.nullable);
    Scalar { node: node(all), kind, nullable, range }
}

/// NULL where the number is zero; the number itself where it cannot be.
pub fn null_if_zero(a: Scalar) -> Scalar {
    let bounds = a.bounds();
    if a.kind != Kind::Float && (bounds.min > 0 || bounds.max < 0) {
        return a;
    }
    if a.as_number() == Some(0) {
        return null(a.kind);
    }
    let (kind, range) = (a.kind, a.range);
    Scalar { node: Node::NullIfZero(Box::new(a)), kind, nullable: true, range }
}

pub fn is_in(a: Scalar, list: Vec<Scalar>) -> Scalar {
    if a.is_null() {
        return null(Kind::Bool);
    }
    let kind = a.kind;
    let wide = list.iter().any(|scalar| scalar.kind == Kind::Wide);
    let (a, list) = if kind == Kind::Wide || wide {
        (cast(a, Kind::Wide), list.into_iter().map(|scalar| cast(scalar, Kind::Wide)).collect())
    } else {
        (a, list)
    };
    let nullable = a.nullable;
    Scalar::new(Node::In(Box::new(a), list), Kind::Bool, nullable)
}

pub fn date_part(part: DatePart, a: Scalar) -> Scalar {
    let (min, max) = match part {
        DatePart::Year => (1, 9999),
        DatePart::Month => (1, 12),
        DatePart::Day => (1, 31),
    };
    if let Node::Date(days) = a.node
        && let Some(day) = model::Date::from_days(days)
    {
        let (year, month, day) = day.ymd();
        return number(match part {
            DatePart::Year => i128::from(year),
            DatePart::Month => i128::from(month),
            DatePart::Day => i128::from(day),
        });
    }
    if a.is_null() {
        return null(Kind::Int);
    }
    let nullable = a.nullable;
    Scalar::new(Node::DatePart(part, Box::new(a)), Kind::Int, nullable).with_range(Range { min, max })
}

/// From parts that make a date.
pub fn make_date(year: Scalar, month: Scalar, day: Scalar) -> Scalar {
    if let (Some(y), Some(m), Some(d)) = (year.as_number(), month.as_number(), day.as_number()) {
        let made = model::Date::from_ymd(y as i32, m as u32, d as u32);
        return made.map_or_else(|_| null(Kind::Date), |made| date(made.days()));
    }
    if year.is_null() || month.is_null() || day.is_null() {
        return null(Kind::Date);
    }
    let nullable = year.nullable || month.nullable || day.nullable;
    Scalar::new(Node::MakeDate(Box::new(year), Box::new(month), Box::new(day)), Kind::Date, nullable)
}

pub fn days_between(from: Scalar, to: Scalar) -> Scalar {
    if let (Node::Date(from), Node::Date(to)) = (&from.node, &to.node) {
        return number(i128::from(*to) - i128::from(*from));
    }
    if from.is_null() || to.is_null() {
        return null(Kind::Int);
    }
    let nullable = from.nullable || to.nullable;
    let most = i128::from(model::Date::MAX.days()) - i128::from(model::Date::MIN.days());
    Scalar::new(Node::DaysBetween(Box::new(from), Box::new(to)), Kind::Int, nullable)
        .with_range(Range { min: -most, max: most })
}

pub fn add_days(a: Scalar, days: Scalar) -> Scalar {
    if let (Node::Date(a), Some(days)) = (&a.node, days.as_number()) {
        return date(*a + days as i32);
    }
    if a.is_null() || days.is_null() {
        return null(Kind::Date);
    }
    let nullable = a.nullable || days.nullable;
    Scalar::new(Node::AddDays(Box::new(a), Box::new(days)), Kind::Date, nullable)
}

pub fn substring(a: Scalar, from: u32, length: u32) -> Scalar {
    let nullable = a.nullable;
    Scalar::new(Node::Substring { text: Box::new(a), from, length }, Kind::Text, nullable)
}

/// NULL where the text is not a number.
pub fn digits_to_number(a: Scalar, range: Range) -> Scalar {
    Scalar::new(Node::DigitsToNumber(Box::new(a)), Kind::Int, true).with_range(range)
}

/// In the kind its bounds ask for, no wider than `range` (which the compiler proved).
pub fn fit(value: Scalar, range: Range) -> Scalar {
    let range = interval::intersect(value.bounds(), range);
    let kind = if interval::is_wide(range) { Kind::Wide } else { Kind::Int };
    Scalar { range: Some(range), ..cast(value, kind) }
}
