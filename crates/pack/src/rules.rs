//! Reads rules: announces the columns of each, then, once all are compiled, describes it.

use std::collections::BTreeMap;

use model::{ClauseId, Text};

use crate::assets::AssetDraft;
use crate::compiler::{Compiler, Definition, Pending, Timing};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::duties::DutyDraft;
use crate::flow::FlowDraft;
use crate::levels::{Levelled, Words};
use crate::payments::PaidDraft;
use crate::program::{
    Action, EntityId, Period, Programme, Rounding, Rule, RuleDetail, RuleId, RuleKind, Span, Type,
};
use crate::scorecards::ScorecardDraft;
use crate::surface::{Table, Word};

/// A rule whose columns are announced; the names are looked up when all is compiled.
pub struct Draft {
    pub id: RuleId,
    pub detail: DraftDetail,
}

pub enum DraftDetail {
    Variable,
    Benefit {
        amount: bool,
        exceptions: Vec<(String, Vec<ClauseId>, Span)>,
        paid: Option<PaidDraft>,
        rest: BenefitText,
    },
    Standard {
        applies: Option<String>,
        target: Option<(i64, i32)>,
        remedy: Option<(String, bool)>,
        parts: Vec<(Text, String)>,
        levels: Vec<EntityId>,
    },
    Measure {
        levels: Vec<EntityId>,
        ratio: bool,
    },
    Check {
        at_import: bool,
        action: Action,
        message: Text,
        mend: Option<Word>,
    },
    Duty(DutyDraft),
    Programme(Programme),
    Scorecard(ScorecardDraft),
    Asset(AssetDraft),
    Flow(FlowDraft),
    Declared {
        columns: Vec<(EntityId, String)>,
        attributes: BTreeMap<String, String>,
    },
}

pub struct BenefitText {
    pub every: Period,
    pub goods: Option<Text>,
    pub paid_from: Vec<String>,
    pub flow: Option<Word>,
    pub documents: Vec<Text>,
}

/// The tables of a pack that declare rules, with the kind each makes.
pub const RULE_KEYS: &[(&str, RuleKind)] = &[
    ("variable", RuleKind::Variable),
    ("benefit", RuleKind::Benefit),
    ("standard", RuleKind::Standard),
    ("measure", RuleKind::Measure),
    ("check", RuleKind::Check),
    ("audit", RuleKind::Audit),
    ("programme", RuleKind::Programme),
    ("duty", RuleKind::Duty),
    ("flow", RuleKind::Flow),
    ("asset", RuleKind::Asset),
    ("scorecard", RuleKind::Scorecard),
    ("report", RuleKind::Report),
];

pub struct Head {
    id: Word,
    rule: RuleId,
    entity: Option<EntityId>,
    title: Text,
    round: Rounding,
    timing: Timing,
    refuse_change: bool,
    span: Span,
}

impl Head {
    pub fn entity(&self) -> Option<EntityId> {
        self.entity
    }

    pub fn name(&self) -> &str {
        &self.id.text
    }

    pub fn title(&self) -> &Text {
        &self.title
    }

    /// The title with what a figure of the rule is called, in brackets.
    pub fn titled(&self, zh: &str, en: &str) -> Text {
        Text { zh: format!("{}（{zh}）", self.title.zh), en: format!("{} ({en})", self.title.en) }
    }

    /// Where the rule's name stands.
    pub fn place(&self) -> Span {
        self.id.span
    }
}

impl Compiler<'_> {
    /// Reads the common part of a rule and enters it; its detail is filled in later.
    pub fn head(&mut self, kind: RuleKind, table: &Table<'_>, needs_entity: bool) -> Option<Head> {
        let id = self.identifier(table);
        let on = if kind == RuleKind::Measure { None } else { table.word("on") };
        let title = table.require("title", table.bilingual("title"));
        let (cite, parts) = self.citations_in_parts(table);
        let round = self.choice(
            table,
            "round",
            &[("half-up", Rounding::HalfUp), ("down", Rounding::Down), ("up", Rounding::Up)],
        );
        let on_change = self.choice(
            table,
            "on_change",
            &[("as-of", 0), ("period-start", 1), ("refuse", 2), ("split", 3)],
        );
        table.know("override");
        let entity = match &on {
            Some(word) => Some(self.entity_word(word)?),
            None => None,
        };
        if needs_entity && entity.is_none() {
            let _: Option<()> = table.require("on", None);
            return None;
        }
        let id = id?;
        if let Some(known) = self.program.rules.iter().find(|rule| rule.id == id.text) {
            let place = known.span;
            let diagnostic = if known.kind == kind {
                crate::declare::duplicate("rule", &id, place)
            } else {
                Diagnostic::new("duplicate-name", id.span, format!("two rules are called `{}`", id.text))
                    .also(place, "first declared here")
            };
            self.report(diagnostic);
            return None;
        }
        if cite.is_empty() && !matches!(kind, RuleKind::Variable | RuleKind::Report | RuleKind::Check) {
            let _: Option<()> = table.require("cite", table.has("cite").then_some(()));
        }
        let rule = RuleId(self.program.rules.len() as u32);
        let title = title.unwrap_or_default();
        self.program.rules.push(Rule {
            id: id.text.clone(),
            kind,
            entity,
            title: title.clone(),
            cite,
            parts,
            detail: RuleDetail::Declared { columns: Vec::new(), attributes: BTreeMap::new() },
            span: id.span,
        });
        Some(Head {
            id,
            rule,
            entity,
            title,
            round: round.unwrap_or(self.round),
            timing: match on_change {
                Some(1) => Timing::PeriodStart,
                Some(3) => Timing::Split,
                _ => Timing::AsOf,
            },
            refuse_change: on_change == Some(2),
            span: table.span,
        })
    }

    /// Clauses that parts of a rule cite are cited by the rule.
    pub fn also_cite(&mut self, head: &Head, clauses: Vec<ClauseId>) {
        let cite = &mut self.program.rules[head.rule.index()].cite;
        for clause in clauses {
            if !cite.contains(&clause) {
                cite.push(clause);
            }
        }
    }

    pub fn entity_word(&mut self, word: &Word) -> Option<EntityId> {
        let found = self.program.entity_named(&word.text);
        if found.is_none() {
            let names: Vec<&str> = self.program.entities.iter().map(|entity| entity.name.as_str()).collect();
            let hint = did_you_mean(&word.text, names);
            self.report(
                Diagnostic::new("unknown-entity", word.span, format!("there is no entity `{}`", word.text))
                    .hint_opt(hint),
            );
        }
        found
    }

    pub fn announce_for(
        &mut self,
        head: &Head,
        entity: EntityId,
        name: String,
        label: Text,
        span: Span,
        definition: Definition,
    ) {
        self.announce(Pending {
            entity,
            name,
            label,
            rule: head.rule,
            span,
            round: head.round,
            timing: head.timing,
            definition,
        });
    }

    /// Announces the columns of one rule.
    pub fn declare_rule(&mut self, kind: RuleKind, table: &Table<'_>) -> Option<(Draft, bool)> {
        let needs_entity = matches!(
            kind,
            RuleKind::Variable
                | RuleKind::Benefit
                | RuleKind::Standard
                | RuleKind::Check
                | RuleKind::Audit
                | RuleKind::Duty
                | RuleKind::Scorecard
                | RuleKind::Asset
                | RuleKind::Flow
        );
        let head = self.head(kind, table, needs_entity);
        let head = head?;
        let detail = match kind {
            RuleKind::Variable => self.variable(&head, table),
            RuleKind::Benefit => self.benefit(&head, table),
            RuleKind::Standard => self.standard(&head, table),
            RuleKind::Measure => self.measure(&head, table),
            RuleKind::Check | RuleKind::Audit => self.check(&head, table),
            RuleKind::Duty => self.duty(&head, table),
            RuleKind::Programme => self.programme(&head, table),
            RuleKind::Scorecard => self.scorecard(&head, table),
            RuleKind::Asset => self.asset(&head, table),
            RuleKind::Flow => self.flow(&head, table),
            RuleKind::Report => self.declared(&head, table),
        };
        if kind != RuleKind::Report {
            table.finish();
        }
        detail.map(|detail| (Draft { id: head.rule, detail }, head.refuse_change))
    }

    pub fn variable(&mut self, head: &Head, table: &Table<'_>) -> Option<DraftDetail> {
        let ty = table.require("type", table.word("type"));
        let text = table.require("expr", table.word("expr"));
        let ty = self.read_type(&ty?)?;
        self.announce_for(
            head,
            head.entity?,
            head.id.text.clone(),
            head.title.clone(),
            head.id.span,
            Definition::Expression { text: text?, ty: Some(ty) },
        );
        Some(DraftDetail::Variable)
    }

    pub fn condition_column(&mut self, head: &Head, name: String, label: Text, text: Word) {
        let Some(entity) = head.entity else { return };
        let span = if name == head.id.text { head.id.span } else { text.span };
        let definition = Definition::Expression { text, ty: Some(Type::Bool) };
        self.announce_for(head, entity, name, label, span, definition);
    }

    pub fn benefit(&mut self, head: &Head, table: &Table<'_>) -> Option<DraftDetail> {
        let who = table.require("who", table.word("who"));
        let amount = table.word("amount");
        let ty = table.word("type");
        let goods = table.bilingual("goods");
        let every = self.choice(table, "every", Period::CHOICES);
        let every = table.require("every", every);
        let exceptions_read = table.tables("except", "exception");
        let rest = BenefitText {
            every: every.unwrap_or(Period::Year),
            goods,
            paid_from: self.funds(table),
            flow: table.word("flow"),
            documents: table.bilinguals("documents"),
        };
        if amount.is_none() && rest.goods.is_none() {
            self.report(
                Diagnostic::new("missing-key", table.span, "a benefit needs `amount` or `goods`".to_owned())
                    .hint("money: `amount = \"…\"`; in kind: `goods = { zh, en }` and its quantity as `amount` with a `type`"),
            );
        }
        let entity = head.entity?;
        let ty = match ty {
            Some(word) => self.read_type(&word)?,
            None => Type::Number(crate::program::NumberType::money()),
        };
        if let Some(who) = who {
            self.condition_column(head, head.id.text.clone(), head.title.clone(), who);
        }
        let mut exceptions = Vec::new();
        let mut texts = Vec::new();
        for (position, exception) in exceptions_read.iter().enumerate() {
            let when = exception.require("when", exception.word("when"));
            let amount = exception.require("amount", exception.word("amount"));
            let cite = self.citations(exception);
            exception.finish();
            let (Some(when), Some(amount)) = (when, amount) else { continue };
            let name = format!("_{}_except_{}", head.id.text, position + 1);
            exceptions.push((name.clone(), cite, exception.span));
            texts.push((name.clone(), amount));
            self.condition_column(head, name, head.title.clone(), when);
        }
        let conflict = (texts.len() > 1).then(|| format!("_{}_conflict", head.id.text));
        if let Some(name) = &conflict {
            let of = texts.iter().map(|(name, _)| name.clone()).collect();
            self.announce_for(
                head,
                entity,
                name.clone(),
                head.title.clone(),
                head.span,
                Definition::Conflict { of },
            );
        }
        let has_amount = amount.is_some();
        if let Some(amount) = amount {
            let label = Text {
                zh: format!("{}（数额）", head.title.zh),
                en: format!("{} (amount)", head.title.en),
            };
            self.announce_for(
                head,
                entity,
                format!("{}_amount", head.id.text),
                label,
                amount.span,
                Definition::Amount {
                    who: head.id.text.clone(),
                    amount,
                    exceptions: texts,
                    conflict,
                    ty: ty.clone(),
                },
            );
        }
        let paid = self.payments(head, table, rest.every, has_amount, &ty);
        Some(DraftDetail::Benefit { amount: has_amount, exceptions, paid, rest })
    }

    pub fn standard(&mut self, head: &Head, table: &Table<'_>) -> Option<DraftDetail> {
        let entity = head.entity?;
        let holds = table.word("holds");
        let parts_read = table.tables("parts", "part");
        let applies = table.word("applies");
        let target = self.target(table);
        let remedy = self.remedy(head, table, applies.is_some());
        let mut parts = Vec::new();
        for (position, part) in parts_read.iter().enumerate() {
            let title = part.require("title", part.bilingual("title"));
            let text = part.require("holds", part.word("holds"));
            part.finish();
            let (Some(title), Some(text)) = (title, text) else { continue };
            let name = format!("{}_{}", head.id.text, position + 1);
            parts.push((title.clone(), name.clone()));
            self.condition_column(head, name, title, text);
        }
        match (holds, parts.is_empty()) {
            (Some(text), true) => {
                self.condition_column(head, head.id.text.clone(), head.title.clone(), text);
            }
            (None, false) => {
                let of = parts.iter().map(|(_, name)| name.clone()).collect();
                self.announce_for(
                    head,
                    entity,
                    head.id.text.clone(),
                    head.title.clone(),
                    head.id.span,
                    Definition::All { of },
                );
            }
            _ => self.report(Diagnostic::new(
                "missing-key",
                table.span,
                "a standard has either `holds` or `parts`".to_owned(),
            )),
        }
        let applies_name = applies.map(|text| {
            let name = format!("_{}_applies", head.id.text);
            self.condition_column(head, name.clone(), head.title.clone(), text);
            name
        });
        let gap = format!("{}_gap", head.id.text);
        let levels = self.announce_levels(
            head,
            &Levelled {
                applies: applies_name.clone(),
                holds: head.id.text.clone(),
                target: target.map(|(share, _)| share),
                cost: remedy.as_ref().filter(|(_, cost)| *cost).map(|_| format!("{gap}_cost")),
                state: None,
                gap: remedy.is_some().then_some(gap),
                words: Words::Standard,
            },
        );
        Some(DraftDetail::Standard { applies: applies_name, target, remedy, parts, levels })
    }

    pub fn target(&mut self, table: &Table<'_>) -> Option<(i64, i32)> {
        let target = table.table("target", "target")?;
        let share = target.require("share", target.decimal("share"));
        let by = target.require("by", target.integer("by"));
        target.finish();
        let (share, span) = share?;
        let share = share.scaled(4).and_then(|share| i64::try_from(share).ok());
        match share {
            Some(share) if (0..=10_000).contains(&share) => Some((share, i32::try_from(by?).ok()?)),
            _ => {
                self.report(
                    Diagnostic::new(
                        "bad-range",
                        span,
                        "a share lies between 0 and 1, with at most 4 decimals",
                    )
                    .hint("write `target = { share = 1.0, by = 2020 }`"),
                );
                None
            }
        }
    }

    pub fn remedy(&mut self, head: &Head, table: &Table<'_>, applies: bool) -> Option<(String, bool)> {
        let remedy = table.table("remedy", "remedy")?;
        let programme = remedy.require("programme", remedy.word("programme"));
        let quantity = remedy.require("quantity", remedy.word("quantity"));
        let by = remedy.word("by");
        remedy.finish();
        let (programme, quantity) = (programme?, quantity?);
        let entity = head.entity?;
        let gap = format!("{}_gap", head.id.text);
        let label =
            Text { zh: format!("{}（缺口）", head.title.zh), en: format!("{} (gap)", head.title.en) };
        let applies = applies.then(|| format!("_{}_applies", head.id.text));
        self.announce_for(
            head,
            entity,
            gap.clone(),
            label,
            quantity.span,
            Definition::Gap { holds: head.id.text.clone(), applies, quantity },
        );
        let Some(cost) = self.programmes.get(&programme.text).copied() else {
            let names: Vec<String> = self.programmes.keys().cloned().collect();
            self.report(
                Diagnostic::new(
                    "unknown-programme",
                    programme.span,
                    format!("there is no programme `{}`", programme.text),
                )
                .hint_opt(did_you_mean(&programme.text, names.iter().map(String::as_str))),
            );
            return None;
        };
        if let Some(parameter) = cost {
            let label = Text {
                zh: format!("{}（补齐所需资金）", head.title.zh),
                en: format!("{} (cost of closing the gap)", head.title.en),
            };
            self.announce_for(
                head,
                entity,
                format!("{gap}_cost"),
                label,
                programme.span,
                Definition::Cost { quantity: gap, parameter, by },
            );
        }
        Some((programme.text, cost.is_some()))
    }

    pub fn measure(&mut self, head: &Head, table: &Table<'_>) -> Option<DraftDetail> {
        let levels: Vec<Word> = table.words("on");
        let _: Option<()> = table.require("on", (!levels.is_empty()).then_some(()));
        let ty = table.require("type", table.word("type"));
        let expr = table.word("expr");
        let numerator = table.word("numerator");
        let denominator = table.word("denominator");
        let ty = self.read_type(&ty?)?;
        let mut entities = Vec::new();
        for level in &levels {
            entities.push(self.entity_word(level)?);
        }
        self.program.rules[head.rule.index()].entity = entities.first().copied();
        let ratio = match (expr, numerator, denominator) {
            (Some(text), None, None) => {
                for entity in &entities {
                    let definition = Definition::Expression { text: text.clone(), ty: Some(ty.clone()) };
                    self.announce_for(
                        head,
                        *entity,
                        head.id.text.clone(),
                        head.title.clone(),
                        head.id.span,
                        definition,
                    );
                }
                false
            }
            (None, Some(top), Some(bottom)) => {
                for entity in &entities {
                    let (a, b) =
                        (format!("{}_numerator", head.id.text), format!("{}_denominator", head.id.text));
                    for (name, text) in [(&a, &top), (&b, &bottom)] {
                        let definition = Definition::Expression { text: text.clone(), ty: None };
                        self.announce_for(
                            head,
                            *entity,
                            name.clone(),
                            head.title.clone(),
                            text.span,
                            definition,
                        );
                    }
                    let definition = Definition::Ratio { numerator: a, denominator: b, ty: Some(ty.clone()) };
                    self.announce_for(
                        head,
                        *entity,
                        head.id.text.clone(),
                        head.title.clone(),
                        head.id.span,
                        definition,
                    );
                }
                true
            }
            _ => {
                self.report(Diagnostic::new(
                    "missing-key",
                    table.span,
                    "a measure has either `expr`, or `numerator` and `denominator`".to_owned(),
                ));
                return None;
            }
        };
        Some(DraftDetail::Measure { levels: entities, ratio })
    }

    pub fn check(&mut self, head: &Head, table: &Table<'_>) -> Option<DraftDetail> {
        let fails = table.require("fails", table.word("fails"));
        let at = self.choice(table, "at", &[("import", true), ("assess", false)]);
        let action = self.choice(table, "action", &[("refuse", Action::Refuse), ("warn", Action::Warn)]);
        let message = table.require("message", table.bilingual("message"));
        let mend = table.word("mend");
        let message = message.unwrap_or_default();
        if let Some(fails) = fails {
            self.condition_column(head, head.id.text.clone(), head.title.clone(), fails);
        }
        if action == Some(Action::Refuse) && at != Some(true) {
            self.report(
                Diagnostic::new(
                    "bad-choice",
                    table.span_of("action"),
                    "only a check at import can refuse a row".to_owned(),
                )
                .hint("add `at = \"import\"`, or use `action = \"warn\"`"),
            );
        }
        Some(DraftDetail::Check {
            at_import: at.unwrap_or(false),
            action: action.unwrap_or(Action::Warn),
            message,
            mend,
        })
    }

    pub fn programme(&mut self, head: &Head, table: &Table<'_>) -> Option<DraftDetail> {
        let unit = table.require("unit", table.word("unit"));
        table.know("unit_cost");
        let stages = table.bilinguals("stages");
        let evidence = table.bilinguals("evidence");
        let paid_from = self.funds(table);
        Some(DraftDetail::Programme(Programme {
            unit: unit?.text,
            unit_cost: self.programmes.get(&head.id.text).copied().flatten(),
            stages,
            evidence,
            paid_from,
        }))
    }

    /// The funds that something is paid from.
    fn funds(&mut self, table: &Table<'_>) -> Vec<String> {
        let words = table.words("paid_from");
        for word in &words {
            self.check_fund(word);
        }
        words.into_iter().map(|word| word.text).collect()
    }

    /// A fund is a code of the pack's list of funds, where it names one.
    pub fn check_fund(&mut self, word: &Word) {
        let Some(list) = self.program.funds else { return };
        let list = &self.program.lists[list.index()];
        if list.codes.iter().all(|code| code.code != word.text) {
            let hint = did_you_mean(&word.text, list.codes.iter().map(|code| code.code.as_str()));
            let message = format!("`{}` is not a fund of `{}`", word.text, list.id);
            self.report(Diagnostic::new("unknown-fund", word.span, message).hint_opt(hint));
        }
    }

    /// Learns the unit costs of programmes before standards ask for them.
    pub fn note_programme(&mut self, table: &Table<'_>) {
        let Some(id) = table.word("id") else { return };
        let cost = table.word("unit_cost").and_then(|word| self.parameter(&word.text, word.span));
        self.programmes.insert(id.text, cost);
    }

    pub fn declared(&mut self, head: &Head, table: &Table<'_>) -> Option<DraftDetail> {
        let mut columns = Vec::new();
        for word in table.words("columns") {
            let Some((entity, name)) = word.text.split_once('.') else {
                self.report(
                    Diagnostic::new("syntax", word.span, format!("`{}` names no column", word.text))
                        .hint("write `household.number`"),
                );
                continue;
            };
            let entity_word = Word { text: entity.to_owned(), span: word.span };
            let Some(entity) = self.entity_word(&entity_word) else { continue };
            columns.push((entity, name.to_owned()));
        }
        let expr_keys = ["who", "share", "holds"];
        for key in expr_keys {
            if let (Some(text), Some(entity)) = (table.word(key), head.entity) {
                let name = format!("{}_{key}", head.id.text);
                self.announce_for(
                    head,
                    entity,
                    name.clone(),
                    head.title.clone(),
                    text.span,
                    Definition::Expression { text, ty: None },
                );
                columns.push((entity, name));
            }
        }
        let attributes = table.attributes();
        Some(DraftDetail::Declared { columns, attributes })
    }
}
