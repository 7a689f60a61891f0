//! Profiles: TOML files beside a pack that say how its records are distributed.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use pack::program::Program;
use toml::{Table, Value};

use crate::compile::Lists;
use crate::error::{Result, SynthError};
use crate::random::Weighted;

/// A file by name and text.
#[derive(Clone, Debug)]
pub struct ProfileFile {
    pub name: String,
    pub text: String,
}

/// A file about divisions that the pack ships, by name and text.
#[derive(Clone, Debug)]
pub struct SeedFile {
    /// By position in the program.
    pub entity: usize,
    pub name: String,
    pub text: String,
}

/// All files of a profile, together.
#[derive(Default)]
pub struct Profile {
    pub lists: Lists,
    pub size: Option<Table>,
    pub entities: BTreeMap<String, EntityProfile>,
    facts: HashMap<(String, String), HashMap<String, String>>,
}

/// What a profile says of an entity.
#[derive(Default)]
pub struct EntityProfile {
    /// Number of records, for entities without a parent.
    pub rows: Option<Value>,
    /// Number of records for each parent; names in it are those of the parent.
    pub per_parent: Option<Value>,
    pub key_prefix: Option<String>,
    pub key_digits: Option<usize>,
    /// Helper columns, in order, with their types.
    pub helpers: Vec<(String, String, Value)>,
    pub fields: BTreeMap<String, Value>,
}

impl Profile {
    pub fn read(files: &[ProfileFile]) -> Result<Self> {
        let mut profile = Self::default();
        for file in files {
            let wrong = |detail: String| SynthError::ProfileText { file: file.name.clone(), detail };
            let mut table: Table =
                file.text.parse().map_err(|error: toml::de::Error| wrong(error.to_string()))?;
            for (name, value) in sub_tables(&mut table, "lists") {
                let list = list(&value).ok_or_else(|| wrong(format!("list `{name}` has no words")))?;
                profile.lists.insert(name, list);
            }
            if let Some(Value::Table(size)) = table.remove("size") {
                profile.size = Some(size);
            }
            for (name, value) in sub_tables(&mut table, "entity") {
                let Value::Table(value) = value else { return Err(wrong(format!("`{name}` is no table"))) };
                profile.entities.entry(name.clone()).or_default().add(value).map_err(|detail| {
                    SynthError::ProfileText { file: file.name.clone(), detail: format!("`{name}`: {detail}") }
                })?;
            }
            if let Some(key) = table.keys().next() {
                return Err(wrong(format!("`{key}` is not understood here")));
            }
        }
        Ok(profile)
    }
}

impl Profile {
    /// Reads what the pack ships about divisions: files (csv) that hold their key and some fields, by id.
    pub fn read_facts(&mut self, program: &Program, seeds: &[SeedFile]) -> Result<()> {
        for seed in seeds {
            let entity = &program.entities[seed.entity];
            if entity.division.is_none() || Path::new(&seed.name).extension().is_none_or(|end| end != "csv") {
                continue;
            }
            let wrong = |detail: String| SynthError::ProfileText { file: seed.name.clone(), detail };
            let text = seed.text.strip_prefix('\u{feff}').unwrap_or(&seed.text);
            let mut lines = csv::Reader::from_reader(text.as_bytes());
            let header = lines.headers().map_err(|error| wrong(error.to_string()))?.clone();
            let key = header.iter().position(|title| title == program.column(entity.key).name);
            let Some(key) = key else { continue };
            for line in lines.records() {
                let line = line.map_err(|error| wrong(error.to_string()))?;
                for (title, cell) in header.iter().zip(&line) {
                    let column = self.facts.entry((entity.name.clone(), title.to_owned())).or_default();
                    column.insert(line[key].to_owned(), cell.to_owned());
                }
            }
        }
        Ok(())
    }

    /// A fact about divisions, by code, if a table tells it.
    pub fn fact(&self, entity: &str, field: &str) -> Option<&HashMap<String, String>> {
        self.facts.get(&(entity.to_owned(), field.to_owned()))
    }
}

fn sub_tables(table: &mut Table, name: &str) -> Table {
    match table.remove(name) {
        Some(Value::Table(found)) => found,
        _ => Table::new(),
    }
}

/// `["王", "李"]` alike, or `{ 王 = 7.2, 李 = 7.1 }`.
fn list(value: &Value) -> Option<Weighted<String>> {
    let items = match value {
        Value::Array(words) => words.iter().map(|word| Some((word.as_str()?.to_owned(), 1.0))).collect(),
        Value::Table(words) => words
            .iter()
            .map(|(word, weight)| {
                let weight = weight.as_float().or_else(|| weight.as_integer().map(|weight| weight as f64))?;
                Some((word.clone(), weight))
            })
            .collect(),
        _ => None,
    };
    Weighted::new(items?)
}

impl EntityProfile {
    fn add(&mut self, mut table: Table) -> std::result::Result<(), String> {
        self.rows = table.remove("rows").or(self.rows.take());
        self.per_parent = table.remove("per_parent").or(self.per_parent.take());
        if let Some(Value::Table(key)) = table.remove("key") {
            self.key_prefix = key.get("prefix").and_then(Value::as_str).map(str::to_owned);
            self.key_digits = key.get("digits").and_then(Value::as_integer).map(|digits| digits as usize);
        }
        for (name, value) in sub_tables(&mut table, "helper") {
            let Value::Table(mut value) = value else { return Err(format!("helper `{name}` is no table")) };
            match value.remove("type") {
                Some(Value::String(ty)) => self.helpers.push((name, ty, Value::Table(value))),
                _ => return Err(format!("helper `{name}` needs a `type`")),
            }
        }
        self.fields.extend(sub_tables(&mut table, "field"));
        match table.keys().next() {
            Some(key) => Err(format!("`{key}` is not understood here")),
            None => Ok(()),
        }
    }
}
