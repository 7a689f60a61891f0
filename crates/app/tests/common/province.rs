//! A small believable province: two counties, some thousand registered persons.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use pack::program::Program;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use store::NewDivision;
use synth::{Format, Input, Options, ProfileFile, SeedFile, Summary};

use crate::common::pack_folder;

/// Two counties of contiguous areas, one in the mountains and one on the plateau.
pub const COUNTIES: [&str; 2] = ["513431", "513336"];
pub const PERSONS: u64 = 4_000;

pub fn divisions() -> Vec<NewDivision> {
    let text = std::fs::read_to_string(pack_folder().join("data/divisions.csv")).unwrap();
    let mut list = store::read_division_list(&text).unwrap();
    list.retain(|division| {
        let code = division.code.to_string();
        COUNTIES.iter().any(|county| {
            code.starts_with(county) || format!("{county}000000").starts_with(&division.code.short())
        })
    });
    list
}

pub fn generate(
    program: &Program,
    persons: u64,
    seed: u64,
    threads: usize,
    format: Format,
    out: &Path,
) -> Summary {
    let folder = pack_folder();
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let mut profile: Vec<ProfileFile> = std::fs::read_dir(folder.join("synth"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| ProfileFile { name: path.display().to_string(), text: text(&path) })
        .collect();
    profile.sort_by(|a, b| a.name.cmp(&b.name));
    let csv = program
        .seeds
        .iter()
        .filter(|seed| Path::new(&seed.file).extension().is_some_and(|kind| kind == "csv"));
    let seeds: Vec<SeedFile> = csv
        .map(|seed| SeedFile {
            entity: seed.entity.index(),
            name: seed.file.clone(),
            text: text(&folder.join(&seed.file)),
        })
        .collect();
    let input = Input { program, profile: &profile, divisions: &divisions(), seeds: &seeds };
    let options =
        Options { count: persons, seed, provinces: 1, format, threads, part_rows: 500, progress: &|_, _| {} };
    synth::generate(&input, &options, out).unwrap()
}

pub fn read(folder: &Path, entity: &str) -> RecordBatch {
    let file = File::open(folder.join(format!("{entity}.parquet"))).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = Arc::clone(builder.schema());
    let batches: Vec<RecordBatch> = builder.build().unwrap().collect::<Result<_, _>>().unwrap();
    concat_batches(&schema, &batches).unwrap()
}
