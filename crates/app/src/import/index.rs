//! Rows by text: keys and references, hashed without copying them.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::stage::{State, Table};

/// Rows of a table by the text of one field. Of rows with the same text the first is kept.
#[derive(Debug)]
pub struct RowIndex {
    hasher: DefaultHashBuilder,
    rows: HashTable<u32>,
}

impl RowIndex {
    fn with_capacity(rows: usize) -> Self {
        Self { hasher: DefaultHashBuilder::default(), rows: HashTable::with_capacity(rows) }
    }

    /// Indexes the known texts of a field. `clash` is told of every row whose text an earlier row has.
    pub fn new(table: &Table, field: usize, mut clash: impl FnMut(u32, u32)) -> Self {
        let mut index = Self::with_capacity(table.len());
        for row in 0..table.len() {
            let text = table.text(field, row);
            if text.is_empty() || table.states[row] == State::Repeated {
                continue;
            }
            match index.get(table, field, text) {
                Some(first) => clash(first, row as u32),
                None => index.insert(table, field, row as u32),
            }
        }
        index
    }

    /// The row with the text.
    pub fn get(&self, table: &Table, field: usize, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        self.rows.find(hash, |row| table.text(field, *row as usize) == text).copied()
    }

    fn insert(&mut self, table: &Table, field: usize, row: u32) {
        let hasher = &self.hasher;
        let hash_of = |row: &u32| hasher.hash_one(table.text(field, *row as usize));
        self.rows.insert_unique(hash_of(&row), row, hash_of);
    }
}
