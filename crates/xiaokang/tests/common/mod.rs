//! Records that nobody would keep, made to stand on every boundary that a pack draws.

use app::run_tables;
use arrow::array::RecordBatch;
use model::Date;
use pack::program::{
    BracketStep, CaseRecord, Column, ColumnId, ColumnKind, Dated, EdgeId, EntityId, Expr, ExprKind, Format,
    ParameterShape, Program, Type, Value,
};
use std::collections::{BTreeSet, HashMap};

/// Numbers that follow from one another (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).expect("it is below a size")
    }

    fn percent(&mut self, share: u64) -> bool {
        self.next() % 100 < share
    }

    fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

fn literals(expr: &Expr, note: &mut dyn FnMut(&Value)) {
    match &expr.kind {
        ExprKind::Literal(value) => note(value),
        ExprKind::In { list, .. } => list.iter().for_each(&mut *note),
        _ => {}
    }
    for child in expr.operands() {
        literals(child, note);
    }
}

/// Every number that the pack compares with, and its neighbours.
fn boundaries(program: &Program) -> Vec<i128> {
    let mut found = BTreeSet::from([0, 1]);
    let mut note = |value: &Value| {
        if let Value::Number(number) = value {
            found.extend([number - 1, *number, number + 1]);
        }
    };
    for column in &program.columns {
        match &column.kind {
            ColumnKind::Scalar(expr) => literals(expr, &mut note),
            ColumnKind::Aggregate(aggregate) => {
                for expr in aggregate.argument.iter().chain(&aggregate.filter) {
                    literals(expr, &mut note);
                }
            }
            _ => {}
        }
    }
    for parameter in &program.parameters {
        match &parameter.shape {
            ParameterShape::Scalar(values) => values.iter().for_each(|dated| note(&dated.value)),
            ParameterShape::Table { values, .. } => {
                for (_, value) in values.iter().flat_map(|dated| &dated.value) {
                    note(value);
                }
            }
            ParameterShape::Brackets { values, .. } => {
                let steps = values.iter().flat_map(|dated: &Dated<Vec<BracketStep>>| &dated.value);
                steps.for_each(|step| note(&Value::Number(step.from)));
            }
        }
    }
    found.into_iter().collect()
}

fn days(as_of: Date) -> Vec<Date> {
    let mut days = vec![];
    for years in [0, 1, 2, 3, 5, 6, 7, 12, 15, 16, 17, 18, 40, 59, 60, 61, 80] {
        let year = as_of.year() - years;
        for (month, day) in [(as_of.month(), as_of.day()), (1, 1), (12, 31), (2, 28), (2, 29), (6, 30)] {
            days.extend(Date::from_ymd(year, month, day));
        }
    }
    let near: Vec<Date> =
        days.iter().flat_map(|day| [-1, 1].map(|by| Date::from_days(day.days() + by))).flatten().collect();
    days.extend(near);
    days
}

/// Records of an entity in a world that many rules are to meet in.
pub const ROWS: usize = 24;

/// How large a world is, and how its records are called.
struct Shape<'p> {
    program: &'p Program,
    as_of: Date,
    seed: u64,
    rows_max: usize,
}

impl Shape<'_> {
    /// How many records an entity has: at most `rows_max` where it is no division.
    fn rows(&self, entity: EntityId) -> usize {
        match self.program.entity(entity).division.as_deref() {
            Some("province") => 1,
            Some("prefecture") => 2,
            Some("county") => 3,
            Some("township") => 4,
            Some("village") => 6,
            _ => self.rows_max,
        }
    }

    fn key(&self, entity: EntityId, row: usize) -> String {
        let entity = self.program.entity(entity);
        self.number(entity.key, row).unwrap_or_else(|| format!("{}-{row}", entity.name))
    }

    /// A citizen's number, if the field holds such: another for each row.
    fn number(&self, field: ColumnId, row: usize) -> Option<String> {
        let days = days(self.as_of);
        let mut numbers = Numbers(self.seed ^ row as u64);
        is_citizen_number(self.program.column(field)).then(|| citizen_number(*numbers.one(&days), row))
    }

    /// What a record is known by at an edge's end.
    fn mark(&self, edge: EdgeId, row: usize) -> String {
        let edge = &self.program.edges[edge.index()];
        if edge.on == self.program.entity(edge.parent).key {
            return self.key(edge.parent, row);
        }
        let other = || format!("{}-{}", self.key(edge.parent, row), self.program.column(edge.on).name);
        self.number(edge.on, row).unwrap_or_else(other)
    }
}

/// Only numbers that an import has checked stand in a field of their format.
fn is_citizen_number(column: &Column) -> bool {
    matches!(&column.kind, ColumnKind::Field(field) if field.format == Format::CitizenNumber)
}

fn citizen_number(birth: Date, order: usize) -> String {
    let (year, month, day) = birth.ymd();
    format!("513336{year:04}{month:02}{day:02}{:03}X", order % 1000)
}

/// A small world for a seed, as tables: some records of every entity.
pub fn world(program: &Program, as_of: Date, seed: u64) -> HashMap<String, RecordBatch> {
    let records = world_records(program, as_of, seed, ROWS);
    engine::tables_of_records(program, &records).expect("the records make tables")
}

/// A small world for a seed: some records of every entity, at most `rows_max`.
pub fn world_records(program: &Program, as_of: Date, seed: u64, rows_max: usize) -> Vec<CaseRecord> {
    let mut numbers = Numbers(seed);
    let shape = Shape { program, as_of, seed, rows_max };
    let (limits, days) = (boundaries(program), days(as_of));
    let mut records = vec![];
    for index in 0..u32::try_from(program.entities.len()).expect("few entities") {
        let entity = EntityId(index);
        for row in 0..shape.rows(entity) {
            let mut fields: Vec<(ColumnId, Option<Value>)> = vec![];
            for id in &program.entity(entity).fields {
                let column = program.column(*id);
                fields.push((
                    *id,
                    match link(program, entity, *id) {
                        Some(link) => link.value(&shape, entity, row, &mut numbers),
                        None => drawn(program, column, &limits, &days, &mut numbers),
                    },
                ));
            }
            records.push(CaseRecord { entity, key: shape.key(entity, row), fields });
        }
    }
    records
}

/// What a field names.
enum Link {
    Itself,
    /// Itself, for those who refer to it along an edge.
    From(EdgeId),
    To(EdgeId),
}

fn link(program: &Program, entity: EntityId, id: ColumnId) -> Option<Link> {
    if id == program.entity(entity).key {
        return Some(Link::Itself);
    }
    let edges = (0..u32::try_from(program.edges.len()).expect("few edges")).map(EdgeId);
    let mut links = edges.filter_map(|edge| {
        let declared = &program.edges[edge.index()];
        if declared.child == entity && declared.via == id {
            Some(Link::To(edge))
        } else if declared.parent == entity && declared.on == id {
            Some(Link::From(edge))
        } else {
            None
        }
    });
    links.next()
}

impl Link {
    fn value(&self, shape: &Shape<'_>, entity: EntityId, row: usize, numbers: &mut Numbers) -> Option<Value> {
        let text = match self {
            Self::Itself => shape.key(entity, row),
            Self::From(edge) => shape.mark(*edge, row),
            Self::To(edge) => {
                let declared = &shape.program.edges[edge.index()];
                if !declared.required && numbers.percent(5) {
                    return None;
                }
                shape.mark(*edge, numbers.below(shape.rows(declared.parent)))
            }
        };
        Some(Value::Text(text))
    }
}

fn drawn(
    program: &Program,
    column: &Column,
    limits: &[i128],
    days: &[Date],
    numbers: &mut Numbers,
) -> Option<Value> {
    if numbers.percent(if column.nullable { 8 } else { 1 }) {
        return None;
    }
    Some(match &column.ty {
        Type::Bool => Value::Bool(numbers.percent(50)),
        Type::Number(_) => {
            let range = column.range.expect("a number has a range");
            let value = match numbers.below(4) {
                0 => range.min,
                1 => (range.min + i128::from(numbers.next() % 1000)).min(range.max),
                2 if numbers.percent(10) => range.max,
                _ => *numbers.one(limits),
            };
            Value::Number(value.clamp(range.min, range.max))
        }
        Type::Date => Value::Date(*numbers.one(days)),
        Type::Code(list) => {
            let codes = &program.lists[list.index()].codes;
            Value::Text(numbers.one(codes).code.clone())
        }
        Type::Text => {
            let birth = numbers.one(days);
            let order = numbers.below(1000);
            let form = if is_citizen_number(column) { 0 } else { numbers.below(4) };
            Value::Text(match form {
                0 => citizen_number(*birth, order),
                1 => format!("1398765{:04}", order % 3),
                2 => ["王", "a", "A", "阿木"][order % 4].to_owned(),
                _ => format!("{order}"),
            })
        }
        Type::Index => Value::Index(0.5),
    })
}

/// What the engine says of tables.
pub fn results(
    program: &Program,
    as_of: Date,
    tables: &HashMap<String, RecordBatch>,
) -> HashMap<String, RecordBatch> {
    run_tables(program, as_of, tables.clone()).expect("it runs")
}
