//! What a rule about single subjects comes to at every division above them: how many it is about, how
//! many of them meet it, what is missing and what closing the gap costs.
//!
//! Each figure is an ordinary column, so that runs, SQL scripts and explanations need nothing new.

use model::Text;

use crate::compiler::{Compiler, Definition};
use crate::program::{EntityId, Level, NumberType, Type};
use crate::rules::Head;
use crate::surface::Word;

/// A rule about subjects, seen from above: the columns on the subject's entity that it rests on.
pub struct Levelled {
    /// Bool column of those the rule is about, if not all.
    pub applies: Option<String>,
    /// Bool column of those who meet it.
    pub holds: String,
    /// Share to reach, scaled by 10^4.
    pub target: Option<i64>,
    /// Number column with what is missing.
    pub gap: Option<String>,
    /// Code column with the state of a duty that has a day by which it is due, and whether the day on which it was met is
    /// known: only then can it be met late.
    pub state: Option<(String, bool)>,
    /// Money column with what closing the gap costs.
    pub cost: Option<String>,
    pub words: Words,
}

/// How the figures of a kind of rule are called.
#[derive(Clone, Copy)]
pub enum Words {
    Standard,
    Duty,
}

impl Words {
    fn of(self, figure: &str) -> (&'static str, &'static str) {
        match (self, figure) {
            (Self::Standard, "subjects") => ("适用对象数", "subjects"),
            (Self::Standard, "met") => ("达标数", "met"),
            (Self::Standard, "unmet") => ("未达标数", "not met"),
            (Self::Duty, "subjects") => ("应履行数", "owed"),
            (Self::Duty, "met") => ("已履行数", "met"),
            (Self::Duty, "unmet") => ("未履行数", "not met"),
            (Self::Duty, "share") => ("履行比例", "share met"),
            (Self::Duty, "met_late") => ("逾期才履行数", "met late"),
            (Self::Duty, "late") => ("逾期未履行数", "open beyond the day they were due"),
            (_, "unknown") => ("情况不明数", "not known"),
            (_, "share") => ("达标比例", "share met"),
            (_, "on_target") => ("达到目标", "on target"),
            (_, "gap") => ("缺口合计", "gap in all"),
            (_, "gap_unknown") => ("缺口不明数", "gaps not known"),
            _ => ("补齐所需资金合计", "cost of closing the gap in all"),
        }
    }
}

impl Compiler<'_> {
    /// The divisions above an entity along the tree, the nearest first.
    pub fn divisions_above(&self, entity: EntityId) -> Vec<EntityId> {
        let mut found = Vec::new();
        let mut at = entity;
        while let Some(edge) = self.program.entity(at).parent {
            at = self.program.edge(edge).parent;
            if self.program.entity(at).division.is_some() {
                found.push(at);
            }
        }
        found
    }

    /// Announces the figures of a rule at every division above its subjects.
    pub fn announce_levels(&mut self, head: &Head, rule: &Levelled) -> Vec<EntityId> {
        let Some(entity) = head.entity() else { return Vec::new() };
        let levels = self.divisions_above(entity);
        let child = self.program.entity(entity).name.clone();
        for level in &levels {
            for (figure, definition) in self.figures(head, rule, &child) {
                let (zh, en) = rule.words.of(figure);
                let label = Text {
                    zh: format!("{}（{zh}）", head.title().zh),
                    en: format!("{} ({en})", head.title().en),
                };
                self.announce_for(
                    head,
                    *level,
                    format!("{}_{figure}", head.name()),
                    label,
                    head.place(),
                    definition,
                );
            }
        }
        levels
    }

    fn figures(&self, head: &Head, rule: &Levelled, child: &str) -> Vec<(&'static str, Definition)> {
        let text = |text: String, ty: Option<Type>| Definition::Expression {
            text: Word { text, span: head.place() },
            ty,
        };
        let count = |condition: &str| {
            let text_of = if condition.is_empty() {
                format!("count({child})")
            } else {
                format!("count({child}) FILTER (WHERE {condition})")
            };
            text(text_of, Some(Type::Number(NumberType::count())))
        };
        let id = head.name();
        let holds = format!("{child}.{}", rule.holds);
        let mut figures = match &rule.applies {
            Some(applies) => {
                let applies = format!("{child}.{applies}");
                vec![
                    ("subjects", count(&format!("{applies} IS TRUE"))),
                    ("met", count(&format!("({applies} AND {holds}) IS TRUE"))),
                    ("unmet", count(&format!("({applies} AND NOT {holds}) IS TRUE"))),
                    // Of those not known to be outside the rule.
                    (
                        "unknown",
                        count(&format!("({applies} IS NULL OR ({applies} AND {holds} IS NULL)) IS TRUE")),
                    ),
                ]
            }
            None => vec![
                ("subjects", count("")),
                ("met", count(&format!("{holds} IS TRUE"))),
                ("unmet", count(&format!("(NOT {holds}) IS TRUE"))),
                ("unknown", count(&format!("{holds} IS NULL"))),
            ],
        };
        figures.push(("share", Definition::Share { part: format!("{id}_met"), rest: format!("{id}_unmet") }));
        if let Some(target) = rule.target {
            // Counts compare exactly where the rounded share could look like the target.
            let (met, all) = (format!("{id}_met"), format!("({id}_met + {id}_unmet + {id}_unknown)"));
            let expr = format!(
                "CASE WHEN {met} * 10000 >= {all} * {target} THEN TRUE \
                 WHEN ({met} + {id}_unknown) * 10000 < {all} * {target} THEN FALSE ELSE NULL END"
            );
            figures.push(("on_target", text(expr, Some(Type::Bool))));
        }
        if let Some((state, met_on)) = &rule.state {
            let late = met_on.then_some(("met_late", "met-late"));
            for (figure, code) in late.into_iter().chain([("late", "late")]) {
                figures.push((figure, count(&format!("({child}.{state} = '{code}') IS TRUE"))));
            }
        }
        if let Some(gap) = &rule.gap {
            figures.push(("gap", text(format!("sum(coalesce({child}.{gap}, 0))"), None)));
            figures.push(("gap_unknown", count(&format!("{child}.{gap} IS NULL"))));
        }
        if let Some(cost) = &rule.cost {
            let money = Some(Type::Number(NumberType::money()));
            figures.push(("gap_cost", text(format!("sum(coalesce({child}.{cost}, 0))"), money)));
        }
        figures
    }

    /// The columns of a levelled rule, once they are compiled.
    pub fn level_details(&self, id: &str, levels: &[EntityId]) -> Vec<Level> {
        levels
            .iter()
            .filter_map(|entity| {
                let named = |figure: &str| self.known(*entity, &format!("{id}_{figure}"));
                Some(Level {
                    entity: *entity,
                    subjects: named("subjects")?,
                    met: named("met")?,
                    unmet: named("unmet")?,
                    unknown: named("unknown")?,
                    share: named("share")?,
                    on_target: named("on_target"),
                    gap: named("gap"),
                    gap_unknown: named("gap_unknown"),
                    gap_cost: named("gap_cost"),
                    met_late: named("met_late"),
                    late: named("late"),
                })
            })
            .collect()
    }
}
