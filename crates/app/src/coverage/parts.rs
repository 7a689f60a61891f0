//! The parts of clauses in coverage: their states as text and for machines.

use std::fmt::Write as _;

use model::{Lang, Text};
use pack::parts::{PartState, standings};
use pack::program::{Need, PartId, Program};
use serde_json::{Value as Json, json};

/// One part of a clause with its state and what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartCoverage {
    pub id: PartId,
    pub says: Text,
    pub state: PartState,
    /// What it takes and no rule brings.
    pub missing: Vec<Need>,
    /// Ids of rules that cite it.
    pub by: Vec<String>,
    /// Ids of reports that show it.
    pub shown_in: Vec<String>,
}

impl PartCoverage {
    /// `✓ 7.1/2 done: every such household is enrolled`
    pub(super) fn line(&self, lang: Lang) -> String {
        let mark = if self.state.settled() { "✓" } else { "…" };
        let id = self.id.to_string();
        format!("{mark} {id:<8} {}: {}", words(self.state, lang), self.says.get(lang))
    }
}

pub(super) fn of(program: &Program) -> Vec<PartCoverage> {
    standings(program)
        .into_iter()
        .map(|standing| PartCoverage {
            id: standing.part.id.clone(),
            says: standing.part.says.clone(),
            state: standing.state,
            missing: standing.missing,
            by: standing.by.iter().map(|rule| rule.id.clone()).collect(),
            shown_in: standing.shown_in.iter().map(|rule| rule.id.clone()).collect(),
        })
        .collect()
}

pub(super) fn to_json(parts: &[PartCoverage]) -> Json {
    parts
        .iter()
        .map(|part| {
            json!({
                "clause": part.id.clause.to_string(),
                "part": part.id.number,
                "state": part.state.as_str(),
                "missing": part.missing.iter().map(|need| need.as_str()).collect::<Vec<_>>(),
                "by": part.by,
                "shown_in": part.shown_in,
            })
        })
        .collect()
}

pub(super) fn write_text(text: &mut String, parts: &[PartCoverage], lang: Lang) {
    if !parts.is_empty() {
        text.push('\n');
    }
    for part in parts {
        let _ = writeln!(text, "{}  [{}]", part.line(lang), part.by.join(", "));
    }
}

/// How many parts are in which state.
pub(super) fn summary(parts: &[PartCoverage], lang: Lang) -> String {
    let counts: Vec<String> = PartState::ALL
        .into_iter()
        .filter_map(|state| {
            let number = parts.iter().filter(|part| part.state == state).count();
            (number > 0).then(|| format!("{} {number}", words(state, lang)))
        })
        .collect();
    match lang {
        Lang::Zh => format!("条款共 {} 项内容：{}。", parts.len(), counts.join("，")),
        Lang::En => format!("Of {} parts of clauses: {}.", parts.len(), counts.join(", ")),
    }
}

fn words(state: PartState, lang: Lang) -> &'static str {
    let (zh, en) = match state {
        PartState::Computed => ("已计算", "computed"),
        PartState::Judged => ("据在案认定", "judged"),
        PartState::Done => ("已落实", "done"),
        PartState::Copied => ("照抄登记", "copied"),
        PartState::Typed => ("照抄填报数", "typed"),
        PartState::ActMissing => ("缺少办理环节", "act missing"),
        PartState::Nothing => ("无", "nothing"),
        PartState::Principle => ("原则", "principle"),
        PartState::Outside => ("不做", "outside"),
    };
    if lang == Lang::Zh { zh } else { en }
}
