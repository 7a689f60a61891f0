//! Believable records for every entity of a pack: as many as asked for, the same for the same seed.
//!
//! A profile (TOML beside the pack) says how fields are distributed; an entity or field without one gets what
//! its type, range and code list allow. Divisions come from the list in force. Records are made column by
//! column and region by region (a county with all below it), each column of a region from a random stream of
//! its own, so that neither threads nor other columns change a value. Parts of a few regions are made and
//! encoded by several threads and written in order, so that memory is bounded by the parts under way.
//!
//! What depends on what is found from the profile: `household_size = { copy = "count(person)" }` is made after
//! the persons. Values that are "missing" are known to other columns all the same: the truth is there, the
//! record lacks it.
//!
//! Deliberately lacking: rules and results (`engine`), reading files of the pack and the clock (`app` and the
//! binary), and any word of a particular pack.

mod compile;
mod defaults;
mod divisions;
mod draw;
mod error;
mod facts;
mod make;
mod output;
mod parts;
mod plan;
mod problem;
mod profile;
mod random;
mod reference;
mod rows;
mod shape;
mod sheet;
mod spread;
mod values;
mod world;

use std::path::Path;

use pack::program::Program;
use serde_json::json;
use store::NewDivision;

pub use error::{Result, SynthError};
pub use output::Format;
pub use profile::{ProfileFile, SeedFile};

use divisions::Divisions;
use output::Writer;
use parts::PartRows;
use plan::Plan;
use profile::Profile;
use random::Stream;
use rows::Rows;
use shape::Shape;
use world::World;

/// Rows of the counted entity in a part, at least, where nothing else is said.
pub const PART_ROWS: u64 = 100_000;

/// What a pack brings along.
pub struct Input<'i> {
    pub program: &'i Program,
    pub profile: &'i [ProfileFile],
    /// The divisions in force; empty for a pack without.
    pub divisions: &'i [NewDivision],
    /// What the pack ships about divisions.
    pub seeds: &'i [SeedFile],
}

/// What to make.
pub struct Options<'o> {
    /// Records of the entity that the profile counts.
    pub count: u64,
    pub seed: u64,
    /// How often the division list is repeated, each time with codes of its own.
    pub provinces: usize,
    pub format: Format,
    /// 0 for one for each core.
    pub threads: usize,
    /// The bytes depend on it, and not on the threads.
    pub part_rows: u64,
    /// Told how many parts of how many are written.
    pub progress: &'o (dyn Fn(usize, usize) + Sync),
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Rows by entity, in the program's order.
    pub rows: Vec<(String, u64)>,
    /// What the profile says of entities and fields that the pack does not have.
    pub unused: Vec<String>,
    /// Of a snapshot.
    pub digest: Option<String>,
    /// Of all files.
    pub bytes: u64,
}

/// Makes records and writes them to a folder.
pub fn generate(input: &Input<'_>, options: &Options<'_>, out: &Path) -> Result<Summary> {
    let mut profile = Profile::read(input.profile)?;
    profile.read_facts(input.program, input.seeds)?;
    let plan = Plan::new(Shape::new(input.program), &profile)?;
    if input.divisions.is_empty() && plan.shape.entities.iter().any(|entity| entity.division.is_some()) {
        return Err(SynthError::DivisionsMissing);
    }
    let divisions = Divisions::new(&plan.shape, input.divisions, options.provinces)?;
    let whole = make_whole(&plan, &profile, &divisions, options);
    let counts = regional_counts(&whole, options);
    let schemas = store::snapshot_schemas(input.program)?;
    let mut writer = Writer::create(input.program, options.format, out)?;
    let entities = || 0..plan.shape.entities.len();
    let rows_of = |world: &World<'_, '_>, regional: bool| -> PartRows {
        let wanted = entities().filter(|entity| plan.shape.entities[*entity].whole != regional);
        wanted
            .filter(|entity| world.tables[*entity].is_some())
            .map(|entity| (entity, Rows::new(&plan.shape, entity, &schemas[entity])))
            .collect()
    };
    let mut offsets = vec![0; plan.shape.entities.len()];
    let mut first = rows_of(&whole, false);
    for (entity, rows) in &mut first {
        if let Some(table) = &whole.tables[*entity] {
            rows.add(&plan.shape, table, &offsets);
        }
    }
    for one in parts::encode(&writer.encoder(), first, &offsets)? {
        writer.write(one)?;
    }
    for entity in entities().filter(|entity| plan.shape.entities[*entity].whole) {
        offsets[entity] = whole.rows(entity);
    }
    let parts = cut(&counts, options.part_rows);
    let make = |part: usize| -> PartRows {
        let mut before = vec![0; plan.shape.entities.len()];
        let mut all: PartRows = Vec::new();
        for region in parts[part].clone() {
            let world = make_region(&plan, &profile, &divisions, &whole, options, region, counts[region]);
            if all.is_empty() {
                all = rows_of(&world, true);
            }
            for (entity, rows) in &mut all {
                if let Some(table) = &world.tables[*entity] {
                    rows.add(&plan.shape, table, &before);
                }
            }
            for (entity, rows) in &all {
                before[*entity] = rows.count;
            }
        }
        all
    };
    let done = |done: usize| (options.progress)(done, parts.len());
    parts::in_order(threads(options), parts.len(), &mut offsets, &make, &mut writer, &done)?;
    let origin = json!({
        "synthetic": true,
        "count": options.count,
        "seed": options.seed,
        "provinces": options.provinces,
        "pack": input.program.info.id,
        "pack_digest": input.program.digest,
    });
    let (digest, bytes) = writer.finish(origin, out)?;
    let names = plan.shape.entities.iter().map(|entity| entity.name.clone());
    let rows = names.zip(offsets.into_iter().map(|rows| rows as u64)).collect();
    Ok(Summary { rows, unused: plan.unused.clone(), digest, bytes })
}

fn threads(options: &Options<'_>) -> usize {
    match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

fn make_whole<'w, 'p>(
    plan: &'w Plan<'p>,
    profile: &Profile,
    divisions: &'w Divisions,
    options: &Options<'_>,
) -> World<'w, 'p> {
    let mut world = World {
        plan,
        divisions,
        base: None,
        region: None,
        name: String::new(),
        seed: options.seed,
        wanted: options.count,
        tables: plan.shape.entities.iter().map(|_| None).collect(),
    };
    make::make(&mut world, profile, &plan.whole);
    world
}

fn make_region<'w, 'p>(
    plan: &'w Plan<'p>,
    profile: &Profile,
    divisions: &'w Divisions,
    whole: &'w World<'w, 'p>,
    options: &Options<'_>,
    region: usize,
    wanted: u64,
) -> World<'w, 'p> {
    let entity = plan.shape.region.expect("there are regions only of an entity");
    let name = divisions.0[entity].get(region).map_or_else(|| region.to_string(), |row| row.code.clone());
    let mut world = World {
        plan,
        divisions,
        base: Some(whole),
        region: Some(region),
        name,
        seed: options.seed,
        wanted,
        tables: plan.shape.entities.iter().map(|_| None).collect(),
    };
    make::make(&mut world, profile, &plan.regional);
    world
}

/// A region gets ten times what a place inside it gets at least.
const REGION_LEAST: u64 = 10;

/// How many of what is counted each region gets.
fn regional_counts(whole: &World<'_, '_>, options: &Options<'_>) -> Vec<u64> {
    let (Some(region), Some(size)) = (whole.plan.shape.region, &whole.plan.size) else { return Vec::new() };
    let rows = whole.rows(region);
    if whole.plan.shape.entities[size.entity].whole {
        return vec![0; rows];
    }
    let weights: Vec<f64> = match &size.weight {
        Some(drawing) => {
            let mut stream = Stream::new(options.seed, &["size", "weight"]);
            let others = whole.gather(region, 0..rows, drawing);
            (0..rows).map(|row| drawing.draw.number(row, &others, &mut stream).max(0) as f64).collect()
        }
        None => vec![1.0; rows],
    };
    spread::spread(options.count, &weights, size.at_least * REGION_LEAST)
}

/// Neighbouring regions that together have enough rows.
fn cut(counts: &[u64], part_rows: u64) -> Vec<std::ops::Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut rows) = (0, 0);
    for (region, count) in counts.iter().enumerate() {
        rows += count;
        if rows >= part_rows {
            parts.push(start..region + 1);
            (start, rows) = (region + 1, 0);
        }
    }
    if start < counts.len() {
        parts.push(start..counts.len());
    }
    parts
}
