//! The smallest changes of recorded facts that would turn a verdict.

use std::cmp::Ordering;

use model::{Date, Text};
use pack::program::{ColumnId, ColumnKind, Program, Type, Value};

use super::format::{both, column_note, decimals};
use super::search::{Alternative, Search, Target};
use super::tree::{Turn, TurnChange, Turns};
use crate::interpret::{Cell, Evaluator, Facts};
use crate::{Shown, Viewer};

/// Pairs are tried among so many facts, those the verdict reads most directly.
const PAIRED_MAX: usize = 12;

/// Changes of one fact that turn the verdict, each to the nearest value that does; if there are
/// none, changes of two. Every change reported was tried by computing the result again.
pub(super) fn turns(
    viewer: &Viewer<'_>,
    facts: &Facts,
    as_of: Date,
    target: Target,
    trials_max: u32,
) -> Turns {
    let program = viewer.program();
    let mut evaluator = Evaluator::new(program, facts, as_of);
    evaluator.track();
    let Some(mut search) = Search::new(&mut evaluator, target, trials_max) else { return Turns::NotAsked };
    let leaves: Vec<Cell> = search.needs().into_iter().filter(|cell| can_change(program, *cell)).collect();
    let mut found = Vec::new();
    for &leaf in &leaves {
        for alternative in search.alternatives(leaf) {
            found.push(vec![(leaf, alternative)]);
        }
    }
    if found.is_empty() {
        found = pairs(&mut search, &leaves);
    }
    if found.is_empty() {
        return Turns::None { exhaustive: !search.exhausted() && leaves.len() <= PAIRED_MAX };
    }
    let measured = leaves.iter().any(|cell| is_measured(program, *cell) && !viewer.sees_column(cell.column));
    let mut turns: Vec<Turn> = found
        .into_iter()
        .map(|changes| Turn {
            changes: changes
                .into_iter()
                .map(|(cell, alternative)| describe(viewer, facts, &mut search, cell, alternative, measured))
                .collect(),
        })
        .collect();
    turns.sort_by(|a, b| rank(a).partial_cmp(&rank(b)).unwrap_or(Ordering::Equal));
    Turns::Found(turns)
}

/// References and keys say who is who; free text says nothing to a rule.
fn can_change(program: &Program, cell: Cell) -> bool {
    let column = &program.columns[cell.column.index()];
    is_field(program, cell.column)
        && matches!(column.ty, Type::Bool | Type::Number(_) | Type::Date | Type::Code(_))
        && program.entities[column.entity.index()].key != cell.column
        && !program.edges.iter().any(|edge| edge.via == cell.column || edge.on == cell.column)
}

/// For each pair: one fact as far as it goes, then the other to its nearest value, then the first
/// back to its own nearest.
fn pairs(search: &mut Search<'_, '_>, leaves: &[Cell]) -> Vec<Vec<(Cell, Alternative)>> {
    let leaves = &leaves[..leaves.len().min(PAIRED_MAX)];
    let mut found = Vec::new();
    for (index, &first) in leaves.iter().enumerate() {
        for &second in &leaves[index + 1..] {
            found.extend(pair(search, first, second));
        }
    }
    found
}

fn pair(search: &mut Search<'_, '_>, first: Cell, second: Cell) -> Option<Vec<(Cell, Alternative)>> {
    for probe in search.probes(first) {
        search.hold(first, &probe.value);
        let nearest = search.alternatives(second).into_iter().min_by(smaller);
        search.release(first);
        let Some(nearest) = nearest else { continue };
        search.hold(second, &nearest.value);
        let back = search.alternatives(first).into_iter().min_by(smaller);
        search.release(second);
        return Some(vec![(first, back.unwrap_or(probe)), (second, nearest)]);
    }
    None
}

fn smaller(a: &Alternative, b: &Alternative) -> Ordering {
    a.size.total_cmp(&b.size)
}

/// Whether a fact is a number or a date: one of which it can be told how far it would have to move.
fn is_measured(program: &Program, cell: Cell) -> bool {
    matches!(program.column(cell.column).ty, Type::Number(_) | Type::Date)
}

/// A change as it may be seen. Where a `measured` fact that the viewer does not see takes part in the verdict, how far
/// another one would have to move would tell it: of such only which way is left.
fn describe(
    viewer: &Viewer<'_>,
    facts: &Facts,
    search: &mut Search<'_, '_>,
    cell: Cell,
    alternative: Alternative,
    measured: bool,
) -> TurnChange {
    let program = viewer.program();
    let old = search.recorded(cell);
    let new = if measured && is_measured(program, cell) {
        let up = direction(old.as_ref(), &alternative.value) != Ordering::Less;
        Shown::Masked(if up { "↑" } else { "↓" }.to_owned())
    } else {
        viewer.show(cell.column, Some(&alternative.value))
    };
    let new_shown = match &new {
        Shown::Masked(text) => Text::same(text.clone()),
        Shown::Value(value) => both(|lang| viewer.text(cell.column, value.as_ref(), lang)),
    };
    TurnChange {
        column: column_note(viewer, facts, cell.column, cell.row),
        old_shown: both(|lang| viewer.text(cell.column, old.as_ref(), lang)),
        new_shown,
        old: viewer.show(cell.column, old.as_ref()).into_value(),
        decimals: decimals(&program.column(cell.column).ty),
        new: new.into_value().unwrap_or(alternative.value),
        size: alternative.size,
    }
}

fn direction(old: Option<&Value>, new: &Value) -> Ordering {
    match (old, new) {
        (Some(Value::Number(old)), Value::Number(new)) => new.cmp(old),
        (Some(Value::Date(old)), Value::Date(new)) => new.cmp(old),
        _ => Ordering::Equal,
    }
}

/// Fewer changes first; then amounts, answers, codes and dates; within a kind the smaller first.
fn rank(turn: &Turn) -> (usize, usize, f64) {
    let kind = |value: &Value| match value {
        Value::Number(_) | Value::Index(_) => 0,
        Value::Bool(_) => 1,
        Value::Text(_) => 2,
        Value::Date(_) => 3,
    };
    let kinds = turn.changes.iter().map(|change| kind(&change.new)).max().unwrap_or_default();
    (turn.changes.len(), kinds, turn.changes.iter().map(|change| change.size).sum())
}

/// Whether a column is a recorded field.
fn is_field(program: &Program, column: ColumnId) -> bool {
    matches!(program.columns[column.index()].kind, ColumnKind::Field(_))
}
