//! Hashes and entries of a published log, read from its tiles.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

use crate::resource::{TILE_WIDTH, read_bundle, read_widest, width_at};
use crate::tree::split;
use crate::{Checkpoint, Fault, Hash, Source, bundle_path, consistency_proof, inclusion_proof, tile_path};
use crate::{verify_consistency, verify_inclusion};

/// The tiles of a log of a given size. Each tile is read once and kept.
///
/// What is read is taken as it is: proofs are checked against signed roots before they leave, and hashes of
/// ranges are only as good as the source.
pub struct Tiles<'a, S> {
    source: &'a S,
    size: u64,
    kept: RefCell<HashMap<(u8, u64), Vec<Hash>>>,
}

impl<'a, S: Source> Tiles<'a, S> {
    /// `size` is the size of a checkpoint for which the tiles were published.
    pub fn new(source: &'a S, size: u64) -> Self {
        Self { source, size, kept: RefCell::new(HashMap::new()) }
    }

    /// The hash of the tree over a range of leaves.
    ///
    /// # Panics
    /// If the range reaches beyond the log.
    pub fn hash_of(&self, range: Range<u64>) -> Result<Hash, Fault> {
        assert!(range.start <= range.end && range.end <= self.size, "{range:?} of {} leaves", self.size);
        let size = range.end - range.start;
        if size == 0 {
            return Ok(Hash::empty_tree());
        }
        let height = size.trailing_zeros();
        // A complete subtree whose height is a multiple of eight is one hash of a tile.
        if size.is_power_of_two() && height.is_multiple_of(8) && range.start.is_multiple_of(size) {
            return self.hash((height / 8) as u8, range.start >> height);
        }
        let middle = range.start + split(size);
        Ok(Hash::node(self.hash_of(range.start..middle)?, self.hash_of(middle..range.end)?))
    }

    /// The entry with this index, checked against no hash.
    ///
    /// # Panics
    /// If the log has no such entry.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, Fault> {
        assert!(index < self.size, "no entry {index} in a log of {}", self.size);
        let (bundle, place) = (index / TILE_WIDTH, index % TILE_WIDTH);
        let width = width_at(self.size, 0, bundle);
        let (path, bytes) = read_widest(self.source, width, |width| bundle_path(bundle, width))?;
        let entries = read_bundle(&bytes).filter(|entries| entries.len() as u64 >= width);
        let mut entries = entries.ok_or(Fault::Damaged { path })?;
        Ok(entries.swap_remove(place as usize))
    }

    /// The proof that entry `index` is in the tree of the checkpoint; checked.
    pub fn inclusion(&self, index: u64, checkpoint: &Checkpoint) -> Result<Vec<Hash>, Fault> {
        let leaf = self.hash_of(index..index + 1)?;
        let proof = inclusion_proof(index, checkpoint.size, &mut |range| self.hash_of(range))?;
        verify_inclusion(leaf, index, checkpoint.size, &proof, checkpoint.root)?;
        Ok(proof)
    }

    /// The proof that the tree of the older checkpoint is the beginning of that of the newer one; checked.
    /// Empty if the older one has no leaves.
    pub fn consistency(&self, older: &Checkpoint, newer: &Checkpoint) -> Result<Vec<Hash>, Fault> {
        if older.size > newer.size {
            return Err(Fault::Shrunk { known: older.size, found: newer.size });
        }
        if older.size == 0 {
            let empty = older.root == Hash::empty_tree();
            let refused = Fault::Consistency { old: 0, new: newer.size };
            return if empty { Ok(Vec::new()) } else { Err(refused) };
        }
        if older.size == newer.size && older.root != newer.root {
            return Err(Fault::Split { size: older.size });
        }
        let proof = consistency_proof(older.size, newer.size, &mut |range| self.hash_of(range))?;
        verify_consistency((older.size, older.root), (newer.size, newer.root), &proof)?;
        Ok(proof)
    }

    fn hash(&self, level: u8, index: u64) -> Result<Hash, Fault> {
        let (tile, place) = (index / TILE_WIDTH, (index % TILE_WIDTH) as usize);
        let mut kept = self.kept.borrow_mut();
        if let Some(hashes) = kept.get(&(level, tile)) {
            return Ok(hashes[place]);
        }
        let hashes = read_tile(self.source, self.size, level, tile)?;
        let hash = hashes[place];
        kept.insert((level, tile), hashes);
        Ok(hash)
    }
}

/// The hashes of a tile, as many as a log of `size` leaves has there.
pub(crate) fn read_tile(source: &impl Source, size: u64, level: u8, index: u64) -> Result<Vec<Hash>, Fault> {
    let width = width_at(size, level, index);
    let (path, bytes) = read_widest(source, width, |width| tile_path(level, index, width))?;
    let hashes = Hash::split(&bytes).filter(|hashes| hashes.len() as u64 >= width);
    let mut hashes = hashes.ok_or(Fault::Damaged { path })?;
    hashes.truncate(width as usize);
    Ok(hashes)
}
