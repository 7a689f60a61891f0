//! No raw personal value comes out: every personal column of the shipped pack, by every way that tells a value.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use app::masks::masks;
use app::{Shown, Viewer};
use calamine::{Data, Reader as _, Xlsx, open_workbook};
use model::Lang;
use pack::program::{ColumnId, Program, Type, Value};
use serde_json::Value as Json;

const VILLAGE: &str = "513336100204";
/// Values that stand nowhere else, not even in the text of a rule.
const RAW: [&str; 12] = [
    "扎西顿珠甲",
    "阿呷拉莫乙",
    "帮扶人丙",
    "13908361234",
    "6222021234567890001",
    "513336195008051717",
    "1950-08-05",
    "19500805",
    "I63.987",
    "脑梗死丁",
    "endemic-x",
    "DISEASE-77",
];
/// Codes are words of rules, too: they may not stand behind the name of their field.
const RAW_BESIDE: [(&str, &str); 4] = [
    ("健康状况", "患有大病"),
    ("health", "serious illness"),
    ("残疾等级", "二级"),
    ("grade of disability", "grade 2"),
];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn xiaokang(folder: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_xiaokang")).args(arguments).current_dir(folder).output();
    output.expect("the binary starts")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn program() -> Program {
    let loaded = app::packs::load(&project().join("packs/sichuan-2015"), &[], &[]);
    loaded.unwrap_or_else(|error| panic!("the pack compiles: {error:?}")).program
}

/// A value that can be recognised, of a column's type.
fn raw_of(program: &Program, ty: &Type) -> Value {
    match ty {
        Type::Text => Value::Text("513336195008051717".to_owned()),
        Type::Date => Value::Date("1950-08-05".parse().expect("a date")),
        Type::Number(_) => Value::Number(77_123),
        Type::Bool => Value::Bool(true),
        Type::Code(list) => Value::Text(program.list(*list).codes[0].code.clone()),
        Type::Index => Value::Index(0.777),
    }
}

#[test]
fn every_personal_column_of_every_type_is_closed() {
    let program = program();
    let (masked, unmasked) = (Viewer::masked(&program), Viewer::unmasked(&program));
    let hidden = masks(&masked);
    assert!(masks(&unmasked).is_empty());
    let mut personal = 0;
    for position in 0..program.columns.len() {
        let (id, column) = (ColumnId(position as u32), &program.columns[position]);
        let entity = &program.entity(column.entity).name;
        let is_masked = hidden.get(entity).is_some_and(|columns| columns.contains_key(&column.name));
        assert_eq!(program.class(id).is_personal(), is_masked, "{entity}.{}", column.name);
        let value = raw_of(&program, &column.ty);
        let shown = masked.show(id, Some(&value));
        assert_eq!(shown.is_masked(), is_masked, "{entity}.{}", column.name);
        if !is_masked {
            continue;
        }
        personal += 1;
        assert_eq!(unmasked.show(id, Some(&value)), Shown::Value(Some(value.clone())));
        for lang in [Lang::Zh, Lang::En] {
            let raw = unmasked.text(id, Some(&value), lang);
            for text in [masked.text(id, Some(&value), lang), masked.reprint(id, &raw)] {
                assert!(!text.contains(&raw) && text.chars().filter(|it| *it != '*').count() <= 4, "{text}");
            }
        }
    }
    assert!(personal > 20, "{personal}");
}

/// A village with a household, a person and a stay whose every personal field is recorded.
fn assessed(here: &Path) {
    let packs = project().join("packs").canonicalize().expect("the packs are there");
    std::os::unix::fs::symlink(packs, here.join("packs")).expect("the packs are linked");
    let household = format!("{VILLAGE}00001");
    let person = format!("{household}01");
    let files = [
        (
            "户.csv",
            format!(
                "村编码,户编号,户主姓名,联系电话,帮扶责任人,一卡通账号,工资性收入,生产经营性收入,生产经营性支出,财产性收入,转移性收入\n{VILLAGE},{household},扎西顿珠甲,13908361234,帮扶人丙,6222021234567890001,1000,0,0,0,0\n"
            ),
        ),
        (
            "人.csv",
            format!(
                "户编号,人编号,姓名,性别,证件号码,与户主关系,健康状况,残疾等级,劳动技能\n{household},{person},阿呷拉莫乙,男,513336195008051717,户主,患有大病,二级,丧失劳动力\n"
            ),
        ),
        (
            "住院.csv",
            "住院号,证件号码,姓名,医疗机构,机构级别,定点,入院日期,出院日期,疾病编码,疾病名称,总费用\ns1,513336195008051717,阿呷拉莫乙,县医院,二级,是,2015-03-01,2015-03-09,I63.987,脑梗死丁,9000\n"
                .to_owned(),
        ),
    ];
    for (name, text) in &files {
        fs::write(here.join(name), text).expect("a file is written");
    }
    let import = ["import", "--registry", "registry", "--pack", "packs/sichuan-2015", "--json"];
    let imported = xiaokang(here, &[&import[..], &["户.csv", "人.csv", "住院.csv"]].concat());
    nothing_raw("the outcome of an import", &said(&imported));
    let assess =
        ["assess", "--registry", "registry", "--pack", "packs/sichuan-2015", "--as-of", "2015-12-31"];
    let done = xiaokang(here, &[&assess[..], &["--out", "run"]].concat());
    nothing_raw("the totals", &said(&done));
    assert!(here.join("run/person.parquet").exists(), "{}{}", said(&imported), said(&done));
}

fn nothing_raw(way: &str, text: &str) {
    for raw in RAW {
        let place =
            text.find(raw).map(|at| text[at.saturating_sub(0)..].chars().take(40).collect::<String>());
        assert!(place.is_none(), "{way} tells {raw}: {place:?}");
    }
    for (name, value) in RAW_BESIDE {
        for between in [" ", ": ", "：", "\": \""] {
            let beside = format!("{name}{between}{value}");
            assert!(!text.contains(&beside), "{way} tells {beside}");
        }
    }
}

/// Values of steps about personal columns, wherever they stand in a tree.
fn no_raw_step(program: &Program, way: &str, json: &Json) {
    if let (Some(entity), Some(name)) = (json["column"]["entity"].as_str(), json["column"]["name"].as_str()) {
        let column = program.entity_named(entity).and_then(|entity| program.column_named(entity, name));
        if column.is_some_and(|id| program.class(id).is_personal()) && json["kind"].is_string() {
            let value = json["value"].as_str();
            let left = value.map_or(0, |text| text.chars().filter(|letter| *letter != '*').count());
            assert!(json["verdict"].is_null() && left <= 4, "{way}: {entity}.{name} {}", json["value"]);
        }
    }
    match json {
        Json::Array(all) => all.iter().for_each(|below| no_raw_step(program, way, below)),
        Json::Object(all) => all.values().for_each(|below| no_raw_step(program, way, below)),
        _ => {}
    }
}

#[test]
fn no_way_out_tells_a_raw_value() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    let program = program();
    assessed(here);
    let household = format!("{VILLAGE}00001");
    let person = format!("{household}01");
    let subjects = [
        ("household", household.as_str()),
        ("person", person.as_str()),
        ("stay", "s1"),
        ("village", VILLAGE),
    ];
    let mut asked = 0;
    for (entity, key) in subjects {
        let explain = |lang: &str, more: &[&str]| {
            let arguments = [&["explain", "--run", "run", "--lang", lang, entity, key][..], more].concat();
            let output = xiaokang(here, &arguments);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
            let way = format!("explain {entity} {more:?} in {lang}");
            nothing_raw(&way, &said(&output));
            if more.contains(&"--json") {
                let json = serde_json::from_slice(&output.stdout).expect("it is JSON");
                no_raw_step(&program, &way, &json);
            }
        };
        explain("zh", &[]);
        explain("en", &["--json"]);
        let id = program.entity_named(entity).expect("an entity");
        for position in 0..program.columns.len() {
            let (column, of) = (ColumnId(position as u32), &program.columns[position]);
            if of.entity == id && program.class(column).is_personal() && !of.is_hidden() {
                explain("zh", &[of.name.as_str()]);
                explain("en", &[of.name.as_str(), "--json"]);
                asked += 1;
            }
        }
    }
    assert!(asked > 10, "{asked}");

    let report = xiaokang(here, &["report", "--run", "run", "--out", "report.xlsx"]);
    nothing_raw("what a report says", &said(&report));
    let mut book: Xlsx<_> = open_workbook(here.join("report.xlsx")).expect("a workbook");
    let mut cells = 0;
    for name in book.sheet_names() {
        let sheet = book.worksheet_range(&name).expect("a sheet");
        for cell in sheet.used_cells().map(|(_, _, cell)| cell) {
            let text = match cell {
                // 1950-08-05 as a workbook counts days.
                Data::DateTime(date) if date.as_f64().to_string() == "18480" => "1950-08-05".to_owned(),
                other => other.to_string(),
            };
            nothing_raw(&format!("sheet {name}"), &text);
            cells += 1;
        }
    }
    assert!(cells > 100, "{cells}");

    let changes = format!(
        "{{\"person\": {{\"{person}\": {{\"citizen_number\": \"513336195008051717\", \"health\": \"healthy\"}}}}, \"household\": {{\"{household}\": {{\"head_name\": \"帮扶人丙\"}}}}}}\n"
    );
    fs::write(here.join("changes.jsonl"), changes).expect("a file is written");
    for more in [&[][..], &["--json"]] {
        let arguments = [&["reassess", "--run", "run", "--changes", "changes.jsonl"][..], more].concat();
        nothing_raw("a reassessment", &said(&xiaokang(here, &arguments)));
    }

    // A faulty sheet is told without what stands in it.
    fs::write(
        here.join("错.csv"),
        format!("户编号,人编号,姓名,证件号码,健康状况\n{household},{person},阿呷拉莫乙,51333619500805171,患有大病病\n"),
    )
    .expect("a file is written");
    let import =
        ["import", "--registry", "registry", "--pack", "packs/sichuan-2015", "--preview", "--json", "错.csv"];
    let told = said(&xiaokang(here, &import));
    assert!(told.contains("\"faults\"") || told.contains("code"), "{told}");
    nothing_raw("faults of an import", &told);
    assert!(!told.contains("患有大病病") && !told.contains("51333619500805171"), "{told}");
}
