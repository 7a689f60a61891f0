//! Programs built by hand, for tests.

use std::collections::BTreeMap;

use model::{ClauseId, Date, Text};
use pack::program::*;

/// Grows a program declaration by declaration.
#[derive(Debug)]
pub(crate) struct Build {
    pub program: Program,
}

pub(crate) fn date(text: &str) -> Date {
    text.parse().expect("a date in a test")
}

pub(crate) fn count_type() -> Type {
    Type::Number(NumberType { kind: NumberKind::Count, unit: Unit::default(), decimals: 0 })
}

pub(crate) fn money_type() -> Type {
    let unit = Unit(BTreeMap::from([("yuan".to_owned(), 1)]));
    Type::Number(NumberType { kind: NumberKind::Quantity, unit, decimals: 2 })
}

pub(crate) fn rate_type() -> Type {
    Type::Number(NumberType { kind: NumberKind::Rate, unit: Unit::default(), decimals: 4 })
}

fn field() -> ColumnKind {
    ColumnKind::Field(Field {
        required: false,
        unique: false,
        blank: Blank::Unknown,
        aliases: Vec::new(),
        pii: DataClass::Open,
        purpose: Text::default(),
        format: Format::Plain,
        used: true,
        unreadable: Action::Warn,
        derived: None,
    })
}

impl Build {
    pub fn new() -> Self {
        let mut program = Program::default();
        program.info.id = "test".to_owned();
        program.info.version = "1".to_owned();
        Self { program }
    }

    /// An entity with a text key called `id`.
    pub fn entity(&mut self, name: &str, zh: &str, en: &str) -> EntityId {
        let id = EntityId(self.program.entities.len() as u32);
        let key = ColumnId(self.program.columns.len() as u32);
        self.program.entities.push(Entity {
            name: name.to_owned(),
            label: Text::new(zh, en),
            key,
            parent: None,
            fields: vec![],
            rows_max: 1_000,
            judgement: None,
            division: None,
            sheet: vec![],
            span: Span::default(),
        });
        let declared = self.field(id, "id", ("编号", "id"), Type::Text, None);
        assert_eq!(declared, key);
        id
    }

    /// A tree edge from child to parent over a text field that holds the parent's key.
    pub fn edge(&mut self, child: EntityId, parent: EntityId) -> EdgeId {
        let name = self.program.entities[parent.index()].name.clone();
        let via = self.field(child, &format!("{name}_id"), ("所属", "belongs to"), Type::Text, None);
        let edge = EdgeId(self.program.edges.len() as u32);
        let on = self.program.entities[parent.index()].key;
        self.program.edges.push(Edge {
            name,
            child,
            parent,
            via,
            on,
            tree: true,
            required: true,
            also: vec![],
            key_prefix: None,
        });
        self.program.entities[child.index()].parent = Some(edge);
        edge
    }

    fn push(
        &mut self,
        entity: EntityId,
        name: &str,
        label: (&str, &str),
        ty: Type,
        kind: ColumnKind,
    ) -> ColumnId {
        let id = ColumnId(self.program.columns.len() as u32);
        let label = Text::new(label.0, label.1);
        self.program.columns.push(Column {
            entity,
            name: name.to_owned(),
            label,
            ty,
            nullable: true,
            range: None,
            kind,
            rule: None,
            span: Span::default(),
        });
        id
    }

    pub fn field(
        &mut self,
        entity: EntityId,
        name: &str,
        label: (&str, &str),
        ty: Type,
        range: Option<(i128, i128)>,
    ) -> ColumnId {
        let id = self.push(entity, name, label, ty, field());
        self.program.columns[id.index()].range = range.map(|(min, max)| Range { min, max });
        self.program.entities[entity.index()].fields.push(id);
        id
    }

    /// A computed column, placed in the order of evaluation as it is declared.
    pub fn computed(
        &mut self,
        entity: EntityId,
        name: &str,
        label: (&str, &str),
        ty: Type,
        kind: ColumnKind,
    ) -> ColumnId {
        let id = self.push(entity, name, label, ty, kind);
        self.program.order.push(id);
        id
    }

    pub fn scalar(&mut self, entity: EntityId, name: &str, label: (&str, &str), value: Expr) -> ColumnId {
        self.computed(entity, name, label, value.ty.clone(), ColumnKind::Scalar(value))
    }

    pub fn look_up(&mut self, entity: EntityId, edge: EdgeId, column: ColumnId) -> ColumnId {
        let target = &self.program.columns[column.index()];
        let (name, ty) =
            (format!("_{}_{}", self.program.edges[edge.index()].name, target.name), target.ty.clone());
        self.computed(entity, &name, ("", ""), ty, ColumnKind::Lookup { edge, column })
    }

    pub fn parameter(
        &mut self,
        id: &str,
        label: (&str, &str),
        ty: Type,
        shape: ParameterShape,
    ) -> ParameterId {
        let label = Text::new(label.0, label.1);
        self.program.parameters.push(Parameter {
            id: id.to_owned(),
            label,
            ty,
            shape,
            reading: None,
            cite: vec![],
            span: Span::default(),
        });
        ParameterId(self.program.parameters.len() as u32 - 1)
    }

    pub fn list(&mut self, id: &str, codes: &[(&str, &str, &str)]) -> ListId {
        let codes = codes.iter().map(|(code, zh, en)| Code {
            code: (*code).to_owned(),
            label: Text::new(*zh, *en),
            aliases: vec![],
        });
        self.program.lists.push(CodeList {
            id: id.to_owned(),
            label: Text::same(id),
            codes: codes.collect(),
            span: Span::default(),
        });
        ListId(self.program.lists.len() as u32 - 1)
    }

    /// A rule that owns `columns`.
    pub fn rule(
        &mut self,
        id: &str,
        title: (&str, &str),
        kind: RuleKind,
        cite: &[&str],
        detail: RuleDetail,
        columns: &[ColumnId],
    ) -> RuleId {
        let rule = RuleId(self.program.rules.len() as u32);
        self.program.rules.push(Rule {
            id: id.to_owned(),
            kind,
            entity: columns.first().map(|column| self.program.columns[column.index()].entity),
            title: Text::new(title.0, title.1),
            parts: vec![],
            cite: cite.iter().map(|clause| clause_id(clause)).collect(),
            detail,
            span: Span::default(),
        });
        for column in columns {
            self.program.columns[column.index()].rule = Some(rule);
        }
        rule
    }

    pub fn clause(&mut self, id: &str, zh: &str, en: &str) {
        self.program.clauses.push(Clause {
            id: clause_id(id),
            kind: "rule".to_owned(),
            summary: Text::new(zh, en),
            reason: None,
            span: Span::default(),
        });
    }

    /// Reads a column.
    pub fn col(&self, column: ColumnId) -> Expr {
        expr(ExprKind::Column(column), self.program.columns[column.index()].ty.clone())
    }

    /// A scalar or table parameter in force at the as-of date.
    pub fn param(&self, id: ParameterId) -> Expr {
        let ty = self.program.parameters[id.index()].ty.clone();
        expr(ExprKind::Parameter { id, at: None, key: None }, ty)
    }
}

pub(crate) fn record(entity: EntityId, key: &str, fields: &[(ColumnId, Value)]) -> CaseRecord {
    let fields = fields.iter().map(|(column, value)| (*column, Some(value.clone()))).collect();
    CaseRecord { entity, key: key.to_owned(), fields }
}

pub(crate) fn clause_id(text: &str) -> ClauseId {
    text.parse().expect("a clause id in a test")
}

pub(crate) fn dated<T>(value: T, from: &str, until: Option<&str>, source: Source) -> Dated<T> {
    Dated { value, from: date(from), until: until.map(date), source }
}

pub(crate) fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, nullable: true, range: None, span: Span::default() }
}

pub(crate) fn count(number: i128) -> Expr {
    expr(ExprKind::Literal(Value::Number(number)), count_type())
}

pub(crate) fn fen(number: i128) -> Expr {
    expr(ExprKind::Literal(Value::Number(number)), money_type())
}

pub(crate) fn truth(value: bool) -> Expr {
    expr(ExprKind::Literal(Value::Bool(value)), Type::Bool)
}

pub(crate) fn as_of() -> Expr {
    expr(ExprKind::AsOf, Type::Date)
}

pub(crate) fn and(parts: Vec<Expr>) -> Expr {
    expr(ExprKind::And(parts), Type::Bool)
}

pub(crate) fn or(parts: Vec<Expr>) -> Expr {
    expr(ExprKind::Or(parts), Type::Bool)
}

pub(crate) fn not(a: Expr) -> Expr {
    expr(ExprKind::Not(Box::new(a)), Type::Bool)
}

pub(crate) fn compare(op: Comparison, a: Expr, b: Expr) -> Expr {
    expr(ExprKind::Compare { op, a: Box::new(a), b: Box::new(b) }, Type::Bool)
}

pub(crate) fn one_of(a: Expr, list: &[&str]) -> Expr {
    let list = list.iter().map(|code| text(code)).collect();
    expr(ExprKind::In { a: Box::new(a), list }, Type::Bool)
}

pub(crate) fn add(a: Expr, b: Expr) -> Expr {
    let ty = a.ty.clone();
    expr(ExprKind::Add(Box::new(a), Box::new(b)), ty)
}

pub(crate) fn sub(a: Expr, b: Expr) -> Expr {
    let ty = a.ty.clone();
    expr(ExprKind::Sub(Box::new(a), Box::new(b)), ty)
}

pub(crate) fn mul(a: Expr, b: Expr, drop: u8) -> Expr {
    let ty = a.ty.clone();
    expr(ExprKind::Mul { a: Box::new(a), b: Box::new(b), drop, round: Rounding::HalfUp }, ty)
}

pub(crate) fn div(a: Expr, b: Expr, up: u8) -> Expr {
    let ty = a.ty.clone();
    expr(ExprKind::Div { a: Box::new(a), b: Box::new(b), up, round: Rounding::HalfUp }, ty)
}

pub(crate) fn case(branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let ty = branches[0].1.ty.clone();
    expr(ExprKind::Case { branches, otherwise: otherwise.map(Box::new) }, ty)
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn number(number: i128) -> Value {
    Value::Number(number)
}

pub(crate) fn aggregate(
    edge: EdgeId,
    function: AggregateFunction,
    argument: Option<Expr>,
    filter: Option<Expr>,
) -> ColumnKind {
    ColumnKind::Aggregate(Aggregate { edge, function, argument, filter })
}
