//! Small programs written by hand, and records for them.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unnecessary_wraps, reason = "short names for known values")]

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type};
use engine::interval;
use model::{Date, Text};
use pack::program::{
    Aggregate, AggregateFunction, Blank, CaseRecord, Column, ColumnId, ColumnKind, Comparison, DataClass,
    Dated, Direction, Edge, EdgeId, Entity, EntityId, Expr, ExprKind, Field, Format, Frame, ListId,
    NumberKind, NumberType, Parameter, ParameterId, ParameterShape, Program, Range, Rounding, Source, Span,
    Type, Unit, Value, Window, WindowFunction,
};

pub fn day(text: &str) -> Date {
    text.parse().expect("a test's date is a date")
}

pub const COUNT: Type = Type::Number(NumberType {
    kind: NumberKind::Count,
    unit: Unit(std::collections::BTreeMap::new()),
    decimals: 0,
});

pub fn number_type(decimals: u8) -> Type {
    Type::Number(NumberType { kind: NumberKind::Rate, unit: Unit::default(), decimals })
}

pub fn range(min: i128, max: i128) -> Range {
    Range { min, max }
}

#[derive(Default)]
pub struct Builder {
    pub program: Program,
}

impl Builder {
    pub fn new() -> Self {
        let mut builder = Self::default();
        "test".clone_into(&mut builder.program.info.id);
        "1".clone_into(&mut builder.program.info.version);
        builder.program.digest = "d".repeat(64);
        builder
    }

    /// With a text key called `id`.
    pub fn entity(&mut self, name: &str, division: Option<&str>) -> EntityId {
        let id = EntityId(self.program.entities.len() as u32);
        self.program.entities.push(Entity {
            name: name.to_owned(),
            label: Text::same(name),
            key: ColumnId(0),
            parent: None,
            fields: vec![],
            rows_max: 1_000_000,
            judgement: None,
            division: division.map(str::to_owned),
            sheet: vec![],
            span: Span::default(),
        });
        let key = self.field(id, "id", Type::Text, None, false);
        self.program.entities[id.index()].key = key;
        id
    }

    /// Along a field `<name>_id` of the child, called as the parent.
    pub fn edge(&mut self, child: EntityId, parent: EntityId, tree: bool, required: bool) -> EdgeId {
        let name = self.program.entities[parent.index()].name.clone();
        let via = self.field(child, &format!("{name}_id"), Type::Text, None, true);
        let id = EdgeId(self.program.edges.len() as u32);
        self.program.edges.push(Edge {
            name,
            child,
            parent,
            via,
            on: self.program.entities[parent.index()].key,
            tree,
            required,
            also: vec![],
            key_prefix: None,
        });
        if tree {
            self.program.entities[child.index()].parent = Some(id);
        }
        id
    }

    fn column(
        &mut self,
        entity: EntityId,
        name: &str,
        ty: Type,
        range: Option<Range>,
        nullable: bool,
        kind: ColumnKind,
    ) -> ColumnId {
        let id = ColumnId(self.program.columns.len() as u32);
        if matches!(kind, ColumnKind::Field(_)) {
            self.program.entities[entity.index()].fields.push(id);
        } else {
            self.program.order.push(id);
        }
        self.program.columns.push(Column {
            entity,
            name: name.to_owned(),
            label: Text::same(name),
            ty,
            nullable,
            range,
            kind,
            rule: None,
            span: Span::default(),
        });
        id
    }

    pub fn field(
        &mut self,
        entity: EntityId,
        name: &str,
        ty: Type,
        range: Option<Range>,
        nullable: bool,
    ) -> ColumnId {
        let field = Field {
            required: !nullable,
            unique: false,
            blank: Blank::Unknown,
            aliases: vec![],
            pii: DataClass::Open,
            purpose: Text::default(),
            format: Format::Plain,
            used: true,
            unreadable: pack::program::Action::Refuse,
            derived: None,
        };
        self.column(entity, name, ty, range, nullable, ColumnKind::Field(field))
    }

    /// A count that can be unknown.
    pub fn count(&mut self, entity: EntityId, name: &str, min: i128, max: i128) -> ColumnId {
        self.field(entity, name, COUNT, Some(range(min, max)), true)
    }

    pub fn bool(&mut self, entity: EntityId, name: &str) -> ColumnId {
        self.field(entity, name, Type::Bool, None, true)
    }

    pub fn date(&mut self, entity: EntityId, name: &str) -> ColumnId {
        self.field(entity, name, Type::Date, None, true)
    }

    pub fn scalar(&mut self, entity: EntityId, name: &str, expr: Expr) -> ColumnId {
        let (ty, range, nullable) = (expr.ty.clone(), expr.range, expr.nullable);
        self.column(entity, name, ty, range, nullable, ColumnKind::Scalar(expr))
    }

    pub fn lookup(&mut self, name: &str, edge: EdgeId, column: ColumnId) -> ColumnId {
        let source = self.program.columns[column.index()].clone();
        let child = self.program.edges[edge.index()].child;
        self.column(child, name, source.ty, source.range, true, ColumnKind::Lookup { edge, column })
    }

    pub fn aggregate(
        &mut self,
        name: &str,
        edge: EdgeId,
        function: AggregateFunction,
        argument: Option<Expr>,
        filter: Option<Expr>,
    ) -> ColumnId {
        let parent = self.program.edges[edge.index()].parent;
        let bounds = argument.as_ref().and_then(|argument| argument.range);
        let (ty, range) = match function {
            AggregateFunction::Count => (COUNT, Some(range(0, 1_000_000))),
            AggregateFunction::Any | AggregateFunction::All => (Type::Bool, None),
            AggregateFunction::Sum => {
                let ty = argument.as_ref().map_or(COUNT, |argument| argument.ty.clone());
                (ty, bounds.map(|bounds| interval::multiply(bounds, range(0, 1_000_000))))
            }
            _ => (argument.as_ref().map_or(COUNT, |argument| argument.ty.clone()), bounds),
        };
        let aggregate = Aggregate { edge, function, argument, filter };
        self.column(parent, name, ty, range, true, ColumnKind::Aggregate(aggregate))
    }

    pub fn window(
        &mut self,
        name: &str,
        edge: EdgeId,
        function: WindowFunction,
        argument: Option<Expr>,
        order: Vec<(Expr, Direction)>,
        frame: Frame,
    ) -> ColumnId {
        let child = self.program.edges[edge.index()].child;
        let bounds = argument.as_ref().and_then(|argument| argument.range).unwrap_or(range(0, 1));
        let bounds = interval::multiply(bounds, range(0, 1_000_000));
        let window = Window { edge, function, argument, partition: vec![], order, frame };
        self.column(child, name, COUNT, Some(bounds), true, ColumnKind::Window(window))
    }

    pub fn parameter(&mut self, id: &str, ty: Type, shape: ParameterShape) -> ParameterId {
        let index = ParameterId(self.program.parameters.len() as u32);
        self.program.parameters.push(Parameter {
            id: id.to_owned(),
            label: Text::same(id),
            ty,
            shape,
            reading: None,
            cite: vec![],
            span: Span::default(),
        });
        index
    }

    pub fn col(&self, id: ColumnId) -> Expr {
        let column = &self.program.columns[id.index()];
        Expr {
            kind: ExprKind::Column(id),
            ty: column.ty.clone(),
            nullable: column.nullable,
            range: column.range,
            span: Span::default(),
        }
    }

    pub fn code_type(&mut self, codes: &[&str]) -> Type {
        let id = ListId(self.program.lists.len() as u32);
        self.program.lists.push(pack::program::CodeList {
            id: format!("list{}", id.0),
            label: Text::default(),
            codes: codes
                .iter()
                .map(|code| pack::program::Code {
                    code: (*code).to_owned(),
                    label: Text::same(*code),
                    aliases: vec![],
                })
                .collect(),
            span: Span::default(),
        });
        Type::Code(id)
    }
}

/// An expression of a type, unknown if an operand can be.
pub fn expr(kind: ExprKind, ty: Type, range: Option<Range>) -> Expr {
    let mut expr = Expr { kind, ty, nullable: false, range, span: Span::default() };
    expr.nullable = !matches!(expr.kind, ExprKind::Literal(_) | ExprKind::AsOf | ExprKind::IsUnknown(_));
    expr
}

pub fn int(value: i128) -> Expr {
    expr(ExprKind::Literal(Value::Number(value)), COUNT, Some(range(value, value)))
}

pub fn truth(value: bool) -> Expr {
    expr(ExprKind::Literal(Value::Bool(value)), Type::Bool, None)
}

pub fn text(value: &str) -> Expr {
    expr(ExprKind::Literal(Value::Text(value.to_owned())), Type::Text, None)
}

pub fn date(value: &str) -> Expr {
    expr(ExprKind::Literal(Value::Date(day(value))), Type::Date, None)
}

fn bounds(expr: &Expr) -> Range {
    expr.range.expect("a number has a range")
}

pub fn add(a: Expr, b: Expr) -> Expr {
    let (ty, range) = (a.ty.clone(), interval::add(bounds(&a), bounds(&b)));
    expr(ExprKind::Add(Box::new(a), Box::new(b)), ty, Some(range))
}

pub fn sub(a: Expr, b: Expr) -> Expr {
    let (ty, range) = (a.ty.clone(), interval::subtract(bounds(&a), bounds(&b)));
    expr(ExprKind::Sub(Box::new(a), Box::new(b)), ty, Some(range))
}

fn rounded(range: Range, by: i128) -> Range {
    Range { min: range.min / by - 1, max: range.max / by + 1 }
}

pub fn mul(a: Expr, b: Expr, drop: u8, round: Rounding) -> Expr {
    let product = interval::multiply(bounds(&a), bounds(&b));
    let range = if drop == 0 { product } else { rounded(product, 10_i128.pow(drop.into())) };
    let ty = a.ty.clone();
    expr(ExprKind::Mul { a: Box::new(a), b: Box::new(b), drop, round }, ty, Some(range))
}

pub fn div(a: Expr, b: Expr, up: u8, round: Rounding) -> Expr {
    let most = interval::multiply(bounds(&a), interval::point(10_i128.pow(up.into())));
    let most = most.min.abs().max(most.max.abs());
    let min = if bounds(&a).min >= 0 && bounds(&b).min >= 0 { 0 } else { -most };
    let ty = a.ty.clone();
    expr(ExprKind::Div { a: Box::new(a), b: Box::new(b), up, round }, ty, Some(range(min, most)))
}

pub fn round(a: Expr, drop: u8, round: Rounding) -> Expr {
    let range = rounded(bounds(&a), 10_i128.pow(drop.into()));
    let ty = a.ty.clone();
    expr(ExprKind::Round { a: Box::new(a), drop, round }, ty, Some(range))
}

pub fn compare(op: Comparison, a: Expr, b: Expr) -> Expr {
    expr(ExprKind::Compare { op, a: Box::new(a), b: Box::new(b) }, Type::Bool, None)
}

pub fn less(a: Expr, b: Expr) -> Expr {
    compare(Comparison::Less, a, b)
}

pub fn greater(a: Expr, b: Expr) -> Expr {
    compare(Comparison::Greater, a, b)
}

pub fn case(branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let values = branches.iter().map(|(_, value)| value).chain(&otherwise);
    let ty = branches[0].1.ty.clone();
    let range = values.filter_map(|value| value.range).reduce(interval::union);
    expr(ExprKind::Case { branches, otherwise: otherwise.map(Box::new) }, ty, range)
}

pub fn dated<T>(value: T, from: &str, until: Option<&str>) -> Dated<T> {
    Dated { value, from: day(from), until: until.map(day), source: Source::Assumed }
}

/// A record with fields by name.
pub fn record(
    program: &Program,
    entity: EntityId,
    key: &str,
    fields: &[(&str, Option<Value>)],
) -> CaseRecord {
    let find = |name: &str| {
        let columns =
            program.columns.iter().position(|column| column.entity == entity && column.name == name);
        ColumnId(columns.unwrap_or_else(|| panic!("no column {name}")) as u32)
    };
    let fields = fields.iter().map(|(name, value)| (find(name), value.clone()));
    CaseRecord { entity, key: key.to_owned(), fields: fields.collect() }
}

pub fn n(value: i128) -> Option<Value> {
    Some(Value::Number(value))
}

pub fn b(value: bool) -> Option<Value> {
    Some(Value::Bool(value))
}

pub fn t(value: &str) -> Option<Value> {
    Some(Value::Text(value.to_owned()))
}

pub fn d(value: &str) -> Option<Value> {
    Some(Value::Date(day(value)))
}

/// The values of a column in words, `?` for unknown.
pub fn shown(array: &ArrayRef) -> Vec<String> {
    (0..array.len()).map(|row| shown_at(array, row)).collect()
}

fn shown_at(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "?".to_owned();
    }
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            Date::from_days(days).expect("a date of the calendar").to_string()
        }
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        other => panic!("no text for {other}"),
    }
}

/// Runs over records and gives the values of a column of an entity, in order of rows.
pub fn run(program: &Program, as_of: &str, records: &[CaseRecord]) -> HashMap<String, RecordBatch> {
    let tables = engine::tables_of_records(program, records).expect("records make tables");
    engine::run_tables(program, day(as_of), tables).expect("the stages run")
}

pub fn values(results: &HashMap<String, RecordBatch>, entity: &str, column: &str) -> Vec<String> {
    shown(results[entity].column_by_name(column).unwrap_or_else(|| panic!("no result {column}")))
}

/// Writes tables as a snapshot.
pub fn write_snapshot(dir: &std::path::Path, tables: &HashMap<String, RecordBatch>) {
    use parquet::arrow::ArrowWriter;
    std::fs::create_dir_all(dir).expect("a temporary folder");
    let mut entities = serde_json::Map::new();
    for (name, batch) in tables {
        let file = std::fs::File::create(dir.join(format!("{name}.parquet"))).expect("a new file");
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
        writer.write(batch).expect("a batch is written");
        writer.close().expect("the file is closed");
        entities.insert(name.clone(), serde_json::json!({ "rows": batch.num_rows(), "sha256": "" }));
    }
    let manifest = serde_json::json!({
        "format": 1, "digest": "s".repeat(64), "change": 1, "entities": entities, "sources": [],
    });
    std::fs::write(dir.join("snapshot.json"), manifest.to_string()).expect("the manifest is written");
}

/// Provinces, counties, villages, households, persons, stays and hospitals, with columns of every form.
pub struct World {
    pub program: Program,
    pub entities: HashMap<&'static str, EntityId>,
}

pub fn world() -> World {
    let mut builder = Builder::new();
    let province = builder.entity("province", Some("province"));
    let county = builder.entity("county", Some("county"));
    let village = builder.entity("village", Some("village"));
    let household = builder.entity("household", None);
    let person = builder.entity("person", None);
    let hospital = builder.entity("hospital", None);
    let stay = builder.entity("stay", None);
    let to_province = builder.edge(county, province, true, true);
    let to_county = builder.edge(village, county, true, true);
    let to_village = builder.edge(household, village, true, false);
    let to_household = builder.edge(person, household, true, true);
    let to_person = builder.edge(stay, person, true, true);
    let to_hospital = builder.edge(stay, hospital, false, false);
    let autonomous = builder.bool(county, "autonomous");
    let wages = builder.count(household, "wages", 0, 10_i128.pow(12));
    let birth = builder.date(person, "birth");
    let disabled = builder.bool(person, "disabled");
    let level = builder.count(hospital, "level", 1, 3);
    let discharged = builder.date(stay, "discharged");
    let bill = builder.count(stay, "bill", 0, 10_i128.pow(9));

    // Before the parts: a hospital's deductible. In the parts: bills, ages, incomes.
    let own = builder.col(level);
    let deductible = builder.scalar(hospital, "deductible", mul(own, int(100), 0, Rounding::Down));
    let looked_up = builder.lookup("_deductible", to_hospital, deductible);
    let left = sub(builder.col(bill), builder.col(looked_up));
    let covered = expr(ExprKind::Greatest(vec![left, int(0)]), COUNT, Some(range(0, 10_i128.pow(9))));
    let covered = builder.scalar(stay, "covered", covered);
    let argument = Some(builder.col(covered));
    let order = vec![(builder.col(discharged), Direction::Ascending)];
    let before = builder.window("before", to_person, WindowFunction::Sum, argument, order, Frame::Before);
    let room = sub(int(150_000), builder.col(before));
    let room = expr(ExprKind::Greatest(vec![room, int(0)]), COUNT, Some(range(0, 150_000)));
    let paid = expr(ExprKind::Least(vec![builder.col(covered), room]), COUNT, Some(range(0, 150_000)));
    let paid = builder.scalar(stay, "paid", paid);
    let argument = Some(builder.col(paid));
    let received = builder.aggregate("received", to_person, AggregateFunction::Sum, argument, None);
    let at = expr(ExprKind::AsOf, Type::Date, None);
    let age = ExprKind::Age { birth: Box::new(builder.col(birth)), at: Box::new(at) };
    let age = builder.scalar(person, "age", expr(age, COUNT, Some(range(-200, 200))));
    let members = builder.aggregate("members", to_household, AggregateFunction::Count, None, None);
    let adults = compare(Comparison::GreaterOrEqual, builder.col(age), int(16));
    let adults = builder.aggregate("adults", to_household, AggregateFunction::Count, None, Some(adults));
    let argument = Some(builder.col(received));
    let helped = builder.aggregate("helped", to_household, AggregateFunction::Sum, argument, None);
    let argument = Some(builder.col(disabled));
    builder.aggregate("any_disabled", to_household, AggregateFunction::Any, argument, None);
    let income = add(builder.col(wages), builder.col(helped));
    let each = div(income, builder.col(members), 0, Rounding::HalfUp);
    let each = builder.scalar(household, "income_per_person", each);
    let poor = less(builder.col(each), int(285_500));
    let poor = builder.scalar(household, "poor", poor);
    let county_autonomous = builder.lookup("_county_autonomous", to_county, autonomous);
    let household_autonomous = builder.lookup("_autonomous", to_village, county_autonomous);
    let both = vec![builder.col(poor), builder.col(household_autonomous)];
    builder.scalar(household, "poor_there", expr(ExprKind::And(both), Type::Bool, None));
    // Up to the province, and after the parts back down to the villages.
    let filter = Some(builder.col(poor));
    builder.aggregate("poor_strictly", to_village, AggregateFunction::Count, None, filter);
    let known = ExprKind::Coalesce(vec![builder.col(poor), truth(false)]);
    let known = Some(expr(known, Type::Bool, None));
    let count = builder.aggregate("poor", to_village, AggregateFunction::Count, None, known);
    let argument = Some(builder.col(count));
    let count = builder.aggregate("poor", to_county, AggregateFunction::Sum, argument, None);
    let order = vec![(builder.col(count), Direction::Descending)];
    builder.window("place", to_province, WindowFunction::Rank, None, order, Frame::All);
    let argument = Some(builder.col(count));
    let count = builder.aggregate("poor", to_province, AggregateFunction::Sum, argument, None);
    let share = builder.lookup("_province_poor", to_province, count);
    builder.lookup("province_poor", to_county, share);
    let argument = Some(builder.col(paid));
    builder.aggregate("paid", to_hospital, AggregateFunction::Sum, argument, None);
    builder.aggregate("stays", to_hospital, AggregateFunction::Count, None, None);
    let condition = compare(Comparison::Equal, builder.col(members), int(0));
    let empty = builder.scalar(household, "_empty", condition);
    let mut program = builder.program;
    program.findings.push(pack::program::FindingRule {
        column: empty,
        code: "division-by-zero".to_owned(),
        rule: None,
        message: Text::default(),
    });
    let mut total = |id: &str, entity: EntityId, function: pack::program::TotalFunction| {
        program.totals.push(pack::program::Total {
            id: id.to_owned(),
            title: Text::default(),
            entity,
            function,
        });
    };
    total("persons", person, pack::program::TotalFunction::Count);
    total("hospitals", hospital, pack::program::TotalFunction::Count);
    total("poor_households", household, pack::program::TotalFunction::CountTrue(poor));
    total("paid", stay, pack::program::TotalFunction::Sum(paid));
    total("wages", household, pack::program::TotalFunction::Sum(wages));
    total("adults", household, pack::program::TotalFunction::Sum(adults));
    total("province_poor", province, pack::program::TotalFunction::Sum(count));
    let entities = [
        ("province", province),
        ("county", county),
        ("village", village),
        ("household", household),
        ("person", person),
        ("hospital", hospital),
        ("stay", stay),
    ];
    World { program, entities: entities.into() }
}

/// Records of a world: some counties of differing size, with gaps of every kind.
pub fn people(world: &World, counties: usize) -> Vec<CaseRecord> {
    let program = &world.program;
    let make = |entity: &str, key: String, fields: &[(&str, Option<Value>)]| {
        record(program, world.entities[entity], &key, fields)
    };
    let mut records = vec![
        make("province", "51".to_owned(), &[]),
        make("province", "52".to_owned(), &[]),
        make("hospital", "h1".to_owned(), &[("level", n(1))]),
        make("hospital", "h2".to_owned(), &[("level", n(3))]),
        make("hospital", "h3".to_owned(), &[]),
    ];
    let mut number = 0_i128;
    for county in 0..counties {
        let province = if county % 3 == 2 { "52" } else { "51" };
        let autonomous = [b(true), b(false), None][county % 3].clone();
        let key = format!("c{county:02}");
        records.push(make(
            "county",
            key.clone(),
            &[("province_id", t(province)), ("autonomous", autonomous)],
        ));
        for village in 0..=county % 4 {
            let village = format!("{key}v{village}");
            records.push(make("village", village.clone(), &[("county_id", t(&key))]));
            for household in 0..(3 + county % 5) {
                number += 1;
                let household = format!("{village}h{household}");
                let wages = if number % 11 == 3 { None } else { n(number * 7919 % 1_000_000) };
                let village = if number % 29 == 7 { t("nowhere") } else { t(&village) };
                records.push(make(
                    "household",
                    household.clone(),
                    &[("village_id", village), ("wages", wages)],
                ));
                for person in 0..number % 5 {
                    let birth = if number % 17 == 5 {
                        None
                    } else {
                        Some(Value::Date(
                            day("1940-02-29").add_days((number * 631 % 27_000) as i32).expect("a day"),
                        ))
                    };
                    let disabled = [b(false), b(true), None, b(false)][(number % 4) as usize].clone();
                    let person = format!("{household}p{person}");
                    let fields = [("household_id", t(&household)), ("birth", birth), ("disabled", disabled)];
                    records.push(make("person", person.clone(), &fields));
                    for stay in 0..number % 3 {
                        let fields = [
                            ("person_id", t(&person)),
                            ("hospital_id", t(["h1", "h2", "h3", "h9"][(number % 4) as usize])),
                            ("discharged", d(["2015-03-01", "2015-03-01", "2015-02-01"][stay as usize])),
                            ("bill", n(number * 104_729 % 200_000)),
                        ];
                        records.push(make("stay", format!("{person}s{stay}"), &fields));
                    }
                }
            }
        }
    }
    records
}

/// One entity with a column for every form of expression, and a parent that takes extremes of them.
pub fn every_expression() -> (Program, Vec<CaseRecord>) {
    let mut builder = Builder::new();
    let grades = builder.code_type(&["A", "B", "C"]);
    let group = builder.entity("group", None);
    let thing = builder.entity("thing", None);
    let edge = builder.edge(thing, group, true, false);
    let a = builder.count(thing, "a", -1000, 1000);
    let b = builder.count(thing, "b", -1000, 1000);
    let c = builder.count(thing, "c", 0, 10_i128.pow(6));
    let wide = builder.count(thing, "wide", -4 * 10_i128.pow(17), 4 * 10_i128.pow(17));
    let born = builder.date(thing, "born");
    let at = builder.date(thing, "at");
    let grade = builder.field(thing, "grade", grades, None, true);
    let words = builder.field(thing, "words", Type::Text, None, true);
    let flag = builder.bool(thing, "flag");
    let [a, b, c, wide] = [a, b, c, wide].map(|id| builder.col(id));
    let [born, at, grade, words, flag] = [born, at, grade, words, flag].map(|id| builder.col(id));
    let boxed = |expr: &Expr| Box::new(expr.clone());
    let modes = [(Rounding::HalfUp, "half_up"), (Rounding::Down, "down"), (Rounding::Up, "up")];
    for (mode, name) in modes {
        builder.scalar(thing, &format!("round_{name}"), round(a.clone(), 1, mode));
        builder.scalar(thing, &format!("div_{name}"), div(a.clone(), b.clone(), 2, mode));
        builder.scalar(thing, &format!("div_count_{name}"), div(a.clone(), c.clone(), 3, mode));
        let product = mul(mul(a.clone(), b.clone(), 1, mode), a.clone(), 1, mode);
        builder.scalar(thing, &format!("product_{name}"), product);
        let square = mul(wide.clone(), wide.clone(), 0, mode);
        builder.scalar(thing, &format!("wide_div_{name}"), div(square.clone(), b.clone(), 1, mode));
        builder.scalar(thing, &format!("wide_drop_{name}"), round(mul(square, a.clone(), 0, mode), 20, mode));
    }
    let count = |kind| expr(kind, COUNT, Some(range(-5000, 5000)));
    let truth_of = |kind| expr(kind, Type::Bool, None);
    let date_of = |kind| expr(kind, Type::Date, None);
    builder.scalar(thing, "age", count(ExprKind::Age { birth: boxed(&born), at: boxed(&at) }));
    let days = ExprKind::DaysBetween { from: boxed(&born), to: boxed(&at) };
    builder.scalar(thing, "days", expr(days, COUNT, Some(range(-100_000, 100_000))));
    builder.scalar(thing, "months", date_of(ExprKind::AddMonths { a: boxed(&born), months: boxed(&a) }));
    builder.scalar(thing, "later", date_of(ExprKind::AddDays { a: boxed(&born), days: boxed(&b) }));
    let year = count(ExprKind::DatePart { part: pack::program::DatePart::Year, a: boxed(&at) });
    let made = ExprKind::MakeDate { year: Box::new(year), month: boxed(&b), day: boxed(&a) };
    builder.scalar(thing, "made", date_of(made));
    let least = ExprKind::Least(vec![a.clone(), b.clone(), c.clone()]);
    builder.scalar(thing, "least", expr(least, COUNT, Some(range(-1000, 1000))));
    let most = ExprKind::Greatest(vec![add(a.clone(), b.clone()), c.clone()]);
    builder.scalar(thing, "greatest", expr(most, COUNT, Some(range(-2000, 1_000_000))));
    let known = ExprKind::Coalesce(vec![a.clone(), b.clone(), int(7)]);
    builder.scalar(thing, "known", expr(known, COUNT, Some(range(-1000, 1000))));
    let chosen = case(
        vec![(less(a.clone(), b.clone()), int(100_000)), (flag.clone(), int(-5))],
        Some(case(vec![(greater(c.clone(), int(500)), int(3))], None)),
    );
    builder.scalar(thing, "chosen", chosen.clone());
    builder.scalar(thing, "chosen_squared", mul(chosen.clone(), chosen, 0, Rounding::Down));
    let list = vec![Value::Text("A".to_owned()), Value::Text("C".to_owned())];
    let inside = truth_of(ExprKind::In { a: boxed(&grade), list });
    let logic = ExprKind::Or(vec![
        truth_of(ExprKind::And(vec![flag.clone(), inside.clone()])),
        truth_of(ExprKind::Not(Box::new(inside))),
        truth_of(ExprKind::IsUnknown(boxed(&b))),
    ]);
    builder.scalar(thing, "logic", truth_of(logic));
    builder.scalar(thing, "before_m", less(words.clone(), text("m")));
    let part = expr(ExprKind::Substring { a: boxed(&words), from: 2, length: 3 }, Type::Text, None);
    builder.scalar(thing, "part", part.clone());
    let digits = ExprKind::DigitsToCount(Box::new(part));
    builder.scalar(thing, "digits", expr(digits, COUNT, Some(range(0, 999))));
    builder.scalar(thing, "abs", expr(ExprKind::Abs(boxed(&a)), COUNT, Some(range(0, 1000))));
    builder.scalar(thing, "negative", expr(ExprKind::Neg(boxed(&wide)), COUNT, wide.range));
    let over = NumberType { kind: NumberKind::Quantity, unit: Unit::default(), decimals: 2 };
    let steps = [(0, 50), (300, 65), (700, 70)];
    let steps = steps.map(|(from, rate)| pack::program::BracketStep { from, rate }).to_vec();
    let shape = ParameterShape::Brackets { over, values: vec![dated(steps, "2010-01-01", None)] };
    let parameter = builder.parameter("share", number_type(2), shape);
    let share = ExprKind::Bracket { parameter, at: None, x: boxed(&b), round: Rounding::HalfUp };
    builder.scalar(thing, "share", expr(share, number_type(2), Some(range(0, 1000))));
    let table = |a: i128, b: i128| {
        let entries = [("A".to_owned(), Value::Number(a)), ("B".to_owned(), Value::Number(b))];
        std::collections::BTreeMap::from(entries)
    };
    let shape = ParameterShape::Table {
        list: ListId(0),
        values: vec![
            dated(table(1, 2), "1960-01-01", Some("1990-01-01")),
            dated(table(3, 4), "1990-01-01", None),
        ],
    };
    let id = builder.parameter("by_grade", COUNT, shape);
    let rate = ExprKind::Parameter { id, at: Some(boxed(&born)), key: Some(boxed(&grade)) };
    builder.scalar(thing, "by_grade", expr(rate, COUNT, Some(range(1, 4))));
    let index = |value: &Expr| expr(ExprKind::ToIndex(boxed(value)), Type::Index, None);
    let ratio =
        ExprKind::Div { a: Box::new(index(&a)), b: Box::new(index(&b)), up: 0, round: Rounding::Down };
    builder.scalar(thing, "ratio", expr(ratio, Type::Index, None));
    for (name, argument) in [("words", words), ("a", a), ("wide", wide.clone()), ("born", born)] {
        let known = truth_of(ExprKind::Not(Box::new(truth_of(ExprKind::IsUnknown(boxed(&argument))))));
        for (function, kind) in [(AggregateFunction::Min, "min"), (AggregateFunction::Max, "max")] {
            let argument = Some(argument.clone());
            builder.aggregate(&format!("{kind}_{name}"), edge, function, argument, Some(known.clone()));
        }
    }
    let known = truth_of(ExprKind::Not(Box::new(truth_of(ExprKind::IsUnknown(boxed(&wide))))));
    let square = mul(wide.clone(), wide, 0, Rounding::Down);
    builder.aggregate("sum_squares", edge, AggregateFunction::Sum, Some(square), Some(known));
    let program = builder.program;
    let mut records: Vec<_> = ["g1", "g2", "g3"].map(|key| record(&program, group, key, &[])).to_vec();
    let mut state = 12_345_u64;
    let mut next = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for index in 0..400 {
        let mut number = |least: i128, most: i128| {
            let small = next(4) == 0;
            let (least, most) = if small { (least.max(-3), most.min(3)) } else { (least, most) };
            let value = least + (i128::from(next(1 << 30)) * (most - least) + (1 << 29)) / (1 << 30);
            (next(8) != 0).then_some(Value::Number(value))
        };
        let (a, b) = (number(-1000, 1000), number(-1000, 1000));
        let (c, wide) = (number(0, 1_000_000), number(-4 * 10_i128.pow(17), 4 * 10_i128.pow(17)));
        let (born, at) = (number(-20_000, 17_000), number(-10_000, 17_000));
        let date = |value: Option<Value>| match value {
            Some(Value::Number(days)) => Date::from_days(days as i32).map(Value::Date),
            _ => None,
        };
        let grade = ["A", "B", "C", ""][next(4) as usize];
        let words = ["a123", "m0x9", "Zebra", "é1", "户42", "n\u{20}7", "", "x12"][next(8) as usize];
        let parent = ["g1", "g2", "nowhere"][next(3) as usize];
        let fields = [
            ("group_id", t(parent)),
            ("a", a),
            ("b", b),
            ("c", c),
            ("wide", wide),
            ("born", date(born)),
            ("at", date(at)),
            ("grade", if grade.is_empty() { None } else { t(grade) }),
            ("words", if words.is_empty() { None } else { t(words) }),
            ("flag", [b_(true), b_(false), None][next(3) as usize].clone()),
        ];
        records.push(record(&program, thing, &format!("t{index:03}"), &fields));
    }
    (program, records)
}

fn b_(value: bool) -> Option<Value> {
    b(value)
}
