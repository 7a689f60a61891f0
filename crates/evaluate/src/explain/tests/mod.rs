//! Explanations of the sample pack, in both languages.

mod missing;
mod pages;
mod printing;
mod properties;
mod turning;

use model::Lang;

use super::{Asked, Effort, Explanation, explain};
use crate::interpret::Facts;
use crate::interpret::build::date;
use crate::interpret::sample::Sample;

fn ask(sample: &Sample, facts: &Facts, rule: &str) -> Explanation {
    let id = sample.rule(rule);
    let entity = sample.program().rules[id.index()].entity.expect("a rule about an entity");
    let asked = Asked::Rule(id);
    explain(
        &crate::Viewer::unmasked(sample.program()),
        facts,
        date("2015-12-31"),
        entity,
        0,
        asked,
        Effort::default(),
    )
    .expect("the rule is about the entity")
}

fn zh(explanation: &Explanation) -> String {
    explanation.to_text(Lang::Zh)
}

fn en(explanation: &Explanation) -> String {
    explanation.to_text(Lang::En)
}
