//! Every act in every kind of state: what it leads to, or why it is refused, as a table.

use std::fmt::Write as _;

use model::flow::*;

use crate::scripts::{POSTED, TO_DECISION, TO_NOTICE};
use crate::world::*;

/// States by the scripts that lead to them.
fn states() -> Vec<(&'static str, Vec<&'static str>)> {
    let opened = "2015-03-02 clerk open h1 h2 h3";
    let survey = "2015-03-02 clerk open h1 h2 h3\nclerk attach form 1\nclerk complete";
    let appraisal = "2015-03-02 clerk open h1 h2 h3\nclerk attach form 1\nclerk complete\ntang investigate\ntian investigate\ntang complete";
    let objected = "2015-03-12 sun object all in secret";
    let sampling = "2015-03-18 clerk complete\ntong complete";
    vec![
        ("nothing", vec![]),
        ("application", vec![opened]),
        ("survey", vec![survey]),
        ("appraisal", vec![appraisal]),
        ("notice to post", vec![TO_NOTICE]),
        ("notice hanging", vec![TO_NOTICE, POSTED]),
        ("notice objected to", vec![TO_NOTICE, POSTED, objected]),
        ("notice over", vec![TO_NOTICE, POSTED, "2015-03-18 clock tick"]),
        ("review", vec![TO_NOTICE, POSTED, "2015-03-18 clerk complete"]),
        ("sampling", vec![TO_NOTICE, POSTED, sampling]),
        ("decision", vec![TO_NOTICE, POSTED, TO_DECISION]),
        ("decision, facts changed", vec![TO_NOTICE, POSTED, TO_DECISION, "fact h2 amount 5"]),
        ("announcement", vec![TO_NOTICE, POSTED, TO_DECISION, "chen complete"]),
        ("done", vec![TO_NOTICE, POSTED, TO_DECISION, "chen complete\nclerk complete"]),
        ("refused", vec![TO_NOTICE, POSTED, TO_DECISION, "chen refuse above the line"]),
        (
            "refused in writing",
            vec![TO_NOTICE, POSTED, TO_DECISION, "chen refuse above the line\nchen deliver"],
        ),
        ("withdrawn", vec![survey, "clerk withdraw"]),
    ]
}

/// Commands, each by someone of the role it takes.
const COMMANDS: &[&str] = &[
    "clerk open h1",
    "clock tick",
    "clerk attach form 7",
    "tong investigate",
    "cai draw",
    "cai visit h1",
    "clerk vote 30 24 20",
    "clerk post board",
    "sun object h1 he has a car",
    "tong dismiss 0 he has none",
    "tong uphold 0 he has one",
    "clerk complete",
    "tong complete",
    "chen complete",
    "chen refuse above the line",
    "tong refuse above the line",
    "chen deliver",
    "tong return survey one income is missing",
    "chen void",
    "clerk withdraw",
    "clerk appeal it is not",
    "tong extend the road is cut",
    "clerk apart h1",
];

#[test]
fn every_act_in_every_state_is_allowed_or_refused_by_code() {
    let mut table = String::new();
    for (name, scripts) in states() {
        let mut world = World::new(flow(Effect::Separate, DayUnit::Calendar), &["h1", "h2", "h3"]);
        for script in &scripts {
            world.run(script);
        }
        writeln!(table, "{name}").unwrap();
        for line in COMMANDS {
            let words: Vec<&str> = line.split_whitespace().collect();
            let found = match world.decide(words[0], &world.read(&words[1..])) {
                Ok(events) if events.is_empty() => "nothing happens".to_owned(),
                Ok(events) => {
                    let events: Vec<String> = events.iter().map(|event| world.summary(&event.what)).collect();
                    events.join(", ")
                }
                Err(refusal) => format!("- {refusal}"),
            };
            writeln!(table, "  {line:42} {found}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}
