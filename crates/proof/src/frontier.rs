//! The right edge of a log: all that is needed to append to it.

use crate::resource::{TILE_WIDTH, read_bundle, read_widest, width_at, write_bundle};
use crate::tiles::read_tile;
use crate::tree::split;
use crate::{Fault, Hash, Resource, Source, bundle_path, tile_path};

/// The tiles at the right edge that are not full, and the entries of the last bundle. However long the log, this
/// is at most 255 hashes for each of eight levels, and 255 entries.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    size: u64,
    /// From the leaves up; each with fewer than 256 hashes.
    levels: Vec<Vec<Hash>>,
    entries: Vec<Vec<u8>>,
}

impl Frontier {
    /// The longest entry, in bytes: a bundle gives lengths in two bytes.
    pub const ENTRY_BYTES_MAX: usize = u16::MAX as usize;

    /// The edge of a log without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the edge of a published log of `size` entries. Whether it is the one that was signed shows when
    /// [`Frontier::root`] is compared.
    pub fn read(source: &impl Source, size: u64) -> Result<Self, Fault> {
        let mut levels = Vec::new();
        for level in 0..8 {
            let hashes = size >> (8 * u32::from(level));
            if hashes == 0 {
                break;
            }
            let tile = hashes / TILE_WIDTH;
            let partial = !hashes.is_multiple_of(TILE_WIDTH);
            levels.push(if partial { read_tile(source, size, level, tile)? } else { Vec::new() });
        }
        let bundle = size / TILE_WIDTH;
        let width = width_at(size, 0, bundle);
        let mut entries = Vec::new();
        if width > 0 {
            let (path, bytes) = read_widest(source, width, |width| bundle_path(bundle, width))?;
            entries = read_bundle(&bytes).unwrap_or_default();
            entries.truncate(width as usize);
            // An entry that is not what was hashed would otherwise be written again, under a good head.
            if !entries.iter().map(|entry| Hash::leaf(entry)).eq(levels[0].iter().copied()) {
                return Err(Fault::Damaged { path });
            }
        }
        Ok(Self { size, levels, entries })
    }

    /// Entries so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends an entry; tiles and the bundle that it makes full are added to `full`.
    pub fn append(&mut self, entry: Vec<u8>, full: &mut Vec<Resource>) -> Result<(), Fault> {
        if entry.len() > Self::ENTRY_BYTES_MAX {
            return Err(Fault::EntryTooLong { bytes: entry.len() });
        }
        let mut hash = Hash::leaf(&entry);
        self.entries.push(entry);
        let bundle = self.size / TILE_WIDTH;
        self.size += 1;
        if self.entries.len() as u64 == TILE_WIDTH {
            full.push(Resource { path: bundle_path(bundle, TILE_WIDTH), bytes: write_bundle(&self.entries) });
            self.entries.clear();
        }
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let hashes = &mut self.levels[level];
            hashes.push(hash);
            if (hashes.len() as u64) < TILE_WIDTH {
                break;
            }
            let index = (self.size >> (8 * level)) / TILE_WIDTH - 1;
            full.push(Resource {
                path: tile_path(level as u8, index, TILE_WIDTH),
                bytes: concatenate(hashes),
            });
            hash = perfect_root(hashes);
            hashes.clear();
        }
        Ok(())
    }

    /// The tiles and the bundle at the edge, which are not full.
    pub fn partial(&self) -> Vec<Resource> {
        let mut resources = Vec::new();
        if !self.entries.is_empty() {
            let path = bundle_path(self.size / TILE_WIDTH, self.entries.len() as u64);
            resources.push(Resource { path, bytes: write_bundle(&self.entries) });
        }
        for (level, hashes) in self.levels.iter().enumerate().filter(|(_, hashes)| !hashes.is_empty()) {
            let index = (self.size >> (8 * level)) / TILE_WIDTH;
            let path = tile_path(level as u8, index, hashes.len() as u64);
            resources.push(Resource { path, bytes: concatenate(hashes) });
        }
        resources
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        // Perfect trees from left to right, each smaller than the one before it, joined from the right.
        let mut perfect = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let (tree, smaller) = rest.split_at(1 << rest.len().ilog2());
                perfect.push(perfect_root(tree));
                rest = smaller;
            }
        }
        perfect
            .into_iter()
            .rev()
            .reduce(|right, left| Hash::node(left, right))
            .unwrap_or_else(Hash::empty_tree)
    }
}

/// The root over a power of two of hashes.
fn perfect_root(hashes: &[Hash]) -> Hash {
    if let [hash] = hashes {
        return *hash;
    }
    let (left, right) = hashes.split_at(split(hashes.len() as u64) as usize);
    Hash::node(perfect_root(left), perfect_root(right))
}

fn concatenate(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}
