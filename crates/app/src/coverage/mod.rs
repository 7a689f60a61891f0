//! Which clauses are implemented, by what, and what no clause or case stands behind.

mod page;
mod parts;
mod ran;

use std::fmt::Write as _;

use model::{ClauseId, Lang};
use pack::program::{Program, Rule, RuleDetail, RuleKind};
use serde_json::{Value as Json, json};

use crate::cases::unexercised;
pub use parts::PartCoverage;
pub use ran::{Ran, RanRules, in_run};

/// One clause with what cites it.
#[derive(Clone, Debug)]
pub struct ClauseCoverage {
    pub id: ClauseId,
    pub kind: String,
    /// Ids of rules that cite it and run.
    pub executed_by: Vec<String>,
    /// Ids of rules that cite it and are declared only.
    pub declared_by: Vec<String>,
    /// Whether a worked case expects a result of a rule that cites it.
    pub exercised: bool,
    /// Number of worked cases that cite it.
    pub cases: usize,
}

impl ClauseCoverage {
    /// `principle` and `outside` clauses have nothing to execute.
    pub fn exempt(&self) -> bool {
        matches!(self.kind.as_str(), "principle" | "outside")
    }

    pub fn implemented(&self) -> bool {
        !self.executed_by.is_empty() && self.exercised
    }

    fn mark(&self) -> &'static str {
        if self.exempt() {
            "–"
        } else if self.implemented() {
            "✓"
        } else if self.executed_by.is_empty() && self.declared_by.is_empty() {
            "✗"
        } else {
            "…"
        }
    }

    /// The mark in words.
    fn state(&self, lang: Lang) -> String {
        let (zh, en) = match self.mark() {
            "–" => ("无可执行内容", "nothing to execute"),
            "✓" => ("已实现并有算例", "implemented, with a worked case"),
            "✗" => ("未实现", "not implemented"),
            _ if self.executed_by.is_empty() => ("已声明", "declared"),
            _ => ("已实现，无算例", "implemented, without a worked case"),
        };
        if lang == Lang::Zh { zh } else { en }.to_owned()
    }
}

#[derive(Clone, Debug)]
pub struct Coverage {
    pub clauses: Vec<ClauseCoverage>,
    /// The parts of clauses that the pack declares, in its order.
    pub parts: Vec<PartCoverage>,
    /// Executed rules (variables aside) that cite no clause.
    pub without_clause: Vec<String>,
    /// Executed rules that no worked case looks at.
    pub without_case: Vec<String>,
}

/// Coverage of a pack's clauses by its rules.
pub fn of(program: &Program) -> Coverage {
    let idle = unexercised(program);
    let cited_by_cases: Vec<&ClauseId> = program.cases.iter().flat_map(|case| &case.cite).collect();
    let clauses = program
        .clauses
        .iter()
        .map(|clause| {
            let citing: Vec<&Rule> =
                program.rules.iter().filter(|rule| rule.cite.contains(&clause.id)).collect();
            let (runs, declared): (Vec<&Rule>, Vec<&Rule>) = citing.into_iter().partition(|rule| runs(rule));
            ClauseCoverage {
                id: clause.id.clone(),
                kind: clause.kind.clone(),
                exercised: runs.iter().any(|rule| !idle.contains(&rule.id))
                    || cited_by_cases.contains(&&clause.id),
                cases: cited_by_cases.iter().filter(|id| **id == &clause.id).count(),
                executed_by: runs.iter().map(|rule| rule.id.clone()).collect(),
                declared_by: declared.iter().map(|rule| rule.id.clone()).collect(),
            }
        })
        .collect();
    Coverage {
        clauses,
        parts: parts::of(program),
        without_clause: program
            .rules
            .iter()
            .filter(|rule| {
                runs(rule)
                    && rule.cite.is_empty()
                    && rule.kind != RuleKind::Variable
                    && rule.kind != RuleKind::Check
            })
            .map(|rule| rule.id.clone())
            .collect(),
        without_case: idle,
    }
}

/// Whether a rule computes something, rather than being declared for a later part.
fn runs(rule: &Rule) -> bool {
    match &rule.detail {
        RuleDetail::Variable { .. }
        | RuleDetail::Benefit(_)
        | RuleDetail::Standard(_)
        | RuleDetail::Measure(_)
        | RuleDetail::Check(_)
        | RuleDetail::Scorecard(_)
        | RuleDetail::Asset(_)
        | RuleDetail::Duty(_) => true,
        RuleDetail::Programme(_) | RuleDetail::Flow(_) => false,
        RuleDetail::Declared { columns, .. } => !columns.is_empty() && rule.kind != RuleKind::Report,
    }
}

impl Coverage {
    /// Every clause that can be executed is, and a worked case shows it.
    pub fn complete(&self) -> bool {
        self.clauses.iter().all(|clause| clause.exempt() || clause.implemented())
    }

    pub fn to_json(&self, ran: Option<&RanRules>) -> Json {
        let in_run = |ids: &[String]| -> Json {
            let Some(ran) = ran else { return Json::Null };
            let of = |id: &String| {
                let ran = ran.get(id)?;
                Some((
                    id.clone(),
                    json!({ "known": ran.known, "unknown": ran.unknown(), "subjects": ran.subjects }),
                ))
            };
            ids.iter().filter_map(of).collect::<serde_json::Map<String, Json>>().into()
        };
        let clauses: Vec<Json> = self
            .clauses
            .iter()
            .map(|clause| {
                json!({
                    "id": clause.id.to_string(),
                    "kind": clause.kind,
                    "executed_by": clause.executed_by,
                    "declared_by": clause.declared_by,
                    "exercised": clause.exercised,
                    "implemented": clause.implemented(),
                    "cases": clause.cases,
                    "ran": in_run(&clause.executed_by),
                })
            })
            .collect();
        json!({
            "clauses": clauses,
            "parts": parts::to_json(&self.parts),
            "without_clause": self.without_clause,
            "without_case": self.without_case,
        })
    }

    pub fn to_text(&self, program: &Program, ran: Option<&RanRules>, lang: Lang) -> String {
        let mut text = String::new();
        for clause in &self.clauses {
            let summary = program
                .clauses
                .iter()
                .find(|known| known.id == clause.id)
                .map_or("", |known| known.summary.get(lang));
            let by: Vec<&str> =
                clause.executed_by.iter().chain(&clause.declared_by).map(String::as_str).collect();
            let mark = clause.mark();
            let _ = match ran {
                None => writeln!(
                    text,
                    "{mark} {:<6} {:<10} {}  [{}]",
                    clause.id,
                    clause.kind,
                    summary,
                    by.join(", ")
                ),
                Some(_) => writeln!(text, "{mark} {:<6} {:<10} {}", clause.id, clause.kind, summary),
            };
            for id in ran.map(|_| by.as_slice()).unwrap_or_default() {
                let told = ran.map(|ran| ran::ran_text(ran, id, lang)).unwrap_or_default();
                let _ = writeln!(text, "    {id}: {told}");
            }
        }
        parts::write_text(&mut text, &self.parts, lang);
        let _ = writeln!(text, "\n{}", self.summary(lang));
        if !self.parts.is_empty() {
            let _ = writeln!(text, "{}", parts::summary(&self.parts, lang));
        }
        for (title, list) in self.lists(lang) {
            if !list.is_empty() {
                let _ = writeln!(text, "{title}: {}", list.join(", "));
            }
        }
        text
    }

    fn summary(&self, lang: Lang) -> String {
        let executable = self.clauses.iter().filter(|clause| !clause.exempt()).count();
        let done = self.clauses.iter().filter(|clause| clause.implemented()).count();
        let (all, exempt) = (self.clauses.len(), self.clauses.len() - executable);
        let missing = executable - done;
        match lang {
            Lang::Zh => {
                format!("{all} 条中 {done} 条已实现并有算例，{missing} 条未完成，{exempt} 条无可执行内容。")
            }
            Lang::En => format!(
                "Of {all} clauses {done} are implemented with a worked case, {missing} are not, {exempt} have nothing to execute."
            ),
        }
    }

    fn lists(&self, lang: Lang) -> [(String, &[String]); 2] {
        let zh = lang == Lang::Zh;
        let clause = if zh { "没有引用条款的规则" } else { "rules that cite no clause" };
        let case = if zh { "没有算例的规则" } else { "rules without a worked case" };
        [(clause.to_owned(), &self.without_clause), (case.to_owned(), &self.without_case)]
    }
}
