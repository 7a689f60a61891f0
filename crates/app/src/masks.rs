//! Which columns are masked for whoever may not see them.

use std::collections::BTreeMap;

use pack::program::{Column, ColumnId, ColumnKind, DataClass, Program, Type};

use crate::import::closure::Closure;

/// Text columns that are seen masked, by entity and name.
pub type Masks = BTreeMap<String, BTreeMap<String, DataClass>>;

/// Texts by which a person or an account is known: fields of such a class, and what is computed from their
/// texts.
pub fn masks(program: &Program) -> Masks {
    let mut masks = Masks::new();
    for (position, column) in program.columns.iter().enumerate() {
        if column.ty != Type::Text {
            continue;
        }
        let closure = Closure::of(program, [ColumnId(position as u32)]);
        let class = closure.columns.iter().find_map(|id| match &program.columns[id.index()] {
            Column { ty: Type::Text, kind: ColumnKind::Field(field), .. } => {
                Some(field.pii).filter(|pii| !matches!(pii, DataClass::Open | DataClass::Health))
            }
            _ => None,
        });
        if let Some(pii) = class {
            let entity = program.entities[column.entity.index()].name.clone();
            masks.entry(entity).or_default().insert(column.name.clone(), pii);
        }
    }
    masks
}
