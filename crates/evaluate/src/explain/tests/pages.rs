use model::Lang;

use super::{ask, en, zh};
use crate::explain::{Asked, Effort, explain};
use crate::interpret::FactsBuilder;
use crate::interpret::build::{date, number, text};
use crate::interpret::sample::{Sample, incomes};

const ELDERS: [(&str, &str); 2] = [("1950-01-01", "ordinary"), ("1980-01-01", "none")];

fn with_grade(wages: i128, grade: &str) -> Vec<(&'static str, pack::program::Value)> {
    let mut fields = incomes(wages, 100_000, 50_000);
    fields.push(("grade", text(grade)));
    fields
}

#[test]
fn an_entitled_household() {
    let sample = Sample::new();
    let facts = sample.facts(&with_grade(300_000, "B"), &ELDERS, &[]);
    let explanation = ask(&sample, &facts, "minimum_living");
    insta::assert_snapshot!(zh(&explanation));
    insta::assert_snapshot!(en(&explanation));
}

#[test]
fn a_household_that_fails_on_both_counts() {
    let sample = Sample::new();
    let persons = [("1990-05-01", "skilled"), ("1950-01-01", "ordinary")];
    let facts = sample.facts(&with_grade(900_000, "B"), &persons, &[]);
    insta::assert_snapshot!(zh(&ask(&sample, &facts, "minimum_living")));
}

#[test]
fn a_standard_says_what_is_lacking() {
    let sample = Sample::new();
    let facts = sample.facts(&with_grade(900_000, "D"), &ELDERS, &[]);
    let explanation = ask(&sample, &facts, "exit");
    insta::assert_snapshot!(zh(&explanation));
    insta::assert_snapshot!(en(&explanation));
}

#[test]
fn a_conflict_names_both_clauses() {
    let sample = Sample::new();
    let facts = sample.facts(&with_grade(900_000, "D"), &ELDERS, &[]);
    let explanation = ask(&sample, &facts, "repair");
    insta::assert_snapshot!(zh(&explanation));
    insta::assert_snapshot!(en(&explanation));
}

#[test]
fn a_failing_check_gives_its_message() {
    let sample = Sample::new();
    let mut fields = incomes(1, 100, 200);
    fields.push(("grade", text("A")));
    let facts = sample.facts(&fields, &ELDERS, &[]);
    let explanation = ask(&sample, &facts, "cost_check");
    insta::assert_snapshot!(zh(&explanation));
    insta::assert_snapshot!(en(&explanation));
}

#[test]
fn brackets_show_each_part() {
    let sample = Sample::new();
    let stays = [("P1", "2015-03-01", 2_000_000), ("P1", "2015-05-01", 4_000_000)];
    let facts = sample.facts(&[], &ELDERS, &stays);
    let explanation = ask(&sample, &facts, "covered");
    insta::assert_snapshot!(zh(&explanation));
    insta::assert_snapshot!(en(&explanation));
}

#[test]
fn windows_show_the_siblings_in_order() {
    let sample = Sample::new();
    let stays = [("P1", "2015-05-01", 400), ("P1", "2015-03-01", 200), ("P1", "2015-04-01", 100)];
    let facts = sample.facts(&[], &ELDERS, &stays);
    let asked = Asked::Column(sample.column("before"));
    let as_of = date("2015-12-31");
    let explanation = explain(
        &crate::Viewer::unmasked(sample.program()),
        &facts,
        as_of,
        sample.stay,
        2,
        asked,
        Effort::default(),
    )
    .expect("a stay");
    insta::assert_snapshot!(explanation.to_text(Lang::Zh));
    insta::assert_snapshot!(explanation.to_text(Lang::En));
}

#[test]
fn of_many_children_those_that_matter_are_listed() {
    let sample = Sample::new();
    let mut persons = vec![("1950-01-01", "none"); 20];
    persons[17] = ("1990-01-01", "ordinary");
    let facts = sample.facts(&with_grade(100, "A"), &persons, &[]);
    let asked = Asked::Column(sample.column("able"));
    let effort = Effort { trials_max: 0, ..Effort::default() };
    let explanation = explain(
        &crate::Viewer::unmasked(sample.program()),
        &facts,
        date("2015-12-31"),
        sample.household,
        0,
        asked,
        effort,
    )
    .expect("a household");
    let tree = explanation.root();
    assert_eq!(tree.children.len(), 13);
    assert!(tree.children[0].text.zh.starts_with("人 P18："), "{}", tree.children[0].text.zh);
    assert_eq!(tree.children[12].text.zh, "另有 8 条未列出：计入 0 条，不计入 8 条，未知 0 条");
    assert_eq!(tree.children[12].text.en, "8 more not listed: 0 count, 8 do not, 0 are unknown");
}

#[test]
fn what_rests_on_a_parameter_that_is_not_in_force_is_unknown() {
    let mut sample = Sample::new();
    let pack::program::ParameterShape::Scalar(values) = &mut sample.build.program.parameters[0].shape else {
        panic!("scalar")
    };
    values.truncate(1);
    let facts = sample.facts(&with_grade(300_000, "B"), &ELDERS, &[]);
    insta::assert_snapshot!(zh(&ask(&sample, &facts, "minimum_living")));
}

#[test]
fn machines_read_exact_values() {
    let sample = Sample::new();
    let facts = sample.facts(&with_grade(300_001, "B"), &[("1950-01-01", "none")], &[]);
    let json = ask(&sample, &facts, "minimum_living").to_json();
    assert_eq!(json["verdict"], "false");
    assert_eq!(json["value"], false);
    assert_eq!(json["as_of"], "2015-12-31");
    assert_eq!(json["subject"]["key"], "H1");
    assert_eq!(json["rule"]["clauses"][0]["id"], "7.1");
    let income = &json["answers"][0]["tree"]["children"][0]["children"][0];
    insta::assert_snapshot!(serde_json::to_string_pretty(income).expect("JSON prints"));
    insta::assert_snapshot!(serde_json::to_string(&json["turns"]["found"][0]).expect("JSON prints"));
}

#[test]
fn every_text_is_complete_in_both_languages() {
    fn check(node: &crate::explain::Node) {
        assert!(!node.text.zh.trim().is_empty() && !node.text.en.trim().is_empty(), "{node:?}");
        assert!(
            !node.text.en.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)),
            "{}",
            node.text.en
        );
        node.children.iter().for_each(check);
    }
    let sample = Sample::new();
    let stays = [("P1", "2015-05-01", 400)];
    let facts = sample.facts(&with_grade(300_000, "D"), &ELDERS, &stays);
    for rule in ["minimum_living", "exit", "repair", "cost_check", "covered"] {
        ask(&sample, &facts, rule).answers.iter().for_each(|answer| check(&answer.tree));
    }
}

#[test]
fn a_value_given_with_the_facts_is_shown_as_such() {
    let sample = Sample::new();
    let mut builder = FactsBuilder::new(sample.program());
    builder.record(sample.household, "H1", [(sample.column("income"), Some(number(300_000)))]);
    let explanation = ask(&sample, &builder.build(), "exit");
    insta::assert_snapshot!(zh(&explanation));
    insta::assert_snapshot!(en(&explanation));
}
