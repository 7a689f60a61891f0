//! Files of every kind, files that are wrong as a whole, and files that come again mended.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::import::{ImportReport, Severity};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use calamine::Reader as _;
use common::{program, registry, run, workbooks};
use pack::program::{EntityId, Program, Value};
use parquet::arrow::ArrowWriter;
use store::Registry;

const ALL: [&str; 5] = ["村", "户", "人", "住院", "贷款"];

/// The filled rows of a workbook below its title, dates as text.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let mut workbook: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
    let range = workbook.worksheet_range_at(0).unwrap().unwrap();
    let shown = |cell: &calamine::Data| match cell {
        calamine::Data::DateTime(moment) => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            format!("{year}/{month}/{day}")
        }
        other => other.to_string().replace('\n', ""),
    };
    range.rows().skip(1).map(|row| row.iter().map(shown).collect()).collect()
}

fn csv_file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(format!("{name}.csv"));
    fs::write(&path, text).unwrap();
    path
}

fn parquet_file(folder: &Path, name: &str, rows: &[Vec<String>]) -> PathBuf {
    let columns = rows[0].iter().enumerate().map(|(index, title)| {
        let cells = rows[1..].iter().map(|row| Some(row[index].as_str()).filter(|cell| !cell.is_empty()));
        (title.clone(), Arc::new(cells.collect::<StringArray>()) as ArrayRef)
    });
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.map(|(title, array)| (title, array, true))).unwrap();
    let path = folder.join(format!("{name}.parquet"));
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn entity(program: &Program, name: &str) -> EntityId {
    EntityId(program.entities.iter().position(|entity| entity.name == name).unwrap() as u32)
}

fn field(registry: &Registry, program: &Program, name: &str, key: &str, field: &str) -> Option<Value> {
    let id = entity(program, name);
    let fields = &program.entities[id.index()].fields;
    let position = fields.iter().position(|column| program.columns[column.index()].name == field).unwrap();
    registry.view().record(id, key).unwrap().unwrap().values[position].clone()
}

fn counts(report: &ImportReport) -> Vec<(u64, u64, u64, u64)> {
    report.sheets.iter().map(|sheet| (sheet.read, sheet.accepted, sheet.refused, sheet.held)).collect()
}

#[test]
fn csv_and_parquet_say_the_same_as_the_workbook() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let files = workbooks("xiangcheng", &ALL);
    run(&mut registry, &program, &files).unwrap();
    let (mut csvs, mut parquets) = (Vec::new(), Vec::new());
    for (name, path) in ALL.iter().zip(&files) {
        let rows = rows(path);
        let text: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
        csvs.push(csv_file(folder.path(), name, &text.join("\r\n")));
        parquets.push(parquet_file(folder.path(), name, &rows));
    }
    for files in [csvs, parquets] {
        let report = run(&mut registry, &program, &files).unwrap();
        assert_eq!(report.faults, []);
        for sheet in &report.sheets {
            assert_eq!((sheet.unchanged, sheet.changed), (sheet.read, 0), "{}", sheet.file);
        }
    }
}

const HOUSEHOLDS: &str = "村编码,户编号,户主姓名,家庭人口数,工资性收入(万元),住房面积(平方米)";
const PERSONS: &str = "户编号,人编号,姓名,性别,证件号码,与户主关系,民族";

#[test]
fn a_mended_household_brings_its_members() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let household = |area: &str| format!("{HOUSEHOLDS}\n513336100201,51333610020100001,扎西,2,1.2,{area}\n");
    let persons = format!(
        "{PERSONS}\n51333610020100001,5133361002010000101,扎西,男,513336196807154733,户主,藏族\n\
         51333610020100001,5133361002010000102,卓玛,女,513336196807154725,配偶,藏族\n"
    );
    let people = csv_file(folder.path(), "人", &persons);
    let bad = csv_file(folder.path(), "户", &household("-80"));
    let report = run(&mut registry, &program, &[people.clone(), bad]).unwrap();
    assert_eq!(counts(&report), [(2, 0, 0, 2), (1, 0, 1, 0)]);
    assert_eq!(report.faults.len(), 1, "{:?}", report.faults);
    let fault = &report.faults[0];
    assert_eq!(
        (fault.file.as_str(), fault.row, fault.column.as_str(), fault.code.as_str(), fault.severity),
        ("户.csv", 2, "住房面积(平方米)", "out-of-range", Severity::Refused)
    );
    assert!(report.held.iter().all(|held| held.because.row == 2 && held.because.file == "户.csv"));
    let dropped: Vec<&str> = report.dropped_columns.iter().map(|column| column.column.as_str()).collect();
    assert_eq!(dropped, ["民族"]);

    let good = csv_file(folder.path(), "户", &household("80"));
    let report = run(&mut registry, &program, &[people, good]).unwrap();
    assert_eq!(counts(&report), [(2, 2, 0, 0), (1, 1, 0, 0)]);
    let wages = field(&registry, &program, "household", "51333610020100001", "wages");
    assert_eq!(wages, Some(Value::Number(1_200_000)), "1.2 times 10,000 yuan, in fen");
}

#[test]
fn columns_that_a_sheet_lacks_keep_what_is_recorded() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let all = csv_file(
        folder.path(),
        "户",
        &format!("{HOUSEHOLDS}\n513336100201,51333610020100001,扎西,2,1.2,80\n"),
    );
    run(&mut registry, &program, &[all]).unwrap();
    let some = csv_file(folder.path(), "户", "村编码,户编号,家庭人口数\n513336100201,51333610020100001,3\n");
    let report = run(&mut registry, &program, &[some]).unwrap();
    assert_eq!(report.sheets[0].changed, 1);
    let value = |name| field(&registry, &program, "household", "51333610020100001", name);
    assert_eq!(value("household_size"), Some(Value::Number(3)));
    assert_eq!(value("house_area"), Some(Value::Number(8000)));
}

#[test]
fn a_file_that_cannot_be_used_changes_nothing() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let good = workbooks("xiangcheng", &["户"])[0].clone();
    let broken = folder.path().join("人.xlsx");
    fs::write(&broken, b"PK\x03\x04 and nothing more").unwrap();
    let strange = folder.path().join("notes.pdf");
    fs::write(&strange, b"%PDF").unwrap();
    let other = csv_file(folder.path(), "菜单", "菜,价\n土豆,3\n");
    let lacking = csv_file(folder.path(), "户2", "户编号,家庭人口数,工资性收入\n1,2,3\n");
    for (bad, code) in [
        (folder.path().join("none.xlsx"), "file-missing"),
        (folder.path().to_owned(), "file-is-folder"),
        (broken, "file-damaged"),
        (strange, "file-foreign"),
        (other, "sheet-missing"),
        (lacking, "column-missing"),
        (good.clone(), "file-repeated"),
    ] {
        let error = run(&mut registry, &program, &[good.clone(), bad]).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(registry.view().count(entity(&program, "household")).unwrap(), 0, "{code}");
    }
}

#[test]
fn a_number_that_another_record_has_is_refused() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    run(&mut registry, &program, &workbooks("xiangcheng", &ALL)).unwrap();
    let text =
        format!("{PERSONS}\n51333610020100001,5133361002010000199,新人,女,513336196807154725,之女,藏族\n");
    let report = run(&mut registry, &program, &[csv_file(folder.path(), "人", &text)]).unwrap();
    let codes: Vec<&str> = report.faults.iter().map(|fault| fault.code.as_str()).collect();
    assert_eq!(codes, ["id-duplicate"]);
    assert_eq!(report.faults[0].value.as_deref(), Some("*****************5"));
    assert_eq!(counts(&report), [(1, 0, 1, 0)]);
}

#[test]
fn of_two_rows_with_one_number_the_one_that_the_number_belies_is_refused() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let header = "户编号,人编号,姓名,性别,证件号码,与户主关系,健康状况,残疾等级,是否参加大病保险,是否参加城乡居民基本医疗保险";
    let household = csv_file(
        folder.path(),
        "户",
        &format!("{HOUSEHOLDS}\n513336100201,51333610020100001,扎西,2,1.2,80\n"),
    );
    // The first row's other faults, however many, say nothing about its number; the sex of the second does.
    let first = "51333610020100001,5133361002010000101,扎西,男,513336196807154733,户主,残疾,,是,否";
    let second = "51333610020100001,5133361002010000102,卓玛,女,513336196807154733,配偶,健康,,是,是";
    let third = "51333610020100001,5133361002010000102,卓玛,男,513336196807154733,之兄弟姐妹,健康,,是,是";
    for (rows, refused) in [
        ([first, second], 3),
        ([second, first], 2),
        // Where the number fits both, the later one is refused.
        ([first, third], 3),
        ([third, first], 3),
    ] {
        let place = tempfile::tempdir().unwrap();
        let mut registry = registry(&place.path().join("r"), &program);
        let text = format!("{header}\n{}\n", rows.join("\n"));
        let people = csv_file(place.path(), "人", &text);
        let report = run(&mut registry, &program, &[household.clone(), people]).unwrap();
        let duplicate: Vec<u32> = report
            .faults
            .iter()
            .filter(|fault| fault.code == "id-duplicate")
            .map(|fault| fault.row)
            .collect();
        assert_eq!(duplicate, [refused], "{:?}", report.faults);
    }
}
