//! What anyone can check with the log's public key: a whole log, and a receipt.

use std::collections::BTreeMap;

use crate::canonical::Object;
use crate::receipt::read_checkpoint;
use crate::resource::{TILE_WIDTH, bundle_path, read_bundle, read_widest, width_at};
use crate::{CHECKPOINT_PATH, Checkpoint, Fault, Frontier, Hash, Kind, Leaf, Receipt, Resource};
use crate::{SignedCheckpoint, Source, Tiles, VerifierKey, verify_inclusion};

/// A log that was checked from its first entry to its signed head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFacts {
    pub checkpoint: Checkpoint,
    /// Leaves of each kind that occurs.
    pub leaves: BTreeMap<Kind, u64>,
    /// The size of the older checkpoint that the log was shown to extend, if one was given.
    pub extends: Option<u64>,
}

/// A receipt that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptFacts {
    /// The place of the leaf in the log, from 0.
    pub index: u64,
    /// The head that the receipt carries.
    pub checkpoint: Checkpoint,
    pub kind: Kind,
    pub public: Object,
    /// The personal part; `None` if the receipt does not open it or the leaf has none.
    pub personal: Option<Object>,
}

/// Checks a published log: the signature of its head, every entry and every tile.
///
/// `older` is the note of a checkpoint that the reader kept from an earlier day: the log must extend it. Memory
/// does not grow with the log.
pub fn verify_log(source: &impl Source, key: &VerifierKey, older: Option<&str>) -> Result<LogFacts, Fault> {
    let older =
        older.map(|note| SignedCheckpoint::open(note, key)).transpose()?.map(|older| older.checkpoint);
    let SignedCheckpoint { checkpoint, .. } =
        read_checkpoint(source, key)?.ok_or_else(|| Fault::Missing { path: CHECKPOINT_PATH.to_owned() })?;
    let size = checkpoint.size;
    if let Some(older) = older.as_ref().filter(|older| older.size > size) {
        return Err(Fault::Shrunk { known: older.size, found: size });
    }
    let mut frontier = Frontier::new();
    let mut leaves = BTreeMap::new();
    check_older(&frontier, older.as_ref(), size)?;
    for bundle in 0..size.div_ceil(TILE_WIDTH) {
        for entry in read_entries(source, size, bundle)? {
            let leaf = Leaf::from_bytes(&entry).map_err(|fault| fault.at(frontier.size()))?;
            *leaves.entry(leaf.kind()).or_default() += 1;
            let mut full = Vec::new();
            frontier.append(entry, &mut full)?;
            full.iter().try_for_each(|resource| check_resource(source, resource))?;
            check_older(&frontier, older.as_ref(), size)?;
        }
    }
    frontier.partial().iter().try_for_each(|resource| check_resource(source, resource))?;
    if frontier.root() != checkpoint.root {
        return Err(Fault::Root { size });
    }
    Ok(LogFacts { checkpoint, leaves, extends: older.map(|older| older.size) })
}

/// Checks a receipt by itself: its leaf is in the log that its checkpoint heads, the checkpoint is signed, and the
/// personal part, if it is opened, is what the leaf commits to.
pub fn verify_receipt(text: &str, key: &VerifierKey) -> Result<ReceiptFacts, Fault> {
    check(&Receipt::parse(text)?, key)
}

/// Checks a receipt, and that the published log still has its leaf: the log extends the receipt's checkpoint.
pub fn verify_receipt_in_log(
    text: &str,
    key: &VerifierKey,
    source: &impl Source,
) -> Result<ReceiptFacts, Fault> {
    let receipt = Receipt::parse(text)?;
    let facts = check(&receipt, key)?;
    let head =
        read_checkpoint(source, key)?.ok_or_else(|| Fault::Missing { path: CHECKPOINT_PATH.to_owned() })?;
    let tiles = Tiles::new(source, head.checkpoint.size);
    tiles.consistency(&facts.checkpoint, &head.checkpoint)?;
    if tiles.entry(facts.index)? != receipt.leaf.to_bytes() {
        return Err(Fault::OtherEntry { index: facts.index });
    }
    Ok(facts)
}

/// Checks a receipt, and that its checkpoint is the one that the reader has from elsewhere, such as a newspaper or
/// a notice board. Checkpoints of other sizes need the log to compare.
pub fn verify_receipt_at_checkpoint(
    text: &str,
    key: &VerifierKey,
    note: &str,
) -> Result<ReceiptFacts, Fault> {
    let facts = verify_receipt(text, key)?;
    let other = SignedCheckpoint::open(note, key)?.checkpoint;
    if other.size != facts.checkpoint.size {
        return Err(Fault::NotComparable { receipt: facts.checkpoint.size, checkpoint: other.size });
    }
    if other.root == facts.checkpoint.root { Ok(facts) } else { Err(Fault::Split { size: other.size }) }
}

pub(crate) fn check(receipt: &Receipt, key: &VerifierKey) -> Result<ReceiptFacts, Fault> {
    let leaf = &receipt.leaf;
    if let Some(opening) = &receipt.opening
        && leaf.commitment() != Some(opening.commitment()?)
    {
        return Err(Fault::Commitment);
    }
    let checkpoint = SignedCheckpoint::open(&receipt.note, key)?.checkpoint;
    let hash = Hash::leaf(&leaf.to_bytes());
    verify_inclusion(hash, receipt.index, checkpoint.size, &receipt.proof, checkpoint.root)?;
    Ok(ReceiptFacts {
        index: receipt.index,
        checkpoint,
        kind: leaf.kind(),
        public: leaf.public().clone(),
        personal: receipt.opening.as_ref().map(|opening| opening.content.clone()),
    })
}

/// When the walk has come to the size of the older checkpoint, the root there must be the one signed then.
fn check_older(frontier: &Frontier, older: Option<&Checkpoint>, size: u64) -> Result<(), Fault> {
    match older {
        Some(older) if older.size == frontier.size() && older.root != frontier.root() => {
            Err(Fault::Consistency { old: older.size, new: size })
        }
        _ => Ok(()),
    }
}

fn read_entries(source: &impl Source, size: u64, bundle: u64) -> Result<Vec<Vec<u8>>, Fault> {
    let width = width_at(size, 0, bundle);
    let (path, bytes) = read_widest(source, width, |width| bundle_path(bundle, width))?;
    let entries = read_bundle(&bytes).filter(|entries| entries.len() as u64 >= width);
    let mut entries = entries.ok_or(Fault::Damaged { path })?;
    entries.truncate(width as usize);
    Ok(entries)
}

/// A file of the log must hold what the entries give. A partial one may be gone in favour of the full one, which
/// begins with the same bytes.
fn check_resource(source: &impl Source, expected: &Resource) -> Result<(), Fault> {
    let full = expected.path.split_once(".p/").map_or(expected.path.as_str(), |(full, _)| full);
    for path in [expected.path.as_str(), full] {
        if let Some(bytes) = source.read(path)? {
            let same = if path == expected.path {
                bytes == expected.bytes
            } else {
                bytes.starts_with(&expected.bytes)
            };
            return if same { Ok(()) } else { Err(Fault::Tile { path: path.to_owned() }) };
        }
    }
    Err(Fault::Missing { path: expected.path.clone() })
}
