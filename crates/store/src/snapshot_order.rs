//! The order of rows in a snapshot: along the tree, so that the children of one parent are one run.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};
use pack::program::EntityId;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::error::{Result, StoreError};
use crate::layout::Layout;

/// Row of a parent that there is not.
pub(crate) const NO_ROW: i32 = -1;

/// Rows of one entity in order. `_row` of the snapshot is the position here.
pub(crate) struct Order {
    /// `_id` in the state table.
    pub ids: Vec<u32>,
    /// Row of the parent along the tree edge, or [`NO_ROW`]. Empty if the entity has no tree edge.
    pub parents: Vec<i32>,
    /// Find rows by the values that children refer to, with the positions of the fields.
    pub indexes: Vec<(usize, RowIndex)>,
}

/// What ordering needs of an entity's rows, as they stand in the state table.
struct Unordered {
    ids: Vec<u32>,
    /// Without a parent the greatest value, so that such rows come last.
    parents: Vec<u32>,
    keys: Texts,
    /// By position in the fields asked for; empty for the key.
    referred: Vec<Texts>,
}

impl Order {
    /// Reads keys and references of an entity and sorts its rows by parent, then key. `parent` finds the
    /// rows of the tree parent; `referred` are the fields by which other rows find these.
    pub fn read(
        connection: &Connection,
        layout: &Layout,
        entity: EntityId,
        parent: Option<&RowIndex>,
        referred: &[usize],
    ) -> Result<Self> {
        let rows = Unordered::read(connection, layout, entity, parent, referred)?;
        let mut order: Vec<u32> = (0..rows.ids.len() as u32).collect();
        let rank = |&row: &u32| (rows.parents[row as usize], rows.keys.get(row as usize));
        // Stable, and quick where rows were recorded in order, which is nearly everywhere.
        order.sort_by(|a, b| rank(a).cmp(&rank(b)));
        let parents = match parent {
            None => Vec::new(),
            Some(_) => order.iter().map(|&row| rows.parents[row as usize].cast_signed()).collect(),
        };
        let ids = order.iter().map(|&row| rows.ids[row as usize]).collect();
        let (key, mut keys) = (layout.entity(entity).key, Some(rows.keys));
        let mut indexes = Vec::with_capacity(referred.len());
        for (&position, texts) in referred.iter().zip(rows.referred) {
            let texts = if position == key { keys.take() } else { Some(texts) };
            let texts = texts.expect("a field is referred to once in the list");
            indexes.push((position, RowIndex::new(&texts, &order)));
        }
        Ok(Self { ids, parents, indexes })
    }

    pub fn index(&self, position: usize) -> &RowIndex {
        let index = self.indexes.iter().find(|(indexed, _)| *indexed == position);
        &index.expect("the order was read with every field that is referred to").1
    }
}

impl Unordered {
    fn read(
        connection: &Connection,
        layout: &Layout,
        id: EntityId,
        parent: Option<&RowIndex>,
        referred: &[usize],
    ) -> Result<Self> {
        let entity = layout.entity(id);
        let via = entity.parent.map_or(entity.key, |edge| layout.edge(edge).via);
        let mut names = format!("{}, {}", entity.key_field().quoted, entity.fields[via].quoted);
        for &position in referred {
            names.push_str(", ");
            names.push_str(&entity.fields[position].quoted);
        }
        let sql = format!("SELECT _id, {names} FROM {} WHERE _deleted = 0 ORDER BY _id", entity.table);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let mut read = Self {
            ids: Vec::new(),
            parents: Vec::new(),
            keys: Texts::default(),
            referred: referred.iter().map(|_| Texts::default()).collect(),
        };
        let mut text = Vec::new();
        let mut last = (Vec::new(), None);
        while let Some(row) = rows.next()? {
            let too_many = |_| StoreError::Snapshot {
                entity: entity.name.clone(),
                detail: "there are more rows than a snapshot can number; split the registry".into(),
            };
            read.ids.push(u32::try_from(row.get::<_, i64>(0)?).map_err(too_many)?);
            read.keys.push(row.get_ref(1)?, &mut text);
            let found = parent.map(|index| -> Result<Option<i32>> {
                // Siblings mostly follow each other, so the parent is mostly that of the row before.
                let via = sortable(row.get_ref(2)?, &mut text);
                if last.0 != via {
                    last = (via.to_vec(), index.row(via));
                }
                Ok(last.1)
            });
            let found = found.transpose()?.map(|row| row.unwrap_or(NO_ROW).cast_unsigned());
            read.parents.push(found.unwrap_or_default());
            for (column, (&position, texts)) in (3..).zip(referred.iter().zip(&mut read.referred)) {
                if position != entity.key {
                    texts.push(row.get_ref(column)?, &mut text);
                }
            }
        }
        i32::try_from(read.ids.len()).map(|_| read).map_err(|_| StoreError::Snapshot {
            entity: entity.name.clone(),
            detail: "there are more than 2,147,483,647 rows; split the registry".into(),
        })
    }
}

/// The texts of a column, one after the other.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<u64>,
}

impl Texts {
    fn push(&mut self, value: ValueRef<'_>, text: &mut Vec<u8>) {
        self.bytes.extend_from_slice(sortable(value, text));
        self.ends.push(self.bytes.len() as u64);
    }

    fn get(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start as usize..self.ends[row] as usize]
    }
}

/// Bytes that sort as SQLite sorts the values: text by its bytes, integers by value. `text` is scratch space.
pub(crate) fn sortable<'t>(value: ValueRef<'t>, text: &'t mut Vec<u8>) -> &'t [u8] {
    match value {
        ValueRef::Text(bytes) => bytes,
        ValueRef::Integer(number) => {
            text.clear();
            text.extend_from_slice(&(number.cast_unsigned() ^ (1 << 63)).to_be_bytes());
            text
        }
        _ => &[],
    }
}

/// Finds the row of a parent by the value that its children refer to it by.
pub(crate) struct RowIndex {
    /// In order of rows.
    texts: Texts,
    rows: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl RowIndex {
    /// `order` gives for each row its place in `texts`. Of equal texts the first row counts.
    fn new(texts: &Texts, order: &[u32]) -> Self {
        let mut index = Self {
            texts: Texts {
                bytes: Vec::with_capacity(texts.bytes.len()),
                ends: Vec::with_capacity(order.len()),
            },
            rows: HashTable::with_capacity(order.len()),
            hasher: DefaultHashBuilder::default(),
        };
        for (row, &place) in (0..).zip(order) {
            let text = texts.get(place as usize);
            index.texts.bytes.extend_from_slice(text);
            index.texts.ends.push(index.texts.bytes.len() as u64);
            if !text.is_empty() && index.find(text).is_none() {
                let (texts, hasher) = (&index.texts, &index.hasher);
                index.rows.insert_unique(hasher.hash_one(text), row, |&row| {
                    hasher.hash_one(texts.get(row as usize))
                });
            }
        }
        index
    }

    /// The row whose value this is, as [`sortable`] bytes.
    pub fn row(&self, text: &[u8]) -> Option<i32> {
        if text.is_empty() { None } else { self.find(text).map(u32::cast_signed) }
    }

    fn find(&self, text: &[u8]) -> Option<u32> {
        let found = self.rows.find(self.hasher.hash_one(text), |&row| self.texts.get(row as usize) == text);
        found.copied()
    }
}
