//! What integration tests share: the shipped pack, a registry with its divisions, and its workbooks.

use std::path::{Path, PathBuf};

use app::import::{ImportError, ImportOptions, ImportReport, import};
use app::packs::Loaded;
use model::Date;
use pack::program::Program;
use store::{Moment, Registry, RegistryId};

pub fn pack_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015")
}

/// The shipped pack, compiled.
pub fn program() -> Program {
    loaded().program
}

pub fn loaded() -> Loaded {
    match app::packs::load(&pack_folder(), &[], &[]) {
        Ok(loaded) => loaded,
        Err(app::packs::PackError::Mistakes(failure)) => panic!("{}", failure.render(false)),
        Err(error) => panic!("{error}"),
    }
}

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn now() -> Moment {
    Moment::from_unix_ms(1_451_980_800_000)
}

/// A registry with what the pack ships and nothing else.
pub fn registry(folder: &Path, program: &Program) -> Registry {
    let mut registry = Registry::create(folder, program, RegistryId::from_random([1; 16])).unwrap();
    app::seed::fill(&mut registry, &loaded(), now()).unwrap();
    registry
}

/// The workbooks of one of the shipped counties.
pub fn workbooks(county: &str, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| pack_folder().join("data").join(county).join(format!("{name}.xlsx"))).collect()
}

pub fn run(
    registry: &mut Registry,
    program: &Program,
    files: &[PathBuf],
) -> Result<ImportReport, ImportError> {
    run_with_report(registry, program, files, None)
}

pub fn run_with_report(
    registry: &mut Registry,
    program: &Program,
    files: &[PathBuf],
    report: Option<PathBuf>,
) -> Result<ImportReport, ImportError> {
    let options = ImportOptions {
        actor: "tester".into(),
        now: now(),
        as_of: day("2015-12-31"),
        report,
        preview: false,
        progress: &|_| true,
    };
    import(registry, program, files, &options)
}
