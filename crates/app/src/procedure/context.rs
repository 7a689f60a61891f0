//! What is so on the day of an act: conditions, amounts and what is shown of each record, parameters, relations.

use std::collections::{BTreeMap, BTreeSet};

use model::flow::{
    Actor, BranchOn, Context, ExpressionId, Fact, Facts, Flow as Machine, Fraction, Now, ParameterId,
    Quantity, UnixSecond, WorkingCalendar,
};
use model::{Date, Digest, Fen, Lang, RecordKey, Refusal, RefusalCode, Text};
use pack::program::{ColumnId, ParameterShape, Program, Type, Value};

use super::{Case, Declared, Shown};
use crate::acting::{Acting, ActingError, Known, Pending, known, missing};
use evaluate::Viewer;
use evaluate::explain::value_text;
use store::View;

/// The facts of one day for one case.
pub struct Day<'p> {
    program: &'p Program,
    machine: &'p Machine,
    on: Date,
    pub calendar: WorkingCalendar,
    pub known: Known,
    items: BTreeSet<RecordKey>,
    numbers: BTreeMap<ExpressionId, Fraction>,
    actor: Actor,
}

impl<'p> Day<'p> {
    /// `pending` are changes that are not recorded: what would be so with them.
    pub fn of(
        (program, view): (&'p Program, View<'_>),
        acting: &Acting,
        flow: &Declared<'p>,
        case: &Case,
        opening: (&BTreeSet<RecordKey>, Option<&str>),
        pending: &Pending,
    ) -> Result<Self, ActingError> {
        let (opening, sheet) = opening;
        let items: BTreeSet<RecordKey> = case.items().chain(opening).cloned().collect();
        let keys = items.iter().map(|key| key.as_str().to_owned()).collect();
        let columns = columns(flow.machine);
        let of_item = |id: &ColumnId| program.column(*id).entity == flow.entity;
        let (own, of_sheet): (BTreeSet<ColumnId>, BTreeSet<ColumnId>) =
            columns.into_iter().partition(|id| of_item(id));
        let known_items = known(program, view, acting.on, flow.entity, &keys, &own, pending)?;
        let mut numbers = BTreeMap::new();
        if let (Some(sheet), Some(entity)) = (sheet.or(case.sheet()), flow.sheet) {
            let key: BTreeSet<String> = [sheet.to_owned()].into();
            let values = known(program, view, acting.on, entity, &key, &of_sheet, pending)?;
            for id in of_sheet {
                let fraction =
                    values.value(sheet, id).and_then(|value| fraction(&program.column(id).ty, value));
                numbers.extend(fraction.map(|fraction| (ExpressionId(id.0), fraction)));
            }
        }
        let actor = actor((program, view), acting, flow, &items)?;
        let calendar = super::declared::calendar(program);
        Ok(Self {
            program,
            machine: flow.machine,
            on: acting.on,
            calendar,
            known: known_items,
            items,
            numbers,
            actor,
        })
    }

    pub fn context(&self, acting: &Acting, seed: u64) -> Context<'_> {
        let facts = self.items.iter().map(|item| (item.clone(), self.facts(item))).collect();
        let at = UnixSecond(acting.effective_at().unix_ms().div_euclid(1000));
        Context {
            now: Now { at, today: self.on },
            calendar: &self.calendar,
            actor: self.actor.clone(),
            facts,
            parameters: self.parameters(),
            numbers: self.numbers.clone(),
            seed,
        }
    }

    /// The value of a column of a record today.
    pub fn value(&self, item: &RecordKey, expression: ExpressionId) -> Option<&Value> {
        self.known.value(item.as_str(), ColumnId(expression.0))
    }

    /// What is shown of a record today; `None` if something of it is unknown.
    pub fn shown(&self, item: &RecordKey) -> Option<Shown> {
        let print = |id: &ExpressionId| {
            let column = self.program.column(ColumnId(id.0));
            let value = self.value(item, *id)?;
            Some((column.name.clone(), value_text(self.program, &column.ty, Some(value), Lang::En)))
        };
        self.machine.shows.iter().map(print).collect()
    }

    /// A refusal with what its reader needs to know: what is missing, what has changed.
    pub fn refused(&self, case: &Case, refusal: Refusal) -> ActingError {
        let concerned = |key: &&RecordKey| {
            refusal.value.as_ref().is_some_and(|value| value.split(", ").any(|part| part == key.as_str()))
        };
        let items: Vec<&RecordKey> = self.items.iter().filter(concerned).collect();
        let details = match refusal.code {
            RefusalCode::ConditionUnknown => items.iter().flat_map(|item| self.gaps(item)).collect(),
            RefusalCode::FactsChanged => items.iter().flat_map(|item| self.changes(case, item)).collect(),
            _ => Vec::new(),
        };
        ActingError::Refused { refusal: Box::new(refusal), details }
    }

    /// What is different from what was shown: `11021: income 2,000.00 → 2,900.00`.
    pub fn changes(&self, case: &Case, item: &RecordKey) -> Vec<Text> {
        let Some(before) = case.shown(item) else { return Vec::new() };
        let after = self.shown(item).unwrap_or_default();
        let viewer = Viewer::masked(self.program);
        let changed = self.machine.shows.iter().filter_map(|id| {
            let column = self.program.column(ColumnId(id.0));
            let unknown = "?".to_owned();
            let (was, is) = (before.get(&column.name)?, after.get(&column.name).unwrap_or(&unknown));
            let changed = was != is;
            let (item, was, is) = (
                viewer.key(column.entity, item.as_str()),
                viewer.reprint(ColumnId(id.0), was),
                viewer.reprint(ColumnId(id.0), is),
            );
            let line = |label: &str| format!("{item} {label}: {was} → {is}");
            changed.then(|| Text { zh: line(&column.label.zh), en: line(&column.label.en) })
        });
        changed.collect()
    }

    fn gaps(&self, item: &RecordKey) -> Vec<Text> {
        let mut texts: Vec<Text> = Vec::new();
        for column in columns(self.machine) {
            let asked = self.program.column(column).entity;
            let is_unknown = self.known.value(item.as_str(), column).is_none();
            if !is_unknown || self.program.column(column).entity != asked {
                continue;
            }
            for text in missing(self.program, &self.known, self.on, item.as_str(), column) {
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
        texts
    }

    fn facts(&self, item: &RecordKey) -> Facts {
        let mut facts = Facts::default();
        for id in columns(self.machine) {
            let expression = ExpressionId(id.0);
            match self.value(item, expression) {
                Some(Value::Bool(value)) => {
                    facts.conditions.insert(expression, Fact::known(*value));
                }
                Some(Value::Number(number)) if is_money(&self.program.column(id).ty) => {
                    let fen = i64::try_from(*number).ok().map(Fen::from_fen);
                    facts.amounts.extend(fen.map(|fen| (expression, fen)));
                }
                _ => {}
            }
        }
        facts.shown = self.shown(item).map(|shown| digest(&shown));
        facts
    }

    fn parameters(&self) -> BTreeMap<ParameterId, Fraction> {
        let mut values = BTreeMap::new();
        for (index, parameter) in self.program.parameters.iter().enumerate() {
            let ParameterShape::Scalar(dated) = &parameter.shape else { continue };
            let in_force =
                |from: Date, until: Option<Date>| from <= self.on && until.is_none_or(|it| self.on < it);
            let value = dated.iter().rev().find(|value| in_force(value.from, value.until));
            let value = value.and_then(|dated| fraction(&parameter.ty, &dated.value));
            values.extend(value.map(|value| (ParameterId(index as u32), value)));
        }
        values
    }
}

/// The digest of what is shown: names and printed values, each with its length.
fn digest(shown: &Shown) -> Digest {
    let parts = shown.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    Digest::of_parts(parts)
}

/// Every column that the machine asks for.
fn columns(machine: &Machine) -> BTreeSet<ColumnId> {
    let mut ids: BTreeSet<ExpressionId> = machine.shows.iter().copied().collect();
    for step in &machine.steps {
        ids.extend(step.when);
        ids.extend(step.sample.iter().flat_map(|sample| &sample.musts).map(|must| must.when));
        if let Some(Some(Quantity::Expression(id))) = step.vote.as_ref().map(|vote| vote.electorate) {
            ids.insert(id);
        }
        ids.extend(step.notice.iter().flat_map(|notice| &notice.shows));
        ids.extend(step.records.iter().flat_map(|write| &write.fields).map(|(_, id)| *id));
        ids.extend(step.reserves.iter().map(|reserve| reserve.amount));
        ids.extend(step.next.iter().filter_map(|branch| match branch.on {
            BranchOn::When(id) => Some(id),
            _ => None,
        }));
    }
    ids.into_iter().map(|id| ColumnId(id.0)).collect()
}

/// Who acts, with the records of the case that are the actor's own: by the key of the record itself, or of a person
/// who belongs to it.
fn actor(
    (program, view): (&Program, View<'_>),
    acting: &Acting,
    flow: &Declared<'_>,
    items: &BTreeSet<RecordKey>,
) -> Result<Actor, ActingError> {
    let name = &acting.name;
    let mut own: BTreeSet<RecordKey> = items.iter().filter(|item| item.as_str() == name).cloned().collect();
    for edge in program.edges.iter().filter(|edge| edge.parent == flow.entity && edge.tree) {
        let named = crate::acting::record_text(program, view, edge.child, name, edge.via)?;
        own.extend(named.and_then(|key| items.get(key.as_str())).cloned());
    }
    Ok(Actor { id: name.clone(), role: acting.role.clone(), own, kin: BTreeSet::new() })
}

fn is_money(ty: &Type) -> bool {
    matches!(ty, Type::Number(number) if *number == pack::program::NumberType::money())
}

fn fraction(ty: &Type, value: &Value) -> Option<Fraction> {
    let (Type::Number(number), Value::Number(scaled)) = (ty, value) else { return None };
    let denominator = 10_u64.checked_pow(u32::from(number.decimals))?;
    Fraction::new(u64::try_from(*scaled).ok()?, denominator)
}
