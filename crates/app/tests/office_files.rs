//! Workbooks as offices keep them: headers in several rows, merged keys, marks for nothing, hidden sheets, formulas
//! without results, columns that someone renamed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "each test uses some of it")]
mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use app::import::{ImportOptions, ImportReport, Severity, import};
use common::{day, now, program, registry};
use model::Lang;
use pack::program::{EntityId, Program, Value};
use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet};
use store::{Moment, Registry};

const H1: &str = "51333610020100001";
const H2: &str = "51333610020100002";
const VILLAGE: &str = "513336100201";
const PERSONS: &str = "户编号,人编号,姓名,性别,证件号码,与户主关系,民族";

/// A registry in a folder of its own.
struct Office {
    folder: tempfile::TempDir,
    program: &'static Program,
    registry: Registry,
}

/// Making a registry takes longer than any import here, so each test copies one.
fn made() -> &'static (Program, tempfile::TempDir) {
    static MADE: OnceLock<(Program, tempfile::TempDir)> = OnceLock::new();
    MADE.get_or_init(|| {
        let (folder, program) = (tempfile::tempdir().unwrap(), program());
        drop(registry(&folder.path().join("r"), &program));
        (program, folder)
    })
}

impl Office {
    fn new() -> Self {
        let ((program, made), folder) = (made(), tempfile::tempdir().unwrap());
        let own = folder.path().join("r");
        fs::create_dir(&own).unwrap();
        for entry in fs::read_dir(made.path().join("r")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), own.join(entry.file_name())).unwrap();
        }
        let registry = Registry::open(&own, program).unwrap();
        Self { folder, program, registry }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn csv(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn workbook(&self, name: &str, sheets: Vec<Worksheet>) -> PathBuf {
        let mut workbook = Workbook::new();
        for sheet in sheets {
            workbook.push_worksheet(sheet);
        }
        let path = self.path(name);
        workbook.save(&path).unwrap();
        path
    }

    fn import(&mut self, files: &[PathBuf]) -> ImportReport {
        self.import_with(files, |_| {})
    }

    fn import_with(
        &mut self,
        files: &[PathBuf],
        change: impl FnOnce(&mut ImportOptions<'_>),
    ) -> ImportReport {
        self.try_import(files, change).unwrap()
    }

    fn try_import(
        &mut self,
        files: &[PathBuf],
        change: impl FnOnce(&mut ImportOptions<'_>),
    ) -> Result<ImportReport, app::import::ImportError> {
        let mut options = ImportOptions {
            actor: "tester".into(),
            now: now(),
            as_of: day("2015-12-31"),
            report: None,
            preview: false,
            allow_erase: false,
            progress: &|_| true,
        };
        change(&mut options);
        import(&mut self.registry, self.program, files, &options)
    }

    fn entity(&self, name: &str) -> EntityId {
        EntityId(self.program.entities.iter().position(|entity| entity.name == name).unwrap() as u32)
    }

    fn count(&self, entity: &str) -> u64 {
        self.registry.view().count(self.entity(entity)).unwrap()
    }

    fn value(&self, entity: &str, key: &str, field: &str) -> Option<Value> {
        let id = self.entity(entity);
        let fields = &self.program.entities[id.index()].fields;
        let position =
            fields.iter().position(|column| self.program.columns[column.index()].name == field).unwrap();
        self.registry.view().record(id, key).unwrap()?.values[position].clone()
    }

    /// Money of a household, in fen.
    fn fen(&self, key: &str, field: &str) -> Option<i128> {
        match self.value("household", key, field) {
            Some(Value::Number(fen)) => Some(fen),
            _ => None,
        }
    }
}

/// A sheet of texts and numbers.
fn sheet(name: &str, rows: &[&[&str]]) -> Worksheet {
    let mut sheet = Worksheet::new();
    sheet.set_name(name).unwrap();
    for (row, cells) in rows.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            sheet.write_string(row as u32, column as u16, *cell).unwrap();
        }
    }
    sheet
}

fn merge(sheet: &mut Worksheet, (top, left): (u32, u16), (bottom, right): (u32, u16), text: &str) {
    sheet.merge_range(top, left, bottom, right, text, &Format::new()).unwrap();
}

fn codes(report: &ImportReport) -> Vec<&str> {
    report.faults.iter().map(|fault| fault.code.as_str()).collect()
}

fn notices(report: &ImportReport) -> Vec<(&str, bool)> {
    report.notices.iter().map(|notice| (notice.code, notice.attention)).collect()
}

// --- headers -----------------------------------------------------------------------------------

#[test]
fn a_header_over_two_merged_rows_is_read() {
    let mut office = Office::new();
    let mut table = sheet(
        "户",
        &[
            &[],
            &[],
            &["", "", "", "", "工资性收入", "生产经营性收入", "生产经营性支出", "财产性收入", "转移性收入"],
            &[VILLAGE, H1, "扎西", "2", "12000", "3000", "500", "0", "100"],
        ],
    );
    merge(&mut table, (0, 0), (0, 8), "乡城县贫困户信息采集表");
    for (column, title) in ["村编码", "户编号", "户主姓名", "家庭人口数"].iter().enumerate() {
        merge(&mut table, (1, column as u16), (2, column as u16), title);
    }
    merge(&mut table, (1, 4), (1, 8), "收入情况（元）");
    let file = office.workbook("户.xlsx", vec![table]);
    let report = office.import(&[file]);
    assert_eq!(codes(&report), Vec::<&str>::new());
    assert_eq!(report.dropped_columns, []);
    assert_eq!(office.fen(H1, "wages"), Some(1_200_000));
    assert_eq!(office.fen(H1, "transfers"), Some(10_000));
}

#[test]
fn a_header_over_two_or_three_rows_is_read_where_nothing_is_merged() {
    let record = format!("{VILLAGE},{H1},扎西,2,1.2,0.3");
    for (name, header) in [
        ("two", "村编码,户编号,户主姓名,家庭人口数,收入情况（万元）,\n,,,,工资性收入,转移性收入\n"),
        (
            "three",
            "基本情况,,,,收入情况（万元）,\n村编码,户编号,户主,家庭人口数,工资性,转移性\n,,姓名,,工资性收入,转移性收入\n",
        ),
        ("units", "村编码,户编号,户主姓名,家庭人口数,工资性收入,转移性收入\n,,,人,万元,万元\n"),
        ("above", "基本情况,,,,收入情况（万元）,\n村编码,户编号,户主姓名,家庭人口数,工资性收入,转移性收入\n"),
    ] {
        let mut office = Office::new();
        let file = office.csv("户.csv", &format!("{header}{record}\n"));
        let report = office.import(&[file]);
        assert_eq!(codes(&report), Vec::<&str>::new(), "{name}");
        assert_eq!((report.sheets[0].read, report.sheets[0].accepted), (1, 1), "{name}");
        assert_eq!(office.fen(H1, "wages"), Some(1_200_000), "{name}");
        assert_eq!(office.fen(H1, "transfers"), Some(300_000), "{name}");
    }
}

#[test]
fn a_row_of_words_below_a_header_is_a_record_and_no_header() {
    let mut office = Office::new();
    let household =
        office.csv("户.csv", &format!("村编码,户编号,户主姓名,家庭人口数\n{VILLAGE},{H1},扎西,1\n"));
    // The record lacks its key: it is refused as a record, not swallowed as a header.
    let people = office.csv("人.csv", &format!("{PERSONS}\n{H1},,扎西,男,513336196807154733,户主,藏族\n"));
    let report = office.import(&[household, people]);
    assert_eq!(codes(&report), ["required-missing"]);
    assert_eq!(report.faults[0].row, 2);
}

#[test]
fn sixty_columns_of_the_offices_own_hide_nothing() {
    let mut office = Office::new();
    let more: String = (1..=60).map(|number| format!(",附加{number}")).collect();
    let values = ",x".repeat(60);
    let file = office
        .csv("户.csv", &format!("村编码,户编号,户主姓名,家庭人口数{more}\n{VILLAGE},{H1},扎西,2{values}\n"));
    let report = office.import(&[file]);
    assert_eq!((report.sheets[0].accepted, report.dropped_columns.len()), (1, 60));
}

#[test]
fn keys_merged_downwards_hold_for_every_row() {
    let mut office = Office::new();
    let households = office.csv(
        "户.csv",
        &format!("村编码,户编号,户主姓名,家庭人口数\n{VILLAGE},{H1},扎西,2\n{VILLAGE},{H2},格桑,1\n"),
    );
    let mut people = sheet(
        "人",
        &[
            &PERSONS.split(',').collect::<Vec<_>>(),
            &["", "5133361002010000101", "扎西", "男", "513336196807154733", "户主", "藏族"],
            &["", "5133361002010000102", "卓玛", "女", "513336196807154725", "配偶", "藏族"],
            &[H2, "5133361002010000201", "格桑", "男", "513336197504201238", "户主", "藏族"],
        ],
    );
    merge(&mut people, (1, 0), (2, 0), H1);
    let people = office.workbook("人.xlsx", vec![people]);
    let report = office.import(&[households, people]);
    let missing = report.faults.iter().filter(|fault| fault.code == "required-missing").count();
    assert_eq!(missing, 0, "{:?}", report.faults);
    assert_eq!(
        office.value("person", "5133361002010000102", "household_number"),
        Some(Value::Text(H1.to_owned()))
    );
}

#[test]
fn an_amount_in_a_merged_cell_counts_once_and_is_told() {
    let mut office = Office::new();
    let mut table = sheet(
        "户",
        &[
            &["村编码", "户编号", "户主姓名", "家庭人口数", "工资性收入"],
            &["", H1, "扎西", "2"],
            &["", H2, "格桑", "1"],
        ],
    );
    merge(&mut table, (1, 0), (2, 0), VILLAGE);
    merge(&mut table, (1, 4), (2, 4), "9000");
    let file = office.workbook("户.xlsx", vec![table]);
    let report = office.import(&[file]);
    assert_eq!(codes(&report), ["cell-shared"]);
    assert_eq!((report.faults[0].row, report.faults[0].taken), (3, false));
    assert_eq!((office.fen(H1, "wages"), office.fen(H2, "wages")), (Some(900_000), None));
}

// --- sheets and files --------------------------------------------------------------------------

#[test]
fn hidden_sheets_and_lock_files_are_skipped_with_a_word() {
    let mut office = Office::new();
    let header = ["村编码", "户编号", "户主姓名", "家庭人口数"];
    let mut old = sheet("旧", &[&header, &[VILLAGE, H1, "旧名", "9"]]);
    old.set_hidden(true);
    let mut current = sheet("户", &[&header, &[VILLAGE, H1, "扎西", "2"]]);
    current.set_active(true);
    let file = office.workbook("户.xlsx", vec![old, current]);
    let lock = office.path("~$户.xlsx");
    fs::write(&lock, b"\x05zhang").unwrap();
    let report = office.import(&[lock.clone(), file]);
    assert_eq!(notices(&report), [("lock-file-skipped", false), ("sheet-hidden", false)]);
    assert_eq!(office.value("household", H1, "household_size"), Some(Value::Number(2)));
    let text = report.summary(Lang::Zh, 20);
    assert!(text.contains("~$户.xlsx") && text.contains("隐藏的表“旧”未读取"), "{text}");
    assert!(!report.needs_attention());
    let error = office.try_import(&[lock], |_| {}).unwrap_err();
    assert_eq!(error.code(), "only-lock-files");
}

#[test]
fn rows_are_named_with_their_sheet_where_a_file_has_several() {
    let mut office = Office::new();
    let header = ["村编码", "户编号", "户主姓名", "家庭人口数", "工资性收入"];
    let first = sheet("一村户", &[&header, &[VILLAGE, H1, "扎西", "2", "一万二千"]]);
    let second = sheet("二村户", &[&header, &[VILLAGE, H1, "扎西", "2", "5"]]);
    let file = office.workbook("户.xlsx", vec![first, second]);
    let report = office.import(&[file]);
    let repeated = report.faults.iter().find(|fault| fault.code == "key-repeated").unwrap();
    assert!(repeated.message.zh.contains("与“一村户”第 2 行重复"), "{}", repeated.message.zh);
    assert!(repeated.message.en.contains("row 2 of `一村户`"), "{}", repeated.message.en);
    let text = report.summary(Lang::Zh, 20);
    assert!(text.contains("户.xlsx（二村户）第 2 行"), "{text}");
}

#[test]
fn of_a_sheet_that_is_not_known_the_nearest_is_named() {
    let mut office = Office::new();
    let file = office.csv("贫困户.csv", "户编号,旧编号,备注\n1,2,3\n");
    let error = office.try_import(&[file], |_| {}).unwrap_err();
    assert_eq!(error.code(), "sheet-missing");
    let (zh, en) = (error.message(Lang::Zh), error.message(Lang::En));
    assert!(zh.contains("只认出列 `户编号`") && en.contains("only `户编号` is known"), "{zh}\n{en}");
}

// --- cells -------------------------------------------------------------------------------------

const INCOME: &str = "村编码,户编号,户主姓名,家庭人口数,工资性收入";

#[test]
fn marks_for_nothing_are_blank_unless_they_mean_something() {
    let mut office = Office::new();
    let file =
        office.csv("户.csv", &format!("{INCOME},是否通生活用电,一卡通账号\n{VILLAGE},{H1},扎西,2,/,无,—\n"));
    let report = office.import(&[file]);
    assert_eq!(codes(&report), Vec::<&str>::new());
    assert_eq!(office.fen(H1, "wages"), None);
    assert_eq!(office.value("household", H1, "electricity"), Some(Value::Bool(false)));
}

#[test]
fn an_apostrophe_before_a_number_is_no_part_of_it() {
    let mut office = Office::new();
    let households = office.csv("户.csv", &format!("{INCOME}\n'{VILLAGE},'{H1},扎西,1,5\n"));
    let people = office.csv(
        "人.csv",
        &format!("{PERSONS}\n’{H1},'5133361002010000101,扎西,男,'513336196807154733,户主,藏族\n"),
    );
    let report = office.import(&[households, people]);
    assert_eq!(codes(&report), Vec::<&str>::new());
    assert_eq!((office.count("household"), office.count("person")), (1, 1));
}

#[test]
fn a_cell_that_is_not_taken_is_said_not_to_be() {
    let mut office = Office::new();
    for text in ["一万二千", "约3000", "3000-4000"] {
        let file = office.csv("户.csv", &format!("{INCOME}\n{VILLAGE},{H1},扎西,2,{text}\n"));
        let report = office.import(&[file]);
        assert_eq!(codes(&report), ["not-a-number"], "{text}");
        let summary = report.summary(Lang::Zh, 20);
        assert!(summary.contains("本格未采用") && !summary.contains("已导入，请核对"), "{summary}");
        assert_eq!(report.to_json()["faults"][0]["taken"], false);
    }
}

#[test]
fn long_texts_are_shortened_where_they_are_told() {
    let mut office = Office::new();
    let long = "长".repeat(32_000);
    let file = office.csv("户.csv", &format!("{INCOME},一卡通账号\n{VILLAGE},{H1},{long},2,{long},{long}\n"));
    let report = office.import(&[file]);
    assert!(report.faults.len() >= 2, "{:?}", codes(&report));
    for fault in &report.faults {
        let length = fault.message.zh.chars().count() + fault.value.as_deref().unwrap_or("").chars().count();
        assert!(length < 400, "{length} characters: {}", fault.code);
    }
}

#[test]
fn too_many_decimals_are_told_by_their_number() {
    let mut office = Office::new();
    let file = office.csv("户.csv", &format!("{INCOME}\n{VILLAGE},{H1},扎西,2,1.23456\n"));
    let report = office.import(&[file]);
    assert_eq!(codes(&report), ["too-many-decimals"]);
    let message = &report.faults[0].message;
    assert!(message.zh.contains("最多 2 位小数") && !message.zh.contains("应为"), "{}", message.zh);
    assert!(message.en.contains("at most 2 decimals"), "{}", message.en);
}

// --- what is recorded --------------------------------------------------------------------------

/// Twelve households, with a text for the wages of each.
fn households(header: &str, wages: &str) -> String {
    let row = |number: usize| format!("{VILLAGE},513336100201{number:05},扎西,2,{wages}\n");
    format!("村编码,户编号,户主姓名,家庭人口数,{header}\n{}", (1..=12).map(row).collect::<String>())
}

#[test]
fn a_renamed_column_is_a_warning_with_the_nearest_heading() {
    let mut office = Office::new();
    let file = office.csv("户.csv", &households("工资性的收入(元)", "12000"));
    let report = office.import(&[file]);
    assert_eq!(notices(&report), [("column-similar", true)]);
    assert!(report.needs_attention());
    let message = &report.notices[0].message;
    assert!(message.zh.contains("是否为“工资性收入”"), "{}", message.zh);
}

#[test]
fn a_column_that_is_nearly_empty_is_a_warning() {
    let mut office = Office::new();
    let file = office.csv("户.csv", &households("工资性收入", ""));
    let report = office.import(&[file]);
    assert_eq!(notices(&report), [("column-empty", true)]);
    assert!(report.needs_attention());
}

#[test]
fn blanks_erase_what_is_recorded_only_where_that_is_asked_for() {
    let mut office = Office::new();
    let full = office.csv("户.csv", &households("工资性收入", "12000"));
    office.import(&[full]);
    let blank = office.csv("户.csv", &households("工资性收入", ""));
    let report = office.import(std::slice::from_ref(&blank));
    assert!(notices(&report).contains(&("values-kept", true)), "{:?}", report.notices);
    assert_eq!(report.sheets[0].changed, 0);
    assert_eq!(office.fen(H1, "wages"), Some(1_200_000));
    let text = report.summary(Lang::Zh, 20);
    assert!(text.contains("12 条已登记") && text.contains("--allow-erase"), "{text}");
    let report = office.import_with(&[blank], |options| options.allow_erase = true);
    assert!(notices(&report).contains(&("values-erased", false)), "{:?}", report.notices);
    assert_eq!((report.sheets[0].changed, office.fen(H1, "wages")), (12, None));
}

#[test]
fn a_formula_without_its_result_is_told_and_erases_nothing() {
    let mut office = Office::new();
    let full = office.csv("户.csv", &format!("{INCOME}\n{VILLAGE},{H1},扎西,2,12000\n"));
    office.import(&[full]);
    let mut table = sheet("户", &[&INCOME.split(',').collect::<Vec<_>>(), &[VILLAGE, H1, "扎西", "2"]]);
    table.write_formula(1, 4, Formula::new("=1+1").set_result("")).unwrap();
    let file = office.workbook("户.xlsx", vec![table]);
    let file = without_results(&file, &office.path("户2.xlsx"));
    for allow_erase in [false, true] {
        let report =
            office.import_with(std::slice::from_ref(&file), |options| options.allow_erase = allow_erase);
        assert_eq!(codes(&report), ["formula-uncomputed"]);
        assert_eq!((report.faults[0].severity, report.faults[0].taken), (Severity::Warning, false));
        assert_eq!(office.fen(H1, "wages"), Some(1_200_000));
    }
}

/// The same workbook as programs write it that compute nothing: formulas have no `<v>`.
fn without_results(from: &Path, to: &Path) -> PathBuf {
    use std::io::{Read as _, Write as _};
    let mut old = zip::ZipArchive::new(fs::File::open(from).unwrap()).unwrap();
    let mut new = zip::ZipWriter::new(fs::File::create(to).unwrap());
    for index in 0..old.len() {
        let mut part = old.by_index(index).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        if name.contains("worksheets/") {
            let text = String::from_utf8(bytes).unwrap();
            let (before, after) = text.split_once("<f>1+1</f>").unwrap();
            let (cell, rest) = (before.replace(" t=\"str\"", ""), after.split_once("</c>").unwrap().1);
            bytes = format!("{cell}<f>1+1</f></c>{rest}").into_bytes();
        }
        new.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        new.write_all(&bytes).unwrap();
    }
    new.finish().unwrap();
    to.to_owned()
}

#[test]
fn a_household_of_whom_a_member_is_refused_waits_as_a_whole() {
    let mut office = Office::new();
    let households =
        office.csv("户.csv", &format!("{INCOME}\n{VILLAGE},{H1},扎西,2,60000\n{VILLAGE},{H2},格桑,1,5\n"));
    let people = |second: &str| {
        format!(
            "{PERSONS}\n{H1},5133361002010000101,扎西,男,513336196807154733,户主,藏族\n\
             {H1},5133361002010000102,卓玛,女,{second},配偶,藏族\n\
             {H2},5133361002010000201,格桑,女,513336196807154741,户主,藏族\n"
        )
    };
    let bad = office.csv("人.csv", &people("513336196807154720"));
    let report = office.import(&[households.clone(), bad.clone()]);
    assert_eq!(codes(&report), ["id-checksum"]);
    // Nothing of the household is stored: its income per head would be twice what it is.
    assert_eq!((office.count("household"), office.count("person")), (1, 1), "{report:?}");
    assert_eq!(notices(&report), [("family-incomplete", true)]);
    assert!(report.notices[0].message.zh.contains("2 条中有 1 条未导入"), "{:?}", report.notices);
    assert_eq!(report.held.len(), 2);
    assert!(report.held.iter().all(|held| held.because.file == "人.csv" && held.because.row == 3));
    // The same where the household has been registered before.
    let again = office.import(std::slice::from_ref(&households));
    assert_eq!(again.sheets[0].accepted, 2);
    let report = office.import(&[bad]);
    assert_eq!((office.count("person"), report.held.len()), (1, 1));
    let good = office.csv("人.csv", &people("513336196807154725"));
    let report = office.import(&[good]);
    assert_eq!((codes(&report), office.count("person")), (Vec::new(), 3));
    // A member who is registered is not missing when the row that updates her is refused.
    let bad = office.csv("人.csv", &people("513336196807154720"));
    let report = office.import(&[bad]);
    assert_eq!((codes(&report), report.held.len(), office.count("person")), (vec!["id-checksum"], 0, 3));
}

// --- what is said ------------------------------------------------------------------------------

#[test]
fn a_preview_reads_as_one() {
    let mut office = Office::new();
    let file = office.csv("户.csv", &households("工资性收入", "12000"));
    let report = office.import_with(&[file], |options| options.preview = true);
    let (zh, en) = (report.summary(Lang::Zh, 20), report.summary(Lang::En, 20));
    assert!(zh.starts_with("预览") && zh.contains("将新增 12") && !zh.contains("导入 12"), "{zh}");
    assert!(en.starts_with("preview") && en.contains("12 would be added"), "{en}");
    assert_eq!(office.count("household"), 0);
}

#[test]
fn what_was_left_out_is_where_the_summary_says() {
    let mut office = Office::new();
    let file = office.csv("户.csv", &households("工资性收入", "一万"));
    let report = office.import(std::slice::from_ref(&file));
    let text = report.summary(Lang::Zh, 5);
    assert!(text.contains("另有 7 处；加 --report") && !text.contains("见错误清单"), "{text}");
    let path = office.path("报告.xlsx");
    let report = office.import_with(&[file], |options| options.report = Some(path));
    let text = report.summary(Lang::Zh, 5);
    assert!(text.contains("另有 7 处，见错误清单"), "{text}");
}

#[test]
fn a_report_never_overwrites_what_is_imported_and_has_an_ending() {
    let mut office = Office::new();
    let file = office.workbook(
        "户.xlsx",
        vec![sheet("户", &[&["村编码", "户编号", "户主姓名", "家庭人口数"], &[VILLAGE, H1, "扎西", "2"]])],
    );
    let before = fs::read(&file).unwrap();
    let beside = office.folder.path().join("r/../户.xlsx");
    let (stem, folder, missing, other) =
        (office.path("户"), office.path("r"), office.path("no/where.xlsx"), office.path("marked.txt"));
    for (path, code) in [
        (file.clone(), "report-over-input"),
        (beside, "report-over-input"),
        (stem, "report-over-input"),
        (folder.with_extension("xlsx").join("x.xlsx"), "report-path"),
        (missing, "report-path"),
        (other, "report-path"),
    ] {
        let error = office
            .try_import(std::slice::from_ref(&file), |options| options.report = Some(path.clone()))
            .unwrap_err();
        assert_eq!(error.code(), code, "{}", path.display());
        assert_eq!((fs::read(&file).unwrap() == before, office.count("household")), (true, 0));
    }
    let marked = office.path("marked");
    let report = office.import_with(&[file], |options| options.report = Some(marked.clone()));
    assert_eq!(report.workbook, Some(office.path("marked.xlsx")));
    assert!(office.path("marked.xlsx").exists() && !marked.exists());
    let left: Vec<_> = fs::read_dir(office.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains(".part"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_report_holds_cells_that_a_spreadsheet_cannot() {
    let mut office = Office::new();
    let long = "长".repeat(40_000);
    let file = office.csv("户.csv", &format!("{INCOME},备注\n{VILLAGE},{H1},扎西,2,5,{long}\n"));
    let path = office.path("报告.xlsx");
    let report = office.import_with(&[file], |options| options.report = Some(path.clone()));
    assert_eq!(report.sheets[0].accepted, 1);
    assert!(path.exists());
}

#[test]
fn an_import_that_began_before_another_was_stored_is_stored_after_it() {
    let mut office = Office::new();
    let file = office.csv("户.csv", &households("工资性收入", "12000"));
    office.import(std::slice::from_ref(&file));
    let changed = office.csv("户.csv", &households("工资性收入", "13000"));
    let earlier = Moment::from_unix_ms(now().unix_ms() - 60_000);
    let report = office.import_with(&[changed], |options| options.now = earlier);
    assert_eq!(report.sheets[0].changed, 12);
}
