use std::collections::BTreeMap;

use model::Lang;
use pack::program::{
    ColumnKind, Comparison, Direction, ExprKind, Frame, NumberKind, NumberType, Program, Type, Unit, Value,
    Window, WindowFunction,
};

use crate::explain::{expression_text, value_text};
use crate::interpret::build::*;

fn quantity(units: &[(&str, i8)], decimals: u8) -> Type {
    let unit =
        Unit(units.iter().map(|(name, power)| ((*name).to_owned(), *power)).collect::<BTreeMap<_, _>>());
    Type::Number(NumberType { kind: NumberKind::Quantity, unit, decimals })
}

#[test]
fn values_are_written_with_their_units() {
    let program = Program::default();
    let check = |ty: &Type, value: i128, zh: &str, en: &str| {
        let value = Value::Number(value);
        assert_eq!(value_text(&program, ty, Some(&value), Lang::Zh), zh);
        assert_eq!(value_text(&program, ty, Some(&value), Lang::En), en);
    };
    check(&money_type(), 234_567, "2,345.67 元", "2,345.67 yuan");
    check(&money_type(), -5, "-0.05 元", "-0.05 yuan");
    check(&money_type(), 123_456_789_000, "1,234,567,890.00 元", "1,234,567,890.00 yuan");
    check(&count_type(), 2015, "2015", "2015");
    check(&count_type(), 12_345, "12,345", "12,345");
    check(&rate_type(), 435, "4.35%", "4.35%");
    check(&rate_type(), 7_000, "70%", "70%");
    check(&quantity(&[("mu", 1)], 2), 350, "3.5 亩", "3.5 mu");
    check(&quantity(&[("yuan", 1), ("mu", -1)], 2), 1_475, "14.75 元/亩", "14.75 yuan/mu");
    check(&quantity(&[("yuan", 1)], 0), 500, "500.00 元", "500.00 yuan");
    check(&quantity(&[("sheep", 2)], 0), 3, "3 sheep^2", "3 sheep^2");
    let say = |value: Option<Value>, ty: &Type| {
        (
            value_text(&program, ty, value.as_ref(), Lang::Zh),
            value_text(&program, ty, value.as_ref(), Lang::En),
        )
    };
    assert_eq!(say(None, &Type::Bool), ("未知".to_owned(), "unknown".to_owned()));
    assert_eq!(say(Some(Value::Bool(true)), &Type::Bool), ("是".to_owned(), "yes".to_owned()));
    assert_eq!(say(Some(Value::Date(date("2015-06-30"))), &Type::Date).0, "2015-06-30");
    assert_eq!(say(Some(Value::Index(0.381_25)), &Type::Index).0, "0.3812");
}

#[test]
fn expressions_are_bracketed_where_they_must_be() {
    let mut build = Build::new();
    let entity = build.entity("household", "户", "household");
    let money = build.field(entity, "m", ("收入", "income"), money_type(), None);
    let able = build.field(entity, "b", ("能劳动", "able"), Type::Bool, None);
    let parent = build.entity("village", "村", "village");
    let edge = build.edge(entity, parent);
    let (m, b) = (build.col(money), build.col(able));
    let window = Window {
        edge,
        function: WindowFunction::Sum,
        argument: Some(m.clone()),
        partition: vec![b.clone()],
        order: vec![(m.clone(), Direction::Descending)],
        frame: Frame::UpToCurrent,
    };
    let hidden = build.computed(entity, "_window", ("", ""), money_type(), ColumnKind::Window(window));
    let hidden = build.col(hidden);
    let check = |expr: pack::program::Expr, zh: &str, en: &str| {
        assert_eq!(expression_text(&build.program, &expr, Lang::Zh), zh);
        assert_eq!(expression_text(&build.program, &expr, Lang::En), en);
    };
    let (m, b) = (|| m.clone(), || b.clone());
    check(mul(add(m(), fen(1)), count(2), 0), "（收入 + 0.01 元） × 2", "(income + 0.01 yuan) × 2");
    check(sub(m(), sub(m(), m())), "收入 − （收入 − 收入）", "income − (income − income)");
    check(sub(sub(m(), m()), m()), "收入 − 收入 − 收入", "income − income − income");
    check(div(m(), mul(m(), m(), 0), 0), "收入 ÷ （收入 × 收入）", "income ÷ (income × income)");
    let less = || compare(Comparison::LessOrEqual, m(), fen(100));
    check(
        or(vec![and(vec![less(), b()]), not(or(vec![b(), less()]))]),
        "收入 ≤ 1.00 元 且 能劳动 或 非（能劳动 或 收入 ≤ 1.00 元）",
        "income ≤ 1.00 yuan and able or not (able or income ≤ 1.00 yuan)",
    );
    check(
        and(vec![or(vec![b(), less()]), b()]),
        "（能劳动 或 收入 ≤ 1.00 元） 且 能劳动",
        "(able or income ≤ 1.00 yuan) and able",
    );
    check(
        case(vec![(b(), m())], Some(fen(0))),
        "能劳动 时为 收入；否则为 0.00 元",
        "income if able; otherwise 0.00 yuan",
    );
    check(
        expr(ExprKind::Least(vec![m(), fen(5)]), money_type()),
        "较小者（收入、0.05 元）",
        "the least of (income, 0.05 yuan)",
    );
    check(
        expr(ExprKind::Coalesce(vec![m(), fen(5)]), money_type()),
        "收入（未知时取0.05 元）",
        "income (if unknown, 0.05 yuan)",
    );
    check(expr(ExprKind::IsUnknown(Box::new(m())), Type::Bool), "收入未知", "income is unknown");
    check(
        hidden,
        "同一村的户（能劳动相同）按收入（降序）排列，至本条为止的收入之和",
        "sum of income over those up to this one, among household of one village (with the same able) by income descending",
    );
}

const CITIZENS: &str = r#"
[pack]
id = "p"
version = "1"
title = { zh = "试", en = "test" }
as_of = 2015-12-31
[[entity]]
id = "person"
label = { zh = "人", en = "person" }
key = "number"
rows_max = 10
[[entity.field]]
id = "number"
label = { zh = "人编号", en = "person number" }
type = "text"
required = true
[[entity.field]]
id = "citizen_number"
label = { zh = "证件号码", en = "citizen number" }
type = "text"
format = "citizen-number"
[[variable]]
id = "birth"
on = "person"
title = { zh = "出生日期", en = "date of birth" }
type = "date"
expr = "citizen_birth(citizen_number)"
[[variable]]
id = "male"
on = "person"
title = { zh = "男性", en = "male" }
type = "bool"
expr = "citizen_sex(citizen_number) = 'male'"
[[variable]]
id = "age"
on = "person"
title = { zh = "周岁", en = "age" }
type = "count"
expr = "age(birth, as_of)"
"#;

#[test]
fn functions_of_a_citizen_number_are_named_and_not_spelt_out_in_digits() {
    let source = pack::PackSource { name: "p".into(), files: vec![("pack.toml".into(), CITIZENS.into())] };
    let program = pack::compile(&[source], &[]).unwrap_or_else(|failure| panic!("{}", failure.render(false)));
    let check = |name: &str, zh: &str, en: &str| {
        let column = program.columns.iter().find(|column| column.name == name).expect("a variable");
        let ColumnKind::Scalar(expr) = &column.kind else { panic!("{name} is computed") };
        assert_eq!(expression_text(&program, expr, Lang::Zh), zh);
        assert_eq!(expression_text(&program, expr, Lang::En), en);
    };
    check("birth", "证件号码中的出生日期", "the date of birth in the citizen number");
    check("male", "证件号码中的性别 = male", "the sex in the citizen number = male");
    check("age", "出生日期至截至日的周岁", "full years from date of birth to the as-of date");
}
