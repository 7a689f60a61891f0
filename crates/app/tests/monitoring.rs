//! The pack for monitoring against return to poverty: its worked cases hold in both engines, and the five
//! exports of its sample county are read as they come, with the planted faults found and nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use app::cases::{CaseResult, executed, interpreted};
use app::import::{ImportOptions, ImportReport, Severity, import};
use app::packs::Loaded;
use store::{Moment, Registry, RegistryId};

const EXPORTS: [&str; 5] = ["行政村信息", "户信息", "监测对象信息", "已外出务工信息", "计划外出务工信息"];
const LEDGERS: [&str; 4] = ["风险台账", "帮扶措施台账", "走访台账", "年度收入台账"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/monitoring-2023")
}

fn loaded() -> Loaded {
    match app::packs::load(&folder(), &[], &[]) {
        Ok(loaded) => loaded,
        Err(app::packs::PackError::Mistakes(failure)) => panic!("{}", failure.render(false)),
        Err(error) => panic!("{error}"),
    }
}

fn check(results: &[CaseResult], cases: usize) {
    assert_eq!(results.len(), cases);
    let failures: Vec<String> = results
        .iter()
        .flat_map(|result| {
            result.mismatches.iter().map(move |mismatch| {
                format!(
                    "{}: {} {} {}: expected {:?}, found {:?}",
                    result.name,
                    mismatch.entity,
                    mismatch.key,
                    mismatch.column,
                    mismatch.expected,
                    mismatch.found
                )
            })
        })
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(results.iter().map(|result| result.held).sum::<usize>() >= 80);
}

fn imported(place: &Path, pack: &Loaded, names: &[&str]) -> ImportReport {
    let mut registry = Registry::create(place, &pack.program, RegistryId::from_random([1; 16])).unwrap();
    let now = Moment::from_unix_ms(1_703_980_800_000);
    app::seed::fill(&mut registry, pack, now).unwrap();
    let files: Vec<PathBuf> =
        names.iter().map(|name| folder().join("data/county").join(format!("{name}.csv"))).collect();
    let options = ImportOptions {
        actor: "tester".into(),
        now,
        as_of: "2023-12-31".parse().unwrap(),
        report: None,
        preview: false,
        allow_erase: false,
        progress: &|_| true,
    };
    import(&mut registry, &pack.program, &files, &options).unwrap()
}

#[test]
fn the_monitoring_pack_means_in_the_evaluator_what_its_cases_say() {
    let program = loaded().program;
    check(&interpreted(&program), program.cases.len());
}

#[test]
fn the_monitoring_pack_means_in_the_engine_what_its_cases_say() {
    let program = loaded().program;
    check(&executed(&program).expect("the stages run"), program.cases.len());
}

#[test]
fn the_five_exports_are_read_and_each_planted_fault_is_told_at_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let report = imported(&folder.path().join("r"), &loaded(), &EXPORTS);
    let counts: Vec<_> =
        report.sheets.iter().map(|sheet| (sheet.read, sheet.accepted, sheet.refused, sheet.held)).collect();
    assert_eq!(
        counts,
        [(6, 6, 0, 0), (66, 63, 2, 1), (198, 189, 2, 7), (66, 63, 0, 3), (33, 31, 1, 1)],
        "villages, households, persons, work away, planned work"
    );
    let mut found: Vec<(&str, u32)> =
        report.faults.iter().map(|fault| (fault.file.trim_end_matches(".csv"), fault.row)).collect();
    found.sort_unstable();
    let mut planted = vec![
        ("户信息", 7),
        ("户信息", 11),
        ("监测对象信息", 5),
        ("监测对象信息", 11),
        ("监测对象信息", 12),
        ("监测对象信息", 22),
        ("监测对象信息", 33),
        ("监测对象信息", 42),
        ("监测对象信息", 57),
        ("监测对象信息", 72),
        ("已外出务工信息", 4),
        ("已外出务工信息", 8),
        ("计划外出务工信息", 3),
    ];
    planted.sort_unstable();
    assert_eq!(found, planted);
    let warnings = report.faults.iter().filter(|fault| fault.severity == Severity::Warning).count();
    assert_eq!(warnings, 8, "the others are refused");
}

#[test]
fn the_ledgers_beside_the_exports_are_read_with_their_two_faults() {
    let folder = tempfile::tempdir().unwrap();
    let names = [&EXPORTS[..], &LEDGERS[..]].concat();
    let report = imported(&folder.path().join("r"), &loaded(), &names);
    let counts: Vec<_> = report.sheets[EXPORTS.len()..]
        .iter()
        .map(|sheet| (sheet.read, sheet.accepted, sheet.refused, sheet.held))
        .collect();
    // What belongs to the household that waits for its refused member waits with it.
    assert_eq!(counts, [(64, 63, 0, 1), (58, 57, 0, 1), (128, 126, 0, 2), (128, 126, 0, 2)]);
    let mut found: Vec<(&str, u32)> = report
        .faults
        .iter()
        .map(|fault| (fault.file.trim_end_matches(".csv"), fault.row))
        .filter(|(file, _)| LEDGERS.contains(file))
        .collect();
    found.sort_unstable();
    let mut planted = [("年度收入台账", 39), ("走访台账", 23)];
    planted.sort_unstable();
    assert_eq!(found, planted);
}
