//! The places of a pack's text that can be changed, and how.

use std::collections::{BTreeMap, HashMap};

use pack::program::{
    Column, ColumnId, ColumnKind, Comparison, EdgeId, EntityId, Expr, ExprKind, NumberType, ParameterId,
    ParameterShape, Program, RuleDetail, Span, Type, Value,
};

use super::change::{Change, Entry, Function, Symbol};
use super::mutant::Mutant;

/// A change at one place of the text.
#[derive(Clone, Debug)]
pub struct Site {
    pub span: Span,
    pub change: Change,
    /// Columns in which the place shows.
    columns: Vec<ColumnId>,
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
                for change in changes_of(program, part) {
                    note(part.span, change);
                }
                if let ExprKind::Parameter { id: read, .. } | ExprKind::Bracket { parameter: read, .. } =
                    part.kind
                {
                    readers.entry(read).or_default().push(id);
                }
            });
        }
        if let ColumnKind::Aggregate(aggregate) = &column.kind {
            if let Some(filter) = &aggregate.filter
                && filter.span != column.span
            {
                note(filter.span, Change::Filter);
            }
            if let Some(function) = Function::of(aggregate.function)
                && text_at(program, column.span).to_lowercase().starts_with(function.name())
            {
                note(column.span, Change::Aggregate(function));
            }
        }
    }
    note_joins(program, &mut found);
    note_shares(program, &mut found);
    let mut sites: Vec<Site> =
        found.into_iter().map(|((span, change), columns)| Site { span, change, columns }).collect();
    for (id, columns) in readers {
        let span = program.parameters[id.index()].span;
        for (dated, entry) in entries(&program.parameters[id.index()].shape) {
            let change = Change::Parameter { parameter: id.0, dated, entry };
            sites.push(Site { span, change, columns: columns.clone() });
        }
        // The first value has none before it.
        for dated in 1..values(&program.parameters[id.index()].shape) {
            for later in [false, true] {
                let change = Change::ParameterDate { parameter: id.0, dated, later };
                sites.push(Site { span, change, columns: columns.clone() });
            }
        }
    }
    sites.sort_by(|a, b| (a.span, &a.change).cmp(&(b.span, &b.change)));
    sites
}

type Found = BTreeMap<(Span, Change), Vec<ColumnId>>;

/// Edges that stand beside others between the same two entities.
fn note_joins(program: &Program, found: &mut Found) {
    let edges = || (0..program.edges.len() as u32).map(EdgeId);
    for (position, column) in program.columns.iter().enumerate() {
        let from = match &column.kind {
            ColumnKind::Lookup { edge, .. } => *edge,
            ColumnKind::Aggregate(aggregate) => aggregate.edge,
            _ => continue,
        };
        let ends = |edge: EdgeId| (program.edge(edge).child, program.edge(edge).parent);
        let others = edges().filter(|edge| *edge != from && ends(*edge) == ends(from));
        for to in others {
            found
                .entry((column.span, Change::Join { from, to }))
                .or_default()
                .push(ColumnId(position as u32));
        }
    }
}

/// Targets of standards, at each division.
fn note_shares(program: &Program, found: &mut Found) {
    for rule in &program.rules {
        let RuleDetail::Standard(standard) = &rule.detail else { continue };
        let Some((share, _)) = standard.target else { continue };
        for id in standard.levels.iter().filter_map(|level| level.on_target) {
            let column = program.column(id);
            let change = Change::Share { column: column.name.clone(), share };
            found.entry((column.span, change)).or_default().push(id);
        }
    }
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

/// What can be changed at one node of an expression.
fn changes_of(program: &Program, part: &Expr) -> Vec<Change> {
    let mut changes: Vec<Change> = operator(program, part).into_iter().collect();
    let stands = |a: &Expr, b: &Expr, word: &str| between(program, a, b).to_uppercase().contains(word);
    let begins = |word: &str| text_at(program, part.span).to_lowercase().starts_with(word);
    let money = part.ty == Type::Number(NumberType::money());
    match &part.kind {
        ExprKind::And(parts) if parts.windows(2).any(|pair| stands(&pair[0], &pair[1], "AND")) => {
            changes.extend((0..parts.len()).map(Change::Conjunct));
        }
        ExprKind::In { a, list } => {
            let known = |code: &str| list.iter().any(|value| *value == Value::Text(code.to_owned()));
            if let Type::Code(codes) = &a.ty {
                let codes = program.lists[codes.index()].codes.iter().map(|code| &code.code);
                changes.extend(codes.filter(|code| !known(code)).map(|code| Change::CodeAdded(code.clone())));
            }
            changes.extend(list.iter().filter_map(|value| match value {
                Value::Text(code) => Some(Change::CodeRemoved(code.clone())),
                _ => None,
            }));
        }
        ExprKind::IsUnknown(_) if after(program, part.span).to_uppercase().starts_with("IS") => {
            changes.push(Change::IsUnknown);
        }
        ExprKind::Coalesce(parts) if parts.len() > 1 && begins("coalesce") => changes.push(Change::Default),
        ExprKind::Column(id) => changes.extend(neighbour_field(program, *id, part.span)),
        // A parameter of one value says the same on every day on which it says anything.
        ExprKind::Parameter { id, at: Some(_), .. }
            if values(&program.parameters[id.index()].shape) > 1
                && (begins("at(") || before(program, part.span).ends_with("at(")) =>
        {
            changes.push(Change::At);
        }
        ExprKind::Mul { a, b, drop, .. } if money && *drop > 0 && stands(a, b, "*") => {
            changes.push(Change::Rounding);
        }
        ExprKind::Div { a, b, .. } if money && stands(a, b, "/") => changes.push(Change::Rounding),
        ExprKind::Round { .. } if money && begins("round_") => changes.push(Change::Rounding),
        ExprKind::Bracket { parameter, at, .. } if begins("bracket") => {
            if at.is_some() && values(&program.parameters[parameter.index()].shape) > 1 {
                changes.push(Change::At);
            }
            if money {
                changes.push(Change::Rounding);
            }
        }
        _ => {}
    }
    changes
}

/// The text before a place.
fn before(program: &Program, span: Span) -> &str {
    let file = program.files.get(span.file as usize).map_or("", |file| file.text.as_str());
    file.get(..span.start as usize).unwrap_or("").trim_end()
}

/// The text behind a place, after brackets that close around it.
fn after(program: &Program, span: Span) -> &str {
    let file = program.files.get(span.file as usize).map_or("", |file| file.text.as_str());
    let rest = file.get(span.end as usize..).unwrap_or("");
    rest.trim_start_matches(|letter: char| letter == ')' || letter.is_whitespace())
}

/// The next field of a record that is of the same type and could be meant as well.
fn neighbour_field(program: &Program, id: ColumnId, span: Span) -> Option<Change> {
    let column = program.column(id);
    let text = text_at(program, span);
    let named = text == column.name || text.ends_with(&format!(".{}", column.name));
    let plain = |column: &Column| matches!(&column.kind, ColumnKind::Field(field) if field.derived.is_none());
    if !named || !plain(column) {
        return None;
    }
    let fields = &program.entity(column.entity).fields;
    let at = fields.iter().position(|field| *field == id)?;
    let others = fields[at + 1..].iter().chain(&fields[..at]);
    let to = others.copied().find(|other| {
        let other_column = program.column(*other);
        other_column.ty == column.ty && plain(other_column) && !names_record(program, column.entity, *other)
    })?;
    Some(Change::Field { from: id, to })
}

/// Whether a field is a key, or one that an edge goes by.
fn names_record(program: &Program, entity: EntityId, field: ColumnId) -> bool {
    program.entity(entity).key == field
        || program.edges.iter().any(|edge| edge.via == field || edge.on == field)
}

/// An operator, number or truth value as written.
fn operator(program: &Program, part: &Expr) -> Option<Change> {
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

/// How many dated values there are.
fn values(shape: &ParameterShape) -> usize {
    match shape {
        ParameterShape::Scalar(values) => values.len(),
        ParameterShape::Table { values, .. } => values.len(),
        ParameterShape::Brackets { values, .. } => values.len(),
    }
}

impl Site {
    /// What is told of it.
    pub fn mutant(&self, program: &Program, caught: bool) -> Mutant {
        let file = program.files.get(self.span.file as usize);
        let before = file.and_then(|file| file.text.get(..self.span.start as usize)).unwrap_or("");
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count()) as u32 + 1;
        let (kind, change) = (self.change.kind(), self.change.told(program));
        let text = match &self.change {
            Change::Parameter { parameter, .. } | Change::ParameterDate { parameter, .. } => {
                program.parameters[*parameter as usize].id.clone()
            }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_have_written_decimals() {
        assert_eq!(written_decimals("0.60"), Some(1));
        assert_eq!(written_decimals("-12"), Some(0));
        assert_eq!(written_decimals("\"poor\""), None);
        assert_eq!(written_decimals(""), None);
    }
}
