//! Reads a flow and its steps.

use std::collections::BTreeSet;

use model::flow::{
    Branch, BranchOn, Deadline, ExpressionId, Flow as Machine, Outcome, Reserve, Step, StepIndex, Target,
    Write,
};

use super::{FlowDraft, StepPlaces, Wanted};
use crate::compiler::{Compiler, Definition};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{ColumnKind, EntityId, NumberType, Period, Type};
use crate::rules::{DraftDetail, Head};
use crate::surface::{Table, Word};

/// A flow while its steps are read.
pub(super) struct Reading<'h> {
    pub head: &'h Head,
    /// Entity of the records that a case is about.
    pub entity: EntityId,
    /// Entity whose record a sheet belongs to; the record itself where there is none.
    pub sheet: EntityId,
    pub steps: Vec<String>,
    pub expressions: Vec<Wanted>,
    /// Step whose parts are read, for the names of its columns.
    pub step: String,
}

impl Compiler<'_> {
    pub fn flow(&mut self, head: &Head, table: &Table<'_>) -> Option<DraftDetail> {
        let sheet_word = table.word("sheet");
        let withdrawal = table.bool("withdrawal").unwrap_or(false);
        let shows = table.words("shows");
        let tables = table.tables("step", "step");
        let entity = head.entity()?;
        let sheet = match &sheet_word {
            Some(word) => Some(self.entity_word(word)?),
            None => None,
        };
        if tables.is_empty() {
            self.report(
                Diagnostic::new("missing-key", table.span, "a flow has at least one step")
                    .hint("write its steps as `[[flow.step]]` below it"),
            );
            return None;
        }
        let ids: Vec<Word> = tables.iter().filter_map(|step| step.require("id", step.word("id"))).collect();
        for (position, id) in ids.iter().enumerate() {
            if let Some(first) = ids[..position].iter().find(|earlier| earlier.text == id.text) {
                self.report(crate::declare::duplicate("step", id, first.span));
            }
        }
        let mut reading = Reading {
            head,
            entity,
            sheet: sheet.unwrap_or(entity),
            steps: ids.iter().map(|id| id.text.clone()).collect(),
            expressions: Vec::new(),
            step: String::new(),
        };
        let shows = self.shown(&mut reading, "shows", &shows);
        let count = tables.len();
        let mut steps = Vec::new();
        let mut places = Vec::new();
        for (position, step) in tables.iter().enumerate() {
            reading.step = reading.steps.get(position).cloned().unwrap_or_default();
            places.push(StepPlaces {
                id: step.span_of("id"),
                when: step.span_of("when"),
                role: step.span_of("role"),
                notice: step.span_of("notice"),
                objection: step.span_of("objection"),
            });
            let follows = if position + 1 < count {
                Target::Step(StepIndex(position as u16 + 1))
            } else {
                Target::End(Outcome::Done)
            };
            steps.extend(self.step(&mut reading, step, follows));
        }
        if steps.len() != count {
            // What is wrong with the others is reported; checks of the whole would only repeat it.
            return None;
        }
        let own = self.program.roles.iter().filter(|role| role.own);
        let applicants: BTreeSet<String> = own.map(|role| role.id.clone()).collect();
        let machine = Machine {
            id: head.name().to_owned(),
            version: self.program.digest.clone(),
            sheet: sheet.is_some(),
            applicants,
            withdrawal,
            shows,
            steps,
        };
        Some(DraftDetail::Flow(FlowDraft { sheet, machine, expressions: reading.expressions, places }))
    }

    fn step(&mut self, reading: &mut Reading<'_>, table: &Table<'_>, follows: Target) -> Option<Step> {
        let id = table.word("id").map(|word| word.text);
        let title = table.require("title", table.bilingual("title"));
        let roles = table.words("role");
        let _: Option<()> = table.require("role", (!roles.is_empty()).then_some(()));
        let roles: Vec<String> = roles.iter().filter_map(|word| self.role(word)).collect();
        let not_by = self.steps_named(reading, &table.words("not_by"));
        let kin_may_act = table.bool("kin_may_act").unwrap_or(false);
        let deadline = self.deadline(table);
        let evidence = self.evidence(table);
        let investigators = table.integer("investigators").unwrap_or(0);
        let sample = self.sample(reading, table);
        let vote = self.vote(reading, table);
        let notice = self.notice(reading, table);
        let objection = self.objection(reading, table);
        let when = table.word("when");
        let when = when.map(|word| self.expression_of(reading, "when", &word, Some(Type::Bool)));
        let proposes = table.bool("proposes").unwrap_or(false);
        let approves = table.bool("approves").unwrap_or(false);
        let refusing = self.refusing(reading, table);
        let returns = self.steps_named(reading, &table.words("returns"));
        let records = self.records(reading, table);
        let reserves = self.reserves(reading, table);
        let publishes = table.bilinguals("publishes");
        let next = self.next(reading, table, follows);
        table.finish();
        if roles.is_empty() {
            return None;
        }
        Some(Step {
            id: id?,
            title: title?,
            roles,
            not_by,
            kin_may_act,
            deadline,
            evidence,
            investigators: u8::try_from(investigators).unwrap_or(u8::MAX),
            sample,
            vote,
            notice,
            objection,
            when,
            proposes,
            approves,
            refusing,
            returns,
            records,
            reserves,
            publishes,
            next,
        })
    }

    /// What is shown of the record.
    pub(super) fn shown(
        &mut self,
        reading: &mut Reading<'_>,
        kind: &str,
        words: &[Word],
    ) -> Vec<ExpressionId> {
        let numbered = words.iter().enumerate();
        numbered.map(|(at, word)| self.expression_of(reading, &format!("{kind}_{at}"), word, None)).collect()
    }

    /// The index of a step of this flow.
    pub(super) fn step_named(&mut self, reading: &Reading<'_>, word: &Word) -> Option<StepIndex> {
        let found = reading.steps.iter().position(|id| *id == word.text);
        if found.is_none() {
            let hint = did_you_mean(&word.text, reading.steps.iter().map(String::as_str));
            self.report(
                Diagnostic::new("unknown-step", word.span, format!("the flow has no step `{}`", word.text))
                    .hint_opt(hint),
            );
        }
        found.map(|position| StepIndex(position as u16))
    }

    pub(super) fn steps_named(&mut self, reading: &Reading<'_>, words: &[Word]) -> Vec<StepIndex> {
        words.iter().filter_map(|word| self.step_named(reading, word)).collect()
    }

    /// A step, or one of the ends.
    pub(super) fn flow_target(&mut self, reading: &Reading<'_>, word: &Word) -> Option<Target> {
        let outcome = match word.text.as_str() {
            "done" => Outcome::Done,
            "refused" => Outcome::Refused,
            "withdrawn" => Outcome::Withdrawn,
            "lapsed" => Outcome::Lapsed,
            _ => return self.step_named(reading, word).map(Target::Step),
        };
        Some(Target::End(outcome))
    }

    fn deadline(&mut self, table: &Table<'_>) -> Option<Deadline> {
        let within = table.word("within");
        let extended = table.word("extended");
        let lapses = table.bool("lapses").unwrap_or(false);
        let within = self.days_or_report(&within?)?;
        let extended = extended.and_then(|word| self.days_or_report(&word));
        Some(Deadline { within, extended, lapses })
    }

    fn records(&mut self, reading: &mut Reading<'_>, table: &Table<'_>) -> Vec<Write> {
        let mut writes = Vec::new();
        for (number, record) in table.tables("records", "record").iter().enumerate() {
            let entity = record.require("entity", record.word("entity"));
            let fields = record.require("fields", record.table("fields", "table of fields"));
            record.finish();
            let (Some(word), Some(fields)) = (entity, fields) else { continue };
            let Some(entity) = self.entity_word(&word) else { continue };
            self.check_place(reading, &word, entity);
            let mut written = Vec::new();
            for key in fields.keys() {
                let text = fields.word(&key.text);
                let field = self.known(entity, &key.text);
                let recorded = field.is_some_and(|id| {
                    matches!(&self.program.column(id).kind, ColumnKind::Field(field) if field.derived.is_none())
                });
                let Some(field) = field.filter(|_| recorded) else {
                    let names: Vec<String> = self
                        .program
                        .entity(entity)
                        .fields
                        .iter()
                        .map(|id| self.program.column(*id).name.clone())
                        .collect();
                    self.report(
                        Diagnostic::new(
                            "unknown-name",
                            key.span,
                            format!("`{}` has no recorded field `{}`", word.text, key.text),
                        )
                        .hint_opt(did_you_mean(&key.text, names.iter().map(String::as_str))),
                    );
                    continue;
                };
                let ty = self.program.column(field).ty.clone();
                self.used.insert(field);
                let Some(text) = text else { continue };
                let kind = format!("record_{number}_{}", key.text);
                written.push((key.text.clone(), self.expression_of(reading, &kind, &text, Some(ty))));
            }
            writes.push(Write { entity: word.text, fields: written });
        }
        writes
    }

    /// A step writes the record that the case is about, or a record that belongs to it.
    fn check_place(&mut self, reading: &Reading<'_>, word: &Word, entity: EntityId) {
        let belongs =
            self.program.edges.iter().any(|edge| edge.child == entity && edge.parent == reading.entity);
        if entity != reading.entity && !belongs {
            let subject = self.program.entity(reading.entity).name.clone();
            self.report(
                Diagnostic::new(
                    "record-elsewhere",
                    word.span,
                    format!("a case about a `{subject}` cannot write a `{}`", word.text),
                )
                .hint(format!("write the `{subject}` itself, or an entity with an edge to it")),
            );
        }
    }

    fn reserves(&mut self, reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Reserve> {
        let reserve = table.table("reserves", "reservation")?;
        let fund = reserve.require("fund", reserve.word("fund"));
        let amount = reserve.require("amount", reserve.word("amount"));
        let period = reserve.require("for", self.choice(&reserve, "for", Period::CHOICES));
        reserve.finish();
        let (fund, amount) = (fund?, amount?);
        self.check_fund(&fund);
        self.check_fund_kind(&fund);
        let money = Type::Number(NumberType::money());
        let amount = self.expression_of(reading, "reserve", &amount, Some(money));
        Some(Reserve { fund: fund.text, amount, period: period?.as_str().to_owned() })
    }

    /// `next = "step"`, or branches that are tried in order; the next step where nothing is said.
    fn next(&mut self, reading: &mut Reading<'_>, table: &Table<'_>, follows: Target) -> Vec<Branch> {
        if let Some((crate::surface::Scalar::Text(text), span)) = table.scalar("next") {
            let target = self.flow_target(reading, &Word { text, span });
            return target.into_iter().map(|to| Branch { on: BranchOn::Always, to }).collect();
        }
        if !table.has("next") {
            return vec![Branch { on: BranchOn::Always, to: follows }];
        }
        let mut branches = Vec::new();
        for (number, branch) in table.tables("next", "branch").iter().enumerate() {
            let when = branch.word("when");
            let choice = branch.table("choice", "choice");
            let to = branch.require("to", branch.word("to"));
            branch.finish();
            let on = match (when, choice) {
                (Some(word), _) => {
                    let kind = format!("next_{number}");
                    BranchOn::When(self.expression_of(reading, &kind, &word, Some(Type::Bool)))
                }
                (None, Some(choice)) => match super::parts::named(&choice) {
                    Some((id, title)) => BranchOn::Choice { id, title },
                    None => continue,
                },
                (None, None) => BranchOn::Always,
            };
            let to = to.and_then(|word| self.flow_target(reading, &word));
            branches.extend(to.map(|to| Branch { on, to }));
        }
        branches
    }

    /// An expression of the flow: a column by its name, or a hidden column of its own.
    pub(super) fn expression_of(
        &mut self,
        reading: &mut Reading<'_>,
        kind: &str,
        text: &Word,
        ty: Option<Type>,
    ) -> ExpressionId {
        self.expression_on(reading, reading.entity, kind, text, ty)
    }

    pub(super) fn expression_on(
        &mut self,
        reading: &mut Reading<'_>,
        entity: EntityId,
        kind: &str,
        text: &Word,
        ty: Option<Type>,
    ) -> ExpressionId {
        let plain =
            text.text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        let constant = matches!(text.text.as_str(), "as_of" | "year" | "true" | "false");
        if plain && !constant && text.text.starts_with(|first: char| first.is_ascii_lowercase()) {
            return reading.column(entity, text, ty);
        }
        let name = format!("_{}_{}_{kind}", reading.head.name(), reading.step).replace('-', "_");
        let definition = Definition::Expression { text: text.clone(), ty: ty.clone() };
        self.announce_for(
            reading.head,
            entity,
            name.clone(),
            reading.head.title().clone(),
            text.span,
            definition,
        );
        reading.column(entity, &Word { text: name, span: text.span }, ty)
    }
}

impl Reading<'_> {
    pub fn column(&mut self, entity: EntityId, column: &Word, ty: Option<Type>) -> ExpressionId {
        self.expressions.push(Wanted { entity, column: column.clone(), ty });
        ExpressionId(self.expressions.len() as u32 - 1)
    }
}
