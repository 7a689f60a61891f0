//! Values, names and columns as pages show them.

use evaluate::Viewer;
use evaluate::explain::unit_text;
use model::Lang;
use pack::program::{ColumnId, ColumnKind, DataClass, EntityId, Type, Value};

use super::Reading;
use crate::tables::TableError;

impl Reading {
    /// A value of a column in words; what is personal masked, unless it may be seen.
    pub fn shown(&self, id: ColumnId, value: &Value, unmasked: bool, lang: Lang) -> String {
        let viewer = if unmasked { Viewer::unmasked(self.program()) } else { Viewer::masked(self.program()) };
        viewer.text(id, Some(value), lang)
    }

    /// Whether records of an entity tell of single persons: those in which somebody is named, and all below them.
    /// Divisions do not, whoever their officials are.
    pub fn is_personal(&self, entity: EntityId) -> bool {
        let program = self.program();
        let mut at = entity;
        loop {
            let declared = program.entity(at);
            if declared.division.is_some() {
                return false;
            }
            let names = |id: &ColumnId| match &program.column(*id).kind {
                ColumnKind::Field(field) => field.pii.is_personal(),
                _ => false,
            };
            if declared.fields.iter().any(names) {
                return true;
            }
            let Some(edge) = declared.parent else { return false };
            at = program.edge(edge).parent;
        }
    }

    /// What an entity is called.
    pub fn entity_label(&self, entity: EntityId, lang: Lang) -> &str {
        let entity = self.program().entity(entity);
        match entity.label.get(lang) {
            "" => &entity.name,
            label => label,
        }
    }

    /// What a column is called.
    pub fn column_label(&self, id: ColumnId, lang: Lang) -> &str {
        let column = self.program().column(id);
        match column.label.get(lang) {
            "" => &column.name,
            label => label,
        }
    }

    /// The unit of a number, empty for counts and rates.
    pub fn unit(&self, id: ColumnId, lang: Lang) -> String {
        match &self.program().column(id).ty {
            Type::Number(ty) => unit_text(self.program(), &ty.unit, lang),
            _ => String::new(),
        }
    }

    pub fn is_money(&self, id: ColumnId) -> bool {
        matches!(&self.program().column(id).ty, Type::Number(ty) if ty.is_money())
    }

    pub fn is_number(&self, id: ColumnId) -> bool {
        matches!(&self.program().column(id).ty, Type::Number(_) | Type::Index)
    }

    /// The field that holds the name of a record: of a person, or what is called a name.
    pub fn name_field(&self, entity: EntityId) -> Option<ColumnId> {
        let fields = &self.program().entity(entity).fields;
        let is_name = |id: &&ColumnId| {
            let column = self.program().column(**id);
            let ColumnKind::Field(field) = &column.kind else { return false };
            column.name == "name" || field.pii == DataClass::Name
        };
        fields.iter().find(is_name).copied()
    }

    /// The name of a record, masked where it is a person's; empty where it has none.
    pub fn name(&self, entity: EntityId, row: u32, unmasked: bool, lang: Lang) -> Result<String, TableError> {
        let Some(field) = self.name_field(entity) else { return Ok(String::new()) };
        let value = self.value(field, row)?;
        Ok(value.map(|value| self.shown(field, &value, unmasked, lang)).unwrap_or_default())
    }
}
