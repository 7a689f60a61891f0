//! Why a result is unknown: the facts whose absence makes it so.

use std::collections::HashSet;

use model::Text;
use pack::program::{
    Aggregate, AggregateFunction, ColumnKind, EdgeId, Expr, ExprKind, ParameterId, Program, Value, Window,
};

use super::format::{both, column_label, column_note, entity_label, label_text};
use super::tree::{Gap, GapKind};
use crate::Viewer;
use crate::interpret::{
    Aggregates as _, Cell, Cells as _, Evaluator, Expressions as _, Facts, Here, Windows as _, in_force,
};

/// The gaps that keep an unknown column unknown, in the order in which the rule reads them. Only
/// what matters as things stand: an unknown operand beside a deciding one is passed over, as is the
/// argument of a child that does not count.
pub(super) fn gaps(evaluator: &mut Evaluator<'_>, viewer: &Viewer<'_>, root: Cell) -> Vec<Gap> {
    let (program, facts) = (evaluator.program(), evaluator.facts());
    let mut blame = Blame {
        evaluator,
        viewer,
        program,
        facts,
        visited: HashSet::new(),
        found: HashSet::new(),
        gaps: Vec::new(),
    };
    blame.cell(root);
    blame.gaps
}

struct Blame<'w, 'a> {
    evaluator: &'w mut Evaluator<'a>,
    viewer: &'w Viewer<'w>,
    program: &'a Program,
    facts: &'a Facts,
    visited: HashSet<Cell>,
    found: HashSet<(GapKind, Cell)>,
    gaps: Vec<Gap>,
}

impl<'a> Blame<'_, 'a> {
    fn is_unknown(&mut self, here: Here, expr: &'a Expr) -> bool {
        self.evaluator.expression(here, expr) == Ok(None)
    }

    fn cell(&mut self, cell: Cell) {
        if self.evaluator.cell(cell) != Ok(None) || !self.visited.insert(cell) {
            return;
        }
        let column = &self.program.columns[cell.column.index()];
        let here = Here { column: cell.column, row: cell.row };
        match &column.kind {
            ColumnKind::Field(_) => self.report(GapKind::Fact, cell),
            _ if self.facts.is_given(column.entity, cell.row, cell.column) => {
                self.report(GapKind::Given, cell);
            }
            ColumnKind::Scalar(expr) => self.expr(here, expr),
            ColumnKind::Lookup { edge, column } => match self.facts.parent(*edge, cell.row) {
                Some(row) => self.cell(Cell { column: *column, row }),
                None => self.no_parent(*edge, cell.row),
            },
            ColumnKind::Aggregate(aggregate) => self.aggregate(here, aggregate),
            ColumnKind::Window(window) => self.window(here, window),
        }
    }

    fn no_parent(&mut self, edge: EdgeId, row: u32) {
        let via = Cell { column: self.program.edges[edge.index()].via, row };
        let kind = if self.evaluator.cell(via) == Ok(None) { GapKind::Fact } else { GapKind::Parent };
        self.report(kind, via);
    }

    /// Why an expression is unknown; nothing if it is known.
    fn expr(&mut self, here: Here, expr: &'a Expr) {
        if !self.is_unknown(here, expr) {
            return;
        }
        match &expr.kind {
            ExprKind::Column(column) => self.cell(Cell { column: *column, row: here.row }),
            ExprKind::Case { branches, otherwise } => self.case(here, branches, otherwise.as_deref()),
            _ => {
                let mut explained = false;
                for operand in expr.operands() {
                    explained |= self.is_unknown(here, operand);
                    self.expr(here, operand);
                }
                let kind = match expr.kind {
                    ExprKind::Parameter { id, ref at, .. }
                    | ExprKind::Bracket { parameter: id, ref at, .. }
                        if !explained =>
                    {
                        return self.no_parameter(here, id, at.as_deref());
                    }
                    ExprKind::AddDays { .. } | ExprKind::AddMonths { .. } | ExprKind::MakeDate { .. } => {
                        GapKind::NoSuchDate
                    }
                    _ => GapKind::DivisionByZero,
                };
                if !explained {
                    self.report(kind, Cell { column: here.column, row: here.row });
                }
            }
        }
    }

    /// A parameter that has no value on the day it is asked for: it is named with the day. One that has a value then has
    /// none for the code.
    fn no_parameter(&mut self, here: Here, id: ParameterId, at: Option<&'a Expr>) {
        let cell = Cell { column: here.column, row: here.row };
        let day = match at {
            None => self.evaluator.as_of(),
            Some(at) => match self.evaluator.expression(here, at) {
                Ok(Some(Value::Date(day))) => day,
                _ => return self.report(GapKind::NoParameter, cell),
            },
        };
        if in_force(self.program, id, day, None).is_some() {
            return self.report(GapKind::NoParameter, cell);
        }
        if !self.found.insert((GapKind::NoParameter, cell)) {
            return;
        }
        let parameter = &self.program.parameters[id.index()];
        let label = label_text(&parameter.label, &parameter.id);
        let text = Text::new(
            format!("参数“{}”（{}）在 {day} 没有有效值", label.zh, parameter.id),
            format!("parameter “{}” ({}): no value in force on {day}", label.en, parameter.id),
        );
        let mut column = column_note(self.viewer, self.facts, cell.column, cell.row);
        column.label = label;
        self.gaps.push(Gap { kind: GapKind::NoParameter, column, text });
    }

    fn case(&mut self, here: Here, branches: &'a [(Expr, Expr)], otherwise: Option<&'a Expr>) {
        for (condition, value) in branches {
            match self.evaluator.condition(here, condition) {
                Ok(Some(false)) => {}
                Ok(Some(true)) => return self.expr(here, value),
                Ok(None) | Err(_) => return self.expr(here, condition),
            }
        }
        if let Some(otherwise) = otherwise {
            return self.expr(here, otherwise);
        }
        let kind = if branches.is_empty() { GapKind::Conflict } else { GapKind::NoCase };
        self.report(kind, Cell { column: here.column, row: here.row });
    }

    fn aggregate(&mut self, here: Here, aggregate: &'a Aggregate) {
        let facts = self.facts;
        let mut passing = 0;
        for &row in facts.children(aggregate.edge, here.row) {
            let at = Here { row, ..here };
            let passes = self.evaluator.passes(here, aggregate, row);
            if passes == Ok(Some(false)) {
                continue;
            }
            passing += 1;
            let value = match &aggregate.argument {
                Some(_) => self.evaluator.argument(here, aggregate, row).ok().flatten(),
                None => None,
            };
            // What the child would add whether it counts or not: such a child changes nothing.
            let idle = match aggregate.function {
                AggregateFunction::Sum => value == Some(Value::Number(0)),
                AggregateFunction::Any => value == Some(Value::Bool(false)),
                AggregateFunction::All => value == Some(Value::Bool(true)),
                AggregateFunction::Count | AggregateFunction::Min | AggregateFunction::Max => false,
            };
            if idle {
                continue;
            }
            if let (Ok(None), Some(filter)) = (passes, &aggregate.filter) {
                self.expr(at, filter);
            }
            if let Some(argument) = &aggregate.argument {
                self.expr(at, argument);
            }
        }
        if passing == 0 {
            self.report(GapKind::NoChild, Cell { column: here.column, row: here.row });
        }
    }

    fn window(&mut self, here: Here, window: &'a Window) {
        let Some(parent) = self.facts.parent(window.edge, here.row) else {
            return self.no_parent(window.edge, here.row);
        };
        let facts = self.facts;
        let rows = facts.children(window.edge, parent);
        let places = window.partition.iter().chain(window.order.iter().map(|(expr, _)| expr));
        for expr in places {
            for &row in rows {
                self.expr(Here { row, ..here }, expr);
            }
        }
        let (Some(argument), Ok(Some(siblings))) =
            (&window.argument, self.evaluator.siblings(here, window, rows))
        else {
            return;
        };
        let partition = siblings
            .chunk_by(|a, b| a.partition == b.partition)
            .find(|partition| partition.iter().any(|sibling| sibling.row == here.row))
            .unwrap_or_default();
        let own = partition.iter().position(|sibling| sibling.row == here.row).unwrap_or_default();
        let end = crate::interpret::frame_end(window.frame, own, partition.len());
        for sibling in &partition[..end] {
            self.expr(Here { row: sibling.row, ..here }, argument);
        }
    }

    fn report(&mut self, kind: GapKind, cell: Cell) {
        if !self.found.insert((kind, cell)) {
            return;
        }
        let column = &self.program.columns[cell.column.index()];
        let entity = entity_label(self.program, column.entity);
        let key = self.viewer.key(column.entity, self.facts.key(column.entity, cell.row));
        let name = super::format::is_hidden(column);
        let label = if name {
            both(|lang| super::print::Printer { program: self.program, lang }.column_text(cell.column))
        } else {
            column_label(column)
        };
        let (zh, en) = match kind {
            GapKind::Fact => ("未填写", "is not recorded"),
            GapKind::Parent => ("所指的记录不存在", "names a record that is not there"),
            GapKind::Given => ("在本次运行中未知", "is unknown in the run"),
            GapKind::DivisionByZero => ("的除数为零", "divides by zero"),
            GapKind::NoParameter => {
                ("在该日期没有适用的标准", "has no parameter in force for its date or code")
            }
            GapKind::NoSuchDate => ("不是有效日期", "is not a day of the calendar"),
            GapKind::NoChild => ("没有可计入的记录", "has no record to take it from"),
            GapKind::Conflict => ("因例外条款冲突而未定", "is undecided because exceptions conflict"),
            GapKind::NoCase => ("没有适用的情形", "has no case that applies"),
        };
        let text = Text::new(
            format!("{} {key}：{}{zh}", entity.zh, label.zh),
            format!("{} {key}: {} {en}", entity.en, label.en),
        );
        let mut column = column_note(self.viewer, self.facts, cell.column, cell.row);
        column.label = label;
        self.gaps.push(Gap { kind, column, text });
    }
}
