//! What kind of datum each column holds.
//!
//! A recorded field is of the class that the pack says (`pii`). Whatever shows it elsewhere is of its class, too: a
//! column follows the *values* that it hands on, not those that it decides by.
//!
//! - A reference holds another record's key and is at least of the class of what it names; so is the ancestor that a
//!   field names, and a route through a network is of the class of the names it lists.
//! - A look-up along a reference that is about health (a stay names its disease): health, whatever is looked up.
//! - Any other look-up, the least and the greatest of several, a running sum: of the class of what is looked up or gone over.
//! - A case, a fallback (`coalesce`), `least`, `greatest`: of the strictest class among the values that can come out; the
//!   conditions don't count.
//! - A part of a text, its digits, a date made of them, a date moved by days, days between dates, month and day of a
//!   date, arithmetic: of the strictest class of the operands, since what is known of one gives the other away.
//! - A yes-or-no that is another one, its opposite, or a comparison of it with a constant: of its class.
//! - A sum over other records keeps the class until it is a division's: a household of one has the sum of one.
//!
//! Not the datum itself, and open: a count, a rank, whether something is so of several, a comparison, an age in whole
//! years, the year of a date (which a mask shows of any date), and the figure that a parameter gives for a code.
//!
//! That somebody meets a condition about health is therefore open where the rule's result is: it cannot be hidden from
//! whoever pays. The condition's value (the diagnosis, the grade) is not shown with it.

use crate::program::{
    Aggregate, AggregateFunction, ColumnId, ColumnKind, DataClass, DatePart, Derived, Expr, ExprKind,
    Network, Program, Type, Window, WindowFunction,
};

impl Program {
    /// What kind of datum a column holds. Of a program that no compiler made, what its field says.
    pub fn class(&self, id: ColumnId) -> DataClass {
        self.classes.get(id.index()).copied().unwrap_or_else(|| match &self.column(id).kind {
            ColumnKind::Field(field) => field.pii,
            _ => DataClass::Open,
        })
    }

    /// What kind of datum the value of an expression is.
    pub fn class_of(&self, expr: &Expr) -> DataClass {
        Shows { classes: &self.classes }.expr(expr)
    }
}

/// The class of every column.
pub(crate) fn classes(program: &Program) -> Vec<DataClass> {
    let declared = program.columns.iter().map(|column| match &column.kind {
        ColumnKind::Field(field) => field.pii,
        _ => DataClass::Open,
    });
    let mut classes: Vec<DataClass> = declared.collect();
    // A key may itself be a reference, and a field take over a result: until nothing gets stricter.
    loop {
        let before = classes.clone();
        for edge in &program.edges {
            raise(&mut classes, edge.via, before[edge.on.index()]);
        }
        for position in 0..program.columns.len() {
            let id = ColumnId(position as u32);
            let found = program.derived(id).map(|derived| of_derived(program, &before, id, derived));
            raise(&mut classes, id, found.unwrap_or_default());
        }
        // Each comes after what it needs.
        for id in &program.order {
            classes[id.index()] = Shows { classes: &classes }.column(program, *id);
        }
        if classes == before {
            return classes;
        }
    }
}

fn raise(classes: &mut [DataClass], id: ColumnId, class: DataClass) {
    let known = &mut classes[id.index()];
    *known = (*known).max(class);
}

fn of_derived(program: &Program, classes: &[DataClass], id: ColumnId, derived: &Derived) -> DataClass {
    match derived {
        Derived::Ancestor { edges } => edges.last().map_or(DataClass::Open, |edge| {
            let ancestor = program.edge(*edge).parent;
            classes[program.entity(ancestor).key.index()]
        }),
        Derived::PreviousRun { column } => {
            let earlier = program.column_named(program.column(id).entity, column);
            earlier.map_or(DataClass::Open, |earlier| classes[earlier.index()])
        }
        // It shows what the dated record says.
        Derived::AsAt { value, .. } => classes[value.index()],
        Derived::Network { network, .. } if program.column(id).ty == Type::Text => {
            let Network { edges, name, .. } = &program.networks[*network];
            classes[name.unwrap_or(program.entity(*edges).key).index()]
        }
        Derived::Network { .. } => DataClass::Open,
    }
}

/// What the values of expressions and columns show, by the classes known so far.
struct Shows<'c> {
    classes: &'c [DataClass],
}

impl Shows<'_> {
    fn of(&self, id: ColumnId) -> DataClass {
        self.classes.get(id.index()).copied().unwrap_or_default()
    }

    fn column(&self, program: &Program, id: ColumnId) -> DataClass {
        let column = program.column(id);
        let argument =
            |argument: &Option<Expr>| argument.as_ref().map_or(DataClass::Open, |it| self.expr(it));
        match &column.kind {
            ColumnKind::Field(_) => self.of(id),
            ColumnKind::Scalar(expr) => self.expr(expr),
            ColumnKind::Lookup { edge, column } => match self.of(program.edge(*edge).via) {
                DataClass::Health => DataClass::Health,
                _ => self.of(*column),
            },
            ColumnKind::Aggregate(Aggregate { function, argument: over, .. }) => match function {
                AggregateFunction::Count | AggregateFunction::Any | AggregateFunction::All => DataClass::Open,
                AggregateFunction::Sum if program.entity(column.entity).division.is_some() => DataClass::Open,
                AggregateFunction::Sum | AggregateFunction::Min | AggregateFunction::Max => argument(over),
            },
            ColumnKind::Window(Window { function, argument: over, .. }) => match function {
                WindowFunction::Sum => argument(over),
                WindowFunction::Count | WindowFunction::RowNumber | WindowFunction::Rank => DataClass::Open,
            },
        }
    }

    fn expr(&self, expr: &Expr) -> DataClass {
        match &expr.kind {
            ExprKind::Column(id) => self.of(*id),
            ExprKind::Literal(_)
            | ExprKind::AsOf
            | ExprKind::Parameter { .. }
            | ExprKind::IsUnknown(_)
            | ExprKind::In { .. }
            | ExprKind::Age { .. }
            | ExprKind::DatePart { part: DatePart::Year, .. } => DataClass::Open,
            ExprKind::Compare { a, b, .. } => match (&a.kind, &b.kind) {
                (_, ExprKind::Literal(_)) if a.ty == Type::Bool => self.expr(a),
                (ExprKind::Literal(_), _) if b.ty == Type::Bool => self.expr(b),
                _ => DataClass::Open,
            },
            ExprKind::And(parts) | ExprKind::Or(parts) => match parts.as_slice() {
                [one] => self.expr(one),
                _ => DataClass::Open,
            },
            ExprKind::Case { branches, otherwise } => {
                let values = branches.iter().map(|(_, value)| value).chain(otherwise.as_deref());
                values.map(|value| self.expr(value)).max().unwrap_or_default()
            }
            ExprKind::Add(..)
            | ExprKind::Sub(..)
            | ExprKind::Mul { .. }
            | ExprKind::Div { .. }
            | ExprKind::Neg(_)
            | ExprKind::Abs(_)
            | ExprKind::Rescale { .. }
            | ExprKind::Round { .. }
            | ExprKind::Not(_)
            | ExprKind::Coalesce(_)
            | ExprKind::Least(_)
            | ExprKind::Greatest(_)
            | ExprKind::DatePart { .. }
            | ExprKind::DaysBetween { .. }
            | ExprKind::AddMonths { .. }
            | ExprKind::AddDays { .. }
            | ExprKind::MakeDate { .. }
            | ExprKind::Bracket { .. }
            | ExprKind::Substring { .. }
            | ExprKind::DigitsToCount(_)
            | ExprKind::ToIndex(_) => {
                expr.operands().into_iter().map(|operand| self.expr(operand)).max().unwrap_or_default()
            }
        }
    }
}
