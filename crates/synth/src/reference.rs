//! What a profile may refer to: fields of the record, of those above, beside and below it.

use crate::error::{Result, SynthError};
use crate::shape::Shape;

/// A value elsewhere, as seen from an entity.
#[derive(Clone, Debug)]
pub struct Reference {
    pub target: Target,
    pub usage: Usage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Up along edges; no hop is the record itself.
    Up {
        hops: Vec<Hop>,
        entity: usize,
        column: usize,
    },
    /// The first child of the same parent.
    First {
        column: usize,
    },
    /// Place among the children of the parent, from 0.
    Position,
    /// Number of children of the parent.
    Siblings,
    /// Number of children, or of those whose field has one of the values.
    Count {
        child: usize,
        among: Option<(usize, Vec<String>)>,
    },
    Sum {
        child: usize,
        column: usize,
    },
    FirstChild {
        child: usize,
        column: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    Tree,
    /// By position among the entity's references.
    Ref(usize),
}

/// What a draw gets of the value.
#[derive(Clone, Debug)]
pub enum Usage {
    Number,
    Text,
    /// The position of the case that it equals.
    Cases(Vec<String>),
    /// The position of the first bound that it is below.
    Bands(Vec<i64>),
}

/// Reads `age`, `county.contiguous_area`, `first.birth`, `position`, `siblings`, `count(person)`,
/// `count(person.health = disabled serious)`, `sum(person.work_months)` or `first(person.name)`.
pub fn parse(shape: &Shape<'_>, entity: usize, place: &str, text: &str) -> Result<Target> {
    let unknown = |what: &str| SynthError::profile(place, format!("`{text}`: there is no {what}"));
    let own = &shape.entities[entity];
    if let Some((function, inner)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        return below(shape, entity, function.trim(), inner.trim())
            .ok_or_else(|| unknown("such child or field"));
    }
    let Some((name, field)) = text.split_once('.') else {
        return match (own.column(text), text) {
            (Some(column), _) => Ok(Target::Up { hops: Vec::new(), entity, column }),
            (None, "position") => Ok(Target::Position),
            (None, "siblings") => Ok(Target::Siblings),
            _ => Err(unknown("such field")),
        };
    };
    if name == "first" {
        let column = own.column(field).ok_or_else(|| unknown("such field"))?;
        return Ok(Target::First { column });
    }
    let (hops, target) = path(shape, entity, name).ok_or_else(|| unknown("such entity above"))?;
    let column = shape.entities[target].column(field).ok_or_else(|| unknown("such field"))?;
    Ok(Target::Up { hops, entity: target, column })
}

/// The way to an edge's parent, or to an entity further up the tree.
pub fn path(shape: &Shape<'_>, entity: usize, name: &str) -> Option<(Vec<Hop>, usize)> {
    let own = &shape.entities[entity];
    if let Some(index) = own.refs.iter().position(|edge| edge.name == name) {
        return Some((vec![Hop::Ref(index)], own.refs[index].parent));
    }
    let mut hops = Vec::new();
    let mut at = entity;
    while let Some(edge) = &shape.entities[at].tree {
        hops.push(Hop::Tree);
        at = edge.parent;
        if edge.name == name || shape.entities[at].name == name {
            return Some((hops, at));
        }
    }
    None
}

fn below(shape: &Shape<'_>, entity: usize, function: &str, inner: &str) -> Option<Target> {
    let (inner, among) = match inner.split_once('=') {
        Some((field, values)) => {
            (field.trim(), Some(values.split_whitespace().map(str::to_owned).collect::<Vec<_>>()))
        }
        None => (inner, None),
    };
    let (name, field) = inner.split_once('.').map_or((inner, None), |(name, field)| (name, Some(field)));
    let child = shape.entity_named(name)?;
    shape.entities[child].tree.as_ref().filter(|edge| edge.parent == entity)?;
    // Rows of a region are not known where everything above it is made.
    if shape.entities[entity].whole != shape.entities[child].whole {
        return None;
    }
    let column = || shape.entities[child].column(field?);
    match (function, among) {
        ("count", None) if field.is_none() => Some(Target::Count { child, among: None }),
        ("count", Some(values)) => Some(Target::Count { child, among: Some((column()?, values)) }),
        ("sum", None) => Some(Target::Sum { child, column: column()? }),
        ("first", None) => Some(Target::FirstChild { child, column: column()? }),
        _ => None,
    }
}

impl Target {
    /// Decimals of the number that it is.
    pub fn decimals(&self, shape: &Shape<'_>, entity: usize) -> u8 {
        let of = |entity: usize, column: usize| shape.entities[entity].columns[column].decimals();
        match self {
            Self::Up { entity, column, .. } => of(*entity, *column),
            Self::First { column } => of(entity, *column),
            Self::Sum { child, column } | Self::FirstChild { child, column } => of(*child, *column),
            Self::Position | Self::Siblings | Self::Count { .. } => 0,
        }
    }
}
