//! Duties: who owes them, by which day, whether and when they were met, and what state that comes to.

use model::{Date, Text};

use crate::compiler::{Compiler, Definition};
use crate::diagnostic::Diagnostic;
use crate::levels::{Levelled, Words};
use crate::program::{Code, CodeList, DUTY_STATES, Duty, EntityId, ListId, RuleDetail, Span, Type};
use crate::rules::{DraftDetail, Head};
use crate::surface::{Table, Word};

/// Codes of the list of states, with what people read.
const STATES: &[(&str, &str, &str)] = &[
    ("not-owed", "无需履行", "not owed"),
    ("owed", "待履行", "owed"),
    ("met", "已履行", "met"),
    ("met-late", "逾期履行", "met late"),
    ("late", "逾期未履行", "late"),
];

/// Names of the columns with the day by which a duty is due, and with that on which it was met.
pub struct DutyDraft {
    who: Text,
    due: Option<String>,
    met_on: Option<String>,
    evidence: Vec<Text>,
    levels: Vec<EntityId>,
}

impl Compiler<'_> {
    pub fn duty(&mut self, head: &Head, table: &Table<'_>) -> Option<DraftDetail> {
        let owed = table.require("owed", table.word("owed"));
        let met = table.require("met", table.word("met"));
        let who = table.require("who", table.bilingual("who"));
        let due = table.word("due");
        let met_on = table.word("met_on");
        let evidence = table.bilinguals("evidence");
        if let (None, Some(met_on)) = (&due, &met_on) {
            self.report(
                Diagnostic::new(
                    "missing-key",
                    met_on.span,
                    "`met_on` says when a duty was met, and nothing says when it is due",
                )
                .hint("add `due = \"…\"`, a date, or leave `met_on` out"),
            );
        }
        let id = head.name().to_owned();
        if let Some(owed) = owed {
            self.condition_column(head, format!("{id}_owed"), head.titled("应履行", "owed"), owed);
        }
        if let Some(met) = met {
            self.condition_column(head, id.clone(), head.title().clone(), met);
        }
        let due = due.and_then(|word| {
            let word = day_of_year(&word).unwrap_or(word);
            self.day_column(head, format!("{id}_due"), head.titled("期限", "due on"), word)
        });
        let met_on = met_on.and_then(|word| {
            self.day_column(head, format!("{id}_met_on"), head.titled("履行日期", "met on"), word)
        });
        let state = format!("{id}_state");
        self.state_column(head, &state, due.as_deref(), met_on.as_deref());
        let levels = self.announce_levels(
            head,
            &Levelled {
                applies: Some(format!("{id}_owed")),
                holds: id,
                target: None,
                gap: None,
                cost: None,
                state: due.is_some().then(|| (state, met_on.is_some())),
                words: Words::Duty,
            },
        );
        Some(DraftDetail::Duty(DutyDraft { who: who.unwrap_or_default(), due, met_on, evidence, levels }))
    }

    /// Announces a column for a day, unless the pack has a variable of that name, which is then what the duty names.
    fn day_column(&mut self, head: &Head, name: String, label: Text, text: Word) -> Option<String> {
        if text.text.trim() == name {
            return Some(name);
        }
        let span = text.span;
        let definition = Definition::Expression { text, ty: Some(Type::Date) };
        self.announce_for(head, head.entity()?, name.clone(), label, span, definition);
        Some(name)
    }

    /// The state is unknown as soon as something is that decides it.
    fn state_column(&mut self, head: &Head, name: &str, due: Option<&str>, met_on: Option<&str>) {
        let (Some(entity), Some(list)) = (head.entity(), self.duty_states(head.place())) else { return };
        let id = head.name();
        let met = match (met_on, due) {
            (Some(met_on), Some(due)) => {
                format!("CASE WHEN {met_on} > {due} THEN 'met-late' ELSE 'met' END")
            }
            _ => "'met'".to_owned(),
        };
        let late = due.map(|due| format!("WHEN {due} < as_of THEN 'late' ")).unwrap_or_default();
        let text =
            format!("CASE WHEN NOT {id}_owed THEN 'not-owed' WHEN {id} THEN {met} {late}ELSE 'owed' END");
        let text = Word { text, span: head.place() };
        let definition = Definition::Expression { text, ty: Some(Type::Code(list)) };
        self.announce_for(
            head,
            entity,
            name.to_owned(),
            head.titled("履行情况", "state"),
            head.place(),
            definition,
        );
    }

    /// The list of states: the language's own.
    fn duty_states(&mut self, span: Span) -> Option<ListId> {
        let found = self.program.lists.iter().position(|list| list.id == DUTY_STATES);
        if let Some(position) = found {
            let place = self.program.lists[position].span;
            if place == Span::NONE {
                return Some(ListId(position as u32));
            }
            self.report(
                Diagnostic::new(
                    "duplicate-name",
                    place,
                    format!("the language has a list `{DUTY_STATES}` of its own"),
                )
                .also(span, "for the states of this duty")
                .hint("call the list otherwise"),
            );
            return None;
        }
        let code = |(code, zh, en): &(&str, &str, &str)| Code {
            code: (*code).to_owned(),
            label: Text::new(*zh, *en),
            aliases: Vec::new(),
        };
        self.program.lists.push(CodeList {
            id: DUTY_STATES.to_owned(),
            label: Text::new("履行情况", "state of a duty"),
            codes: STATES.iter().map(code).collect(),
            span: Span::NONE,
        });
        Some(ListId(self.program.lists.len() as u32 - 1))
    }

    pub fn duty_detail(&self, entity: EntityId, id: &str, draft: DutyDraft) -> Option<RuleDetail> {
        let named = |name: &str| self.known(entity, name);
        Some(RuleDetail::Duty(Duty {
            owed: named(&format!("{id}_owed"))?,
            met: named(id)?,
            who: draft.who,
            due: draft.due.as_deref().and_then(named),
            met_on: draft.met_on.as_deref().and_then(named),
            state: named(&format!("{id}_state"))?,
            evidence: draft.evidence,
            levels: self.level_details(id, &draft.levels),
        }))
    }
}

/// `09-01` stands for that day of `year`: of the record's own, where it has a field of that name, or else of the run's.
fn day_of_year(word: &Word) -> Option<Word> {
    let (month, day) = word.text.split_once('-')?;
    let digits = |text: &str| (text.len() == 2).then(|| text.parse::<u32>().ok()).flatten();
    let (month, day) = (digits(month)?, digits(day)?);
    // In a leap year, so that 29 February is one.
    Date::from_ymd(2000, month, day).ok()?;
    let text = format!("add_days(date(year, {month}, 1), {})", day - 1);
    Some(Word { text, span: word.span })
}
