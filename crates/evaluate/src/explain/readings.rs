//! Which readings of open words a result rests on.

use std::collections::BTreeSet;

use model::Date;
use pack::program::{ColumnId, ExprKind, ParameterId, Program};

use super::format::{both, label_text, value_text};
use super::tree::ReadingNote;
use crate::interpret::{InForce, in_force};

/// The parameters with a `reading` that some columns rest on, whatever the facts are, by their ids. Their values are those
/// of the day of the run.
pub(super) fn readings(
    program: &Program,
    as_of: Date,
    columns: impl Iterator<Item = ColumnId>,
) -> Vec<ReadingNote> {
    if program.parameters.iter().all(|parameter| parameter.reading.is_none()) {
        return Vec::new();
    }
    let mut found = BTreeSet::new();
    for id in program.needed_by(columns) {
        for expr in program.column(id).expressions() {
            expr.each(&mut |part| {
                if let ExprKind::Parameter { id, .. } | ExprKind::Bracket { parameter: id, .. } = part.kind {
                    found.insert(id);
                }
            });
        }
    }
    let mut notes: Vec<ReadingNote> = found.into_iter().filter_map(|id| note(program, as_of, id)).collect();
    notes.sort_by(|a, b| a.parameter.cmp(&b.parameter));
    notes
}

fn note(program: &Program, as_of: Date, id: ParameterId) -> Option<ReadingNote> {
    let parameter = &program.parameters[id.index()];
    let word = parameter.reading.clone()?;
    let found = in_force(program, id, as_of, None);
    let shown = match found {
        Some(InForce::Value(dated)) => {
            Some(both(|lang| value_text(program, &parameter.ty, Some(&dated.value), lang)))
        }
        _ => None,
    };
    let in_force = found.map(|found| match found {
        InForce::Value(dated) => (dated.from, dated.source.clone()),
        InForce::Entry(_, from, source) => (from, source.clone()),
        InForce::Brackets(dated) => (dated.from, dated.source.clone()),
    });
    let label = label_text(&parameter.label, &parameter.id);
    Some(ReadingNote { parameter: parameter.id.clone(), label, word, shown, in_force })
}
