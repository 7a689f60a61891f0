//! Describes rules once their columns are compiled.

use crate::compiler::Compiler;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{
    Benefit, Check, ColumnId, EntityId, Exception, Measure, Remedy, Rule, RuleDetail, RuleId, RuleKind, Span,
    Standard, Type,
};
use crate::rules::{Draft, DraftDetail};
use crate::surface::Word;
use model::Text;

impl Compiler<'_> {
    /// Fills in the details of a rule whose columns are compiled.
    pub fn complete(&mut self, draft: Draft) {
        let rule = self.program.rules[draft.id.index()].clone();
        if let Some(detail) = self.detail(&rule, draft.detail) {
            self.program.rules[draft.id.index()].detail = detail;
        }
    }

    pub fn detail(&mut self, rule: &Rule, draft: DraftDetail) -> Option<RuleDetail> {
        let entity = rule.entity;
        let named = |compiler: &Self, name: &str| compiler.known(entity?, name);
        Some(match draft {
            DraftDetail::Variable => RuleDetail::Variable { column: named(self, &rule.id)? },
            DraftDetail::Benefit { amount, exceptions, paid, rest } => {
                if let Some(flow) = &rest.flow {
                    self.check_flow(flow);
                }
                RuleDetail::Benefit(Benefit {
                    who: named(self, &rule.id)?,
                    amount: if amount { Some(named(self, &format!("{}_amount", rule.id))?) } else { None },
                    exceptions: exceptions
                        .into_iter()
                        .filter_map(|(name, cite, span)| {
                            Some(Exception { when: named(self, &name)?, cite, span })
                        })
                        .collect(),
                    every: rest.every,
                    paid: paid.and_then(|draft| self.paid_detail(entity?, &rule.id, &draft)),
                    goods: rest.goods,
                    paid_from: rest.paid_from,
                    flow: rest.flow.map(|word| word.text),
                    documents: rest.documents,
                })
            }
            DraftDetail::Standard { applies, target, remedy, parts, levels } => {
                let gap = format!("{}_gap", rule.id);
                RuleDetail::Standard(Standard {
                    holds: named(self, &rule.id)?,
                    applies: applies.and_then(|name| named(self, &name)),
                    target,
                    remedy: remedy.and_then(|(programme, cost)| {
                        Some(Remedy {
                            programme,
                            quantity: named(self, &gap)?,
                            cost: if cost { named(self, &format!("{gap}_cost")) } else { None },
                        })
                    }),
                    parts: parts
                        .into_iter()
                        .filter_map(|(title, name)| Some((title, named(self, &name)?)))
                        .collect(),
                    levels: self.level_details(&rule.id, &levels),
                })
            }
            DraftDetail::Measure { levels, ratio } => self.measure_detail(rule, &levels, ratio),
            DraftDetail::Check { at_import, action, message, mend } => {
                if at_import
                    && !self
                        .program
                        .import_checks
                        .iter()
                        .any(|id| self.program.rules[id.index()].id == rule.id)
                {
                    let position = self.program.rules.iter().position(|known| known.id == rule.id)?;
                    self.program.import_checks.push(RuleId(position as u32));
                }
                self.check_message(entity?, &message, rule.span);
                let mend = mend.and_then(|word| self.resolve(entity?, &word.text, word.span));
                RuleDetail::Check(Check { fails: named(self, &rule.id)?, at_import, action, message, mend })
            }
            DraftDetail::Duty(draft) => self.duty_detail(entity?, &rule.id, draft)?,
            DraftDetail::Asset(draft) => self.asset_detail(entity?, &rule.id, &draft)?,
            DraftDetail::Scorecard(draft) => self.scorecard_detail(entity?, &rule.id, draft)?,
            DraftDetail::Programme(programme) => RuleDetail::Programme(programme),
            DraftDetail::Flow(flow) => self.flow_detail(rule, flow)?,
            DraftDetail::Declared { columns, attributes } => {
                let mut found = Vec::new();
                for (entity, name) in columns {
                    if let Some(id) = self.resolve(entity, &name, rule.span) {
                        let entity = self.program.entity(entity).name.clone();
                        found.push((format!("{entity}.{name}"), id));
                    }
                }
                if let (Some(rows), Some(entity)) = (attributes.get("rows"), entity) {
                    self.check_rows(entity, rows, rule.span);
                }
                RuleDetail::Declared { columns: found, attributes }
            }
        })
    }

    /// `rows` of a report names a yes-or-no column of its entity, or `NOT` and one.
    fn check_rows(&mut self, entity: EntityId, rows: &str, span: Span) {
        let name = rows.strip_prefix("NOT ").unwrap_or(rows).trim();
        let Some(id) = self.resolve(entity, name, span) else { return };
        if self.program.column(id).ty != Type::Bool {
            self.report(
                Diagnostic::new("wrong-type", span, format!("`rows` names `{name}`, which is not yes or no"))
                    .hint("name a condition of the entity, like `minimum_living`, or `NOT social_insurance`"),
            );
        }
    }

    pub fn measure_detail(&mut self, rule: &Rule, levels: &[EntityId], ratio: bool) -> RuleDetail {
        let columns: Vec<(EntityId, ColumnId)> =
            levels.iter().filter_map(|entity| Some((*entity, self.known(*entity, &rule.id)?))).collect();
        let ratio = ratio.then(|| {
            levels
                .iter()
                .filter_map(|entity| {
                    Some((
                        *entity,
                        self.known(*entity, &format!("{}_numerator", rule.id))?,
                        self.known(*entity, &format!("{}_denominator", rule.id))?,
                    ))
                })
                .collect()
        });
        RuleDetail::Measure(Measure { columns, ratio })
    }

    pub fn check_flow(&mut self, flow: &Word) {
        let flows: Vec<String> = self
            .program
            .rules
            .iter()
            .filter(|rule| rule.kind == RuleKind::Flow)
            .map(|rule| rule.id.clone())
            .collect();
        if !flows.contains(&flow.text) {
            let hint = did_you_mean(&flow.text, flows.iter().map(String::as_str));
            self.report(
                Diagnostic::new("unknown-flow", flow.span, format!("there is no flow `{}`", flow.text))
                    .hint_opt(hint),
            );
        }
    }

    /// Every `{name}` of a message is a column.
    pub fn check_message(&mut self, entity: EntityId, message: &Text, span: Span) {
        for text in [&message.zh, &message.en] {
            let mut rest = text.as_str();
            while let Some((_, after)) = rest.split_once('{') {
                let Some((name, tail)) = after.split_once('}') else {
                    self.report(Diagnostic::new(
                        "syntax",
                        span,
                        "a `{` of the message is not closed".to_owned(),
                    ));
                    return;
                };
                let _ = self.resolve(entity, name.trim(), span);
                rest = tail;
            }
        }
    }
}
