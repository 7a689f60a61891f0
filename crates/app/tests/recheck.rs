//! Records registered before are checked again when an import brings, moves or changes what belongs to them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use app::import::{ImportOptions, ImportReport, Severity, import};
use pack::program::{EntityId, Program, Value};
use store::{Moment, Registry, RegistryId};

/// Hamlets, households in them, persons in these. A household's size is checked with a warning; no household
/// may have more than three persons and no hamlet more than four.
const PACK: &str = r#"
[pack]
id = "p"
version = "1"
title = { zh = "试", en = "test" }
as_of = 2015-12-31

[[entity]]
id = "hamlet"
label = { zh = "组", en = "hamlet" }
key = "number"
rows_max = 100
sheet = ["组表"]
[[entity.field]]
id = "number"
label = { zh = "组号", en = "hamlet number" }
type = "text"
required = true
[[entity.field]]
id = "wells"
label = { zh = "水井", en = "wells" }
type = "count"
range = [0, 9]
form = "card"

[[entity]]
id = "household"
label = { zh = "户", en = "household" }
key = "number"
parent = { entity = "hamlet", via = "hamlet_number", required = true }
rows_max = 1000
sheet = ["户表"]
[[entity.field]]
id = "number"
label = { zh = "户编号", en = "household number" }
type = "text"
required = true
[[entity.field]]
id = "hamlet_number"
label = { zh = "组号", en = "hamlet number" }
type = "text"
required = true
[[entity.field]]
id = "size"
label = { zh = "人口数", en = "size" }
type = "count"
range = [0, 99]

[[entity]]
id = "person"
label = { zh = "人", en = "person" }
key = "number"
parent = { entity = "household", via = "household_number", required = true }
rows_max = 10000
sheet = ["人表"]
[[entity.field]]
id = "number"
label = { zh = "人编号", en = "person number" }
type = "text"
required = true
[[entity.field]]
id = "household_number"
label = { zh = "户编号", en = "household number" }
type = "text"
required = true
[[entity.field]]
id = "present"
label = { zh = "在家", en = "present" }
type = "bool"
form = "card"

[[variable]]
id = "members"
on = "household"
title = { zh = "成员数", en = "members" }
type = "count"
expr = "count(person)"

[[check]]
id = "size_not_members"
on = "household"
title = { zh = "人口数不符", en = "size differs" }
fails = "size <> members"
at = "import"
action = "warn"
message = { zh = "登记 {size} 人，实有 {members} 人", en = "{size} written, {members} there" }
mend = "size"

[[check]]
id = "household_too_large"
on = "household"
title = { zh = "人数过多", en = "too many" }
fails = "members > 3"
at = "import"
action = "refuse"
message = { zh = "{members} 人", en = "{members} members" }

[[check]]
id = "hamlet_too_large"
on = "hamlet"
title = { zh = "组过大", en = "hamlet too large" }
fails = "sum(household.members) > 4"
at = "import"
action = "refuse"
message = { zh = "人数过多", en = "too many persons" }
"#;

struct Office {
    folder: tempfile::TempDir,
    program: Program,
    registry: Registry,
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = pack::PackSource { name: "p".into(), files: vec![("pack.toml".into(), PACK.into())] };
        let program =
            pack::compile(&[source], &[]).unwrap_or_else(|failure| panic!("{}", failure.render(false)));
        let registry =
            Registry::create(&folder.path().join("r"), &program, RegistryId::from_random([1; 16])).unwrap();
        Self { folder, program, registry }
    }

    fn file(&self, name: &str, lines: &[&str]) -> PathBuf {
        let path: &Path = self.folder.path();
        let path = path.join(format!("{name}.csv"));
        fs::write(&path, lines.join("\n")).unwrap();
        path
    }

    /// Imports hamlets `a` and `b`, and households `hamlet,household,size`.
    fn households(&mut self, lines: &[&str]) {
        let hamlets = self.file("组表", &["组号,水井", "a,1", "b,2"]);
        let households = self.file("户表", &[&["组号,户编号,人口数"], lines].concat());
        let report = self.import(&[hamlets, households]);
        assert_eq!((report.faults, report.registered), (vec![], vec![]));
    }

    /// Imports persons `household,person`.
    fn persons(&mut self, lines: &[&str]) -> ImportReport {
        let file = self.file("人表", &[&["户编号,人编号"], lines].concat());
        self.import(&[file])
    }

    fn import(&mut self, files: &[PathBuf]) -> ImportReport {
        let options = ImportOptions {
            actor: "tester".into(),
            now: Moment::from_unix_ms(1_451_980_800_000),
            as_of: self.program.info.as_of,
            report: Some(self.folder.path().join("report.xlsx")),
            preview: false,
            progress: &|_| true,
        };
        import(&mut self.registry, &self.program, files, &options).unwrap()
    }

    fn household_of(&self, person: &str) -> Option<String> {
        let id =
            EntityId(self.program.entities.iter().position(|entity| entity.name == "person").unwrap() as u32);
        match self.registry.view().record(id, person).unwrap()?.values[1].take() {
            Some(Value::Text(text)) => Some(text),
            other => panic!("{other:?}"),
        }
    }
}

/// Key, place, code and message of each doubt about a registered record.
fn doubts(report: &ImportReport) -> Vec<String> {
    let told = report.registered.iter();
    told.map(|doubt| {
        assert_eq!(doubt.severity, Severity::Warning);
        let row = doubt.row.map_or(0, |row| row);
        format!("{} {} {row} {} {}: {}", doubt.key, doubt.file, doubt.column, doubt.code, doubt.message.en)
    })
    .collect()
}

fn refused(report: &ImportReport) -> Vec<(u32, &str)> {
    report.faults.iter().map(|fault| (fault.row, fault.code.as_str())).collect()
}

#[test]
fn persons_alone_are_held_against_their_registered_household() {
    let mut office = Office::new();
    office.households(&["a,h1,2", "a,h2,1"]);
    let report = office.persons(&["h1,p1", "h2,p2"]);
    assert_eq!(doubts(&report), ["h1 户表.csv 2 人口数 size-not-members: 2 written, 1 there"]);
    assert_eq!(report.faults, []);
    assert!(report.needs_attention());
    let text = report.summary(model::Lang::En, 9);
    assert!(text.contains("household h1 (户表.csv row 2) 人口数: 2 written, 1 there"), "{text}");
    assert_eq!(report.to_json()["registered"][0]["key"], "h1");
    assert_eq!(office.household_of("p1").as_deref(), Some("h1"), "a warning keeps nothing out");

    // The same again says the same; the missing person settles it.
    assert_eq!(doubts(&office.persons(&["h1,p1", "h2,p2"])).len(), 1);
    assert_eq!(doubts(&office.persons(&["h1,p3"])), [""; 0]);
}

#[test]
fn a_person_who_moves_leaves_a_doubt_about_both_households() {
    let mut office = Office::new();
    office.households(&["a,h1,2", "a,h2,1", "a,h3,0"]);
    assert_eq!(doubts(&office.persons(&["h1,p1", "h1,p2", "h2,p3"])), [""; 0]);
    let report = office.persons(&["h2,p2"]);
    assert_eq!(
        doubts(&report),
        [
            "h1 户表.csv 2 人口数 size-not-members: 2 written, 1 there",
            "h2 户表.csv 3 人口数 size-not-members: 1 written, 2 there"
        ]
    );
    assert_eq!(office.household_of("p2").as_deref(), Some("h2"));
}

#[test]
fn a_refusing_check_of_a_registered_household_refuses_the_rows_that_fail_it() {
    let mut office = Office::new();
    office.households(&["a,h1,3", "b,h2,1"]);
    assert_eq!(doubts(&office.persons(&["h1,p1", "h1,p2", "h1,p3"])), [""; 0]);
    let report = office.persons(&["h1,p4", "h2,p5"]);
    assert_eq!(refused(&report), [(2, "household-too-large")]);
    let message = &report.faults[0].message.en;
    assert_eq!(message, "the registered household h1: 4 members");
    assert_eq!((office.household_of("p4"), office.household_of("p5").as_deref()), (None, Some("h2")));
    assert_eq!((report.sheets[0].accepted, report.sheets[0].refused), (1, 1));
}

#[test]
fn checks_two_levels_up_run_again_and_refuse_the_rows_at_the_bottom() {
    let mut office = Office::new();
    office.households(&["a,h1,3", "a,h2,1", "b,h3,2"]);
    assert_eq!(doubts(&office.persons(&["h1,p1", "h1,p2", "h1,p3", "h2,p4"])), [""; 0]);
    let report = office.persons(&["h2,p5", "h3,p6", "h3,p7"]);
    assert_eq!(refused(&report), [(2, "hamlet-too-large")]);
    assert_eq!(office.household_of("p5"), None);
    assert_eq!(office.household_of("p6").as_deref(), Some("h3"));
}

#[test]
fn households_of_the_same_import_are_checked_once_and_beside_registered_ones() {
    let mut office = Office::new();
    office.households(&["a,h1,2", "b,h2,1"]);
    let households = office.file("户表", &["组号,户编号,人口数", "b,h3,2"]);
    let persons = office.file("人表", &["户编号,人编号", "h1,p1", "h3,p2"]);
    let report = office.import(&[households, persons]);
    assert_eq!(doubts(&report), ["h1 户表.csv 2 人口数 size-not-members: 2 written, 1 there"]);
    assert_eq!(refused(&report), [(2, "size-not-members")], "of the household that the import holds");
    assert_eq!(report.sheets.iter().map(|sheet| sheet.accepted).collect::<Vec<_>>(), [1, 2]);
}
