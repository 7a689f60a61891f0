//! Programs and records made by hand.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(dead_code, reason = "every test file uses a part of this")]

use std::collections::BTreeMap;

use model::{Date, Text};
use pack::program::{
    Action, Blank, Column, ColumnId, ColumnKind, DataClass, Edge, EdgeId, Entity, EntityId, Field, Format,
    ListId, NumberKind, NumberType, Program, Range, Span, Type, Unit, Value,
};
use store::{
    Change, FieldChange, ImportMeta, ImportSummary, Moment, NewEvent, Outcome, Record, Registry, RegistryId,
};

/// A program with entities and edges, and nothing computed.
pub struct Builder(pub Program);

impl Builder {
    pub fn new(pack: &str) -> Self {
        let mut program = Program { digest: "00".repeat(32), ..Program::default() };
        pack.clone_into(&mut program.info.id);
        Self(program)
    }

    /// Fields are `name type words…`: types `text`, `code`, `bool`, `date`, `index`, `count`, `money`, `rate`,
    /// `wide`; words `key`, `required`, `unique`.
    pub fn entity(mut self, name: &str, division: Option<&str>, fields: &[&str]) -> Self {
        let entity = EntityId(self.0.entities.len() as u32);
        let mut ids = Vec::new();
        let mut key = None;
        for field in fields {
            let id = ColumnId(self.0.columns.len() as u32);
            let words: Vec<&str> = field.split(' ').collect();
            if words.contains(&"key") {
                key = Some(id);
            }
            self.0.columns.push(column(entity, &words));
            ids.push(id);
        }
        self.0.entities.push(Entity {
            name: name.into(),
            label: Text::same(name),
            key: key.expect("one field has the word `key`"),
            parent: None,
            fields: ids,
            rows_max: 1_000_000,
            judgement: None,
            division: division.map(str::to_owned),
            sheet: Vec::new(),
            span: Span::default(),
        });
        self
    }

    /// `child.via -> parent.on`.
    pub fn edge(mut self, name: &str, child: &str, via: &str, parent: &str, on: &str, tree: bool) -> Self {
        let id = EdgeId(self.0.edges.len() as u32);
        let (child, parent) = (entity(&self.0, child), entity(&self.0, parent));
        self.0.edges.push(Edge {
            name: name.into(),
            child,
            parent,
            via: field(&self.0, child, via),
            on: field(&self.0, parent, on),
            tree,
            required: false,
            also: Vec::new(),
            key_prefix: None,
        });
        if tree {
            self.0.entities[child.index()].parent = Some(id);
        }
        self
    }
}

fn column(entity: EntityId, words: &[&str]) -> Column {
    let number = |kind, unit: &str, decimals| {
        let unit = if unit.is_empty() { BTreeMap::new() } else { BTreeMap::from([(unit.to_owned(), 1)]) };
        Type::Number(NumberType { kind, unit: Unit(unit), decimals })
    };
    let ty = match words[1] {
        "text" => Type::Text,
        "code" => Type::Code(ListId(0)),
        "bool" => Type::Bool,
        "date" => Type::Date,
        "index" => Type::Index,
        "count" => number(NumberKind::Count, "", 0),
        "money" | "wide" => number(NumberKind::Quantity, "yuan", 2),
        "rate" => number(NumberKind::Rate, "", 4),
        other => panic!("no type `{other}`"),
    };
    let limit = if words[1] == "wide" { i128::MAX } else { i128::from(i64::MAX) };
    let range = matches!(ty, Type::Number(_)).then_some(Range { min: -limit, max: limit });
    let required = words.contains(&"required");
    let field = Field {
        required,
        unique: words.contains(&"unique"),
        blank: Blank::Unknown,
        aliases: Vec::new(),
        pii: DataClass::Open,
        purpose: Text::default(),
        format: Format::Plain,
        used: true,
        unreadable: Action::Refuse,
        derived: None,
    };
    Column {
        entity,
        name: words[0].into(),
        label: Text::same(words[0]),
        ty,
        nullable: !required,
        range,
        kind: ColumnKind::Field(field),
        rule: None,
        span: Span::default(),
    }
}

/// Village, household, person and stay, as in the workbooks.
pub fn county() -> Builder {
    Builder::new("sichuan-2015")
        .entity(
            "village",
            Some("village"),
            &["code text key required", "name text", "township text", "road bool"],
        )
        .entity(
            "household",
            None,
            &["number text key required", "village text", "head text", "income money", "moved_on date"],
        )
        .entity(
            "person",
            None,
            &[
                "citizen_number text key required",
                "household text",
                "name text",
                "birth date",
                "labour code",
                "disabled bool",
                "wages money",
                "score index",
                "wealth wide",
            ],
        )
        .entity("stay", None, &["id text key required", "person text", "helper text", "bill money required"])
        .edge("village", "household", "village", "village", "code", true)
        .edge("household", "person", "household", "household", "number", true)
        .edge("person", "stay", "person", "person", "citizen_number", true)
        .edge("helper", "stay", "helper", "household", "head", false)
}

pub fn entity(program: &Program, name: &str) -> EntityId {
    let index = program.entities.iter().position(|entity| entity.name == name);
    EntityId(index.unwrap_or_else(|| panic!("no entity `{name}`")) as u32)
}

pub fn edge(program: &Program, name: &str) -> EdgeId {
    EdgeId(program.edges.iter().position(|edge| edge.name == name).expect("there is such an edge") as u32)
}

pub fn field(program: &Program, entity: EntityId, name: &str) -> ColumnId {
    let fields = &program.entities[entity.index()].fields;
    let found = fields.iter().find(|id| program.columns[id.index()].name == name);
    *found.unwrap_or_else(|| panic!("no field `{name}`"))
}

pub fn fields(program: &Program, entity: EntityId) -> &[ColumnId] {
    &program.entities[entity.index()].fields
}

pub fn day(text: &str) -> Date {
    text.parse().expect("the test gives a date")
}

#[allow(clippy::unnecessary_wraps, reason = "records hold what may be unknown")]
pub fn text(value: &str) -> Option<Value> {
    Some(Value::Text(value.into()))
}

#[allow(clippy::unnecessary_wraps, reason = "records hold what may be unknown")]
pub fn number(value: i128) -> Option<Value> {
    Some(Value::Number(value))
}

pub fn meta(recorded_at: i64) -> ImportMeta {
    let recorded_at = Moment::from_unix_ms(recorded_at);
    ImportMeta { actor: "王芳".into(), role: String::new(), recorded_at, pack_digest: "00".repeat(32) }
}

/// The id of every registry that tests make.
pub fn registry_id() -> RegistryId {
    RegistryId::from_random([7; 16])
}

pub fn record(values: Vec<Option<Value>>) -> Record {
    Record { values, ..Record::default() }
}

/// Writes records in one import at a time given in milliseconds.
pub fn import(
    registry: &mut Registry,
    program: &Program,
    at: i64,
    entity_name: &str,
    records: Vec<Vec<Option<Value>>>,
) -> (Vec<Outcome>, ImportSummary) {
    let id = entity(program, entity_name);
    let records: Vec<Record> = records.into_iter().map(record).collect();
    let mut session = registry.begin(meta(at)).unwrap();
    let outcomes = session.upsert(id, fields(program, id), &records).unwrap();
    (outcomes, session.commit().unwrap())
}

/// Names and new values of what a change has changed.
pub fn told(change: &Change) -> Vec<(&str, Option<Value>)> {
    change.fields.iter().map(|field| (field.name.as_str(), field.after.clone())).collect()
}

pub fn changed(name: &str, before: Option<Value>, after: Option<Value>) -> FieldChange {
    FieldChange { name: name.into(), before, after }
}

/// An event without a key.
pub fn event(kind: &str, payload: &str) -> NewEvent {
    NewEvent { kind: kind.into(), payload: payload.into(), key: None }
}
