//! What integration tests share: the shipped pack, a registry with its divisions, and its workbooks.

use std::fs;
use std::path::{Path, PathBuf};

use app::divisions::{PackFile, import_divisions};
use app::import::{ImportError, ImportOptions, ImportReport, import};
use model::Date;
use pack::program::Program;
use store::{ImportMeta, Moment, Registry};

pub fn pack_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015")
}

/// The shipped pack, compiled.
pub fn program() -> Program {
    let mut files: Vec<(String, String)> = fs::read_dir(pack_folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = format!("sichuan-2015/{}", path.file_name().unwrap().to_string_lossy());
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    compile(files)
}

fn compile(files: Vec<(String, String)>) -> Program {
    let source = pack::PackSource { name: "sichuan-2015".into(), files };
    match pack::compile(&[source], &[]) {
        Ok(program) => program,
        Err(failure) => panic!("the shipped pack does not compile:\n{}", failure.render(false)),
    }
}

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn now() -> Moment {
    Moment::from_unix_ms(1_451_980_800_000)
}

/// An empty registry with the division list of the pack.
pub fn registry(folder: &Path, program: &Program) -> Registry {
    let mut registry = Registry::create(folder, program).unwrap();
    let text = |name: &str| fs::read_to_string(pack_folder().join("data").join(name)).unwrap();
    let (divisions, poor) = (text("divisions.csv"), text("poor-counties.csv"));
    let meta = ImportMeta { actor: "init".into(), recorded_at: now(), pack_digest: program.digest.clone() };
    import_divisions(
        &mut registry,
        program,
        PackFile { name: "divisions.csv", text: &divisions },
        PackFile { name: "poor-counties.csv", text: &poor },
        day("2015-01-01"),
        meta,
    )
    .unwrap();
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
