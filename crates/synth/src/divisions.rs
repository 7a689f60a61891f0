//! The division tree, as rows of the entities that are its levels.

use std::collections::HashMap;

use model::DivisionLevel;
use store::NewDivision;

use crate::error::{Result, SynthError};
use crate::shape::Shape;

/// One division.
#[derive(Clone, Debug)]
pub struct Row {
    pub code: String,
    pub name: String,
    /// Row of the parent, by the tree edge of the entity.
    pub parent: Option<u32>,
    /// The code in the list that it was made from, which repeated provinces share.
    pub original: String,
}

/// Rows by entity, sorted along the tree; empty for entities that are no level.
pub struct Divisions(pub Vec<Vec<Row>>);

/// Codes of provinces that can be given out: two digits, the first not zero.
const PROVINCES: std::ops::Range<u64> = 10..100;

impl Divisions {
    /// The levels that the program declares, from a list in force; `provinces` times, each with codes of its own.
    pub fn new(shape: &Shape<'_>, list: &[NewDivision], provinces: usize) -> Result<Self> {
        let mut all = vec![Vec::new(); shape.entities.len()];
        let shifts = shifts(list, provinces)?;
        let mut rows_by_code: Vec<HashMap<String, u32>> = vec![HashMap::new(); shape.entities.len()];
        for (index, entity) in shape.entities.iter().enumerate() {
            let Some(level) = entity.division else { continue };
            let mut rows = Vec::new();
            for (copy, shift) in shifts.iter().enumerate() {
                for division in list.iter().filter(|division| division.level == level) {
                    let parent = entity.tree.as_ref().map(|edge| {
                        let above = above(list, division, shape.entities[edge.parent].division);
                        let row =
                            above.and_then(|code| rows_by_code[edge.parent].get(&shifted(code, *shift)));
                        row.copied().ok_or_else(|| SynthError::DivisionParent {
                            code: division.code.to_string(),
                            entity: shape.entities[edge.parent].name.clone(),
                        })
                    });
                    rows.push(Row {
                        code: shifted(division.code.number(), *shift),
                        name: match (copy, level) {
                            (1.., DivisionLevel::Province) => format!("{}{}", division.name, copy + 1),
                            _ => division.name.clone(),
                        },
                        parent: parent.transpose()?,
                        original: division.code.to_string(),
                    });
                }
            }
            rows.sort_by(|a, b| (a.parent, &a.code).cmp(&(b.parent, &b.code)));
            rows_by_code[index] =
                (0..).zip(&rows).map(|(row, division)| (division.code.clone(), row)).collect();
            all[index] = rows;
        }
        Ok(Self(all))
    }
}

/// The division of a level above another one.
fn above(list: &[NewDivision], division: &NewDivision, level: Option<DivisionLevel>) -> Option<u64> {
    let level = level?;
    // Most parents are the code cut short; the list is asked where it says otherwise.
    let direct = division.parent?;
    if direct.level() == level {
        return Some(direct.number());
    }
    let parent = list.iter().find(|one| one.code == direct)?;
    if parent.level == level { Some(parent.code.number()) } else { above(list, parent, Some(level)) }
}

fn shifted(code: u64, shift: i64) -> String {
    format!("{:012}", code.saturating_add_signed(shift * 10_000_000_000))
}

/// What is added to the first two digits for each copy: 0 for the first.
fn shifts(list: &[NewDivision], provinces: usize) -> Result<Vec<i64>> {
    let taken = |code: u64| code / 10_000_000_000;
    let own: Vec<u64> = list
        .iter()
        .filter(|division| division.level == DivisionLevel::Province)
        .map(|division| taken(division.code.number()))
        .collect();
    let first = own.first().copied().unwrap_or(PROVINCES.start);
    let free = PROVINCES.filter(|code| !own.contains(code));
    let mut shifts = vec![0];
    if own.len() <= 1 {
        shifts.extend(free.map(|code| code.cast_signed() - first.cast_signed()));
    }
    if provinces > shifts.len() {
        return Err(SynthError::Provinces { count: provinces, max: shifts.len() });
    }
    shifts.truncate(provinces.max(1));
    Ok(shifts)
}
