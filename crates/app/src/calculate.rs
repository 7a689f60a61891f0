//! Facts in, results out, without a registry: one JSON object a line.
//!
//! A line holds the records of one household (or of whatever the pack is about) and nothing of another line:
//! `{"household": {"wages": 12000}, "person": [{"birth": "1980-05-01"}, …]}`. Fields are named and written as in
//! worked cases; a field that is absent or `null` is unknown. A record may name its key, and its parents by the
//! edge's name; a parent need not be named where the line has only one.
//!
//! Results are written the same way; on request each record also says under `unknown` what every unknown result lacks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::RecordBatch;
use engine::EngineError;
use evaluate::Viewer;
use evaluate::explain::{Asked, Effort, explain};
use evaluate::interpret::Facts;
use model::{AsProblem as _, Date, Text, text};
use pack::program::{CaseRecord, ColumnId, ColumnKind, Edge, EntityId, Program, Type, Value};
use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::cells::cell;
use crate::json_values::{self, print, quoted};

/// Lines that are computed together.
pub const BATCH_LINES: usize = 8192;

#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum CalculateError {
    Line {
        line: usize,
        reason: Box<Text>,
    },
    UnknownResult {
        name: String,
    },
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A pack at a date, ready to be given lines.
pub struct Calculator<'p> {
    program: &'p Program,
    as_of: Date,
    wanted: BTreeSet<ColumnId>,
    entities: HashMap<&'p str, EntityId>,
    fields: HashMap<(EntityId, &'p str), ColumnId>,
    types: HashMap<(&'p str, &'p str), &'p Type>,
    /// Whether each record says why its unknown results are.
    reasons: bool,
}

/// By entity and key (with the number of its line): an object of the unknown results and what each lacks.
type Reasons = HashMap<(EntityId, String), String>;

impl<'p> Calculator<'p> {
    /// For the results named in `only` (a rule's id gives all its columns), or all that are not hidden.
    ///
    /// # Errors
    /// [`CalculateError::UnknownResult`] for a name that the pack does not know.
    pub fn new(program: &'p Program, as_of: Date, only: &[String]) -> Result<Self, CalculateError> {
        let visible = |id: &ColumnId| !program.column(*id).is_hidden();
        let mut wanted: BTreeSet<ColumnId> = BTreeSet::new();
        for name in only {
            let known = wanted.len();
            let of_rule = |id: &ColumnId| {
                let column = program.column(*id);
                let rule = column.rule.map(|rule| program.rules[rule.index()].id.as_str());
                rule == Some(name) || column.name == *name
            };
            wanted.extend(program.order.iter().copied().filter(visible).filter(of_rule));
            if wanted.len() == known {
                return Err(CalculateError::UnknownResult { name: name.clone() });
            }
        }
        if only.is_empty() {
            wanted.extend(program.order.iter().copied().filter(visible));
        }
        let entities = program.entities.iter().enumerate();
        let entities: HashMap<_, _> =
            entities.map(|(index, entity)| (entity.name.as_str(), EntityId(index as u32))).collect();
        let mut fields = HashMap::new();
        for (index, column) in program.columns.iter().enumerate() {
            if matches!(column.kind, ColumnKind::Field(_)) {
                fields.insert((column.entity, column.name.as_str()), ColumnId(index as u32));
            }
        }
        let columns = program.columns.iter();
        let types = columns
            .map(|column| ((program.entity(column.entity).name.as_str(), column.name.as_str()), &column.ty));
        Ok(Self { program, as_of, wanted, entities, fields, types: types.collect(), reasons: false })
    }

    /// Makes every record say under `unknown` what its unknown results lack, as explanations do.
    #[must_use]
    pub fn with_reasons(mut self, reasons: bool) -> Self {
        self.reasons = reasons;
        self
    }

    /// The results of lines, one JSON object for each, in order. `first` is the number of the first line.
    ///
    /// # Errors
    /// [`CalculateError::Line`] for the first line that cannot be understood.
    pub fn lines(&self, lines: &[&str], first: usize) -> Result<Vec<String>, CalculateError> {
        let mut records = vec![];
        for (place, line) in lines.iter().enumerate() {
            let wrong = |reason| CalculateError::Line { line: first + place, reason: Box::new(reason) };
            self.read(line, place, &mut records).map_err(wrong)?;
        }
        let reasons = if self.reasons { self.why_unknown(&records) } else { Reasons::new() };
        let tables = engine::tables_of_records(self.program, &records)?;
        let results = engine::run_tables_for(self.program, self.as_of, tables, &self.wanted)?;
        Ok(self.write(lines.len(), &results, &reasons))
    }

    /// What each unknown result lacks, of every record that has one.
    fn why_unknown(&self, records: &[CaseRecord]) -> Reasons {
        let facts = Facts::from_records(self.program, records);
        // The facts are the caller's own, given on the same stream, and come from no registry.
        let viewer = Viewer::unmasked(self.program);
        let effort = Effort { nodes_max: 1, trials_max: 0 };
        let mut rows: HashMap<EntityId, u32> = HashMap::new();
        let mut found = Reasons::new();
        for record in records {
            let row = rows.entry(record.entity).or_default();
            let line = record.key.rsplit_once('#').map_or("", |(_, place)| place);
            let mut unknown = serde_json::Map::new();
            for id in self.wanted.iter().filter(|id| self.program.column(**id).entity == record.entity) {
                let asked = Asked::Column(*id);
                let explained = explain(&viewer, &facts, self.as_of, record.entity, *row, asked, effort);
                let Some(explained) = explained.filter(|explained| !explained.missing.is_empty()) else {
                    continue;
                };
                let lacks = explained.missing.iter().map(|gap| {
                    json!({
                        "kind": gap.kind.as_str(),
                        "entity": gap.column.entity,
                        "key": gap.column.key.trim_end_matches(&format!("#{line}")),
                        "name": gap.column.name,
                        "text": gap.text.en.replace(&format!("#{line}"), ""),
                    })
                });
                unknown.insert(self.program.column(*id).name.clone(), lacks.collect());
            }
            *row += 1;
            if !unknown.is_empty() {
                found.insert((record.entity, record.key.clone()), Json::Object(unknown).to_string());
            }
        }
        found
    }

    fn read(&self, line: &str, place: usize, records: &mut Vec<CaseRecord>) -> Result<(), Text> {
        if line.is_empty() {
            return Ok(());
        }
        let json: Json = serde_json::from_str(line)
            .map_err(|error| text!("不是 `JSON`（`{error}`）", "it is not JSON: {error}"))?;
        let Json::Object(tables) = json else {
            return Err(Text::new("不是 `JSON` 对象", "it is no JSON object"));
        };
        let from = records.len();
        let mut keys: BTreeMap<EntityId, Vec<String>> = BTreeMap::new();
        for (name, rows) in &tables {
            let entity = self.entities.get(name.as_str());
            let entity =
                *entity.ok_or_else(|| text!("没有叫 `{name}` 的实体", "no entity is called `{name}`"))?;
            let rows = match rows {
                Json::Array(rows) => rows.as_slice(),
                row => std::slice::from_ref(row),
            };
            for (number, row) in rows.iter().enumerate() {
                let record = self.record(entity, name, number, row, place)?;
                keys.entry(entity).or_default().push(record.key.clone());
                records.push(record);
            }
        }
        for record in &mut records[from..] {
            self.link(record, &keys);
        }
        Ok(())
    }

    fn record(
        &self,
        entity: EntityId,
        name: &str,
        number: usize,
        row: &Json,
        place: usize,
    ) -> Result<CaseRecord, Text> {
        let Json::Object(given) = row else {
            return Err(text!("`{name}` 里有不是记录的内容", "`{name}` holds something that is no record"));
        };
        let key_column = self.program.entity(entity).key;
        let mut record = CaseRecord { entity, key: format!("{name} {}#{place}", number + 1), fields: vec![] };
        for (field, json) in given {
            let edge = self.program.edges.iter().find(|edge| edge.child == entity && edge.name == *field);
            if let Some(edge) = edge {
                let text = json.as_str().ok_or_else(|| {
                    text!("`{name}.{field}` 应写一条记录的编号", "`{name}.{field}` must name a record")
                })?;
                record.fields.push((edge.via, Some(Value::Text(format!("{text}#{place}")))));
                continue;
            }
            let id = self.fields.get(&(entity, field.as_str()));
            let id =
                *id.ok_or_else(|| text!("`{name}` 没有字段 `{field}`", "`{name}` has no field `{field}`"))?;
            let value = json_values::read(self.program, id, json)
                .map_err(|Text { zh, en }| text!("`{name}.{field}`：{zh}", "`{name}.{field}`: {en}"))?;
            let value = match value {
                Some(Value::Text(text)) if self.links(id) => Some(Value::Text(format!("{text}#{place}"))),
                value => value,
            };
            if let (true, Some(Value::Text(key))) = (id == key_column, &value) {
                record.key.clone_from(key);
            }
            record.fields.push((id, value));
        }
        Ok(record)
    }

    /// Whether a field joins records: its values must not meet those of other lines.
    fn links(&self, id: ColumnId) -> bool {
        let key = self.program.entity(self.program.column(id).entity).key;
        id == key || self.program.edges.iter().any(|edge| edge.via == id || edge.on == id)
    }

    /// Points at the only record there is to point at, where nothing is said.
    fn link(&self, record: &mut CaseRecord, keys: &BTreeMap<EntityId, Vec<String>>) {
        let by_key = |edge: &&Edge| edge.on == self.program.entity(edge.parent).key;
        for edge in self.program.edges.iter().filter(|edge| edge.child == record.entity).filter(by_key) {
            let silent = !record.fields.iter().any(|(id, _)| *id == edge.via);
            if let (true, Some([only])) = (silent, keys.get(&edge.parent).map(Vec::as_slice)) {
                record.fields.push((edge.via, Some(Value::Text(only.clone()))));
            }
        }
    }

    fn write(&self, lines: usize, results: &HashMap<String, RecordBatch>, reasons: &Reasons) -> Vec<String> {
        let mut objects: Vec<String> = vec![String::new(); lines];
        for (position, entity) in self.program.entities.iter().enumerate() {
            let id = EntityId(position as u32);
            let Some(batch) = results.get(&entity.name) else { continue };
            let key = batch.column_by_name(&self.program.column(entity.key).name);
            let Some(keys) = key else { continue };
            let mut open = vec![false; lines];
            // What stands before each value, and its decimals.
            let results: Vec<(String, usize)> = batch
                .schema_ref()
                .fields()
                .iter()
                .map(|field| (format!(",\"{}\":", field.name()), self.decimals(&entity.name, field.name())))
                .collect();
            let opening = format!("{{\"{}\":", self.program.column(entity.key).name);
            for row in 0..batch.num_rows() {
                let Some(Value::Text(whole)) = cell(keys, row) else { continue };
                let Some((key, place)) = whole.rsplit_once('#') else { continue };
                let Some(place) = place.parse::<usize>().ok().filter(|place| *place < lines) else {
                    continue;
                };
                let object = &mut objects[place];
                if open[place] {
                    object.push(',');
                } else {
                    open[place] = true;
                    object.push_str(if object.is_empty() { "{" } else { "]," });
                    object.push_str(&format!("\"{}\":[", entity.name));
                }
                object.push_str(&opening);
                object.push_str(&quoted(key));
                for (array, (name, decimals)) in batch.columns().iter().zip(&results).skip(2) {
                    object.push_str(name);
                    print(object, *decimals, cell(array, row));
                }
                if let Some(unknown) = reasons.get(&(id, whole.clone())) {
                    object.push_str(",\"unknown\":");
                    object.push_str(unknown);
                }
                object.push('}');
            }
        }
        for object in &mut objects {
            object.push_str(if object.is_empty() { "{}" } else { "]}" });
        }
        objects
    }

    fn decimals(&self, entity: &str, name: &str) -> usize {
        match self.types.get(&(entity, name)) {
            Some(Type::Number(ty)) => usize::from(ty.decimals),
            _ => 0,
        }
    }
}
