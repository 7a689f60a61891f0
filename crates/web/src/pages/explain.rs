//! Why a record has its result: sentences that unfold, each with value, clause and source.

use app::Explanation;
use app::explained::{Answer as Part, Node, NodeKind, Role, Turn, Turns, Verdict};
use askama::Template;
use model::Lang;
use pack::program::{RuleKind, Source};

use crate::access::Wish;
use crate::answer::{Answer, Fault, html};
use crate::link::Link;
use crate::phrase;
use crate::shell::{Anchor, Desk, Section, Shell};
use crate::words::Words;

#[derive(Template)]
#[template(path = "explain.html")]
struct Page {
    s: Shell,
    subject: Anchor,
    explained: View,
}

/// One result explained.
pub struct View {
    pub title: String,
    pub class: &'static str,
    pub conclusion: String,
    pub amount: Option<String>,
    pub clauses: Vec<(Anchor, String)>,
    pub lacks: Vec<String>,
    pub notes: Vec<String>,
    pub mend: Option<String>,
    pub parts: Vec<(String, NodeView)>,
    pub missing: Vec<Anchor>,
    pub turns: Vec<(String, Vec<String>)>,
}

/// A step of the tree.
#[derive(Template)]
#[template(path = "node.html")]
pub struct NodeView {
    class: &'static str,
    text: String,
    source: Option<String>,
    link: Option<String>,
    see: Option<u32>,
    id: u32,
    children: Vec<NodeView>,
    open: bool,
}

/// Steps below the first that are open at once.
const OPEN: usize = 2;
/// Changes that are listed; the first are the smallest.
const TURNS: usize = 8;

pub fn page(desk: &Desk) -> Answer {
    let (entity, key, rule) = (desk.ask.part("entity"), desk.ask.part("key"), desk.ask.part("rule"));
    let reading = &desk.reading;
    let id = reading.program().entity_named(entity).ok_or(Fault::Missing)?;
    let row = reading.find(id, key)?.ok_or(Fault::Missing)?;
    desk.must(Wish::Record(id, row))?;
    let explanation = reading.explain(entity, key, Some(rule))?.into_iter().next().ok_or(Fault::Missing)?;
    let explained = view(desk, &explanation);
    let title = format!("{} · {key}", explained.title);
    let mut s = desk.shell(Section::Lists, title);
    if let Some(place) = reading.path_of(id, row)?.last() {
        s.crumbs = desk.crumbs(*place, |code| Link::to(["places", code]))?;
        s.crumbs.iter_mut().for_each(|crumb| crumb.current = false);
    }
    let label = reading.entity_label(id, desk.lang);
    let name = reading.name(id, row, false, desk.lang)?;
    let subject = Anchor::new(format!("{label} {key} {name}"), &super::address::record(desk, id, row)?);
    html(&Page { s, subject, explained })
}

/// An explanation for a page.
pub fn view(desk: &Desk, explanation: &Explanation) -> View {
    let (lang, w) = (desk.lang, desk.w);
    let root = explanation.root();
    let kind = explanation.heading.kind;
    let conclusion = match root.verdict {
        Some(verdict) => conclusion(kind, verdict, lang).to_owned(),
        None => root.shown.get(lang).to_owned(),
    };
    let amounts = explanation.answers.iter().filter(|part| part.role == Role::Amount);
    let notes = explanation.conflict.iter().map(|conflict| &conflict.text);
    let notes = notes.chain(&explanation.findings).chain(&explanation.message);
    let clauses = explanation.heading.clauses.iter().map(|clause| {
        let link = format!("/decision#c{}", clause.id);
        let text = format!("{} {}", w.clause, clause.id);
        (Anchor { text, link, current: false }, clause.summary.get(lang).to_owned())
    });
    let mut turns = Vec::new();
    turns.extend(turns_view(w, explanation, &explanation.turns, w.turns, lang));
    turns.extend(turns_view(w, explanation, &explanation.amount_turns, w.turns_amount, lang));
    View {
        title: explanation.heading.title.get(lang).to_owned(),
        class: class(kind, root.verdict),
        conclusion,
        amount: amounts.map(|part| part.tree.shown.get(lang).to_owned()).next(),
        clauses: clauses.collect(),
        lacks: explanation.lacks.iter().map(|lack| lack.get(lang).to_owned()).collect(),
        notes: notes.map(|note| note.get(lang).to_owned()).collect(),
        mend: explanation.mend.as_ref().map(|mend| mend.get(lang).to_owned()),
        parts: explanation
            .answers
            .iter()
            // What the verdict's own tree has shown is not said again.
            .filter(|part| part.tree.see.is_none() || part.role == Role::Result)
            .map(|part| (part_title(part, lang), node(desk, &part.tree, 0)))
            .collect(),
        missing: explanation
            .missing
            .iter()
            .map(|gap| {
                let link = Link::to(["record", &gap.column.entity, &gap.column.key]);
                Anchor::new(gap.text.get(lang), &link)
            })
            .collect(),
        turns,
    }
}

fn part_title(part: &Part, lang: Lang) -> String {
    if part.role == Role::Result { String::new() } else { part.title.get(lang).to_owned() }
}

fn node(desk: &Desk, node: &Node, depth: usize) -> NodeView {
    let lang = desk.lang;
    let source = match (&node.in_force, &node.provenance) {
        (Some((from, source)), _) => Some(match source {
            Source::Official(reference) => format!("{} {from} · {reference}", desk.w.in_force_from),
            Source::Assumed => desk.w.assumed_hint.to_owned(),
            Source::Override => format!("{} {from}", desk.w.in_force_from),
        }),
        (None, Some(origin)) => {
            Some(phrase::provenance(&origin.file, origin.sheet.as_deref(), origin.row, origin.recorded, lang))
        }
        (None, None) => None,
    };
    // A result that was taken from the run is explained on a page of its own.
    let link = node
        .column
        .as_ref()
        .filter(|_| node.kind == NodeKind::Given)
        .map(|column| Link::to(["explain", &column.entity, &column.key, &column.name]).to_string());
    let holds = match node.verdict {
        Some(Verdict::True) => "yes",
        Some(Verdict::False) => "no",
        Some(Verdict::Unknown | Verdict::Error) => "maybe",
        None => "plain",
    };
    NodeView {
        class: holds,
        text: node.text.get(lang).to_owned(),
        source,
        link,
        see: node.see,
        id: node.id,
        children: node.children.iter().map(|child| self::node(desk, child, depth + 1)).collect(),
        open: depth < OPEN,
    }
}

fn turns_view(
    w: &Words,
    explanation: &Explanation,
    turns: &Turns,
    title: &str,
    lang: Lang,
) -> Option<(String, Vec<String>)> {
    let own = explanation.subject.key.as_str();
    let lines = match turns {
        Turns::NotAsked => return None,
        Turns::None { exhaustive: true } => vec![w.turns_none.to_owned()],
        Turns::None { exhaustive: false } => vec![w.turns_none_tried.to_owned()],
        Turns::Found(found) => {
            let mut lines: Vec<String> =
                found.iter().take(TURNS).map(|turn| turn_text(turn, own, lang)).collect();
            if found.len() > TURNS {
                lines.push(phrase::more(found.len() - TURNS, lang));
            }
            lines
        }
    };
    Some((title.to_owned(), lines))
}

fn turn_text(turn: &Turn, own: &str, lang: Lang) -> String {
    let changes = turn.changes.iter().map(|change| {
        let label = change.column.label.get(lang);
        let (old, new) = (change.old_shown.get(lang), change.new_shown.get(lang));
        let of = if change.column.key == own { String::new() } else { format!("{} ", change.column.key) };
        format!("{of}{label}{}{old} → {new}", phrase::colon(lang))
    });
    changes.collect::<Vec<_>>().join(if lang == Lang::Zh { "，并且 " } else { ", and " })
}

/// The verdict in the words of the rule's kind.
pub fn conclusion(kind: Option<RuleKind>, verdict: Verdict, lang: Lang) -> &'static str {
    let (zh, en) = match (verdict, kind) {
        (Verdict::Unknown, _) => ("未知", "unknown"),
        (Verdict::Error, _) => ("无法计算", "cannot be computed"),
        (Verdict::True, Some(RuleKind::Benefit)) => ("符合条件", "entitled"),
        (Verdict::False, Some(RuleKind::Benefit)) => ("不符合条件", "not entitled"),
        (Verdict::True, Some(RuleKind::Standard)) => ("达标", "met"),
        (Verdict::False, Some(RuleKind::Standard)) => ("未达标", "not met"),
        (Verdict::True, Some(RuleKind::Check | RuleKind::Audit)) => ("存在问题", "contradictory"),
        (Verdict::False, Some(RuleKind::Check | RuleKind::Audit)) => ("未发现问题", "in order"),
        (Verdict::True, Some(RuleKind::Duty)) => ("须履行", "owed"),
        (Verdict::False, Some(RuleKind::Duty)) => ("不须履行", "not owed"),
        (Verdict::True, _) => ("是", "yes"),
        (Verdict::False, _) => ("否", "no"),
    };
    if lang == Lang::Zh { zh } else { en }
}

fn class(kind: Option<RuleKind>, verdict: Option<Verdict>) -> &'static str {
    match (verdict, kind) {
        (None, _) => "plain",
        (Some(Verdict::Unknown | Verdict::Error), _) => "maybe",
        (Some(Verdict::True), Some(RuleKind::Check | RuleKind::Audit)) => "no",
        (Some(Verdict::False), Some(RuleKind::Check | RuleKind::Audit)) => "yes",
        (Some(Verdict::True), _) => "yes",
        // What is not due is no failing.
        (Some(Verdict::False), Some(RuleKind::Benefit | RuleKind::Duty)) => "none",
        (Some(Verdict::False), _) => "no",
    }
}
