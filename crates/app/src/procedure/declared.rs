//! Procedures as the pack declares them.

use std::collections::BTreeSet;

use model::flow::{Flow as Machine, WorkingCalendar};
use model::{ClauseId, Date, Text};
use pack::program::{Benefit, EntityId, Program, Rule, RuleDetail, RuleKind};

use crate::acting::ActingError;

/// A procedure of a pack, with the benefit that it decides on, if it is one's.
pub struct Declared<'p> {
    pub rule: &'p Rule,
    /// What its records are.
    pub entity: EntityId,
    /// What a sheet of them belongs to.
    pub sheet: Option<EntityId>,
    pub machine: &'p Machine,
    pub benefit: Option<&'p Benefit>,
    pub benefit_id: Option<&'p str>,
    /// On what ground it decides: the benefit's clause, or its own.
    pub clause: ClauseId,
}

/// The procedure of an id.
pub fn declared<'p>(program: &'p Program, id: &str) -> Result<Declared<'p>, ActingError> {
    let rule = program.rules.iter().find(|rule| rule.kind == RuleKind::Flow && rule.id == id);
    let unknown = || {
        let flows = program.rules.iter().filter(|rule| rule.kind == RuleKind::Flow);
        let known: Vec<&str> = flows.map(|rule| rule.id.as_str()).collect();
        let known = known.join("、");
        let hint = Text { zh: format!("规则包有：{known}"), en: format!("the pack has {known}") };
        ActingError::unknown(format!("没有程序“{id}”"), format!("there is no procedure `{id}`"), hint)
    };
    let rule = rule.ok_or_else(unknown)?;
    let (Some(entity), RuleDetail::Flow(flow)) = (rule.entity, &rule.detail) else { return Err(unknown()) };
    let decides = program.rules.iter().find_map(|other| match &other.detail {
        RuleDetail::Benefit(benefit) if benefit.flow.as_deref() == Some(id) => Some((other, benefit)),
        _ => None,
    });
    let clauses = decides.map_or(&rule.cite, |(benefit, _)| &benefit.cite);
    let clause = clauses.first().or_else(|| rule.cite.first()).ok_or_else(unknown)?.clone();
    Ok(Declared {
        rule,
        entity,
        sheet: flow.sheet,
        machine: &flow.machine,
        benefit: decides.map(|(_, benefit)| benefit),
        benefit_id: decides.map(|(rule, _)| rule.id.as_str()),
        clause,
    })
}

/// The working days that the pack knows; a period that leaves them is refused, never guessed.
pub fn calendar(program: &Program) -> WorkingCalendar {
    program.calendar.clone().unwrap_or(WorkingCalendar {
        first: Date::MAX,
        last: Date::MIN,
        holidays: BTreeSet::new(),
        working_weekends: BTreeSet::new(),
    })
}
