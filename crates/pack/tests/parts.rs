//! Parts of clauses: the state of each follows from what the rules that cite it read.

use pack::parts::{PartState, standings};
use pack::{PackSource, compile};

const BASE: &str = include_str!("base.toml");

/// The base pack with two parts of its clause, the second of which nothing cites, and a flow.
fn program(needs: &str, extra: &str) -> pack::program::Program {
    let parts = format!(
        "[[clause_parts]]\nclause = \"7.1\"\nparts = [\n  {{ needs = [{needs}], zh = \"一\", en = \"one\" }},\n  {{ needs = [\"computed\"], zh = \"二\", en = \"two\" }},\n]\n"
    );
    let files =
        vec![("base.toml".to_owned(), BASE.to_owned()), ("extra.toml".to_owned(), format!("{parts}{extra}"))];
    match compile(&[PackSource { name: "base".to_owned(), files }], &[]) {
        Ok(program) => program,
        Err(failure) => panic!("{}", failure.render(false)),
    }
}

fn check(needs: &str, extra: &str, expected: PartState) {
    let program = program(needs, extra);
    let found = standings(&program);
    assert_eq!(found[0].state, expected, "{needs}: {extra}");
    assert_eq!(found[1].state, PartState::Nothing, "a rule that cites one part stands for no other");
}

fn rule(kind: &str, lines: &str) -> String {
    format!("[[{kind}]]\nid = \"x\"\ntitle = {{ zh = \"甲\", en = \"x\" }}\ncite = [\"7.1/1\"]\n{lines}\n")
}

fn standard(holds: &str) -> String {
    rule("standard", &format!("on = \"household\"\nholds = \"{holds}\""))
}

const VISIT: &str = r#"
[[entity]]
id = "visit"
label = { zh = "走访", en = "visit" }
key = "number"
parent = { entity = "household", via = "household_number", required = true }
rows_max = 1000
judgement = { by = "officer", on = "day", evidence = "report" }
field = [
  { id = "number", label = { zh = "号", en = "number" }, type = "text", required = true },
  { id = "household_number", label = { zh = "户", en = "household" }, type = "text", required = true },
  { id = "officer", label = { zh = "人员", en = "officer" }, type = "text" },
  { id = "day", label = { zh = "日期", en = "day" }, type = "date" },
  { id = "report", label = { zh = "报告", en = "report" }, type = "text" },
  { id = "able", label = { zh = "能劳动", en = "able" }, type = "bool" },
]
"#;

#[test]
fn a_rule_that_computes_is_computed_and_one_mutated_to_a_bare_field_is_copied() {
    let computed = "\"computed\"";
    check(computed, &standard("income / members >= param.line"), PartState::Computed);
    check(computed, &standard("village.ethnic"), PartState::Copied);
    for holds in [
        "NOT village.ethnic",
        "village.ethnic = TRUE",
        "village.ethnic IS NOT NULL AND village.ethnic",
        "coalesce(village.ethnic, FALSE)",
        "CASE WHEN village.ethnic THEN TRUE ELSE FALSE END",
        "registered_on IS NOT NULL",
    ] {
        check(computed, &standard(holds), PartState::Copied);
    }
    for holds in
        ["bool_or(person.labour = 'ordinary')", "registered_on < as_of", "income >= 5000", "able > 0"]
    {
        check(computed, &standard(holds), PartState::Computed);
    }
    check(computed, "", PartState::Nothing);
}

#[test]
fn a_number_handed_through_is_typed() {
    let measure =
        |expr: &str| rule("measure", &format!("on = [\"village\"]\ntype = \"money\"\nexpr = \"{expr}\""));
    check("\"computed\"", &measure("sum(household.income)"), PartState::Typed);
    check(
        "\"computed\"",
        &measure("sum(household.income) FILTER (WHERE household.able = 0)"),
        PartState::Computed,
    );
    check("\"computed\"", &standard("income > 0"), PartState::Typed);
}

#[test]
fn the_best_of_the_rules_that_cite_a_part_counts() {
    let both = format!(
        "{}{}",
        standard("village.ethnic"),
        standard("income >= param.line").replace("\"x\"", "\"y\"")
    );
    check("\"computed\"", &both, PartState::Computed);
}

#[test]
fn what_a_part_takes_beside_computing_has_to_be_brought() {
    let both = "\"computed\", \"act\"";
    check(both, &standard("income >= param.line"), PartState::ActMissing);
    let duty = |met: &str| {
        rule(
            "duty",
            &format!(
                "on = \"household\"\nwho = {{ zh = \"乡\", en = \"w\" }}\nowed = \"able = 0\"\nmet = \"{met}\""
            ),
        )
    };
    check(both, &duty("registered_on <= as_of"), PartState::Done);
    check(both, &duty("village.ethnic"), PartState::Copied);
    check("\"act\"", &duty("village.ethnic"), PartState::Done);
    check("\"act\", \"document\"", &duty("village.ethnic"), PartState::ActMissing);
    check("\"principle\"", "", PartState::Principle);
    check("\"outside\"", "", PartState::Outside);
}

#[test]
fn a_judgement_on_record_is_judged_and_never_copied() {
    let holds = "bool_or(visit.able)";
    let judged = format!("{VISIT}{}", standard(holds));
    check("\"computed\", \"judged\"", &judged, PartState::Judged);
    check("\"computed\", \"judged\"", &standard("income >= param.line"), PartState::ActMissing);
}

#[test]
fn what_is_missing_and_who_stands_behind_a_part_is_told() {
    let report = "[[report]]\nid = \"list\"\non = \"household\"\ntitle = { zh = \"表\", en = \"list\" }\ncolumns = [\"household.number\", \"household.x\"]\n";
    let program =
        program("\"computed\", \"payment\", \"published\"", &format!("{}{report}", standard("able = 0")));
    let found = standings(&program);
    let ids = |rules: &[&pack::program::Rule]| rules.iter().map(|rule| rule.id.clone()).collect::<Vec<_>>();
    let missing: Vec<&str> = found[0].missing.iter().map(|need| need.as_str()).collect();
    assert_eq!(
        (ids(&found[0].by), ids(&found[0].shown_in), missing),
        (vec!["x".to_owned()], vec!["list".to_owned()], vec!["payment", "published"])
    );
    let cite = "cite = [\"7.1/1\"]\n";
    let cited = program_with_report(cite, report);
    let missing: Vec<&str> = standings(&cited)[0].missing.iter().map(|need| need.as_str()).collect();
    assert_eq!(missing, ["payment"], "a report that cites the part publishes it");
}

fn program_with_report(cite: &str, report: &str) -> pack::program::Program {
    program("\"computed\", \"payment\", \"published\"", &format!("{}{report}{cite}", standard("able = 0")))
}
