//! The shipped workbooks: one county's in order, and one with planted faults, all of which are found at their
//! cells and nothing else is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeSet;
use std::fs;

use app::import::{ImportReport, Severity};
use common::{pack_folder, program, registry, run, run_with_report, workbooks};

const ALL: [&str; 5] = ["村", "户", "人", "住院", "贷款"];

type Place = (String, u32, String);

fn planted() -> BTreeSet<Place> {
    let text = fs::read_to_string(pack_folder().join("data/zhaojue-dirty/faults.csv")).unwrap();
    let mut lines = csv::Reader::from_reader(text.as_bytes());
    lines
        .records()
        .map(|line| line.unwrap())
        .map(|line| (line[0].to_owned(), line[1].parse().unwrap(), line[2].to_owned()))
        .collect()
}

fn found(report: &ImportReport) -> BTreeSet<Place> {
    report.faults.iter().map(|fault| (fault.file.clone(), fault.row, fault.column.clone())).collect()
}

fn assert_planted(report: &ImportReport) {
    let (planted, found) = (planted(), found(report));
    let missed: Vec<&Place> = planted.difference(&found).collect();
    let false_alarms: Vec<_> = report
        .faults
        .iter()
        .filter(|fault| !planted.contains(&(fault.file.clone(), fault.row, fault.column.clone())))
        .collect();
    assert!(
        missed.is_empty() && false_alarms.is_empty(),
        "missed {missed:#?}\nfalse alarms {false_alarms:#?}"
    );
    assert_eq!(report.faults.len(), planted.len(), "one fault for each cell");
}

#[test]
fn a_clean_county_is_taken_whole_and_the_second_time_nothing_changes() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let files = workbooks("xiangcheng", &ALL);
    let report = run(&mut registry, &program, &files).unwrap();
    assert_eq!(report.faults, []);
    assert_eq!(report.held, []);
    for (sheet, read) in report.sheets.iter().zip([38, 711, 2565, 425, 121]) {
        assert_eq!((sheet.read, sheet.accepted, sheet.changed), (read, read, read), "{}", sheet.file);
    }
    let again = run(&mut registry, &program, &files).unwrap();
    for sheet in &again.sheets {
        assert_eq!((sheet.changed, sheet.unchanged), (0, sheet.read), "{}", sheet.file);
    }
    assert_eq!(again.faults, []);
}

#[test]
fn all_planted_faults_are_found_and_nothing_else_in_any_order_of_files() {
    let program = program();
    for names in [ALL, ["贷款", "住院", "人", "户", "村"]] {
        let folder = tempfile::tempdir().unwrap();
        let mut registry = registry(&folder.path().join("r"), &program);
        let report = run(&mut registry, &program, &workbooks("zhaojue-dirty", &names)).unwrap();
        assert_planted(&report);
        for sheet in &report.sheets {
            assert_eq!(sheet.read, sheet.accepted + sheet.refused + sheet.held, "{}", sheet.file);
            assert_eq!(sheet.accepted, sheet.changed + sheet.unchanged, "{}", sheet.file);
        }
        assert_eq!(report.sheets.iter().map(|sheet| sheet.ignored_rows).collect::<Vec<_>>(), [1; 5]);
    }
}

#[test]
fn a_dirty_county_again_changes_nothing_and_finds_the_same() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let files = workbooks("zhaojue-dirty", &ALL);
    let first = run(&mut registry, &program, &files).unwrap();
    let second = run(&mut registry, &program, &files).unwrap();
    assert_eq!(first.faults, second.faults);
    assert_eq!(first.held, second.held);
    assert!(second.sheets.iter().all(|sheet| sheet.changed == 0));
}

#[test]
fn sheets_given_one_by_one_find_the_same_faults() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let mut faults = BTreeSet::new();
    for name in ALL {
        let report = run(&mut registry, &program, &workbooks("zhaojue-dirty", &[name])).unwrap();
        faults.extend(found(&report));
        // Members of registered households are counted when the persons come, and told where these were read.
        faults.extend(
            report
                .registered
                .iter()
                .map(|doubt| (doubt.file.clone(), doubt.row.unwrap_or_default(), doubt.column.clone())),
        );
        for doubt in &report.registered {
            let place = (doubt.file.clone(), doubt.row.unwrap_or_default(), doubt.column.clone());
            assert!(planted().contains(&place), "{doubt:?}");
        }
    }
    let missed: Vec<Place> = planted().difference(&faults).cloned().collect();
    assert_eq!(missed, []);
}

#[test]
fn rows_that_wait_for_another_name_it() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let report = run(&mut registry, &program, &workbooks("zhaojue-dirty", &ALL)).unwrap();
    let refused: BTreeSet<(String, u32)> = report
        .faults
        .iter()
        .filter(|fault| fault.severity == Severity::Refused)
        .map(|fault| (fault.file.clone(), fault.row))
        .collect();
    assert!(!report.held.is_empty());
    for held in &report.held {
        let cause = (held.because.file.clone(), held.because.row);
        assert!(refused.contains(&cause), "{held:?}");
        assert!(!refused.contains(&(held.file.clone(), held.row)), "{held:?}");
    }
    let by_name = report.held.iter().find(|held| held.file == "住院.xlsx" && held.row == 1287).unwrap();
    assert_eq!((by_name.because.file.as_str(), by_name.because.row), ("人.xlsx", 7920));
}

#[test]
fn the_report_workbook_can_be_read_back() {
    use calamine::Reader as _;
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let path = folder.path().join("report.xlsx");
    let files = workbooks("zhaojue-dirty", &ALL);
    let report = run_with_report(&mut registry, &program, &files, Some(path.clone())).unwrap();
    let mut workbook: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
    assert_eq!(workbook.sheet_names(), ["错误清单", "村", "户", "人", "住院", "贷款"]);
    let list = workbook.worksheet_range("错误清单").unwrap();
    assert_eq!(list.height(), report.faults.len() + 1);
    let persons = workbook.worksheet_range("人").unwrap();
    let cell =
        |row: u32, column: u32| persons.get_value((row, column)).map(ToString::to_string).unwrap_or_default();
    assert_eq!(cell(1, 19), "导入结果");
    assert_eq!(cell(4219, 19), "未导入");
    assert_eq!(cell(4219, 4), "513431194702038921");
}
