//! The pack's totals for any division, each with the list that it counts.

use pack::program::{Column, ColumnId, ColumnKind, EntityId, Expr, ExprKind, Total, TotalFunction, Value};

use super::{Criterion, List, Place, Reading, Sort};
use crate::tables::TableError;

/// One total of a division.
#[derive(Clone, Debug)]
pub struct PlaceTotal<'r> {
    pub total: &'r Total,
    /// The records that it counts, or whose values it adds up.
    pub list: List,
    /// A count, or a sum scaled as its column.
    pub value: i128,
    /// Records that it leaves out because their condition or value is unknown.
    pub unknown: u64,
}

impl Reading {
    /// The pack's totals for a division, in its order. Those whose condition is no list that can be shown are left out.
    pub fn totals(&self, place: Place) -> Result<Vec<PlaceTotal<'_>>, TableError> {
        let mut totals = Vec::new();
        for total in &self.program().totals {
            totals.extend(self.total(total, place)?);
        }
        Ok(totals)
    }

    fn total<'r>(&'r self, total: &'r Total, place: Place) -> Result<Option<PlaceTotal<'r>>, TableError> {
        let criteria = match total.function {
            TotalFunction::Count | TotalFunction::Sum(_) => Some(Vec::new()),
            TotalFunction::CountTrue(column) => self.criteria(column, true)?,
        };
        let Some(criteria) = criteria else { return Ok(None) };
        let mut list = List { entity: total.entity, place, criteria, sort: Sort::Snapshot };
        let listed = self.list(&list)?;
        let (value, unknown) = match total.function {
            TotalFunction::Sum(column) => {
                let column = self.named(column);
                if self.column(column)?.is_none() {
                    return Ok(None);
                }
                list.sort = Sort::By { column, descending: true };
                self.sum(column, &listed.rows)?
            }
            _ => (listed.rows.len() as i128, listed.unknown),
        };
        Ok(Some(PlaceTotal { total, list, value, unknown }))
    }

    /// The column with a name that a column stands for, if it is nothing else.
    pub fn named(&self, id: ColumnId) -> ColumnId {
        match &self.program().column(id).kind {
            ColumnKind::Scalar(Expr { kind: ExprKind::Column(of), .. })
                if self.program().column(id).is_hidden() =>
            {
                self.named(*of)
            }
            _ => id,
        }
    }

    /// A yes-or-no column as criteria over columns that are stored: itself, a parent's, or the parts of a conjunction.
    fn criteria(&self, id: ColumnId, wanted: bool) -> Result<Option<Vec<Criterion>>, TableError> {
        if self.column(id)?.is_some() {
            return Ok(Some(vec![Criterion::Is(id, Some(Value::Bool(wanted)))]));
        }
        let column: &Column = self.program().column(id);
        match &column.kind {
            ColumnKind::Lookup { edge, column } if self.program().edge(*edge).tree => {
                self.criteria(*column, wanted)
            }
            ColumnKind::Scalar(expr) => self.criteria_of(expr, wanted),
            _ => Ok(None),
        }
    }

    fn criteria_of(&self, expr: &Expr, wanted: bool) -> Result<Option<Vec<Criterion>>, TableError> {
        match &expr.kind {
            ExprKind::Column(id) => self.criteria(*id, wanted),
            ExprKind::Not(expr) => self.criteria_of(expr, !wanted),
            ExprKind::And(parts) if wanted => {
                let mut all = Vec::new();
                for part in parts {
                    match self.criteria_of(part, true)? {
                        Some(criteria) => all.extend(criteria),
                        None => return Ok(None),
                    }
                }
                Ok(Some(all))
            }
            _ => Ok(None),
        }
    }

    /// Whether a column is one of a record's own or of a record above it in the tree.
    pub fn is_above(&self, entity: EntityId, column: ColumnId) -> bool {
        let wanted = self.program().column(column).entity;
        let mut at = entity;
        loop {
            if at == wanted {
                return true;
            }
            let Some(edge) = self.program().entity(at).parent else { return false };
            at = self.program().edge(edge).parent;
        }
    }
}
