//! Which columns a list shows, and their cells: number and name, place, what the rules say, what they say it from.

use app::reading::Sort;
use app::verdict::{State, Verdict};
use pack::program::{ColumnId, ColumnKind, EntityId, RuleId, Type, Value};

use super::query::{Query, column_name};
use super::{CellView, may_be_asked};
use crate::answer::Fault;
use crate::link::Link;
use crate::phrase;
use crate::shell::Desk;

/// A column of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    Key(EntityId),
    Name(EntityId, ColumnId),
    /// The name of the record's division at a level.
    Place(EntityId),
    Verdict(RuleId, Verdict),
    Data(EntityId, ColumnId),
}

/// Columns of values that are shown beside those asked for.
const DATA: usize = 6;

/// The columns of a list, in order.
pub fn columns(desk: &Desk, query: &Query) -> Result<Vec<Column>, Fault> {
    let (reading, entity) = (&desk.reading, query.entity);
    let program = reading.program();
    let mut columns = vec![Column::Key(entity)];
    columns.extend(reading.name_field(entity).map(|id| Column::Name(entity, id)));
    let levels = reading.levels();
    let here = levels.iter().position(|level| *level == query.place.level).unwrap_or(0);
    let own = levels.iter().position(|level| *level == entity).unwrap_or(levels.len());
    let above = (here + 1..own).map(|level| levels[level]).filter(|level| {
        let top = program.entity(*level).key;
        reading.is_above(entity, top)
    });
    columns.extend(above.map(Column::Place));
    let mut data: Vec<ColumnId> = Vec::new();
    for (rule, verdict, _) in &query.rules {
        columns.push(Column::Verdict(*rule, *verdict));
        data.extend(verdict.amount);
        data.extend(reading.reads(verdict.says));
    }
    data.extend(query.values.iter().map(|(column, _)| *column));
    if let Sort::By { column, .. } = query.sort {
        data.push(column);
    }
    let asked = data.len();
    let is_reference = |id: &ColumnId| program.edges.iter().any(|edge| edge.via == *id);
    let plain = |id: &ColumnId| {
        let column = program.column(*id);
        may_be_asked(desk, *id)
            && *id != program.entity(entity).key
            && Some(*id) != reading.name_field(entity)
            && !is_reference(id)
            && column.ty != Type::Index
    };
    let totals = program.totals.iter().filter(|total| total.entity == entity);
    let totals = totals.filter_map(|total| match total.function {
        pack::program::TotalFunction::CountTrue(id) | pack::program::TotalFunction::Sum(id) => {
            Some(reading.named(id))
        }
        pack::program::TotalFunction::Count => None,
    });
    let totals = totals.filter(|id| !program.column(*id).is_hidden() && program.column(*id).entity == entity);
    data.extend(totals.chain(program.entity(entity).fields.iter().copied()));
    let mut kept: Vec<ColumnId> = Vec::new();
    for (at, id) in data.into_iter().enumerate() {
        let shown = plain(&id) && !kept.contains(&id) && (at < asked || kept.len() < DATA);
        if shown && (at < asked || has_values(desk, id)?) && kept.len() < 2 * DATA {
            kept.push(id);
        }
    }
    columns.extend(kept.into_iter().map(|id| Column::Data(entity, id)));
    Ok(columns)
}

/// Whether anything is known of a column at all.
fn has_values(desk: &Desk, id: ColumnId) -> Result<bool, Fault> {
    Ok(desk.reading.known(id)? > 0)
}

/// What a cell holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Value(Option<Value>),
    Text(String),
    State(State),
}

impl Column {
    pub fn head(&self, desk: &Desk) -> String {
        let reading = &desk.reading;
        match self {
            Self::Key(_) => desk.w.case_id.to_owned(),
            Self::Name(_, id) => reading.column_label(*id, desk.lang).to_owned(),
            Self::Place(level) => reading.entity_label(*level, desk.lang).to_owned(),
            Self::Verdict(rule, _) => reading.program().rules[rule.index()].title.get(desk.lang).to_owned(),
            Self::Data(entity, id) => {
                let label = reading.column_label(*id, desk.lang);
                let owner = reading.program().column(*id).entity;
                if owner == *entity {
                    return label.to_owned();
                }
                let of = reading.entity_label(owner, desk.lang);
                format!("{of}{}{label}", phrase::colon(desk.lang))
            }
        }
    }

    /// The column that its order is by.
    pub fn sort_column(&self, desk: &Desk) -> Option<ColumnId> {
        match self {
            Self::Key(entity) => Some(desk.reading.program().entity(*entity).key),
            Self::Data(_, id) => Some(*id),
            Self::Name(..) | Self::Place(_) | Self::Verdict(..) => None,
        }
        .filter(|id| may_be_asked(desk, *id))
    }

    /// The same as addresses name it.
    pub fn sort_name(&self, desk: &Desk) -> Option<String> {
        let id = self.sort_column(desk)?;
        let entity = match self {
            Self::Key(entity) | Self::Data(entity, _) => *entity,
            _ => return None,
        };
        Some(column_name(desk, entity, id))
    }

    pub fn content(&self, desk: &Desk, entity: EntityId, row: u32) -> Result<Content, Fault> {
        let reading = &desk.reading;
        Ok(match self {
            Self::Key(_) => {
                let key = reading.program().entity(entity).key;
                Content::Value(reading.value(key, row)?)
            }
            Self::Name(_, id) => Content::Value(reading.value(*id, row)?),
            Self::Place(level) => {
                let at = reading.path_of(entity, row)?.into_iter().find(|place| place.level == *level);
                Content::Text(at.map(|place| reading.place_name(place)).transpose()?.unwrap_or_default())
            }
            Self::Verdict(_, verdict) => Content::State(reading.state(verdict, row)?),
            Self::Data(_, id) => Content::Value(reading.value_above(entity, row, *id)?),
        })
    }

    /// The column whose type a value of it has.
    pub fn value_column(&self, desk: &Desk) -> Option<ColumnId> {
        match self {
            Self::Key(entity) => Some(desk.reading.program().entity(*entity).key),
            Self::Name(_, id) | Self::Data(_, id) => Some(*id),
            Self::Place(_) | Self::Verdict(..) => None,
        }
    }

    /// What stands in a cell for people.
    pub fn text(&self, desk: &Desk, content: &Content) -> String {
        match content {
            Content::Text(text) => text.clone(),
            Content::State(state) => {
                let Self::Verdict(_, verdict) = self else { return String::new() };
                phrase::state(verdict.kind, *state, desk.lang).to_owned()
            }
            Content::Value(None) => match self.value_column(desk) {
                Some(id) if matches!(desk.reading.program().column(id).kind, ColumnKind::Field(_)) => {
                    desk.w.not_recorded.to_owned()
                }
                _ => desk.w.unknown.to_owned(),
            },
            Content::Value(Some(value)) => match self.value_column(desk) {
                Some(id) => desk.reading.shown(id, value, false, desk.lang),
                None => String::new(),
            },
        }
    }

    pub fn cell(&self, desk: &Desk, entity: EntityId, row: u32) -> Result<CellView, Fault> {
        let content = self.content(desk, entity, row)?;
        let text = self.text(desk, &content);
        let program = desk.reading.program();
        let name = &program.entity(entity).name;
        let link = match self {
            Self::Key(_) => Some(crate::pages::address::record(desk, entity, row)?),
            Self::Verdict(rule, _) => {
                let key = desk.reading.key(entity, row)?;
                Some(Link::to(["explain", name, &key, &program.rules[rule.index()].id]))
            }
            _ => None,
        };
        let class = match (&content, self) {
            (Content::Value(None) | Content::State(State::Unknown), _) => "unknown",
            (Content::Value(Some(Value::Number(_) | Value::Index(_))), _) => "num",
            (Content::State(State::Yes), Self::Verdict(_, verdict)) => match verdict.kind {
                app::verdict::Kind::Check => "no",
                _ => "yes",
            },
            (Content::State(State::No), Self::Verdict(_, verdict)) => match verdict.kind {
                app::verdict::Kind::Benefit => "none",
                app::verdict::Kind::Check => "yes",
                _ => "no",
            },
            _ => "",
        };
        Ok(CellView { text, link: link.map(|link| link.to_string()), class })
    }
}
