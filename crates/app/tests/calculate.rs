//! Facts as JSON lines, results as JSON lines.

use std::path::Path;

use app::calculate::Calculator;
use pack::program::Program;

fn program() -> Program {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/twelve-rules/pack");
    app::packs::load(&folder, &[], &[]).unwrap_or_else(|error| panic!("{error}")).program
}

const VILLAGE: &str = r#""village": {"ethnic": true, "road": true, "clinic": true, "culture_room": true, "network": true, "collective_income": true}"#;
const HOUSEHOLD: &str = r#""in_relocation_plan": true, "loan_principal": 50000, "loan_year": 3, "housing_safe": true, "water_safe": true"#;
const ADULT: &str = r#"{"age": 40, "able_to_work": true, "disabled": true, "stage": 0, "dropped_out": false, "bill": "12345.67", "insured": true}"#;
const CHILD: &str = r#"{"number": "c", "age": 4, "able_to_work": false, "disabled": false, "stage": 1, "dropped_out": false, "bill": 0, "insured": null}"#;

fn lines(texts: &[String], only: &[&str]) -> Result<Vec<serde_json::Value>, String> {
    let program = program();
    let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
    let as_of = "2019-12-31".parse().expect("a date");
    let calculator = Calculator::new(&program, as_of, &only).map_err(|error| error.to_string())?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let results = calculator.lines(&texts, 7).map_err(|error| error.to_string())?;
    Ok(results.iter().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect())
}

fn family(income: &str) -> String {
    format!(
        r#"{{{VILLAGE}, "household": {{"net_income": {income}, {HOUSEHOLD}}}, "person": [{ADULT}, {CHILD}]}}"#
    )
}

#[test]
fn a_line_is_a_world_of_its_own() {
    let found = lines(&[family("6000.01"), String::new(), family("6436")], &[]).expect("results");
    assert_eq!(found.len(), 3);
    let household = &found[0]["household"][0];
    assert_eq!(household["income_per_person"].to_string(), "3000.0");
    assert_eq!(household["members"], 2);
    assert_eq!(household["poor"], true);
    assert_eq!(household["interest_subsidy_amount"].to_string(), "2175.0");
    // Whether the child is insured is unknown.
    assert_eq!(household["guarantees"], serde_json::Value::Null);
    assert_eq!(found[0]["person"][1]["number"], "c");
    assert_eq!(found[0]["person"][1]["education_amount"].to_string(), "1000.0");
    assert_eq!(found[0]["person"][0]["basic"].to_string(), "8431.96");
    assert_eq!(found[0]["person"][0]["disability_amount"].to_string(), "218.0");
    assert_eq!(found[1], serde_json::json!({}));
    assert_eq!(found[2]["household"][0]["poor"], false);
    assert_eq!(found[2]["village"][0]["poor_persons"], 0);
}

#[test]
fn only_what_is_asked_for_is_given() {
    let found = lines(&[family("6000")], &["minimum_living", "basic"]).expect("results");
    let household = found[0]["household"][0].as_object().expect("a record");
    let names: Vec<&str> = household.keys().map(String::as_str).collect();
    assert_eq!(names, ["minimum_living", "minimum_living_amount", "number"]);
    assert!(found[0].get("village").is_none());
}

#[test]
fn what_cannot_be_understood_is_said_with_its_line() {
    let wrong = |text: &str| lines(&[family("1"), text.to_owned()], &[]).expect_err("it is wrong");
    assert_eq!(wrong(r#"{"houshold": {}}"#), "line 8: no entity is called `houshold`");
    assert_eq!(wrong(r#"{"person": {"agee": 3}}"#), "line 8: `person` has no field `agee`");
    assert_eq!(wrong(r#"{"person": {"age": true}}"#), "line 8: `person.age`: `true` is of the wrong type");
    assert_eq!(
        wrong(r#"{"person": {"age": 151}}"#),
        "line 8: `person.age`: `151` is beyond the field's range"
    );
    assert_eq!(wrong("[1]"), "line 8: it is no JSON object");
    assert_eq!(lines(&[], &["pover"]).expect_err("unknown"), "no rule or result is called `pover`");
}

#[test]
fn a_record_says_on_request_what_its_unknown_results_lack() {
    let program = program();
    let as_of = "2019-12-31".parse().expect("a date");
    let only = ["income_per_person".to_owned()];
    let calculator = Calculator::new(&program, as_of, &only).expect("the result is known").with_reasons(true);
    let line = |income: &str| {
        format!(r#"{{{VILLAGE}, "household": {{{income}{HOUSEHOLD}}}, "person": [{ADULT}, {CHILD}]}}"#)
    };
    let texts = [line(""), line(r#""net_income": 6000, "#)];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let found = calculator.lines(&texts, 1).expect("results");
    let json = |line: &String| -> serde_json::Value { serde_json::from_str(line).expect("a line is JSON") };
    let lacks = &json(&found[0])["household"][0]["unknown"]["income_per_person"];
    assert_eq!(lacks.as_array().map(Vec::len), Some(1), "{lacks}");
    assert_eq!((&lacks[0]["kind"], &lacks[0]["name"]), (&"fact".into(), &"net_income".into()));
    assert!(!lacks[0]["text"].as_str().expect("a text").contains('#'), "{lacks}");
    assert!(json(&found[1])["household"][0].get("unknown").is_none(), "{}", found[1]);
}
