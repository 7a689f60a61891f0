//! The semantics of the checked program, as tables.

mod aggregates;
mod household;
mod logic;
mod parameters;
mod values;
mod windows;

use pack::program::{ColumnId, EntityId, Expr, Type, Value};

use super::build::{Build, date};
use super::{EvalError, Evaluator, Facts, Outcome};

/// Evaluates an expression over one record of an entity with the given fields.
struct Bench {
    build: Build,
    entity: EntityId,
    fields: Vec<ColumnId>,
}

impl Bench {
    fn new(types: &[Type]) -> Self {
        let mut build = Build::new();
        let entity = build.entity("thing", "物", "thing");
        let fields = types
            .iter()
            .enumerate()
            .map(|(index, ty)| build.field(entity, &format!("f{index}"), ("字段", "field"), ty.clone(), None))
            .collect();
        Self { build, entity, fields }
    }

    fn f(&self, index: usize) -> Expr {
        self.build.col(self.fields[index])
    }

    fn eval(&self, expr: &Expr, values: &[Option<Value>]) -> Outcome {
        let mut program = self.build.program.clone();
        program.columns.push(pack::program::Column {
            name: "result".to_owned(),
            ty: expr.ty.clone(),
            kind: pack::program::ColumnKind::Scalar(expr.clone()),
            ..program.columns[0].clone()
        });
        let result = ColumnId(program.columns.len() as u32 - 1);
        let fields = self.fields.iter().copied().zip(values.iter().cloned()).collect();
        let record = pack::program::CaseRecord { entity: self.entity, key: "1".to_owned(), fields };
        let facts = Facts::from_records(&program, &[record]);
        Evaluator::new(&program, &facts, date("2015-12-31")).value(self.entity, 0, result)
    }

    /// Expects a value of an expression without fields.
    fn is(&self, expr: &Expr, expected: Option<Value>) {
        assert_eq!(self.eval(expr, &[]), Ok(expected), "{expr:?}");
    }

    fn fails(&self, expr: &Expr, expected: impl FnOnce(ColumnId) -> EvalError) {
        let column = ColumnId(self.build.program.columns.len() as u32);
        assert_eq!(self.eval(expr, &[]), Err(expected(column)), "{expr:?}");
    }
}

/// `T`, `F` or `?`.
fn truth_of(mark: char) -> Option<Value> {
    match mark {
        'T' => Some(Value::Bool(true)),
        'F' => Some(Value::Bool(false)),
        _ => None,
    }
}
