//! Tables for reading cells and recognising headers, over a small pack.

use std::borrow::Cow;

use model::{Date, Lang};
use pack::program::Program;

use super::ImportError;
use super::cell::Cell;
use super::header::{Surroundings, Titles, recognise, title};
use super::parse::{Parsed, parse};
use super::schema::{FieldPlan, Schema};

const PACK: &str = r#"
[pack]
id = "t"
version = "1"
title = { zh = "试", en = "test" }
as_of = 2015-12-31

[[list]]
id = "health"
label = { zh = "健康", en = "health" }
codes = [
  { code = "healthy", zh = "健康", en = "healthy" },
  { code = "chronic", zh = "长期慢性病", en = "chronic", aliases = ["慢性病"] },
]

[[entity]]
id = "household"
label = { zh = "户", en = "household" }
key = "number"
rows_max = 1000
sheet = ["贫困户信息采集表", "户"]
[[entity.field]]
id = "number"
label = { zh = "户编号", en = "household number" }
type = "text"
required = true
[[entity.field]]
id = "wages"
label = { zh = "工资性收入", en = "wages" }
type = "money"
range = [0, 10000000]
aliases = ["工资收入"]
form = "card"
[[entity.field]]
id = "area"
label = { zh = "住房面积", en = "area" }
type = "quantity(sqm, 1)"
range = [0, 1000]
blank = "zero"
form = "card"
[[entity.field]]
id = "village"
label = { zh = "村编码", en = "village" }
type = "text"
format = "division-code"
form = "card"

[[entity]]
id = "person"
label = { zh = "人", en = "person" }
key = "number"
parent = { entity = "household", via = "household_number", required = true }
rows_max = 1000
sheet = ["贫困人口信息采集表", "人"]
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
id = "citizen_number"
label = { zh = "证件号码", en = "citizen number" }
type = "text"
format = "citizen-number"
pii = "identity"
unique = true
form = "card"
[[entity.field]]
id = "account"
label = { zh = "账号", en = "account" }
type = "text"
pii = "account"
form = "card"
[[entity.field]]
id = "health"
label = { zh = "健康状况", en = "health" }
type = "code(health)"
form = "card"
[[entity.field]]
id = "insured"
label = { zh = "是否参保", en = "insured" }
type = "bool"
blank = "no"
form = "card"
[[entity.field]]
id = "months"
label = { zh = "务工时间", en = "months" }
type = "count"
range = [0, 12]
form = "card"
[[entity.field]]
id = "joined"
label = { zh = "参保日期", en = "joined on" }
type = "date"
form = "card"
[[entity.field]]
id = "rate"
label = { zh = "利率", en = "rate" }
type = "rate(6)"
format = "percent"
range = [0, 0.36]
form = "card"
"#;

fn program() -> Program {
    let source = pack::PackSource { name: "t".into(), files: vec![("t/pack.toml".into(), PACK.into())] };
    pack::compile(&[source], &[]).unwrap_or_else(|failure| panic!("{}", failure.render(false)))
}

fn text(text: &str) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(text))
}

/// What a cell becomes: `int 5`, `text x`, `unknown`, or the code of the refusal.
fn shown(field: &FieldPlan, shift: i8, cell: &Cell<'_>) -> String {
    match parse(field, shift, cell) {
        Ok(Parsed::Unknown) => "unknown".to_owned(),
        Ok(Parsed::Integer(value)) => format!("int {value}"),
        Ok(Parsed::Text(text)) => format!("text {text}"),
        Err(refusal) => refusal.code.as_str().to_owned(),
    }
}

#[test]
fn cells_are_read_as_meant() {
    let program = program();
    let schema = Schema::new(&program);
    let check = |field: &str, cell: Cell<'_>, expected: &str| {
        let fields = schema.entities.iter().flat_map(|entity| &entity.fields);
        let plan =
            fields.into_iter().find(|plan| program.columns[plan.column.index()].name == field).unwrap();
        assert_eq!(shown(plan, 0, &cell), expected, "{field} {cell:?}");
    };
    let day = Date::from_ymd(2015, 6, 30).unwrap();
    let days = format!("int {}", day.days());

    for (cell, expected) in [
        (Cell::Number(33_865.48), "int 3386548"),
        (Cell::Number(4_230.969_999_999_999), "int 423097"),
        (Cell::Number(0.1 + 0.2), "int 30"),
        (Cell::Number(1.005), "too-many-decimals"),
        (Cell::Number(-5.0), "out-of-range"),
        (Cell::Integer(12), "int 1200"),
        (Cell::Decimal(1234, 2), "int 1234"),
        (text("1,234.50"), "int 123450"),
        (text("１２０"), "int 12000"),
        (text(" 12000 元"), "int 1200000"),
        (text("1.2万元"), "int 1200000"),
        (text("一万二"), "not-a-number"),
        (text("12abc"), "not-a-number"),
        (text("1.2.3"), "not-a-number"),
        (text("99999999999"), "out-of-range"),
        (Cell::Bool(true), "not-a-number"),
        (Cell::Error("#REF!".into()), "cell-error"),
        (Cell::Empty, "unknown"),
        (text("  \u{3000}"), "unknown"),
    ] {
        check("wages", cell, expected);
    }
    for (cell, expected) in [
        (text("81.5㎡"), "int 815"),
        (text("81.5平方米"), "int 815"),
        (text("－3"), "out-of-range"),
        (Cell::Empty, "int 0"),
    ] {
        check("area", cell, expected);
    }
    for (cell, expected) in [
        (Cell::Number(12.0), "int 12"),
        (Cell::Number(14.0), "out-of-range"),
        (Cell::Number(2.5), "too-many-decimals"),
        (text("3个月"), "int 3"),
    ] {
        check("months", cell, expected);
    }
    for (cell, expected) in [
        (Cell::Number(4.35), "int 43500"),
        (text("4.35%"), "int 43500"),
        (text("4.75"), "int 47500"),
        (Cell::Number(435.0), "out-of-range"),
    ] {
        check("rate", cell, expected);
    }
    for cell in [
        Cell::Date(day),
        Cell::Number(42_185.0),
        Cell::Number(20_150_630.0),
        Cell::Integer(20_150_630),
        text("2015.06.30"),
        text("2015.6.30"),
        text("2015年6月30日"),
        text("2015年06月30日"),
        text("20150630"),
        text("2015/6/30"),
        text("2015-06-30"),
        text("2015-06-30 00:00:00"),
        text("２０１５-０６-３０"),
        text("42185"),
    ] {
        check("joined", cell, &days);
    }
    for cell in [text("2015-02-29"), text("去年"), Cell::Number(5.0), Cell::BadDate(60.0)] {
        check("joined", cell, "not-a-date");
    }
    for yes in ["是", "√", "✓", "有", "1", " Y ", "TRUE"] {
        check("insured", text(yes), "int 1");
    }
    for no in ["否", "×", "无", "0", "x", "Ｎ"] {
        check("insured", text(no), "int 0");
    }
    check("insured", Cell::Empty, "int 0");
    check("insured", Cell::Number(1.0), "int 1");
    check("insured", text("可能"), "not-yes-or-no");
    check("health", text("健康"), "int 0");
    check("health", text("慢性病"), "int 1");
    check("health", text("Chronic"), "int 1");
    check("health", text("挺好的"), "not-in-code-list");
}

#[test]
fn digits_that_are_names_are_never_lost_in_silence() {
    let program = program();
    let schema = Schema::new(&program);
    let check = |field: &str, cell: Cell<'_>, expected: &str| {
        let person = &schema.entities[1];
        let plan =
            person.fields.iter().find(|plan| program.columns[plan.column.index()].name == field).unwrap();
        assert_eq!(shown(plan, 0, &cell), expected, "{field} {cell:?}");
    };
    check("citizen_number", text("513431197210162405"), "text 513431197210162405");
    check("citizen_number", text("51343120150417999x"), "text 51343120150417999X");
    check("citizen_number", text("５１３４３１１９７２１０１６２４０５"), "text 513431197210162405");
    check("citizen_number", text("513431194702038921"), "id-checksum");
    check("citizen_number", text("5134312015"), "id-length");
    check("citizen_number", Cell::Number(5.134_311_940_021_793e17), "id-digits-lost");
    check("citizen_number", text("5.13431E+17"), "id-digits-lost");
    check("account", text("6214775122431809213"), "text 6214775122431809213");
    check("account", Cell::Number(6.214_775_122_431_809e18), "digits-lost");
    check("account", text("6.21478E+18"), "digits-lost");
    check("account", Cell::Number(62_147.0), "text 62147");
    check("number", Cell::Empty, "required-missing");
    check("number", text(&"9".repeat(65)), "key-invalid");
}

#[test]
fn suggestions_name_the_nearest_code() {
    let program = program();
    let schema = Schema::new(&program);
    let health = &schema.entities[1].fields[4];
    let refusal = |word: &str| parse(health, 0, &text(word)).unwrap_err().expected.unwrap();
    assert_eq!(refusal("长期慢性"), "长期慢性病");
    assert_eq!(refusal("挺好的"), "健康、长期慢性病");
}

/// The words of a header in one row.
fn titles_of(cells: &[Cell<'_>]) -> Titles {
    let level = |cell: &Cell<'_>| Some(title(cell)).filter(|title| !title.is_empty()).into_iter().collect();
    Titles { levels: cells.iter().map(level).collect() }
}

fn header(titles: &[&str], above: &str) -> Result<String, ImportError> {
    let program = program();
    let schema = Schema::new(&program);
    let mut around = Surroundings::new("文件", "Sheet1", None);
    around.add(&[text(above)]);
    let cells: Vec<Cell<'_>> = titles.iter().map(|title| text(title)).collect();
    let header = recognise(&schema, &around, "文件.xlsx", "Sheet1", 2, &titles_of(&cells))?;
    Ok(header.map_or("none".to_owned(), |header| {
        let entity = schema.entity(header.entity);
        let columns = header.columns.iter().map(|column| match column {
            Some((field, 0)) => program.columns[entity.fields[*field].column.index()].name.clone(),
            Some((field, shift)) => {
                format!("{}^{shift}", program.columns[entity.fields[*field].column.index()].name)
            }
            None => "-".to_owned(),
        });
        format!("{}: {}", entity.name, columns.collect::<Vec<_>>().join(" "))
    }))
}

#[test]
fn headers_are_matched_whatever_their_dress() {
    let check = |titles: &[&str], above: &str, expected: &str| {
        assert_eq!(header(titles, above).unwrap(), expected, "{titles:?}");
    };
    check(&["户编号", "工资性收入\n（元）", "民族"], "昭觉县贫困户信息采集表", "household: number wages -");
    check(&["户编号", "工资收入(万元)", "住房 面积【平方米】"], "", "household: number wages^4 area");
    check(&["number", "wages", "area"], "", "household: number wages area");
    check(&["户编号", "人编号", "证件号码"], "", "person: household_number number citizen_number");
    check(&["*户编号", "人编号：", "是否参保"], "x", "person: household_number number insured");
    check(&["说明", "一", "二"], "", "none");
    check(&["户编号"], "", "none");
}

#[test]
fn a_sheet_that_lacks_columns_says_which() {
    let missing = header(&["户编号", "证件号码", "健康状况"], "贫困人口信息采集表").unwrap_err();
    assert_eq!(missing.code(), "column-missing");
    insta::assert_snapshot!(missing.message(Lang::En), @"
    `文件.xlsx`, sheet `Sheet1`: no column for `人编号`
    hint: found `户编号`, `证件号码`, `健康状况`; expected `人编号`, `户编号`
    ");
    insta::assert_snapshot!(missing.message(Lang::Zh), @"
    “文件.xlsx”的表“Sheet1”缺少列 `人编号`
    提示：现有列 `户编号`, `证件号码`, `健康状况`；应有列 `人编号`, `户编号`
    ");
    let repeated = header(&["户编号", "工资性收入", "工资收入"], "").unwrap_err();
    assert_eq!(repeated.code(), "column-repeated");
}

/// Every form of the shipped pack is known by its sheet's name, and each of its headers by its field.
#[test]
fn forms_are_recognised_as_what_they_are() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015");
    let program = crate::packs::load(&folder, &[], &[]).unwrap().program;
    let schema = Schema::new(&program);
    for lang in Lang::ALL {
        for entity in program.entities.iter().filter(|entity| !entity.sheet.is_empty()) {
            let fields: Vec<_> = crate::forms::columns(&program, entity).collect();
            let cells: Vec<Cell<'_>> =
                fields.iter().map(|(_, column)| Cell::Text(column.label.get(lang).into())).collect();
            let name = crate::forms::sheet_name(entity);
            let around = Surroundings::new("forms", &name, None);
            let header = recognise(&schema, &around, "forms.xlsx", &name, 1, &titles_of(&cells))
                .unwrap()
                .expect(&name);
            let found = &schema.entities[header.entity.index()];
            assert_eq!(found.name, entity.name, "{name}");
            for (position, (id, column)) in fields.iter().enumerate() {
                let (field, _) = header.columns[position].expect(&column.name);
                assert_eq!(found.fields[field].column, *id, "{} {}", entity.name, column.name);
            }
        }
    }
}
