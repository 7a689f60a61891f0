//! Files of other kinds, damaged ones, and ones made to exhaust whoever believes them: each is named for what it is in
//! both languages, nothing is stored, and memory stays bounded.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "each test uses some of it")]
mod common;
mod hostile;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use common::{program, registry, run};
use model::Lang;
use pack::program::EntityId;

const MIB: u64 = 1 << 20;
const NONE: (&[u8], u64) = (b"", 0);
const SHEET: (&str, (&[u8], u64), &str) = ("<worksheet><sheetData>", NONE, "</sheetData></worksheet>");
const STRINGS: (&str, (&[u8], u64), &str) = ("<sst>", NONE, "</sst>");

/// Peak memory of this process in bytes, as Linux counts it.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// A csv file with `filling` repeated between a beginning and an end.
fn csv(folder: &Path, name: &str, start: &str, (filling, times): (&[u8], u64)) -> PathBuf {
    let path = folder.join(name);
    let mut file = File::create(&path).unwrap();
    file.write_all("村编码,户编号,户主姓名,家庭人口数\n".as_bytes()).unwrap();
    file.write_all(start.as_bytes()).unwrap();
    for _ in 0..times {
        file.write_all(filling).unwrap();
    }
    path
}

#[test]
fn each_is_named_for_what_it_is_and_nothing_is_stored() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let megabyte = vec![b'a'; MIB as usize];
    let tags = b"<a/>".repeat(MIB as usize / 4);
    let whole = fs::read(common::workbooks("xiangcheng", &["户"])[0].clone()).unwrap();
    let cells = |cell: &'static str| ("<worksheet><sheetData><row r=\"1\">", NONE, cell);
    for (file, code, zh, en) in [
        (written(place.path(), "空.xlsx", b""), "file-empty", "空文件", "is empty"),
        (written(place.path(), "空.csv", b""), "file-empty", "空文件", "is empty"),
        (written(place.path(), "截断.xlsx", &whole[..whole.len() / 2]), "file-damaged", "不完整", "cut off"),
        (
            written(place.path(), "网页.xls", b"<html><table></table></html>"),
            "file-foreign",
            "网页",
            "web page",
        ),
        (written(place.path(), "文档.pdf", b"%PDF-1.7"), "file-foreign", "PDF", "PDF"),
        (written(place.path(), "旧.et", b"anything"), "file-foreign", "WPS", "WPS"),
        (hostile::compound(&at("密码.xlsx"), "EncryptedPackage"), "file-protected", "密码", "password"),
        (hostile::compound(&at("报告.doc"), "WordDocument"), "file-foreign", "Word", "Word"),
        (hostile::compound(&at("坏.xls"), "Workbook"), "file-damaged", "损坏", "damaged"),
        (
            hostile::archive(&at("报告.docx"), &[("word/document.xml", "<w/>", NONE, "")]),
            "file-foreign",
            "Word",
            "Word",
        ),
        (
            hostile::archive(&at("包.xlsx"), &[("a.txt", "a", NONE, "")]),
            "file-foreign",
            "压缩包",
            "zip archive",
        ),
        // A number of texts that no memory holds.
        (
            hostile::workbook(
                &at("1.xlsx"),
                SHEET,
                ("<sst uniqueCount=\"18446744073709551615\">", NONE, "</sst>"),
            ),
            "file-damaged",
            "损坏",
            "damaged",
        ),
        // A column that no spreadsheet has, and one whose number overflows.
        (
            hostile::workbook(
                &at("2.xlsx"),
                cells("<c r=\"ZZZZZZ1\"><v>1</v></c></row></sheetData></worksheet>"),
                STRINGS,
            ),
            "file-damaged",
            "损坏",
            "damaged",
        ),
        (
            hostile::workbook(
                &at("3.xlsx"),
                cells("<c r=\"ZZZZZZZZZZ1\"><v>1</v></c></row></sheetData></worksheet>"),
                STRINGS,
            ),
            "file-damaged",
            "损坏",
            "damaged",
        ),
        // A part of seventy megabytes that unpacks from almost nothing; a text of five.
        (
            hostile::archive(
                &at("4.xlsx"),
                &[("[Content_Types].xml", "<a>", NONE, ""), ("xl/styles.xml", "<a>", (&tags, 70), "")],
            ),
            "file-too-large",
            "超出",
            "beyond",
        ),
        (
            hostile::workbook(&at("5.xlsx"), SHEET, ("<sst><si><t>", (&megabyte, 5), "</t></si></sst>")),
            "file-too-large",
            "超出",
            "beyond",
        ),
        // A cell of forty megabytes, a quotation mark that is never closed, a line of a hundred thousand cells.
        (csv(place.path(), "长.csv", "", (&megabyte, 40)), "row-too-long", "引号", "quotation mark"),
        (csv(place.path(), "引号.csv", "\"", (b"1,2,3,4\n", 10)), "quote-unclosed", "引号", "quotation mark"),
        (
            csv(place.path(), "大引号.csv", "\"", (b"1,2,3,4\n", 5_000_000)),
            "row-too-long",
            "引号",
            "quotation mark",
        ),
        (csv(place.path(), "宽.csv", "", (b",", 100_000)), "row-too-long", "过长", "too long"),
    ] {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let error = run(&mut registry, &program, &[file]).expect_err(&name);
        let (chinese, english) = (error.message(Lang::Zh), error.message(Lang::En));
        assert_eq!(error.code(), code, "{name}: {english}");
        assert!(chinese.contains(zh) && chinese.contains(&name) && chinese.contains("提示"), "{chinese}");
        assert!(english.contains(en) && english.contains(&name) && english.contains("hint"), "{english}");
        let stored = (0..program.entities.len() as u32)
            .filter(|entity| program.entities[*entity as usize].name == "household")
            .map(|entity| registry.view().count(EntityId(entity)).unwrap());
        assert_eq!(stored.sum::<u64>(), 0, "{name}");
    }
    assert!(peak() < 700 * MIB, "{} MiB", peak() / MIB);
}

#[test]
fn workbooks_of_older_and_other_programs_are_read() {
    let (folder, program) = (tempfile::tempdir().unwrap(), program());
    let mut registry = registry(&folder.path().join("r"), &program);
    let rows: [&[&str]; 2] = [
        &["村编码", "户编号", "户主姓名", "家庭人口数"],
        &["513336100201", "51333610020100001", "扎西", "2"],
    ];
    let files = [
        hostile::ods(&folder.path().join("户.ods"), &rows),
        hostile::xls(&folder.path().join("户.xls"), &rows),
        hostile::xls(&folder.path().join("户.et"), &rows),
    ];
    for (index, file) in files.into_iter().enumerate() {
        let report = run(&mut registry, &program, std::slice::from_ref(&file)).unwrap();
        let sheet = &report.sheets[0];
        let changed = u64::from(index == 0);
        assert_eq!((sheet.read, sheet.accepted, sheet.changed), (1, 1, changed), "{}", file.display());
        assert_eq!(report.faults, []);
    }
}
