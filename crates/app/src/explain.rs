//! Explains one subject of a stored run: gathers what its results depend on, and asks the engine.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use engine::RunManifest;
use evaluate::Viewer;
use evaluate::explain::{Asked, Effort, Explanation};
use evaluate::interpret::{Branch, Facts, FactsBuilder, Needed, Provenance, Records};
use model::{Date, Text};
use pack::program::{ColumnId, ColumnKind, EdgeId, EntityId, Program, RuleId, RuleKind, Value};
use serde_json::Value as Json;
use thiserror::Error;

use crate::cases::cell;
use crate::tables::{StoredTable, TableError};

/// Why there is no explanation.
#[derive(Debug, Error)]
pub enum ExplainError {
    #[error("`{}` is not a run: {why}", path.display())]
    NotARun { path: PathBuf, why: String },
    #[error("{}", no_snapshot(run, place, digest, *other, *named).en)]
    NoSnapshot {
        run: PathBuf,
        /// Where it was looked for first.
        place: PathBuf,
        /// First letters of the digest that is wanted.
        digest: String,
        /// Whether another snapshot is there.
        other: bool,
        /// Whether the place was named, and not recorded in the run.
        named: bool,
    },
    #[error("the run was made with another version of the pack (digest {run}, now {now})")]
    OtherPack { run: String, now: String },
    #[error("there is no entity `{name}`; the pack has {known}")]
    UnknownEntity { name: String, known: String },
    #[error("the snapshot of the run has no {entity} `{key}`{hint}")]
    UnknownRecord { entity: String, key: String, hint: String },
    #[error("nothing called `{name}` is computed for a {entity}{hint}")]
    UnknownRule { name: String, entity: String, hint: String },
    #[error(
        "what is asked of {entity} `{key}` rests on more than {RECORDS_MAX} records, and the run has no result of it\n\
         hint: ask about one of its parts"
    )]
    TooMany { entity: String, key: String },
    #[error(transparent)]
    Table(#[from] TableError),
}

fn no_snapshot(run: &Path, place: &Path, digest: &str, other: bool, named: bool) -> Text {
    let (run, place) = (run.display(), place.display());
    let hint = Text::new(
        "把快照文件夹同运行文件夹一起复制，或用 `--snapshot 文件夹` 指明它在哪里",
        "copy the snapshot's folder along with the run's, or say `--snapshot FOLDER` where it is",
    );
    let (zh, en) = match (other, named) {
        (true, _) => ("那里是另一个快照", "there is another one"),
        (false, true) => ("那里没有快照", "there is none"),
        (false, false) => ("那里和附近都没有", "there is none there or near by"),
    };
    Text::new(
        format!("运行 `{run}` 所依据的快照（{digest}…）不在 `{place}`：{zh}\nhint: {}", hint.zh),
        format!(
            "the snapshot {digest}… that run `{run}` rests on is not in `{place}`: {en}\nhint: {}",
            hint.en
        ),
    )
}

impl ExplainError {
    /// The error in both languages, as far as it has been written in both; its hint follows on a line of its own.
    pub fn text(&self) -> Text {
        match self {
            Self::NoSnapshot { run, place, digest, other, named } => {
                no_snapshot(run, place, digest, *other, *named)
            }
            other => Text::same(other.to_string()),
        }
    }
}

/// A stored run, with the place of its snapshot.
pub struct StoredRun {
    pub folder: PathBuf,
    pub snapshot: PathBuf,
    pub manifest: RunManifest,
    pub as_of: Date,
    /// Id of the registry that the snapshot was taken from.
    pub registry: Option<String>,
    /// Number of the last change of the registry that is in the snapshot.
    change: Option<u64>,
    sources: HashMap<i64, (String, Option<String>)>,
}

impl StoredRun {
    /// Opens the run in a folder, with its snapshot where the run says it is or near by.
    ///
    /// # Errors
    /// A folder that is no run, or a run whose snapshot is not found.
    pub fn open(folder: &Path) -> Result<Self, ExplainError> {
        Self::open_with(folder, None)
    }

    /// The same with the snapshot in a folder that is named.
    ///
    /// # Errors
    /// A folder that is no run, or one that does not hold its snapshot.
    pub fn open_with(folder: &Path, named: Option<&Path>) -> Result<Self, ExplainError> {
        let fault = |why: String| ExplainError::NotARun { path: folder.to_path_buf(), why };
        let manifest = RunManifest::read(folder).map_err(|error| fault(error.to_string()))?;
        let snapshot = snapshot_of(folder, &manifest, named)?;
        let described = read_json(&snapshot.join("snapshot.json")).map_err(fault)?;
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let sources = described["sources"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|source| {
                Some((source["id"].as_i64()?, (text(&source["file"])?, text(&source["sheet"]))))
            })
            .collect();
        let recorded = described["sources"].is_array();
        Ok(Self {
            folder: folder.to_path_buf(),
            snapshot,
            as_of: manifest.as_of,
            registry: text(&described["registry"]),
            change: described["change"].as_u64().filter(|_| recorded),
            manifest,
            sources,
        })
    }

    /// Number of the last change of its registry that is in the snapshot; none of a snapshot made otherwise.
    pub(crate) fn change(&self) -> Option<u64> {
        self.change
    }

    /// Names of the files that its records were imported from.
    pub(crate) fn source_files(&self) -> impl Iterator<Item = &str> {
        self.sources.values().map(|(file, _)| file.as_str())
    }

    /// Digest of the pack that the run was made with.
    pub fn pack_digest(&self) -> &str {
        &self.manifest.pack.digest
    }

    /// File and sheet from which most of these records came.
    pub(crate) fn place_of(
        &self,
        program: &Program,
        entity: &str,
        keys: &[&str],
    ) -> Result<Option<(String, Option<String>)>, TableError> {
        let Some(entity) = program.entity_named(entity) else { return Ok(None) };
        let mut stored = Stored::new(program, self);
        let key_name = &program.column(program.entity(entity).key).name;
        let table = stored.snapshot(entity)?;
        let mut found: BTreeMap<i64, usize> = BTreeMap::new();
        for key in keys {
            let Some(row) = table.find(key_name, key)? else { continue };
            let batch = table.read(&[row], &[ORIGIN[0]])?;
            let source = batch.column_by_name(ORIGIN[0]).and_then(|array| cell(array, 0));
            if let Some(source) = number(source) {
                *found.entry(i64::from(source)).or_default() += 1;
            }
        }
        let most = found.into_iter().max_by_key(|(_, count)| *count);
        Ok(most.and_then(|(source, _)| self.sources.get(&source).cloned()))
    }

    /// Refuses a pack other than the one the run was made with.
    pub fn check_pack(&self, program: &Program) -> Result<(), ExplainError> {
        let run = self.pack_digest();
        if run == program.digest {
            return Ok(());
        }
        Err(ExplainError::OtherPack { run: short(run), now: short(&program.digest) })
    }
}

/// Where the snapshot of a run is: in the folder that is named; else where the run says; else near by, if both have been
/// copied somewhere. Only a snapshot of the same content is taken for it.
fn snapshot_of(folder: &Path, manifest: &RunManifest, named: Option<&Path>) -> Result<PathBuf, ExplainError> {
    let recorded = Path::new(&manifest.snapshot.path);
    let digest = &manifest.snapshot.digest;
    let near: Vec<PathBuf> = match named {
        Some(named) => vec![named.to_owned()],
        None => {
            let last = recorded.file_name().map(PathBuf::from).unwrap_or_default();
            let above = folder.join("..");
            let places =
                [folder.join(recorded), folder.join("snapshot"), folder.join(&last), above.join(&last)];
            let more = [above.join("snapshot"), above.join("snapshots").join(&last)];
            places.into_iter().chain(more).collect()
        }
    };
    let holds = |place: &&PathBuf| {
        read_json(&place.join("snapshot.json")).is_ok_and(|described| described["digest"] == digest.as_str())
    };
    if let Some(found) = near.iter().find(holds) {
        return Ok(found.clone());
    }
    let (run, place) = (folder.to_owned(), near[0].clone());
    let other = near[0].join("snapshot.json").is_file();
    Err(ExplainError::NoSnapshot { run, place, digest: short(digest), other, named: named.is_some() })
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

fn read_json(path: &Path) -> Result<Json, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// Explains what a rule or column says of a record, as the viewer may see it; without a name, everything promised to it.
pub fn explain(
    viewer: &Viewer<'_>,
    run: &StoredRun,
    entity: &str,
    key: &str,
    name: Option<&str>,
) -> Result<Vec<Explanation>, ExplainError> {
    let program = viewer.program();
    run.check_pack(program)?;
    let id = program.entity_named(entity).ok_or_else(|| ExplainError::UnknownEntity {
        name: entity.to_owned(),
        known: program.entities.iter().map(|entity| entity.name.as_str()).collect::<Vec<_>>().join(", "),
    })?;
    let asked = asked(program, id, name)?;
    let mut stored = Stored::new(program, run);
    let row = stored.find(id, key)?;
    let named = name.is_some();
    let explained = |facts: &Facts, row: u32, asked: Asked| {
        evaluate::explain::explain(viewer, facts, run.as_of, id, row, asked, Effort::default())
    };
    if let Some((facts, row)) = gather(program, &mut stored, id, row, &asked, Taken::Outside)? {
        return Ok(asked.into_iter().filter_map(|asked| explained(&facts, row, asked)).collect());
    }
    // All of it rests on too many records: one question at a time, and what still does on the run's result alone.
    let mut all = Vec::new();
    for asked in asked {
        let mut found = gather(program, &mut stored, id, row, &[asked], Taken::Outside)?;
        if found.is_none() {
            found = gather(program, &mut stored, id, row, &[asked], Taken::Everything)?;
        }
        match found {
            Some((facts, row)) => all.extend(explained(&facts, row, asked)),
            None if named => {
                return Err(ExplainError::TooMany { entity: entity.to_owned(), key: key.to_owned() });
            }
            None => {}
        }
    }
    Ok(all)
}

/// Explains a column of the record in a row, without a search for what would turn it; `None` if it rests on too many
/// records.
pub(crate) fn explain_row(
    stored: &mut Stored<'_>,
    entity: EntityId,
    row: u32,
    asked: Asked,
) -> Result<Option<Explanation>, ExplainError> {
    let (program, as_of) = (stored.program, stored.run.as_of);
    let mut found = gather(program, stored, entity, row, &[asked], Taken::Outside)?;
    if found.is_none() {
        found = gather(program, stored, entity, row, &[asked], Taken::Everything)?;
    }
    let effort = Effort { trials_max: 0, ..Effort::default() };
    Ok(found.and_then(|(facts, row)| {
        evaluate::explain::explain(&Viewer::masked(program), &facts, as_of, entity, row, asked, effort)
    }))
}

fn asked(program: &Program, entity: EntityId, name: Option<&str>) -> Result<Vec<Asked>, ExplainError> {
    let computes = |position: usize| {
        program
            .columns
            .iter()
            .any(|column| column.entity == entity && column.rule.is_some_and(|rule| rule.index() == position))
    };
    let Some(name) = name else {
        let promised = |kind| matches!(kind, RuleKind::Benefit | RuleKind::Standard | RuleKind::Duty);
        return Ok(program
            .rules
            .iter()
            .enumerate()
            .filter(|(position, rule)| promised(rule.kind) && computes(*position))
            .map(|(position, _)| Asked::Rule(RuleId(position as u32)))
            .collect());
    };
    let rule = program.rules.iter().position(|rule| rule.id == name).filter(|position| computes(*position));
    if let Some(position) = rule {
        return Ok(vec![Asked::Rule(RuleId(position as u32))]);
    }
    if let Some(column) = program.column_named(entity, name) {
        return Ok(vec![Asked::Column(column)]);
    }
    let names: Vec<&str> = program
        .columns
        .iter()
        .filter(|column| column.entity == entity && !column.is_hidden())
        .map(|column| column.name.as_str())
        .collect();
    let near = pack::diagnostic::nearest(name, names);
    Err(ExplainError::UnknownRule {
        name: name.to_owned(),
        entity: program.entity(entity).name.clone(),
        hint: near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default(),
    })
}

/// The tables of a run and of its snapshot, opened when they are first read.
pub(crate) struct Stored<'a> {
    program: &'a Program,
    run: &'a StoredRun,
    snapshots: HashMap<EntityId, StoredTable>,
    results: HashMap<EntityId, Option<StoredTable>>,
}

impl<'a> Stored<'a> {
    pub(crate) fn new(program: &'a Program, run: &'a StoredRun) -> Self {
        Self { program, run, snapshots: HashMap::new(), results: HashMap::new() }
    }

    pub(crate) fn run(&self) -> &'a StoredRun {
        self.run
    }

    pub(crate) fn program(&self) -> &'a Program {
        self.program
    }

    pub(crate) fn snapshot(&mut self, entity: EntityId) -> Result<&StoredTable, TableError> {
        if !self.snapshots.contains_key(&entity) {
            let path = self.run.snapshot.join(format!("{}.parquet", self.program.entity(entity).name));
            self.snapshots.insert(entity, StoredTable::open(&path)?);
        }
        Ok(&self.snapshots[&entity])
    }

    pub(crate) fn result(&mut self, entity: EntityId) -> Result<Option<&StoredTable>, TableError> {
        if !self.results.contains_key(&entity) {
            let path = self.run.folder.join(format!("{}.parquet", self.program.entity(entity).name));
            let table = if path.exists() { Some(StoredTable::open(&path)?) } else { None };
            self.results.insert(entity, table);
        }
        Ok(self.results[&entity].as_ref())
    }

    /// The row of the record with a key.
    fn find(&mut self, entity: EntityId, key: &str) -> Result<u32, ExplainError> {
        let program = self.program;
        let key_name = &program.column(program.entity(entity).key).name;
        let table = self.snapshot(entity)?;
        if let Some(row) = table.find(key_name, key)? {
            return Ok(row);
        }
        let first = if table.rows() == 0 { None } else { Some(table.read(&[0], &[key_name])?) };
        let example = first.and_then(|batch| cell(batch.column_by_name(key_name)?, 0));
        let name = program.entity(entity).name.clone();
        let hint = match example {
            Some(Value::Text(known)) => {
                let known = Viewer::masked(program).key(entity, &known).into_owned();
                format!("\nhint: keys look like `{known}`")
            }
            _ => format!("\nhint: no {name} has been imported"),
        };
        Err(ExplainError::UnknownRecord { entity: name, key: key.to_owned(), hint })
    }

    /// What the subject's branch hangs from, the highest ancestor that is not a division, with all records between
    /// them: the household of a person or stay. A division is its own.
    fn top_of_branch(
        &mut self,
        entity: EntityId,
        row: u32,
    ) -> Result<(EntityId, Vec<(EntityId, u32)>), TableError> {
        let mut members = vec![(entity, row)];
        let (mut at, mut at_row) = (entity, row);
        while let Some(edge) = self.program.entity(at).parent {
            let parent = self.program.edge(edge).parent;
            if self.program.entity(parent).division.is_some() {
                break;
            }
            let Some(above) = self.parents(edge, &[at_row])?[0] else { break };
            (at, at_row) = (parent, above);
            members.push((at, at_row));
        }
        Ok((at, members))
    }
}

impl Records for Stored<'_> {
    type Error = TableError;

    fn parents(&mut self, edge: EdgeId, children: &[u32]) -> Result<Vec<Option<u32>>, TableError> {
        let edge = self.program.edge(edge);
        let column = format!("_{}", edge.name);
        let batch = self.snapshot(edge.child)?.read(children, &[&column])?;
        let Some(array) = batch.column_by_name(&column) else { return Ok(vec![None; children.len()]) };
        Ok((0..children.len()).map(|row| number(cell(array, row))).collect())
    }

    fn children(&mut self, edge: EdgeId, parents: &[u32]) -> Result<Vec<(u32, u32)>, TableError> {
        let edge = self.program.edge(edge);
        self.snapshot(edge.child)?.children(&format!("_{}", edge.name), parents)
    }

    fn stored(&mut self, column: ColumnId) -> Result<bool, TableError> {
        let column = self.program.column(column);
        Ok(self.result(column.entity)?.is_some_and(|table| table.has(&column.name)))
    }
}

/// Records below others that are read for one explanation.
const RECORDS_MAX: usize = 20_000;

/// Which results are taken from the run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Those outside of the subject's branch.
    Outside,
    Everything,
}

/// Reads what the answers rest on and nothing else; with the subject's row among the facts. `None` if it is too much.
fn gather(
    program: &Program,
    stored: &mut Stored<'_>,
    entity: EntityId,
    row: u32,
    asked: &[Asked],
    taken: Taken,
) -> Result<Option<(Facts, u32)>, TableError> {
    let mut branch = match taken {
        Taken::Outside => {
            let (top, members) = stored.top_of_branch(entity, row)?;
            Branch::below(program, top, &members)
        }
        Taken::Everything => Branch::none(program),
    };
    let columns = asked.iter().flat_map(|asked| evaluate::explain::asked_columns(program, entity, *asked));
    let roots: Vec<(ColumnId, u32)> = columns.map(|column| (column, row)).collect();
    let found = evaluate::interpret::needed(program, &roots, &mut branch, stored, RECORDS_MAX)?;
    let Some(mut needed) = found else { return Ok(None) };
    needed.rows.entry(entity).or_default().insert(row);
    // Whoever asks about a route sees the whole of it.
    let routes: Vec<_> = needed
        .read
        .iter()
        .filter_map(|(column, rows)| Some((evaluate::explain::route_of(program, *column)?, rows.clone())))
        .collect();
    for (column, rows) in routes {
        needed.columns.insert(column);
        needed.read.entry(column).or_default().extend(rows);
    }
    let places = places(&needed);
    let facts = build(program, stored, &needed, &places)?;
    Ok(Some((facts, places[&entity][&row])))
}

/// Where the records are among the facts, by their rows in the snapshot.
type Places = BTreeMap<EntityId, HashMap<u32, u32>>;

fn places(needed: &Needed) -> Places {
    let numbered = |rows: &std::collections::BTreeSet<u32>| rows.iter().copied().zip(0..).collect();
    needed.rows.iter().map(|(entity, rows)| (*entity, numbered(rows))).collect()
}

/// What a record's origin is read from.
const ORIGIN: [&str; 3] = ["_source", "_source_row", "_recorded_on"];

fn build(
    program: &Program,
    stored: &mut Stored<'_>,
    needed: &Needed,
    places: &Places,
) -> Result<Facts, TableError> {
    let mut builder = FactsBuilder::linked(program, &needed.columns);
    for (entity, rows) in &needed.rows {
        let table = program.entity(*entity);
        let key_name = program.column(table.key).name.as_str();
        let rows: Vec<u32> = rows.iter().copied().collect();
        let of_entity = |id: &ColumnId| program.column(*id).entity == *entity && needed.read.contains_key(id);
        let is_field = |id: &ColumnId| matches!(program.column(*id).kind, ColumnKind::Field(_));
        let (fields, given): (Vec<ColumnId>, Vec<ColumnId>) =
            needed.columns.iter().copied().filter(of_entity).partition(is_field);
        let mut names: Vec<&str> = fields.iter().map(|id| program.column(*id).name.as_str()).collect();
        names.push(key_name);
        names.extend(ORIGIN);
        let batch = stored.snapshot(*entity)?.read(&rows, &names)?;
        let sources = &stored.run.sources;
        for position in 0..rows.len() {
            let value = |name: &str| batch.column_by_name(name).and_then(|array| cell(array, position));
            let key = match value(key_name) {
                Some(Value::Text(key)) => key,
                _ => String::new(),
            };
            let values = fields.iter().filter(|id| **id != table.key);
            let values = values.map(|id| (*id, value(&program.column(*id).name)));
            let row = builder.record(*entity, &key, values);
            let source = number(value(ORIGIN[0])).and_then(|id| sources.get(&i64::from(id)));
            if let Some((file, sheet)) = source {
                let recorded = match value(ORIGIN[2]) {
                    Some(Value::Date(date)) => Some(date),
                    _ => None,
                };
                let origin = Provenance {
                    file: file.clone(),
                    sheet: sheet.clone(),
                    row: number(value(ORIGIN[1])),
                    recorded,
                };
                builder.provenance(*entity, row, origin);
            }
        }
        give_results(program, stored, &mut builder, needed, places, *entity, &given)?;
    }
    for (edge, links) in &needed.links {
        let (child, parent) = (program.edge(*edge).child, program.edge(*edge).parent);
        for (row, above) in links {
            builder.link(*edge, places[&child][row], places[&parent][above]);
        }
    }
    Ok(builder.build())
}

/// Gives the results that are taken from the run, to the rows that need them.
fn give_results(
    program: &Program,
    stored: &mut Stored<'_>,
    builder: &mut FactsBuilder<'_>,
    needed: &Needed,
    places: &Places,
    entity: EntityId,
    given: &[ColumnId],
) -> Result<(), TableError> {
    let mut rows: Vec<u32> = given.iter().flat_map(|id| needed.read[id].iter().copied()).collect();
    rows.sort_unstable();
    rows.dedup();
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = given.iter().map(|id| program.column(*id).name.as_str()).collect();
    let Some(table) = stored.result(entity)? else { return Ok(()) };
    let batch = table.read(&rows, &names)?;
    for (id, name) in given.iter().zip(names) {
        let Some(array) = batch.column_by_name(name) else { continue };
        for (position, row) in rows.iter().enumerate() {
            if needed.read[id].contains(row) {
                builder.give(entity, places[&entity][row], *id, cell(array, position));
            }
        }
    }
    Ok(())
}

fn number(value: Option<Value>) -> Option<u32> {
    match value? {
        Value::Number(number) => u32::try_from(number).ok(),
        _ => None,
    }
}
