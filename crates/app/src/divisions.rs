//! The division list of a new registry.
//!
//! A pack ships the list in force (`data/divisions.csv`) and the list of poor counties
//! (`data/poor-counties.csv`). Initialising a registry is [`store::Registry::create`] with the pack's program,
//! then [`import_divisions`] with both texts: divisions of all five levels get their history and their
//! records, and counties learn whether they are autonomous and of which contiguous poor area they are part.
//! Villages' further facts come with the county's own workbook, which finds its villages by their codes.

use std::collections::{HashMap, HashSet};

use model::{Date, DivisionCode, DivisionLevel};
use pack::program::{ColumnId, Entity, Program, Type, Value};
use store::{DivisionsLoaded, ImportMeta, ImportSession, NewDivision, NewSource, Record, Registry, SourceId};

use crate::import::{ImportError, sha256};

/// A file of the pack, by name and text.
#[derive(Clone, Copy, Debug)]
pub struct PackFile<'f> {
    pub name: &'f str,
    pub text: &'f str,
}

/// What the list of poor counties says about one.
struct PoorCounty {
    contiguous_area: String,
    ethnic_autonomous: bool,
}

/// Loads the division list and the facts about poor counties, in one transaction. What is there already
/// stays; loading the same lists again changes nothing.
///
/// Autonomous prefectures are known by their names (自治州). A county's `contiguous_area` and
/// `ethnic_autonomous` stay unknown if the list of poor counties does not name it.
pub fn import_divisions(
    registry: &mut Registry,
    program: &Program,
    divisions: PackFile<'_>,
    poor_counties: PackFile<'_>,
    on: Date,
    meta: ImportMeta,
) -> Result<DivisionsLoaded, ImportError> {
    let list = store::read_division_list(divisions.text)?;
    let poor = read_poor_counties(poor_counties)?;
    let mut session = registry.begin(meta)?;
    let loaded = session.load_divisions(&list, on, &DivisionLevel::ALL)?;
    let source = session.add_source(NewSource {
        file: poor_counties.name.to_owned(),
        sheet: String::new(),
        sha256: sha256(poor_counties.text),
    })?;
    let facts = Facts { program, list: &list, source };
    facts.store(&mut session, DivisionLevel::Prefecture, "ethnic_autonomous", |division| {
        Some(Value::Bool(division.name.ends_with("自治州")))
    })?;
    facts.store(&mut session, DivisionLevel::County, "ethnic_autonomous", |division| {
        poor.get(&division.code).map(|county| Value::Bool(county.ethnic_autonomous))
    })?;
    facts.store(&mut session, DivisionLevel::County, "contiguous_area", |division| {
        poor.get(&division.code).map(|county| Value::Text(county.contiguous_area.clone()))
    })?;
    session.commit()?;
    Ok(loaded)
}

struct Facts<'f> {
    program: &'f Program,
    list: &'f [NewDivision],
    source: SourceId,
}

impl Facts<'_> {
    /// Records one field of all divisions of a level for which there is a value, if the pack has the field.
    fn store(
        &self,
        session: &mut ImportSession<'_>,
        level: DivisionLevel,
        field: &str,
        value: impl Fn(&NewDivision) -> Option<Value>,
    ) -> Result<(), ImportError> {
        let found =
            self.program.entities.iter().position(|one| one.division.as_deref() == Some(level.as_str()));
        let Some(position) = found else { return Ok(()) };
        let entity = &self.program.entities[position];
        let Some(column) = self.field(entity, field) else { return Ok(()) };
        let known = self.codes(column);
        let records: Vec<Record> = self
            .list
            .iter()
            .filter(|division| division.level == level)
            .filter_map(|division| {
                let value = value(division).filter(|value| match (&known, value) {
                    (Some(codes), Value::Text(code)) => codes.contains(code.as_str()),
                    _ => true,
                })?;
                let key = Some(Value::Text(division.code.to_string()));
                let values = vec![key, Some(value)];
                Some(Record { values, source: Some(self.source), source_row: None, valid_from: None })
            })
            .collect();
        let id = pack::program::EntityId(position as u32);
        for batch in records.chunks(1000) {
            session.upsert(id, &[entity.key, column], batch)?;
        }
        Ok(())
    }

    fn field(&self, entity: &Entity, name: &str) -> Option<ColumnId> {
        entity.fields.iter().copied().find(|id| self.program.columns[id.index()].name == name)
    }

    /// The codes that a field may hold, if it is one of a list.
    fn codes(&self, column: ColumnId) -> Option<HashSet<&str>> {
        match self.program.columns[column.index()].ty {
            Type::Code(list) => {
                let codes = &self.program.lists[list.index()].codes;
                Some(codes.iter().map(|code| code.code.as_str()).collect())
            }
            _ => None,
        }
    }
}

/// Reads `code,name,contiguous_area,ethnic_autonomous,…`.
fn read_poor_counties(file: PackFile<'_>) -> Result<HashMap<DivisionCode, PoorCounty>, ImportError> {
    let failed = |reason: String| ImportError::FileUnreadable { file: file.name.to_owned(), reason };
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(file.text);
    let mut lines = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = lines.headers().map_err(|error| failed(error.to_string()))?.clone();
    let column = |name: &str| {
        header
            .iter()
            .position(|title| title == name)
            .ok_or_else(|| failed(format!("there is no column `{name}`")))
    };
    let (code, area, ethnic) = (column("code")?, column("contiguous_area")?, column("ethnic_autonomous")?);
    let mut counties = HashMap::new();
    for line in lines.records() {
        let line = line.map_err(|error| failed(error.to_string()))?;
        let place = || format!("line {}", line.position().map_or(0, csv::Position::line));
        let key = line[code].parse().map_err(|error| failed(format!("{}: {error}", place())))?;
        let ethnic_autonomous = match &line[ethnic] {
            "true" => true,
            "false" => false,
            other => return Err(failed(format!("{}: `{other}` is neither `true` nor `false`", place()))),
        };
        counties.insert(key, PoorCounty { contiguous_area: line[area].to_owned(), ethnic_autonomous });
    }
    Ok(counties)
}
