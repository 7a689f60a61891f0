//! The coverage map as a page: every clause with what implements it.

use askama::Template;
use model::Lang;
use pack::program::Program;

use super::Coverage;
use super::ran::{RanRules, ran_text};

#[derive(Template)]
#[template(path = "coverage.html")]
struct Page {
    lang: &'static str,
    title: String,
    about: String,
    summary: String,
    head: [String; 6],
    articles: Vec<Article>,
    lists: Vec<(String, String)>,
}

struct Article {
    id: String,
    clauses: Vec<Row>,
}

struct Row {
    id: String,
    kind: String,
    summary: String,
    mark: &'static str,
    state: String,
    rules: Vec<RuleLine>,
    /// Each part of the clause with its state, in words.
    parts: Vec<String>,
    cases: String,
}

struct RuleLine {
    id: String,
    kind: String,
    title: String,
    ran: String,
}

impl Coverage {
    /// The page in one language; with a run, each rule with the subjects it has results for.
    pub fn to_html(
        &self,
        program: &Program,
        ran: Option<&RanRules>,
        lang: Lang,
    ) -> Result<String, askama::Error> {
        let zh = lang == Lang::Zh;
        let say = |chinese: &str, english: &str| if zh { chinese.to_owned() } else { english.to_owned() };
        let mut articles: Vec<Article> = Vec::new();
        for clause in &self.clauses {
            let id = clause.id.article().to_string();
            if articles.last().is_none_or(|article| article.id != id) {
                articles.push(Article { id, clauses: Vec::new() });
            }
            let declared = program.clauses.iter().find(|known| known.id == clause.id);
            let text = declared.map(|declared| declared.summary.get(lang).to_owned()).unwrap_or_default();
            let reason =
                declared.and_then(|declared| declared.reason.as_ref()).map(|reason| reason.get(lang));
            let row = Row {
                id: clause.id.to_string(),
                kind: clause.kind.clone(),
                summary: text,
                mark: clause.mark(),
                state: reason.map_or_else(|| clause.state(lang), str::to_owned),
                rules: clause
                    .executed_by
                    .iter()
                    .chain(&clause.declared_by)
                    .filter_map(|id| program.rule_named(id))
                    .map(|rule| RuleLine {
                        id: rule.id.clone(),
                        kind: rule.kind.name().get(lang).to_owned(),
                        title: rule.title.get(lang).to_owned(),
                        ran: ran.map(|ran| ran_text(ran, &rule.id, lang)).unwrap_or_default(),
                    })
                    .collect(),
                parts: self
                    .parts
                    .iter()
                    .filter(|part| part.id.clause == clause.id)
                    .map(|part| part.line(lang))
                    .collect(),
                cases: clause.cases.to_string(),
            };
            if let Some(article) = articles.last_mut() {
                article.clauses.push(row);
            }
        }
        Page {
            lang: lang.as_str(),
            title: format!("{} · {}", program.info.title.get(lang), say("条款覆盖图", "coverage of clauses")),
            about: format!("{} {}", program.info.id, program.info.version),
            summary: if self.parts.is_empty() {
                self.summary(lang)
            } else {
                format!("{} {}", self.summary(lang), super::parts::summary(&self.parts, lang))
            },
            head: [
                say("条款", "clause"),
                say("类别", "kind"),
                say("摘要", "summary"),
                say("状态", "state"),
                say("由何实现", "implemented by"),
                say("算例", "cases"),
            ],
            articles,
            lists: self
                .lists(lang)
                .into_iter()
                .map(|(title, ids)| (title, ids.join(", ")))
                .filter(|(_, ids)| !ids.is_empty())
                .collect(),
        }
        .render()
    }
}
