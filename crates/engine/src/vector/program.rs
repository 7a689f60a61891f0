//! Programs: primitive expressions as operations on numbered slots, each computed once.

use std::collections::{BTreeMap, HashMap};

use pack::program::{Comparison, DatePart, EntityId};

use crate::scalar::{Kind, Node, Operator, Scalar};

/// Where the value of an operation goes; operations are numbered in order of execution.
pub(crate) type Slot = usize;

/// One operation. Operands are slots of earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Op {
    Null,
    Bool(bool),
    /// Of kind `Int`, `Wide` or `Date`.
    Number(i128, Lanes),
    /// The bits of the value.
    Float(u64),
    Text(String),
    /// A column of the rows that are worked on.
    Load(Input),
    /// The positions, in the parent's table, of the parents that a column of references names; those of the rows
    /// worked on, or of rows of another table at the positions in a slot.
    Parents {
        references: Input,
        parent: EntityId,
        at: Option<Slot>,
    },
    /// A column of another table at positions.
    Gather {
        column: Input,
        at: Slot,
    },
    Arithmetic(Operator, Lanes, Slot, Slot),
    Negate(Slot),
    Compare(Comparison, Slot, Slot),
    And(Vec<Slot>),
    Or(Vec<Slot>),
    Not(Slot),
    IsNull(Slot),
    Case {
        branches: Vec<(Slot, Slot)>,
        otherwise: Option<Slot>,
    },
    Coalesce(Vec<Slot>),
    Least(Vec<Slot>),
    Greatest(Vec<Slot>),
    NullIfZero(Slot),
    InNumbers(Slot, Vec<i128>),
    InTexts(Slot, Vec<String>),
    DatePart(DatePart, Slot),
    MakeDate(Slot, Slot, Slot),
    Substring {
        text: Slot,
        from: u32,
        length: u32,
    },
    Digits(Slot),
    Cast(Slot, Lanes),
}

/// How the values of a number are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lanes {
    Int,
    Wide,
    Float,
}

impl Lanes {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Wide => Self::Wide,
            Kind::Float => Self::Float,
            _ => Self::Int,
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Input {
    pub entity: EntityId,
    pub name: String,
}

/// How a column that no operation has made is come by.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// It is in the table.
    Stored,
    /// It is a column of the parent along an edge.
    Parent {
        /// The child's column of references.
        references: String,
        parent: EntityId,
        column: String,
    },
}

/// Tells how a column of an entity is come by.
pub(crate) type Sources<'a> = dyn Fn(EntityId, &str) -> Source + 'a;

/// Operations and the slots that are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct VectorProgram {
    pub(super) ops: Vec<Op>,
    /// By operation: the slots that nothing reads after it.
    pub(super) released: Vec<Vec<Slot>>,
    pub outputs: Vec<(Slot, Kind)>,
}

/// Builds a program over the rows of one entity.
pub(crate) struct Builder<'a> {
    entity: EntityId,
    sources: &'a Sources<'a>,
    ops: Vec<Op>,
    known: HashMap<Op, Slot>,
    named: BTreeMap<String, Slot>,
    outputs: Vec<(Slot, Kind)>,
}

impl<'a> Builder<'a> {
    pub fn new(entity: EntityId, sources: &'a Sources<'a>) -> Self {
        Self { entity, sources, ops: vec![], known: HashMap::new(), named: BTreeMap::new(), outputs: vec![] }
    }

    /// Computes a value and gives it a name that later values may read.
    pub fn define(&mut self, name: &str, value: &Scalar) -> Slot {
        let slot = self.scalar(value);
        self.named.insert(name.to_owned(), slot);
        slot
    }

    /// Asks for a slot's values.
    pub fn output(&mut self, slot: Slot, kind: Kind) {
        self.outputs.push((slot, kind));
    }

    /// The slot of a column.
    pub fn column(&mut self, name: &str) -> Slot {
        if let Some(slot) = self.named.get(name) {
            return *slot;
        }
        let slot = self.come_by(self.entity, name.to_owned(), None);
        self.named.insert(name.to_owned(), slot);
        slot
    }

    /// The positions of the parents in their table.
    pub fn parents(&mut self, references: &str, parent: EntityId) -> Slot {
        let references = Input { entity: self.entity, name: references.to_owned() };
        self.op(Op::Parents { references, parent, at: None })
    }

    fn come_by(&mut self, entity: EntityId, name: String, at: Option<Slot>) -> Slot {
        match (self.sources)(entity, &name) {
            Source::Stored => {
                let column = Input { entity, name };
                self.op(match at {
                    None => Op::Load(column),
                    Some(at) => Op::Gather { column, at },
                })
            }
            Source::Parent { references, parent, column } => {
                let references = Input { entity, name: references };
                let at = self.op(Op::Parents { references, parent, at });
                self.come_by(parent, column, Some(at))
            }
        }
    }

    fn op(&mut self, op: Op) -> Slot {
        if let Some(slot) = self.known.get(&op) {
            return *slot;
        }
        self.ops.push(op.clone());
        let slot = self.ops.len() - 1;
        self.known.insert(op, slot);
        slot
    }

    fn all(&mut self, scalars: &[Scalar]) -> Vec<Slot> {
        scalars.iter().map(|scalar| self.scalar(scalar)).collect()
    }

    /// The slot of an expression's value.
    pub fn scalar(&mut self, scalar: &Scalar) -> Slot {
        let lanes = Lanes::of(scalar.kind);
        let op = match &scalar.node {
            Node::Column(name) => return self.column(name),
            Node::Null => Op::Null,
            Node::Bool(value) => Op::Bool(*value),
            Node::Number(value) => Op::Number(*value, lanes),
            Node::Date(days) => Op::Number(i128::from(*days), Lanes::Int),
            Node::Text(text) => Op::Text(text.clone()),
            Node::Float(value) => Op::Float(value.to_bits()),
            Node::Arithmetic(operator, a, b) => {
                Op::Arithmetic(*operator, lanes, self.scalar(a), self.scalar(b))
            }
            Node::Negate(a) => Op::Negate(self.scalar(a)),
            Node::Compare(op, a, b) => Op::Compare(*op, self.scalar(a), self.scalar(b)),
            Node::And(all) => Op::And(self.all(all)),
            Node::Or(all) => Op::Or(self.all(all)),
            Node::Not(a) => Op::Not(self.scalar(a)),
            Node::IsNull(a) => Op::IsNull(self.scalar(a)),
            Node::Case { branches, otherwise } => {
                let branches = branches.iter().map(|(when, then)| (self.scalar(when), self.scalar(then)));
                Op::Case {
                    branches: branches.collect(),
                    otherwise: otherwise.as_deref().map(|value| self.scalar(value)),
                }
            }
            Node::Coalesce(all) => Op::Coalesce(self.all(all)),
            Node::Least(all) => Op::Least(self.all(all)),
            Node::Greatest(all) => Op::Greatest(self.all(all)),
            Node::NullIfZero(a) => Op::NullIfZero(self.scalar(a)),
            Node::In(a, list) if a.kind == Kind::Text => {
                let texts = list.iter().filter_map(|item| match &item.node {
                    Node::Text(text) => Some(text.clone()),
                    _ => None,
                });
                Op::InTexts(self.scalar(a), texts.collect())
            }
            Node::In(a, list) => {
                let numbers = list.iter().filter_map(|item| match &item.node {
                    Node::Number(value) => Some(*value),
                    Node::Date(days) => Some(i128::from(*days)),
                    Node::Bool(value) => Some(i128::from(*value)),
                    _ => None,
                });
                Op::InNumbers(self.scalar(a), numbers.collect())
            }
            Node::DatePart(part, a) => Op::DatePart(*part, self.scalar(a)),
            Node::MakeDate(year, month, day) => {
                Op::MakeDate(self.scalar(year), self.scalar(month), self.scalar(day))
            }
            Node::DaysBetween(from, to) => {
                Op::Arithmetic(Operator::Subtract, Lanes::Int, self.scalar(to), self.scalar(from))
            }
            Node::AddDays(a, days) => {
                Op::Arithmetic(Operator::Add, Lanes::Int, self.scalar(a), self.scalar(days))
            }
            Node::Substring { text, from, length } => {
                Op::Substring { text: self.scalar(text), from: *from, length: *length }
            }
            Node::DigitsToNumber(a) => Op::Digits(self.scalar(a)),
            Node::Cast(a) => Op::Cast(self.scalar(a), lanes),
        };
        self.op(op)
    }

    /// The columns that it reads, of whatever table.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.ops.iter().filter_map(Op::input)
    }

    /// The program, without what no output needs.
    pub fn finish(self) -> VectorProgram {
        let mut live = vec![false; self.ops.len()];
        for (slot, _) in &self.outputs {
            live[*slot] = true;
        }
        for (slot, op) in self.ops.iter().enumerate().rev() {
            if live[slot] {
                op.operands(&mut |operand| live[operand] = true);
            }
        }
        let mut numbers = vec![usize::MAX; self.ops.len()];
        let mut ops: Vec<Op> = vec![];
        for (slot, mut op) in self.ops.into_iter().enumerate().filter(|(slot, _)| live[*slot]) {
            op.operands_mut(&mut |operand| *operand = numbers[*operand]);
            numbers[slot] = ops.len();
            ops.push(op);
        }
        let outputs: Vec<_> = self.outputs.iter().map(|(slot, kind)| (numbers[*slot], *kind)).collect();
        let released = released(&ops, &outputs);
        VectorProgram { ops, released, outputs }
    }
}

/// By operation: the slots that nothing reads after it, and that are not asked for.
fn released(ops: &[Op], outputs: &[(Slot, Kind)]) -> Vec<Vec<Slot>> {
    let mut last_use: Vec<usize> = (0..ops.len()).collect();
    for (number, op) in ops.iter().enumerate() {
        op.operands(&mut |slot| last_use[slot] = number);
    }
    for (slot, _) in outputs {
        last_use[*slot] = usize::MAX;
    }
    let mut released = vec![vec![]; ops.len()];
    for (slot, number) in last_use.into_iter().enumerate().filter(|(_, number)| *number != usize::MAX) {
        released[number].push(slot);
    }
    released
}

impl Op {
    fn input(&self) -> Option<&Input> {
        match self {
            Self::Load(input)
            | Self::Gather { column: input, .. }
            | Self::Parents { references: input, .. } => Some(input),
            _ => None,
        }
    }

    fn operands(&self, visit: &mut dyn FnMut(Slot)) {
        self.clone().operands_mut(&mut |slot| visit(*slot));
    }

    fn operands_mut(&mut self, visit: &mut dyn FnMut(&mut Slot)) {
        match self {
            Self::Null
            | Self::Bool(_)
            | Self::Number(..)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Load(_) => {}
            Self::Parents { at, .. } => at.iter_mut().for_each(visit),
            Self::Arithmetic(_, _, a, b) | Self::Compare(_, a, b) => {
                visit(a);
                visit(b);
            }
            Self::Negate(a)
            | Self::Not(a)
            | Self::IsNull(a)
            | Self::NullIfZero(a)
            | Self::InNumbers(a, _)
            | Self::InTexts(a, _)
            | Self::DatePart(_, a)
            | Self::Digits(a)
            | Self::Cast(a, _)
            | Self::Gather { at: a, .. }
            | Self::Substring { text: a, .. } => visit(a),
            Self::And(all) | Self::Or(all) | Self::Coalesce(all) | Self::Least(all) | Self::Greatest(all) => {
                all.iter_mut().for_each(visit);
            }
            Self::Case { branches, otherwise } => {
                for (when, then) in branches {
                    visit(when);
                    visit(then);
                }
                otherwise.iter_mut().for_each(visit);
            }
            Self::MakeDate(year, month, day) => {
                visit(year);
                visit(month);
                visit(day);
            }
        }
    }
}

impl VectorProgram {
    /// The columns that it reads, of whatever table.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.ops.iter().filter_map(Op::input)
    }
}
