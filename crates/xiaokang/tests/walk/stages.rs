//! Registries of the sample county at the beginning of the story's chapters, to go on from in another way.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(dead_code, reason = "every program that shares this uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use app::funds;
use model::Lang;
use model::ledger::trace_document;
use xiaokang::acting::Office;
use xiaokang::console::Failure;
use xiaokang::demo::cast::Cast;
use xiaokang::demo::story::{self, DOCUMENT, Teller};

pub const FILES: [&str; 5] = ["村.xlsx", "户.xlsx", "人.xlsx", "住院.xlsx", "贷款.xlsx"];

pub fn pack_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015")
}

/// The paths of workbooks of the sample.
pub fn workbooks(files: &[&str]) -> Vec<String> {
    let data = pack_folder().join("data/xiangcheng");
    files.iter().map(|file| data.join(file).display().to_string()).collect()
}

/// Registries as they are at the beginning of chapters; made once, each from the one before.
pub struct Stages {
    folder: tempfile::TempDir,
    pub cast: Cast,
}

type Chapter = fn(&mut Teller) -> Result<(), Failure>;

/// Each stage, the one it goes on from, and how.
const CHAPTERS: [(&str, &str, Chapter); 6] = [
    ("granted", "imported", story::money),
    ("noticed", "granted", story::application_to_notice),
    ("reviewed", "noticed", story::objection_to_review),
    ("published", "reviewed", story::visits_and_notice),
    ("approved", "published", story::decision),
    ("paid", "approved", story::payment),
];

impl Stages {
    pub fn get() -> &'static Self {
        static MADE: OnceLock<Stages> = OnceLock::new();
        MADE.get_or_init(Self::make)
    }

    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let imported = folder.path().join("imported");
        // The registry has only places, households and persons at first.
        let half = folder.path().join("half");
        fs::create_dir(&half).unwrap();
        let import = |at: &Path, files: &[&str]| {
            let teller = Teller::new(at, &at.join("registry"), &pack_folder(), Lang::En, nobody());
            let books = workbooks(files);
            let mut all = vec!["import"];
            all.extend(books.iter().map(String::as_str));
            teller.look(&all).unwrap();
        };
        import(&half, &FILES[..3]);
        copy(&half, &imported);
        import(&imported, &FILES[3..]);
        let cast =
            Cast::find(&imported.join("registry"), &pack_folder(), story::started(), Lang::En).unwrap();
        let stages = Self { folder, cast };
        for (to, from, chapter) in CHAPTERS {
            let (from, to) = (stages.path(from), stages.path(to));
            copy(&from, &to);
            chapter(&mut stages.teller(&to)).unwrap();
        }
        stages
    }

    pub fn path(&self, stage: &str) -> PathBuf {
        self.folder.path().join(stage)
    }

    pub fn teller(&self, folder: &Path) -> Teller {
        Teller::new(folder, &folder.join("registry"), &pack_folder(), Lang::En, self.cast.clone())
    }
}

/// A cast before anybody is known.
pub fn nobody() -> Cast {
    Cast { village: String::new(), households: BTreeMap::new(), objected: String::new(), entitled: 0 }
}

/// A copy of a stage, to go on with.
pub fn at(stage: &str) -> (tempfile::TempDir, Teller) {
    let folder = tempfile::tempdir().unwrap();
    let stages = Stages::get();
    copy(&stages.path(stage), folder.path());
    let teller = stages.teller(folder.path());
    (folder, teller)
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub fn events(teller: &Teller) -> u64 {
    let office = teller.office().unwrap();
    office.registry.view().events_after(0, usize::MAX >> 1).unwrap().len() as u64
}

/// Keys of the current records of an entity.
pub fn keys(teller: &Teller, entity: &str) -> BTreeSet<String> {
    keys_of(&teller.office().unwrap(), entity)
}

pub fn keys_of(office: &Office, entity: &str) -> BTreeSet<String> {
    let program = &office.pack.program;
    let entity = program.entity_named(entity).unwrap();
    let mut keys = BTreeSet::new();
    let add = |row: &store::ScanRow<'_>| {
        keys.extend(row.text(0).map(str::to_owned));
        Ok(())
    };
    office.registry.view().scan(entity, &[program.entity(entity).key], add).unwrap();
    keys
}

/// What was granted, set apart, owed, with the bank and delivered, in fen; nothing before there is a document.
pub fn sums(teller: &Teller) -> [i64; 5] {
    sums_of(&teller.office().unwrap())
}

pub fn sums_of(office: &Office) -> [i64; 5] {
    let book = funds::book(&office.registry).unwrap();
    let Some(descent) = trace_document(&book, &DOCUMENT.parse().unwrap()) else { return [0; 5] };
    [descent.granted, descent.committed, descent.owed, descent.with_bank, descent.delivered]
        .map(model::Fen::fen)
}
