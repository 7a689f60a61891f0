//! Proofs of inclusion and consistency: made as RFC 6962, section 2.1 defines them, and checked with the
//! iterative algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2, which share no code with the making.

use std::ops::Range;

use crate::{Fault, Hash};

/// The hashes from the sibling of leaf `index` up to the child of the root, in a tree of `size` leaves.
///
/// `hash_of` gives the hash of the tree over a range of leaves.
///
/// # Panics
/// If there is no leaf `index`.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    hash_of: &mut impl FnMut(Range<u64>) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    assert!(index < size, "no leaf {index} in a tree of {size}");
    let mut siblings = Vec::new();
    let mut range = 0..size;
    while range.end - range.start > 1 {
        let middle = range.start + split(range.end - range.start);
        if index < middle {
            siblings.push(middle..range.end);
            range.end = middle;
        } else {
            siblings.push(range.start..middle);
            range.start = middle;
        }
    }
    siblings.into_iter().rev().map(hash_of).collect()
}

/// The hashes that show that the tree of `old` leaves is the beginning of the tree of `new` leaves.
///
/// # Panics
/// If the old tree is empty, which nothing can be shown of, or larger than the new one.
pub fn consistency_proof<E>(
    old: u64,
    new: u64,
    hash_of: &mut impl FnMut(Range<u64>) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    assert!(0 < old && old <= new, "no proof from {old} to {new} leaves");
    let mut hashes = Vec::new();
    let mut range = 0..new;
    while range.end > old {
        let middle = range.start + split(range.end - range.start);
        if old <= middle {
            hashes.push(middle..range.end);
            range.end = middle;
        } else {
            hashes.push(range.start..middle);
            range.start = middle;
        }
    }
    // What is left ends where the old tree ends. If it is the whole old tree its hash is known to who checks.
    if range.start > 0 {
        hashes.push(range);
    }
    hashes.into_iter().rev().map(hash_of).collect()
}

/// Checks that `leaf` is leaf `index` of the tree of `size` leaves with this root.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> Result<(), Fault> {
    let refused = Fault::Inclusion { index, size };
    if index >= size {
        return Err(refused);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for &sibling in proof {
        if last == 0 {
            return Err(refused);
        }
        if node & 1 == 1 || node == last {
            hash = Hash::node(sibling, hash);
            skip_levels_without_sibling(&mut node, &mut last);
        } else {
            hash = Hash::node(hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 && hash == root { Ok(()) } else { Err(refused) }
}

/// Checks that the tree of `old` leaves is the beginning of the tree of `new` leaves.
///
/// An empty old tree is refused: it is the beginning of every tree, and a proof about it shows nothing.
pub fn verify_consistency(
    (old, old_root): (u64, Hash),
    (new, new_root): (u64, Hash),
    proof: &[Hash],
) -> Result<(), Fault> {
    let refused = Fault::Consistency { old, new };
    if old == 0 || old > new {
        return Err(refused);
    }
    if old == new {
        return if proof.is_empty() && old_root == new_root { Ok(()) } else { Err(refused) };
    }
    let (mut node, mut last) = (old - 1, new - 1);
    let levels = node.trailing_ones();
    (node, last) = (node >> levels, last >> levels);
    let mut rest = proof.iter().copied();
    // A perfect old tree is a node of the new one, so its root is left out of the proof.
    let seed = if old.is_power_of_two() { Some(old_root) } else { rest.next() };
    let Some(seed) = seed else { return Err(refused) };
    let (mut old_hash, mut new_hash) = (seed, seed);
    for sibling in rest {
        if last == 0 {
            return Err(refused);
        }
        if node & 1 == 1 || node == last {
            old_hash = Hash::node(sibling, old_hash);
            new_hash = Hash::node(sibling, new_hash);
            skip_levels_without_sibling(&mut node, &mut last);
        } else {
            new_hash = Hash::node(new_hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 && old_hash == old_root && new_hash == new_root { Ok(()) } else { Err(refused) }
}

/// The largest power of two below `size`, where RFC 6962 divides a tree. `size` is at least 2.
pub(crate) fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// At the right edge a node may be handed up over several levels before it has a sibling on its left.
fn skip_levels_without_sibling(node: &mut u64, last: &mut u64) {
    let levels = if *node == 0 { 0 } else { node.trailing_zeros() };
    (*node, *last) = (*node >> levels, *last >> levels);
}
