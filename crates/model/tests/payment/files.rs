//! Files of banks: what is written, what is read, and every fault.

use model::Reason;
use model::payment::{BankLayout, Field, parse, render};

use crate::office::{Office, check, date, payees};

/// Lines of UTF-8, delimited by commas.
pub fn csv_layout() -> BankLayout {
    let columns = r#"[
        { "field": "line", "title": "编号" }, { "field": "name", "title": "姓名" },
        { "field": "account", "title": "账号" }, { "field": "amount", "title": "金额" },
        { "field": "date", "title": "日期" }, { "field": "status", "title": "状态" },
        { "field": "reason", "title": "原因" }
    ]"#;
    let payment = r#"[
        { "field": "line", "title": "编号" }, { "field": "name", "title": "姓名" },
        { "field": "account", "title": "账号" }, { "field": "amount", "title": "金额" },
        { "field": "constant", "title": "币种", "text": "CNY" }
    ]"#;
    read(&format!(
        r#"{{
            "id": "bank", "title": {{ "zh": "信用社", "en": "credit union" }},
            "payment": {{ "encoding": "utf-8", "delimiter": ",", "quotes": true, "header": true, "columns": {payment},
                "totals": {{ "place": "last", "columns": [
                    {{ "field": "count", "title": "笔数" }}, {{ "field": "sum", "title": "合计" }} ] }} }},
            "returns": {{ "encoding": "utf-8", "delimiter": ",", "quotes": true, "columns": {columns} }},
            "match_by": ["line"], "parts": true,
            "statuses": [ {{ "code": "00", "means": "delivered" }}, {{ "code": "51", "means": "returned" }} ]
        }}"#
    ))
}

pub fn layout_matched_by(fields: &[&str]) -> BankLayout {
    let match_by = serde_json::from_str(&serde_json::to_string(fields).unwrap()).unwrap();
    BankLayout { match_by, ..csv_layout() }
}

/// Lines of GBK, in columns of fixed width, with the totals in front.
pub fn fixed_layout() -> BankLayout {
    read(
        r#"{
            "id": "bank", "title": { "zh": "农行", "en": "agricultural bank" },
            "payment": { "encoding": "gbk", "newline": "crlf", "columns": [
                { "field": "number", "title": "序号", "width": 8, "align": "right", "pad": "0" },
                { "field": "account", "title": "账号", "width": 19 },
                { "field": "name", "title": "姓名", "width": 8 },
                { "field": "amount", "title": "金额", "width": 10, "align": "right", "pad": "0", "format": "fen" } ],
                "totals": { "place": "first", "columns": [
                    { "field": "batch", "title": "批次", "width": 10 },
                    { "field": "date", "title": "日期", "width": 8, "format": "compact" },
                    { "field": "count", "title": "笔数", "width": 6, "align": "right", "pad": "0" },
                    { "field": "sum", "title": "合计", "width": 12, "align": "right", "pad": "0", "format": "fen" } ] } },
            "returns": { "encoding": "gbk", "columns": [
                { "field": "batch", "title": "批次", "width": 10 },
                { "field": "number", "title": "序号", "width": 8, "align": "right", "pad": "0" },
                { "field": "amount", "title": "金额", "width": 10, "align": "right", "pad": "0", "format": "fen" },
                { "field": "date", "title": "日期", "width": 8, "format": "compact" },
                { "field": "status", "title": "状态", "width": 2 } ] },
            "match_by": ["number"],
            "statuses": [ { "code": "00", "means": "delivered" }, { "code": "01", "means": "returned" } ]
        }"#,
    )
}

fn read(text: &str) -> BankLayout {
    let layout: BankLayout = serde_json::from_str(text).unwrap();
    assert_eq!(layout.problems(), []);
    layout
}

fn planned() -> Office {
    check("plan B1 l1=500 l2=123456789 => ok".replace("123456789", "1000").as_str())
}

/// What rendering gives: the text, or the first fault.
fn rendered(office: &Office, layout: &BankLayout) -> Result<Vec<u8>, String> {
    rendered_for(office, layout, &payees(office.batch()))
}

fn rendered_for(
    office: &Office,
    layout: &BankLayout,
    payees: &model::payment::Payees,
) -> Result<Vec<u8>, String> {
    let rendered = render(office.batch(), layout, payees, date("2016-03-01"));
    rendered.map_err(|faults| format!("{}: {}", faults[0].code, faults[0]))
}

#[test]
fn a_delimited_file_has_header_rows_and_totals() {
    let text = String::from_utf8(rendered(&planned(), &csv_layout()).unwrap()).unwrap();
    insta::assert_snapshot!(text, @r"
    编号,姓名,账号,金额,币种
    l1,王一,6228480000000001,5.00,CNY
    l2,李二,6228480000000002,10.00,CNY
    2,15.00
    ");
}

#[test]
fn a_fixed_file_counts_widths_in_bytes() {
    let bytes = rendered(&planned(), &fixed_layout()).unwrap();
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines[0], b"B1        20160301000002000000001500\r");
    // 王一 is CD F5 D2 BB in GBK.
    assert_eq!(lines[1], b"000000016228480000000001   \xcd\xf5\xd2\xbb    0000000500\r");
    assert_eq!(lines[1].len(), 8 + 19 + 8 + 10 + 1);
    assert_eq!(lines.len(), 4);
}

#[test]
fn the_same_batch_gives_the_same_bytes() {
    let mut office = planned();
    let first = rendered(&office, &fixed_layout());
    office.check("send f => ok");
    assert_eq!(first, rendered(&office, &fixed_layout()));
    assert_ne!(first, rendered(&check("plan B1 l1=500 l2=999 => ok"), &fixed_layout()));
}

#[test]
fn a_batch_that_is_under_way_has_no_new_file() {
    let mut office = planned();
    office.check("send f => ok\nack 2 1500 2016-03-01 => ok");
    let fault = rendered(&office, &csv_layout()).unwrap_err();
    assert!(fault.starts_with("unready: "), "{fault}");
}

#[test]
fn nothing_is_cut_off_or_replaced() {
    let check_fault = |name: &str, account: &str, layout: &BankLayout, expected: &str| {
        let office = planned();
        let mut payees = payees(office.batch());
        let payee = payees.get_mut(&crate::office::line_id("l1")).unwrap();
        (payee.name, payee.account) = (name.into(), account.into());
        // As if the name had been approved so.
        let mut office = office;
        let mut plan = office.batch().plan.clone();
        plan.id = "B2".parse().unwrap();
        plan.lines.truncate(1);
        plan.lines[0].commitment = payee.commitment();
        let id = plan.id.clone();
        office.record(&id, &[model::payment::BatchEvent::Planned { plan, at: office.now }]);
        office.current = id;
        match rendered_for(&office, layout, &payees) {
            Ok(bytes) => assert_eq!(String::from_utf8_lossy(&bytes).lines().nth(1), Some(expected)),
            Err(fault) => assert_eq!(fault, expected),
        }
    };
    let (csv, fixed) = (csv_layout(), fixed_layout());
    check_fault(
        "阿比子哈莫",
        "1",
        &fixed,
        "too-wide: line 2, column `姓名`: wider than its column: `10`; expected `≤ 8`",
    );
    check_fault(
        "𫖯",
        "1",
        &fixed,
        "not-encodable: line 2, column `姓名`: a character does not exist in the file's encoding: `𫖯`",
    );
    check_fault("𫖯", "1", &csv, "l1,𫖯,1,5.00,CNY");
    check_fault("a,\"b", "1", &csv, "l1,\"a,\"\"b\",1,5.00,CNY");
    let mut plain = csv.clone();
    plain.payment.quotes = false;
    // The value is not told: it is a name.
    check_fault(
        "a,b",
        "1",
        &plain,
        "delimiter: line 2, column `姓名`: the value holds a delimiter, a quote or a line break",
    );
    check_fault(
        "王一",
        "1\n2",
        &csv,
        "delimiter: line 2, column `账号`: the value holds a delimiter, a quote or a line break",
    );
}

#[test]
fn a_file_is_for_those_who_were_approved() {
    let office = planned();
    let mut payees = payees(office.batch());
    payees.get_mut(&crate::office::line_id("l2")).unwrap().account.push('1');
    assert_eq!(
        rendered_for(&office, &csv_layout(), &payees).unwrap_err(),
        "payee-changed: line 3: the payee is not the one who was approved: `l2`"
    );
    payees.remove(&crate::office::line_id("l2"));
    assert_eq!(
        rendered_for(&office, &csv_layout(), &payees).unwrap_err(),
        "payee-missing: line 3: the payee of the line is not given: `l2`"
    );
    let other = BankLayout { id: "other".parse().unwrap(), ..csv_layout() };
    let fault = rendered(&office, &other).unwrap_err();
    assert!(fault.starts_with("layout-unfit: "), "{fault}");
    let same = rendered(&check("plan B1 l1=5 l2=5 => ok"), &layout_matched_by(&["amount"])).unwrap_err();
    assert!(same.starts_with("match-ambiguous: "), "{same}");
}

/// The faults of a file, as codes with their places.
fn faults(layout: &BankLayout, bytes: &[u8]) -> Vec<String> {
    let faults = parse(layout, bytes).err().unwrap_or_default();
    let one = |fault: &model::payment::FileFault| {
        format!("{} {} {}", fault.code, fault.line, fault.column.as_deref().unwrap_or("-"))
    };
    faults.iter().map(one).collect()
}

fn with_totals(mut layout: BankLayout) -> BankLayout {
    layout.returns.header = true;
    layout.returns.totals = layout.payment.totals.clone();
    layout
}

#[test]
fn every_fault_of_a_return_file_has_its_place() {
    let row = "l1,王一,6228,5.00,2016-03-02,00,\n";
    let check = |text: &str, expected: &[&str]| assert_eq!(faults(&csv_layout(), text.as_bytes()), expected);
    check(row, &[]);
    check(&format!("{row}l2,李二\n{row}"), &["cell-count 2 -"]);
    check("l1,王一,6228,x,2016-3-2,00,\n", &["not-an-amount 1 金额", "not-a-date 1 日期"]);
    check("l1,王一,6228,5.00,20160302,00,\n", &["not-a-date 1 日期"]);
    check("l1,\"王一,6228,5.00,2016-03-02,00,\n", &["delimiter 1 -"]);
    check("l1,\"王,\"\"一\",6228,5.00,2016-03-02,00,\r\n\r\n", &[]);
    assert_eq!(faults(&csv_layout(), b"l1,\xcd\xf5,6228,5.00,2016-03-02,00,\n"), ["not-decodable 1 -"]);
    let whole = with_totals(csv_layout());
    let header = "编号,姓名,账号,金额,日期,状态,原因\n";
    let check = |text: &str, expected: &[&str]| assert_eq!(faults(&whole, text.as_bytes()), expected);
    check(&format!("\u{feff}{header}{row}{row}2,10.00\n"), &[]);
    check(&format!("{header}{row}{row}2,10.01\n"), &["totals-differ 4 合计"]);
    check(&format!("{header}{row}2,10.00\n"), &["totals-differ 3 笔数", "totals-differ 3 合计"]);
    check(&format!("{header}{row}{row}"), &["cell-count 3 -"]);
    check(&format!("{}{row}1,5.00\n", header.replace("金额", "金額")), &["header-differs 1 -"]);
    check("", &["totals-missing 0 -", "totals-missing 0 -"]);
    let mut constant = csv_layout();
    let column = &mut constant.returns.columns[6];
    (column.field, column.text) = (Field::Constant, Some("CNY".into()));
    assert_eq!(faults(&constant, row.as_bytes()), ["constant-differs 1 原因"]);
}

#[test]
fn every_fault_of_a_fixed_file_has_its_place() {
    let check = |row: &[u8], expected: &[&str]| assert_eq!(faults(&fixed_layout(), row), expected);
    check(b"B1        0000000100000005002016030200\r\n", &[]);
    check(b"B1        000000010000000500201603020\r\n", &["line-width 1 -"]);
    check(b"B1        0000000x00000005002016030200\r\n", &["not-a-number 1 序号"]);
    check(b"B1        00000001000000050x2016030200\r\n", &["not-an-amount 1 金额"]);
    check(b"B1        0000000100000005002016023000\r\n", &["not-a-date 1 日期"]);
    check(b"\xff\xff        0000000100000005002016030200\r\n", &["not-decodable 1 批次"]);
    // A width that ends within a character.
    check(
        b"B1       \xcd\xf50000000100000005002016030200".get(..38).unwrap(),
        &["not-decodable 1 批次", "not-decodable 1 序号"],
    );
    let zero = parse(&fixed_layout(), b"B1        0000000100000000002016030200").unwrap();
    assert_eq!(zero.rows[0].fen, model::Fen::ZERO);
}

#[test]
fn a_delimiter_may_be_the_second_byte_of_a_character() {
    let mut layout = csv_layout();
    layout.returns.encoding = model::payment::Encoding::Gbk;
    (layout.returns.delimiter, layout.returns.quotes) = (Some('|'), false);
    // 東 is 96 7C in GBK, and 7C is the delimiter.
    let row = b"l1|\x96\x7c|6228|5.00|2016-03-02|00|\n";
    let file = parse(&layout, row).unwrap();
    assert_eq!(file.rows[0].name.as_deref(), Some("東"));
}

#[test]
fn personal_data_is_neither_printed_nor_quoted() {
    let file = parse(&csv_layout(), "l1,王一,6228,5.00,2016-03-02,00,\n".as_bytes()).unwrap();
    let printed = format!("{file:?}");
    assert!(!printed.contains("王一") && !printed.contains("6228"), "{printed}");
    let office = planned();
    let events =
        serde_json::to_string(&office.events.iter().map(|(_, event)| event).collect::<Vec<_>>()).unwrap();
    assert!(!events.contains("王一") && !events.contains("6228480000000001"), "{events}");
    assert!(events.contains("王*") && events.contains("****0001"), "{events}");
}

#[test]
fn faults_speak_both_languages() {
    let faults = parse(&csv_layout(), "l1,王一,6228,5.001,2016-03-02,00,\n".as_bytes()).unwrap_err();
    let message = faults[0].message();
    assert_eq!(message.zh, "第 1 行“金额”列：不是金额：`5.001`");
    assert_eq!(message.en, "line 1, column `金额`: not an amount to the fen: `5.001`");
    assert!(!faults[0].code.hint().zh.is_empty());
}

#[test]
fn layouts_that_cannot_work_are_told_to_their_authors() {
    let check = |change: &dyn Fn(&mut BankLayout), expected: &[&str]| {
        let mut layout = csv_layout();
        change(&mut layout);
        let found: Vec<String> = layout.problems().iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    };
    check(&|layout| layout.match_by.clear(), &["`match_by` is empty"]);
    check(
        &|layout| layout.match_by = vec![Field::Number],
        &["lines are matched by `number`, but the return file has no such column"],
    );
    check(&|layout| layout.match_by = vec![Field::Reason], &["lines cannot be told apart by `reason`"]);
    check(&|layout| layout.statuses.truncate(1), &["no status means `returned`"]);
    check(&|layout| layout.statuses[1].code = "00".into(), &["status `00` is declared twice"]);
    check(
        &|layout| layout.returns.columns.retain(|column| column.field != Field::Status),
        &["the return file has no `status` column"],
    );
    check(
        &|layout| layout.payment.columns[1].field = Field::Account,
        &["the payment file has two `account` columns"],
    );
    check(
        &|layout| layout.payment.columns[0].field = Field::Sum,
        &["`sum` has no place among the columns of the payment file"],
    );
    check(
        &|layout| layout.payment.columns[0].width = Some(3),
        &["column `编号` of the payment file has a width, though the file has a delimiter"],
    );
    check(
        &|layout| layout.payment.delimiter = Some('，'),
        &["`，` cannot delimit or fill in the payment file: it is no printable ASCII character"],
    );
    check(
        &|layout| layout.payment.columns[4].text = None,
        &["column `币种` of the payment file is constant without a text, or has a text and is not constant"],
    );
    check(
        &|layout| layout.payment.columns[3].format = Some(model::payment::Format::Iso),
        &["column `金额` of the payment file has a format of another kind of value"],
    );
    let mut fixed = fixed_layout();
    fixed.returns.columns[0].width = None;
    let found: Vec<String> = fixed.problems().iter().map(ToString::to_string).collect();
    assert_eq!(found, ["column `批次` of the return file has no width, and the file no delimiter"]);
    let unfit = parse(&fixed, b"").unwrap_err();
    assert_eq!(unfit[0].code.as_str(), "layout-unfit");
}

#[test]
fn layouts_refuse_words_they_do_not_know() {
    let text = serde_json::to_string(&csv_layout()).unwrap();
    assert_eq!(serde_json::from_str::<BankLayout>(&text).unwrap(), csv_layout());
    let misspelt = text.replace("\"match_by\"", "\"matchby\"");
    assert!(serde_json::from_str::<BankLayout>(&misspelt).is_err());
    assert!(serde_json::from_str::<BankLayout>(&text.replace("utf-8", "utf8")).is_err());
}
