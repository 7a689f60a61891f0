//! Households of whom a member is refused: none of their figures may be reckoned as if they were whole.
//!
//! Where a rule divides by the number of a record's children, a child that stays out raises the quotient without a
//! word. So such a record waits with all its children until the refused one is mended. A child that the registry has
//! from before is not missing, and divisions wait for nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use model::access::mask;
use pack::program::{AggregateFunction, ColumnId, ColumnKind, EdgeId, EntityId, Expr, ExprKind, Program};
use store::View;

use super::ImportError;
use super::link::{EdgeLinks, Links, Parent, Tables, registered};
use super::schema::{EntityPlan, Schema};
use super::stage::{Place, State, Table};

/// A record that waits for a refused child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    pub parent: EntityId,
    pub child: EntityId,
    /// Masked where it is personal.
    pub key: String,
    /// The first refused child.
    pub cause: Place,
    pub refused: u64,
    /// Children in this import.
    pub children: u64,
}

/// What waits for what.
#[derive(Debug, Default)]
pub struct Waiting {
    pub list: Vec<Incomplete>,
    /// For each row that waits, the refused row.
    pub causes: HashMap<Place, Place>,
}

/// Rows that wait because a child, or a child of the same parent, was refused.
pub fn find(
    schema: &Schema<'_>,
    tables: &Tables,
    links: &Links,
    view: &View<'_>,
) -> Result<Waiting, ImportError> {
    let counted = divisor_edges(schema.program);
    let mut waiting = Waiting::default();
    for child in &schema.entities {
        let Some(table) = &tables[child.id.index()] else { continue };
        for edge in links.of(child.id).iter().filter(|edge| counted.contains(&edge.plan.id)) {
            let parent = schema.entity(edge.plan.parent);
            if !parent.division {
                Family { child, parent, table, edge, above: tables[parent.id.index()].as_ref() }
                    .find(view, &mut waiting)?;
            }
        }
    }
    Ok(waiting)
}

struct Family<'f> {
    child: &'f EntityPlan,
    parent: &'f EntityPlan,
    table: &'f Table,
    edge: &'f EdgeLinks,
    above: Option<&'f Table>,
}

impl Family<'_> {
    fn find(&self, view: &View<'_>, waiting: &mut Waiting) -> Result<(), ImportError> {
        let refused: Vec<u32> = (0..self.table.len() as u32)
            .filter(|row| self.table.states[*row as usize] == State::Refused)
            .filter(|row| self.reference(*row).is_some())
            .collect();
        if refused.is_empty() {
            return Ok(());
        }
        let (child, table) = (self.child, self.table);
        let key = |row: &u32| table.text(child.key, *row as usize);
        let known = registered(view, child.id, child.fields[child.key].column, refused.iter().map(key))?;
        let missing: Vec<u32> = refused.into_iter().filter(|row| !known.contains(key(row))).collect();
        let mut families: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for row in missing {
            families.entry(self.reference(row).unwrap_or_default()).or_default().push(row);
        }
        let mut children: HashMap<&str, Vec<u32>> = HashMap::new();
        for row in 0..table.len() as u32 {
            if let Some(reference) = self.reference(row).filter(|text| families.contains_key(text))
                && table.states[row as usize] != State::Repeated
            {
                children.entry(reference).or_default().push(row);
            }
        }
        let keys: HashSet<&str> = families.keys().copied().collect();
        let parents = self.parents(&keys);
        for (reference, refused) in families {
            let cause = (child.id, refused[0]);
            let all = &children[reference];
            let rows = all.iter().map(|row| (child.id, *row));
            let rows = rows.chain(parents.get(reference).map(|row| (self.parent.id, *row)));
            for place in rows.filter(|place| *place != cause) {
                waiting.causes.entry(place).or_insert(cause);
            }
            waiting.list.push(Incomplete {
                parent: self.parent.id,
                child: child.id,
                key: mask(reference, self.parent.fields[self.edge.plan.on].pii),
                cause,
                refused: refused.len() as u64,
                children: all.len() as u64,
            });
        }
        Ok(())
    }

    /// What a row's parent is called, if it has one. A key that says where a stray row belongs counts.
    fn reference(&self, row: u32) -> Option<&str> {
        let on = self.edge.plan.on;
        if let (Some(parent), Some(above)) = (self.edge.strays.get(&row), self.above) {
            return Some(above.text(on, *parent as usize)).filter(|text| !text.is_empty());
        }
        match self.edge.parents[row as usize] {
            Parent::Row(_) | Parent::Registered => Some(self.table.text(self.edge.plan.via, row as usize)),
            Parent::Unsaid | Parent::Missing => None,
        }
    }

    /// Rows of the parents in this import.
    fn parents(&self, wanted: &HashSet<&str>) -> HashMap<&str, u32> {
        let Some(above) = self.above else { return HashMap::new() };
        (0..above.len() as u32)
            .filter(|row| above.states[*row as usize] == State::Sound)
            .map(|row| (above.text(self.edge.plan.on, row as usize), row))
            .filter(|(text, _)| wanted.contains(text))
            .collect()
    }
}

/// Edges whose children are counted in what a rule divides by.
fn divisor_edges(program: &Program) -> BTreeSet<EdgeId> {
    let mut edges = BTreeSet::new();
    for column in &program.columns {
        if let ColumnKind::Scalar(expr) = &column.kind {
            each_divisor(expr, &mut |divisor| counted(program, divisor, &mut edges));
        }
    }
    edges
}

fn each_divisor(expr: &Expr, each: &mut dyn FnMut(&Expr)) {
    if let ExprKind::Div { b, .. } = &expr.kind {
        each(b);
    }
    for operand in expr.operands() {
        each_divisor(operand, each);
    }
}

/// Follows the columns of the same record that a divisor is made of.
fn counted(program: &Program, divisor: &Expr, edges: &mut BTreeSet<EdgeId>) {
    let mut open: Vec<ColumnId> = Vec::new();
    let mut seen = BTreeSet::new();
    divisor.each_column(&mut |column| open.push(column));
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        match &program.columns[id.index()].kind {
            ColumnKind::Scalar(expr) => expr.each_column(&mut |column| open.push(column)),
            ColumnKind::Aggregate(aggregate) if aggregate.function == AggregateFunction::Count => {
                edges.insert(aggregate.edge);
            }
            _ => {}
        }
    }
}
