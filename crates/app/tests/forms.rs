//! A form that somebody filled in imports as it is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other tests use the rest")]
mod common;

use app::forms::workbook;
use app::import::ImportReport;
use calamine::Reader as _;
use common::{program, registry, run};
use model::Lang;

type Rows<'a> = Vec<Vec<(&'a str, &'a str)>>;

fn imported(lang: Lang, filled: &[(&str, Rows<'_>)]) -> ImportReport {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let path = folder.path().join("forms.xlsx");
    workbook(&program, lang, filled).unwrap().save(&path).unwrap();
    run(&mut registry, &program, &[path]).unwrap()
}

fn filled<'a>(labour: &'a str, electricity: &'a str) -> Vec<(&'a str, Rows<'a>)> {
    let household = vec![
        ("number", "51333610020030001"),
        ("village_code", "513336100200"),
        ("head_name", "甲"),
        ("wages", "1234.56"),
        ("electricity", electricity),
    ];
    let person = vec![
        ("number", "5133361002003000101"),
        ("household_number", "51333610020030001"),
        ("name", "甲"),
        ("citizen_number", "510000194001010111"),
        ("labour", labour),
    ];
    let village = vec![("code", "513336100200"), ("name", "试点村"), ("township_code", "513336100000")];
    vec![("village", vec![village]), ("household", vec![household]), ("person", vec![person])]
}

#[test]
fn a_filled_form_imports_in_either_language() {
    for (lang, labour, yes) in [(Lang::Zh, "普通劳动力", "是"), (Lang::En, "ordinary worker", "yes")] {
        let report = imported(lang, &filled(labour, yes));
        let faults: Vec<String> =
            report.faults.iter().map(|fault| format!("{}: {}", fault.code, fault.message.en)).collect();
        let refused: u64 = report.sheets.iter().map(|sheet| sheet.refused + sheet.held).sum();
        let accepted: u64 = report.sheets.iter().map(|sheet| sheet.accepted).sum();
        assert_eq!((accepted, refused), (3, 0), "{faults:?}");
        assert!(report.dropped_columns.is_empty());
    }
}

#[test]
fn a_form_offers_the_codes_of_its_lists_and_says_what_belongs_in_a_column() {
    let folder = tempfile::tempdir().unwrap();
    let program = program();
    let written = app::forms::write(&program, folder.path()).unwrap();
    let names: Vec<_> = written.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["forms.zh.xlsx", "forms.en.xlsx"]);
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(&written[0]).unwrap();
    let forms = program.entities.iter().filter(|entity| !entity.sheet.is_empty()).count();
    assert_eq!(book.sheet_names().len(), forms + 1);
    let codes = book.worksheet_range("codes").unwrap();
    let labour = program.lists.iter().position(|list| list.id == "labour").unwrap();
    assert_eq!(codes.get((labour, 1)).unwrap().to_string(), program.lists[labour].codes[0].label.zh);
}
