//! The program's entities by position, with the helper columns that a profile adds.

use model::{Date, DivisionLevel};
use pack::program::{ColumnKind, Edge, Field, ParameterShape, Program, Range, Type, Value};

/// What records look like.
pub struct Shape<'p> {
    pub program: &'p Program,
    pub as_of: Date,
    /// In the program's order: ancestors before descendants.
    pub entities: Vec<EntityShape>,
    /// The entity whose records are made one by one, each with all below it.
    pub region: Option<usize>,
}

pub struct EntityShape {
    pub name: String,
    pub key: usize,
    /// So many of the columns are fields; the rest are helpers of the profile.
    pub fields: usize,
    pub columns: Vec<ColumnShape>,
    pub tree: Option<EdgeShape>,
    pub refs: Vec<EdgeShape>,
    pub division: Option<DivisionLevel>,
    /// Whether all rows are made at once, before the regions.
    pub whole: bool,
}

pub struct ColumnShape {
    pub name: String,
    pub label: String,
    pub ty: Type,
    pub range: Option<Range>,
    /// `None` for helpers.
    pub field: Option<Field>,
}

#[derive(Clone)]
pub struct EdgeShape {
    pub name: String,
    pub parent: usize,
    /// Position of the reference in the child, and of what it matches in the parent.
    pub via: usize,
    pub on: usize,
    pub key_prefix: Option<usize>,
    /// Pairs of fields of child and parent that agree.
    pub also: Vec<(usize, usize)>,
}

impl<'p> Shape<'p> {
    pub fn new(program: &'p Program) -> Self {
        let mut entities: Vec<EntityShape> =
            (0..program.entities.len()).map(|index| entity(program, index)).collect();
        let level = |level| entities.iter().position(|entity| entity.division == Some(level));
        let region = level(DivisionLevel::County).or_else(|| DivisionLevel::ALL.into_iter().find_map(level));
        for index in 0..entities.len() {
            let below = entities[index]
                .tree
                .as_ref()
                .is_some_and(|edge| Some(edge.parent) == region || !entities[edge.parent].whole);
            entities[index].whole = !below;
        }
        Self { program, as_of: program.info.as_of, entities, region }
    }

    pub fn entity_named(&self, name: &str) -> Option<usize> {
        self.entities.iter().position(|entity| entity.name == name)
    }

    /// The number that a parameter has on the as-of date, with its decimals.
    pub fn parameter(&self, id: &str) -> Option<(i128, u8)> {
        let parameter = self.program.parameters.iter().find(|parameter| parameter.id == id)?;
        let Type::Number(number) = &parameter.ty else { return None };
        let ParameterShape::Scalar(values) = &parameter.shape else { return None };
        let value = values
            .iter()
            .rev()
            .find(|dated| dated.from <= self.as_of && dated.until.is_none_or(|until| self.as_of < until))?;
        match value.value {
            Value::Number(value) => Some((value, number.decimals)),
            _ => None,
        }
    }

    /// Entities above in the tree, nearest first, without itself.
    pub fn ancestors(&self, entity: usize) -> Vec<usize> {
        let mut above = Vec::new();
        let mut at = entity;
        while let Some(edge) = &self.entities[at].tree {
            above.push(edge.parent);
            at = edge.parent;
        }
        above
    }
}

fn entity(program: &Program, index: usize) -> EntityShape {
    let declared = &program.entities[index];
    let columns = declared.fields.iter().map(|id| {
        let column = program.column(*id);
        let field = match &column.kind {
            ColumnKind::Field(field) => Some(field.clone()),
            _ => None,
        };
        ColumnShape {
            name: column.name.clone(),
            label: column.label.zh.clone(),
            ty: column.ty.clone(),
            range: column.range,
            field,
        }
    });
    let edges = || program.edges.iter().filter(|edge| edge.child.index() == index);
    EntityShape {
        name: declared.name.clone(),
        key: position(program, index, declared.key),
        fields: declared.fields.len(),
        columns: columns.collect(),
        tree: edges().find(|edge| edge.tree).map(|one| edge(program, one)),
        refs: edges().filter(|edge| !edge.tree).map(|one| edge(program, one)).collect(),
        division: declared.division.as_deref().and_then(|level| level.parse().ok()),
        whole: true,
    }
}

fn edge(program: &Program, edge: &Edge) -> EdgeShape {
    let (child, parent) = (edge.child.index(), edge.parent.index());
    let also = edge.also.iter();
    EdgeShape {
        name: edge.name.clone(),
        parent,
        via: position(program, child, edge.via),
        on: position(program, parent, edge.on),
        key_prefix: edge.key_prefix.map(|length| length as usize),
        also: also
            .map(|(own, other)| (position(program, child, *own), position(program, parent, *other)))
            .collect(),
    }
}

fn position(program: &Program, entity: usize, column: pack::program::ColumnId) -> usize {
    let fields = &program.entities[entity].fields;
    fields.iter().position(|field| *field == column).expect("the compiler checks that it is a field")
}

impl EntityShape {
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl ColumnShape {
    /// Decimals of a number, 0 for everything else.
    pub fn decimals(&self) -> u8 {
        match &self.ty {
            Type::Number(number) => number.decimals,
            Type::Index => INDEX_DECIMALS,
            _ => 0,
        }
    }
}

/// Floating values are made as whole millionths.
pub const INDEX_DECIMALS: u8 = 6;
