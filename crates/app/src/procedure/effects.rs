//! What the events of a case come to: records, reservations, leaves of the public log, and the stream itself.

use std::collections::BTreeMap;

use model::flow::{Event, ExpressionId, Outcome, State, What, Write, apply};
use model::{Lang, RecordKey};
use pack::program::{ColumnId, EntityId, NumberType, Type, Value};
use proof::{Kind, Object};
use serde_json::Value as Json;

use super::context::Day;
use super::reserve::{decision_key, release, reserve};
use super::words::{kind, outcome_word};
use super::{Case, CaseEvent, Declared};
use crate::acting::{ActingError, Deed, division_above};
use evaluate::Viewer;
use evaluate::explain::value_text;

/// What an act came to.
pub struct Told {
    pub events: Vec<Event>,
    /// The case after them.
    pub state: State,
}

/// Writes all that follows from the events.
pub fn carry_out(
    deed: &mut Deed<'_>,
    flow: &Declared<'_>,
    case: &Case,
    day: &Day<'_>,
    sheet: Option<&str>,
    events: Vec<Event>,
) -> Result<Told, ActingError> {
    let stream = Case::stream(&case.id);
    let mut state = case.state.clone();
    let mut stored = Vec::with_capacity(events.len());
    for event in &events {
        let before = std::mem::take(&mut state);
        let sheet_of = case.sheet().or(sheet);
        let acted = Acted { flow, case, day, before: &before, sheet: sheet_of };
        acted.effect(deed, event)?;
        let shown = match &event.what {
            What::Proposed { digests, .. } => {
                digests.keys().filter_map(|item| Some((item.clone(), day.shown(item)?))).collect()
            }
            _ => BTreeMap::new(),
        };
        let is_first = case.events.is_empty() && stored.is_empty();
        let sheet = sheet.filter(|_| is_first).map(str::to_owned);
        stored.push((kind(&event.what), CaseEvent { event: event.clone(), sheet, shown }));
        state = apply(before, event);
    }
    deed.append(&stream, case.events.len() as u64, &stored)?;
    Ok(Told { events, state })
}

/// The circumstances of one event.
struct Acted<'a, 'p> {
    flow: &'a Declared<'p>,
    case: &'a Case,
    day: &'a Day<'p>,
    /// The case before the event.
    before: &'a State,
    sheet: Option<&'a str>,
}

impl Acted<'_, '_> {
    fn effect(&self, deed: &mut Deed<'_>, event: &Event) -> Result<(), ActingError> {
        match &event.what {
            What::Writes { item, write, .. } => self.write(deed, item, write),
            What::Reserved { item, fund, amount, .. } => {
                reserve(deed, self.flow, &self.case.id, item, fund, *amount)
            }
            What::Released { item, fund, amount, .. } => {
                release(deed, self.flow, &self.case.id, item, fund, *amount)
            }
            What::ClockStarted { strand, until, required, hung, .. } => {
                let mut public = self.public(deed, event)?;
                public.insert("hung_days".to_owned(), (*hung).into());
                public.insert("required_days".to_owned(), (*required).into());
                public.insert("until".to_owned(), until.to_string().into());
                self.notice(deed, strand.0 as usize, public)
            }
            What::Ended { strand, outcome, .. } if *outcome != Outcome::Done => {
                let Some(strand) = self.before.strands.get(strand.0 as usize) else { return Ok(()) };
                for item in &strand.items {
                    let mut public = self.public(deed, event)?;
                    public.insert("outcome".to_owned(), outcome_word(*outcome).into());
                    let content = Object::from_iter([("item".to_owned(), Json::from(item.as_str()))]);
                    deed.publish(Kind::Decision, public, Some(content), vec![item.to_string()])?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A record with the values that its expressions have today.
    fn write(&self, deed: &mut Deed<'_>, item: &RecordKey, write: &Write) -> Result<(), ActingError> {
        let program = deed.program;
        let stream = Case::stream(&self.case.id);
        let damaged = |detail: String| ActingError::damaged(&stream, detail);
        let entity = program.entity_named(&write.entity);
        let entity = entity.ok_or_else(|| damaged(format!("the pack has no entity `{}`", write.entity)))?;
        let mut fields = self.own_fields(deed, entity, item);
        let mut content = Object::from_iter([("item".to_owned(), Json::from(item.as_str()))]);
        for (name, expression) in &write.fields {
            let column = program.column_named(entity, name);
            let column = column.ok_or_else(|| damaged(format!("`{}` has no `{name}`", write.entity)))?;
            let value = self.day.value(item, *expression).cloned();
            let (name, json) = self.told(deed, name, *expression, value.as_ref());
            content.insert(name, json);
            fields.retain(|(known, _)| *known != column);
            fields.push((column, value));
        }
        let source = deed.source(&stream, &write.entity)?;
        deed.record(entity, &fields, source)?;
        let mut public = self.public_of(deed, "decided")?;
        public.insert("record".to_owned(), write.entity.clone().into());
        content.insert("record".to_owned(), decision_key(&self.case.id, item)?.as_str().into());
        deed.publish(Kind::Decision, public, Some(content), vec![item.to_string()])
    }

    /// What a record of a decision says by itself: its key, whom it is about, of which case, and when.
    fn own_fields(
        &self,
        deed: &Deed<'_>,
        entity: EntityId,
        item: &RecordKey,
    ) -> Vec<(ColumnId, Option<Value>)> {
        let program = deed.program;
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        let key = format!("{}-{item}", self.case.id);
        let mut fields = vec![(program.entity(entity).key, text(&key))];
        let edge = program.edges.iter().find(|edge| edge.child == entity && edge.parent == self.flow.entity);
        fields.extend(edge.map(|edge| (edge.via, text(item.as_str()))));
        let given = [
            ("case_number", text(self.case.id.as_str())),
            ("decided_on", Some(Value::Date(deed.acting.on))),
            ("decided_by", text(&deed.acting.name)),
        ];
        for (name, value) in given {
            fields.extend(program.column_named(entity, name).map(|column| (column, value)));
        }
        fields
    }

    /// A value as it stands in a receipt: money in fen, everything else as it is printed; what is personal masked, as a
    /// receipt is shown to others.
    fn told(
        &self,
        deed: &Deed<'_>,
        name: &str,
        expression: ExpressionId,
        value: Option<&Value>,
    ) -> (String, Json) {
        let program = deed.program;
        let column = ColumnId(expression.0);
        let viewer = Viewer::masked(program);
        let ty = &program.column(column).ty;
        match (ty, value) {
            _ if !viewer.sees_column(column) => {
                (name.to_owned(), viewer.text(column, value, Lang::En).into())
            }
            (Type::Number(number), Some(Value::Number(fen))) if *number == NumberType::money() => {
                (format!("{name}_fen"), i64::try_from(*fen).map_or(Json::Null, Json::from))
            }
            _ => (name.to_owned(), value_text(program, ty, value, Lang::En).into()),
        }
    }

    fn notice(&self, deed: &mut Deed<'_>, strand: usize, mut public: Object) -> Result<(), ActingError> {
        let Some(strand) = self.before.strands.get(strand) else { return Ok(()) };
        public.insert("items".to_owned(), strand.items.len().into());
        // What hangs at the board and no more: a receipt of the notice shows it to everybody in it.
        let step = self.flow.machine.step(super::case::position(strand));
        let columns: &[ExpressionId] = step.and_then(|step| step.notice.as_ref()).map_or(&[], |it| &it.shows);
        let program = deed.program;
        let viewer = Viewer::masked(program);
        let shown = strand.items.iter().map(|item| {
            let shown = columns.iter().map(|id| {
                let column = program.column(ColumnId(id.0));
                let value = viewer.text(ColumnId(id.0), self.day.value(item, *id), Lang::En);
                (column.name.clone(), Json::from(value))
            });
            (viewer.key(self.flow.entity, item.as_str()).into_owned(), Json::Object(shown.collect()))
        });
        let content = Object::from_iter([("shown".to_owned(), Json::Object(shown.collect()))]);
        let about = strand.items.iter().map(ToString::to_string).collect();
        deed.publish(Kind::Notice, public, Some(content), about)
    }

    fn public(&self, deed: &Deed<'_>, event: &Event) -> Result<Object, ActingError> {
        self.public_of(deed, kind(&event.what))
    }

    /// What anyone may know: which procedure, where, when, on what ground, in which role.
    fn public_of(&self, deed: &Deed<'_>, what: &str) -> Result<Object, ActingError> {
        let mut public = Object::from_iter([
            ("case".to_owned(), Json::from(self.case.id.as_str())),
            ("clause".to_owned(), self.flow.clause.to_string().into()),
            ("day".to_owned(), deed.acting.on.to_string().into()),
            ("flow".to_owned(), self.flow.rule.id.clone().into()),
            ("role".to_owned(), deed.acting.role.clone().into()),
            ("what".to_owned(), what.into()),
        ]);
        let first = self.case.items().next().map(RecordKey::as_str);
        let place = match (self.flow.sheet, self.sheet) {
            (Some(entity), Some(sheet)) => {
                division_above(deed.program, deed.view(), entity, sheet, "county")?
            }
            _ => match first {
                Some(item) => division_above(deed.program, deed.view(), self.flow.entity, item, "county")?,
                None => None,
            },
        };
        public.extend(place.map(|county| ("county".to_owned(), Json::from(county))));
        Ok(public)
    }
}
