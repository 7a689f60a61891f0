//! Where an expression is desugared: the column it belongs to and the helpers it has grown.

use std::collections::BTreeMap;

use pack::program::{ColumnId, Program};

use super::flat::{Env, Flat, FlatColumn, unsound};
use crate::EngineError;
use crate::scalar::{self, Named, Node, Scalar};

/// A repeated part larger than this becomes a helper column.
const REPEATED_SIZE_MAX: usize = 6;

pub(super) struct Context<'a> {
    pub program: &'a Program,
    pub env: Env,
    columns: &'a BTreeMap<ColumnId, FlatColumn>,
    /// The column being defined.
    id: ColumnId,
    /// Distinguishes helpers on the child's side of an aggregate.
    mark: &'static str,
    pub helpers: Vec<Named>,
}

impl<'a> Context<'a> {
    pub fn new(flat: &'a Flat<'_>, env: Env, id: ColumnId, mark: &'static str) -> Self {
        Self { program: flat.program, env, columns: &flat.columns, id, mark, helpers: vec![] }
    }

    /// A column that is already desugared.
    pub fn column(&self, id: ColumnId) -> Result<Scalar, EngineError> {
        let column = self.columns.get(&id).ok_or_else(|| self.unsound("it reads a column computed later"))?;
        Ok(scalar::column(column.name.as_str(), column.kind, column.nullable, column.range))
    }

    pub fn unsound(&self, reason: &str) -> EngineError {
        unsound(self.program, self.id, reason)
    }

    /// The same value, cheap to write more than once.
    pub fn repeated(&mut self, value: Scalar) -> Scalar {
        if value.size() <= REPEATED_SIZE_MAX { value } else { self.atom(value) }
    }

    /// The same value as a column or literal, or a conversion of one.
    pub fn atom(&mut self, value: Scalar) -> Scalar {
        if value.is_atom() { value } else { self.helper(value) }
    }

    /// The same value as a column.
    pub fn settled(&mut self, value: Scalar) -> Scalar {
        if matches!(value.node, Node::Column(_)) { value } else { self.helper(value) }
    }

    fn helper(&mut self, value: Scalar) -> Scalar {
        let (kind, nullable, range) = (value.kind, value.nullable, value.range);
        let known = self.helpers.iter().find(|helper| helper.value == value);
        let name = if let Some(helper) = known {
            helper.name.clone()
        } else {
            let column = &self.program.columns[self.id.index()].name;
            let name = format!("{column}__{}{}", self.mark, self.helpers.len() + 1);
            self.helpers.push(Named { name: name.clone(), value });
            name
        };
        scalar::column(name, kind, nullable, range)
    }
}
