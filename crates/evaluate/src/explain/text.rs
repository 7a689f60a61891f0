//! An explanation for people, as plain text.

use std::collections::HashMap;
use std::fmt::Write;

use model::{Date, Lang};
use pack::program::{RuleKind, Source};

use super::tree::{Explanation, Node, Role, Turn, Turns, Verdict};
use crate::interpret::Provenance;

/// So many turns are listed; the first are the smallest.
const TURNS_LISTED_MAX: usize = 8;

impl Explanation {
    /// Lines of plain text, indented as the tree is. ✓ holds, ✗ does not, ? is unknown, ! could not
    /// be computed.
    pub fn to_text(&self, lang: Lang) -> String {
        let mut page = Page { lang, out: String::new(), numbers: self.numbers() };
        page.head(self);
        page.conclusions(self);
        for answer in &self.answers {
            page.line("");
            if answer.role != Role::Result {
                let title = answer.title.get(lang).to_owned();
                page.line(&format!("{title}{}", if lang == Lang::Zh { "：" } else { ":" }));
            }
            page.node(&answer.tree, 0);
        }
        page.missing(self);
        page.readings(self);
        page.turns(&self.turns, page.say("怎样会改变结论：", "what would turn it:"));
        page.turns(
            &self.amount_turns,
            page.say("怎样会使金额大于零：", "what would make the amount positive:"),
        );
        page.out
    }

    /// Numbers for the steps that others point to, in order of appearance.
    fn numbers(&self) -> HashMap<u32, usize> {
        fn seen(node: &Node, found: &mut Vec<u32>) {
            found.extend(node.see);
            node.children.iter().for_each(|child| seen(child, found));
        }
        let mut found = Vec::new();
        self.answers.iter().for_each(|answer| seen(&answer.tree, &mut found));
        found.sort_unstable();
        found.dedup();
        found.into_iter().enumerate().map(|(index, id)| (id, index + 1)).collect()
    }
}

struct Page {
    lang: Lang,
    out: String,
    numbers: HashMap<u32, usize>,
}

impl Page {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        if self.lang == Lang::Zh { zh } else { en }
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    fn head(&mut self, explanation: &Explanation) {
        let (heading, subject) = (&explanation.heading, &explanation.subject);
        let (title, label) = (heading.title.get(self.lang), subject.label.get(self.lang));
        let (id, key, as_of) = (&heading.id, &subject.key, explanation.as_of);
        let lines = match self.lang {
            Lang::Zh => [format!("{title}（{id}）"), format!("{label} {key}，截至 {as_of}")],
            Lang::En => [format!("{title} ({id})"), format!("{label} {key}, as of {as_of}")],
        };
        for line in &lines {
            self.line(line);
        }
        for clause in &heading.clauses {
            let line =
                format!("{} {} {}", self.say("依据", "clause"), clause.id, clause.summary.get(self.lang));
            self.line(&line);
        }
    }

    fn conclusions(&mut self, explanation: &Explanation) {
        let root = explanation.root();
        let words = match root.verdict {
            Some(verdict) => {
                let kind = explanation.heading.kind;
                let words = conclusion(kind, verdict, self.lang);
                // A check that is true has found something wrong.
                let shown = match (kind, verdict) {
                    (Some(RuleKind::Check | RuleKind::Audit), Verdict::True) => Verdict::False,
                    (Some(RuleKind::Check | RuleKind::Audit), Verdict::False) => Verdict::True,
                    _ => verdict,
                };
                format!("{} {words}", mark(Some(shown)))
            }
            None => root.shown.get(self.lang).to_owned(),
        };
        let line = format!("{}{words}", self.say("结论：", "result: "));
        self.line(&line);
        for answer in explanation.answers.iter().filter(|answer| answer.role == Role::Amount) {
            let line = format!("{}{}", self.say("金额：", "amount: "), answer.tree.shown.get(self.lang));
            self.line(&line);
        }
        for answer in
            explanation.answers.iter().filter(|answer| matches!(answer.role, Role::State | Role::Payment))
        {
            let (title, shown) = (answer.title.get(self.lang), answer.tree.shown.get(self.lang));
            let line = format!("{title}{}{shown}", self.say("：", ": "));
            self.line(&line);
        }
        if !explanation.lacks.is_empty() {
            let lacks: Vec<&str> = explanation.lacks.iter().map(|lack| lack.get(self.lang)).collect();
            let line = format!("{}{}", self.say("未达到：", "lacks: "), lacks.join(self.say("、", ", ")));
            self.line(&line);
        }
        let notes = explanation.conflict.iter().map(|conflict| &conflict.text);
        let notes: Vec<String> = notes
            .chain(&explanation.findings)
            .chain(&explanation.message)
            .map(|note| format!("! {}", note.get(self.lang)))
            .collect();
        for note in &notes {
            self.line(note);
        }
        if let Some(mend) = &explanation.mend {
            let line = format!("{}{}", self.say("请核改：", "mend: "), mend.get(self.lang));
            self.line(&line);
        }
    }

    fn node(&mut self, node: &Node, depth: usize) {
        let mut line =
            format!("{:indent$}{} {}", "", mark(node.verdict), node.text.get(self.lang), indent = depth * 2);
        if let Some((from, source)) = &node.in_force {
            line.push_str(&self.in_force(*from, source));
        }
        if let Some(provenance) = &node.provenance {
            line.push_str(&self.provenance(provenance));
        }
        if let Some(number) = self.numbers.get(&node.id) {
            write!(line, " [{number}]").expect("writing to a string succeeds");
        }
        if let Some(number) = node.see.and_then(|see| self.numbers.get(&see)) {
            let words = self.say("见", "see");
            write!(line, " → {words} [{number}]").expect("writing to a string succeeds");
        }
        self.line(&line);
        for child in &node.children {
            self.node(child, depth + 1);
        }
    }

    fn in_force(&self, from: Date, source: &Source) -> String {
        match (source, self.lang) {
            (Source::Official(reference), Lang::Zh) => format!("（自 {from} 起施行，来源：{reference}）"),
            (Source::Official(reference), Lang::En) => {
                format!(" (in force from {from}; source: {reference})")
            }
            (Source::Assumed, Lang::Zh) => format!("（自 {from} 起，示例值）"),
            (Source::Assumed, Lang::En) => format!(" (from {from}; example value)"),
            (Source::Override, Lang::Zh) => format!("（自 {from} 起，本次设定）"),
            (Source::Override, Lang::En) => format!(" (from {from}; set for this run)"),
        }
    }

    fn provenance(&self, provenance: &Provenance) -> String {
        let mut parts = vec![provenance.file.clone()];
        parts.extend(provenance.sheet.clone());
        parts.extend(provenance.row.map(|row| match self.lang {
            Lang::Zh => format!("第 {row} 行"),
            Lang::En => format!("row {row}"),
        }));
        parts.extend(provenance.recorded.map(|date| match self.lang {
            Lang::Zh => format!("{date} 录入"),
            Lang::En => format!("recorded {date}"),
        }));
        match self.lang {
            Lang::Zh => format!("（{}）", parts.join("，")),
            Lang::En => format!(" ({})", parts.join(", ")),
        }
    }

    fn missing(&mut self, explanation: &Explanation) {
        if explanation.missing.is_empty() {
            return;
        }
        self.line("");
        self.line(self.say("缺少：", "missing:"));
        for gap in &explanation.missing {
            let line = format!("- {}", gap.text.get(self.lang));
            self.line(&line);
        }
    }

    fn readings(&mut self, explanation: &Explanation) {
        if explanation.readings.is_empty() {
            return;
        }
        self.line("");
        self.line(self.say("所据的理解：", "rests on these readings of open words:"));
        for reading in &explanation.readings {
            let (word, label) = (reading.word.get(self.lang), reading.label.get(self.lang));
            let mut line = match self.lang {
                Lang::Zh => format!("- “{word}”：{label}"),
                Lang::En => format!("- “{word}”: {label}"),
            };
            if let Some(shown) = &reading.shown {
                line.push(' ');
                line.push_str(shown.get(self.lang));
            }
            match &reading.in_force {
                Some((from, source)) => line.push_str(&self.in_force(*from, source)),
                None => line.push_str(self.say("（当日无有效值）", " (none in force on that day)")),
            }
            self.line(&line);
        }
    }

    fn turns(&mut self, turns: &Turns, title: &str) {
        if matches!(turns, Turns::NotAsked) {
            return;
        }
        self.line("");
        self.line(title);
        match turns {
            Turns::NotAsked => {}
            Turns::None { exhaustive: true } => {
                let words = self.say(
                    "- 在各项允许的范围内，没有找到能改变结论的一两项事实",
                    "- none within declared ranges: no change of one or two facts was found",
                );
                self.line(words);
            }
            Turns::None { exhaustive: false } => {
                let words = self.say("- 在已尝试的范围内没有找到", "- none found among the changes tried");
                self.line(words);
            }
            Turns::Found(found) => {
                for turn in found.iter().take(TURNS_LISTED_MAX) {
                    let line = self.turn(turn);
                    self.line(&line);
                }
                if let Some(more) = found.len().checked_sub(TURNS_LISTED_MAX).filter(|more| *more > 0) {
                    let line = match self.lang {
                        Lang::Zh => format!("- 另有 {more} 种"),
                        Lang::En => format!("- {more} more"),
                    };
                    self.line(&line);
                }
            }
        }
    }

    fn turn(&self, turn: &Turn) -> String {
        let changes: Vec<String> = turn
            .changes
            .iter()
            .map(|change| {
                let label = change.column.label.get(self.lang);
                let (old, new) = (change.old_shown.get(self.lang), change.new_shown.get(self.lang));
                format!("{} {label}{}{old} → {new}", change.column.key, self.say("：", ": "))
            })
            .collect();
        format!("- {}", changes.join(self.say("，并且 ", ", and ")))
    }
}

const fn mark(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::True) => "✓",
        Some(Verdict::False) => "✗",
        Some(Verdict::Unknown) => "?",
        Some(Verdict::Error) => "!",
        None => "·",
    }
}

/// The verdict in the words of the rule's kind.
fn conclusion(kind: Option<RuleKind>, verdict: Verdict, lang: Lang) -> &'static str {
    let (zh, en) = match (verdict, kind) {
        (Verdict::Unknown, _) => ("未知", "unknown"),
        (Verdict::Error, _) => ("无法计算", "cannot be computed"),
        (Verdict::True, Some(RuleKind::Benefit)) => ("符合条件", "entitled"),
        (Verdict::False, Some(RuleKind::Benefit)) => ("不符合条件", "not entitled"),
        (Verdict::True, Some(RuleKind::Standard)) => ("达标", "met"),
        (Verdict::False, Some(RuleKind::Standard)) => ("未达标", "not met"),
        (Verdict::True, Some(RuleKind::Check | RuleKind::Audit)) => ("存在问题", "fails the check"),
        (Verdict::False, Some(RuleKind::Check | RuleKind::Audit)) => ("未发现问题", "passes the check"),
        (Verdict::True, Some(RuleKind::Duty)) => ("须履行", "owed"),
        (Verdict::False, Some(RuleKind::Duty)) => ("不须履行", "not owed"),
        (Verdict::True, _) => ("是", "yes"),
        (Verdict::False, _) => ("否", "no"),
    };
    if lang == Lang::Zh { zh } else { en }
}
