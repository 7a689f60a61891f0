//! How the entities and fields of a pack lie in the tables of a registry.

use model::DivisionLevel;
use pack::program::{ColumnId, ColumnKind, EdgeId, EntityId, NumberType, Program, Type, Unit};

use crate::error::{Result, StoreError};

/// The entities of the open pack, by [`EntityId`] and [`EdgeId`].
#[derive(Debug)]
pub(crate) struct Layout {
    pub entities: Vec<EntityLayout>,
    pub edges: Vec<EdgeLayout>,
    /// Entity and position in [`EntityLayout::fields`] of each column that is a field.
    columns: Vec<Option<(u32, u32)>>,
}

#[derive(Debug)]
pub(crate) struct EntityLayout {
    /// Number in the registry, which stays when packs reorder their entities. 0 until registered.
    pub id: i64,
    pub name: String,
    /// Quoted name of the state table.
    pub table: String,
    /// Position of the key in `fields`.
    pub key: usize,
    /// In order of declaration.
    pub fields: Vec<FieldLayout>,
    pub division: Option<DivisionLevel>,
    /// The edge by which it hangs in the tree.
    pub parent: Option<EdgeId>,
    /// Positions in `fields` of the fields declared unique.
    pub unique: Vec<usize>,
    /// Positions in `fields` of the indexed columns: references, referred and unique fields.
    pub indexed: Vec<usize>,
    /// Fields ever recorded, by their number in the registry; those that the pack dropped included.
    pub recorded: Vec<RecordedField>,
}

#[derive(Debug)]
pub(crate) struct FieldLayout {
    pub column: ColumnId,
    pub name: String,
    /// Quoted name of the column in the state table.
    pub quoted: String,
    /// Number of the field in the registry: its place in the payloads of changes.
    pub position: usize,
    pub ty: FieldType,
    pub required: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct RecordedField {
    pub name: String,
    /// As [`FieldType::describe`].
    pub ty: String,
}

#[derive(Debug)]
pub(crate) struct EdgeLayout {
    pub name: String,
    pub child: EntityId,
    pub parent: EntityId,
    /// Positions in the fields of child and parent.
    pub via: usize,
    pub on: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FieldType {
    Bool,
    /// `wide`: the declared range leaves 64 bits.
    Number {
        decimals: u8,
        unit: String,
        wide: bool,
    },
    Date,
    Text,
    Index,
}

impl FieldType {
    fn of(ty: &Type, wide: bool) -> Self {
        match ty {
            Type::Bool => Self::Bool,
            Type::Number(NumberType { unit, decimals, .. }) => {
                Self::Number { decimals: *decimals, unit: unit_text(unit), wide }
            }
            Type::Date => Self::Date,
            Type::Code(_) | Type::Text => Self::Text,
            Type::Index => Self::Index,
        }
    }

    /// What is recorded of the type: `number(2) yuan`, `date`. Two types are compatible if this is equal.
    pub fn describe(&self) -> String {
        match self {
            Self::Bool => "bool".into(),
            Self::Number { decimals, unit, .. } if unit.is_empty() => format!("number({decimals})"),
            Self::Number { decimals, unit, .. } => format!("number({decimals}) {unit}"),
            Self::Date => "date".into(),
            Self::Text => "text".into(),
            Self::Index => "index".into(),
        }
    }

    /// The inverse of [`FieldType::describe`], as far as reading values needs it.
    pub fn recorded(description: &str) -> Self {
        match description {
            "bool" => Self::Bool,
            "date" => Self::Date,
            "index" => Self::Index,
            "text" => Self::Text,
            _ => Self::Number { decimals: 0, unit: String::new(), wide: true },
        }
    }

    /// Type of the column in a strict table. Numbers beyond 64 bits are text beside integers, hence `ANY`.
    pub fn sql(&self) -> &'static str {
        match self {
            Self::Bool | Self::Date => "INTEGER",
            Self::Number { .. } => "ANY",
            Self::Text => "TEXT",
            Self::Index => "REAL",
        }
    }
}

/// `yuan mu^-1`.
fn unit_text(unit: &Unit) -> String {
    let powers = unit.0.iter().map(|(name, power)| match power {
        1 => name.clone(),
        _ => format!("{name}^{power}"),
    });
    powers.collect::<Vec<_>>().join(" ")
}

pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Layout {
    /// From a program alone: numbers of entities and fields are still those of no registry.
    pub fn of(program: &Program) -> Result<Self> {
        let mut layout =
            Self { entities: Vec::new(), edges: Vec::new(), columns: vec![None; program.columns.len()] };
        for (index, entity) in program.entities.iter().enumerate() {
            let mut fields = Vec::with_capacity(entity.fields.len());
            for (position, &column) in entity.fields.iter().enumerate() {
                layout.columns[column.index()] = Some((index as u32, position as u32));
                fields.push(FieldLayout::of(program, column)?);
            }
            let key = fields.iter().position(|field| field.column == entity.key).ok_or_else(|| {
                StoreError::PackInvalid {
                    detail: format!("the key of `{}` is not a field of it", entity.name),
                }
            })?;
            layout.entities.push(EntityLayout {
                id: 0,
                name: entity.name.clone(),
                table: quote(&format!("state_{}", entity.name)),
                key,
                fields,
                division: entity.division.as_deref().and_then(|level| level.parse().ok()),
                parent: entity.parent,
                unique: Vec::new(),
                indexed: Vec::new(),
                recorded: Vec::new(),
            });
        }
        layout.add_edges(program)?;
        Ok(layout)
    }

    fn add_edges(&mut self, program: &Program) -> Result<()> {
        for edge in &program.edges {
            let via = self.position(edge.child, edge.via)?;
            let on = self.position(edge.parent, edge.on)?;
            self.edges.push(EdgeLayout {
                name: edge.name.clone(),
                child: edge.child,
                parent: edge.parent,
                via,
                on,
            });
            self.entities[edge.child.index()].indexed.push(via);
            self.entities[edge.parent.index()].indexed.push(on);
        }
        for (entity, declared) in self.entities.iter_mut().zip(&program.entities) {
            let unique = declared.fields.iter().enumerate().filter_map(|(position, column)| {
                let ColumnKind::Field(field) = &program.columns[column.index()].kind else { return None };
                field.unique.then_some(position)
            });
            entity.unique.extend(unique);
            entity.indexed.extend(&entity.unique);
            entity.indexed.sort_unstable();
            entity.indexed.dedup();
            entity.indexed.retain(|&position| position != entity.key);
        }
        Ok(())
    }

    pub fn entity(&self, id: EntityId) -> &EntityLayout {
        &self.entities[id.index()]
    }

    pub fn edge(&self, id: EdgeId) -> &EdgeLayout {
        &self.edges[id.index()]
    }

    /// Position of a column among the fields of an entity.
    pub fn position(&self, entity: EntityId, column: ColumnId) -> Result<usize> {
        match self.columns.get(column.index()).copied().flatten() {
            Some((owner, position)) if owner == entity.0 => Ok(position as usize),
            _ => Err(StoreError::PackInvalid {
                detail: format!("column {} is not a field of `{}`", column.0, self.entity(entity).name),
            }),
        }
    }

    /// The entity whose records are the divisions of a level.
    pub fn division(&self, level: DivisionLevel) -> Option<EntityId> {
        let index = self.entities.iter().position(|entity| entity.division == Some(level))?;
        Some(EntityId(index as u32))
    }

    /// The edges whose child is an entity, in order of declaration.
    pub fn edges_of(&self, child: EntityId) -> impl Iterator<Item = (EdgeId, &EdgeLayout)> {
        let edges = self.edges.iter().enumerate().filter(move |(_, edge)| edge.child == child);
        edges.map(|(index, edge)| (EdgeId(index as u32), edge))
    }
}

impl EntityLayout {
    pub fn key_field(&self) -> &FieldLayout {
        &self.fields[self.key]
    }

    /// Quoted names of all fields, with commas between.
    pub fn field_names(&self) -> String {
        let names: Vec<&str> = self.fields.iter().map(|field| field.quoted.as_str()).collect();
        names.join(", ")
    }

    pub fn field_named(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Quoted name of the index on a field.
    pub fn index_name(&self, position: usize) -> String {
        quote(&format!("state_{}_by_{}", self.name, self.fields[position].name))
    }
}

impl FieldLayout {
    fn of(program: &Program, id: ColumnId) -> Result<Self> {
        let column = &program.columns[id.index()];
        let ColumnKind::Field(field) = &column.kind else {
            let detail = format!("column `{}` is listed as a field and is not one", column.name);
            return Err(StoreError::PackInvalid { detail });
        };
        let narrow = |number: i128| i64::try_from(number).is_ok();
        let wide = column.range.is_some_and(|range| !narrow(range.min) || !narrow(range.max));
        Ok(Self {
            column: id,
            name: column.name.clone(),
            quoted: quote(&column.name),
            position: 0,
            ty: FieldType::of(&column.ty, wide),
            required: field.required,
        })
    }
}
