//! Which columns of tables are masked for whoever may not see them.

use std::collections::BTreeMap;

use evaluate::Viewer;
use pack::program::{ColumnId, DataClass};

/// Columns of every type that are masked, hidden ones included, by entity and name.
pub type Masks = BTreeMap<String, BTreeMap<String, DataClass>>;

/// The table of findings, which holds keys of all entities.
const FINDINGS: &str = "findings";

/// The columns that a viewer does not see.
pub fn masks(viewer: &Viewer<'_>) -> Masks {
    let program = viewer.program();
    let mut masks = Masks::new();
    for (position, column) in program.columns.iter().enumerate() {
        let class = program.class(ColumnId(position as u32));
        if !viewer.sees(class) {
            let entity = program.entity(column.entity).name.clone();
            masks.entry(entity).or_default().insert(column.name.clone(), class);
        }
    }
    for edge in &program.edges {
        let via = program.class(edge.via);
        // Whom a reference about health joins to what is the datum: the row's number tells it as well.
        if via == DataClass::Health && !viewer.sees(via) {
            let child = program.entity(edge.child).name.clone();
            masks.entry(child).or_default().insert(format!("_{}", edge.name), via);
        }
    }
    let keys = program.entities.iter().map(|entity| program.class(entity.key));
    if let Some(strictest) = keys.filter(|class| !viewer.sees(*class)).max() {
        masks.entry(FINDINGS.to_owned()).or_default().insert("key".to_owned(), strictest);
    }
    masks
}
