//! Roots, tiles and proofs against a tree that is written as RFC 6962 defines it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;

use proof::{Frontier, Hash, Tiles, bundle_path, consistency_proof, inclusion_proof, tile_path};
use proof::{Resource, verify_consistency, verify_inclusion};
use proptest::prelude::*;

/// MTH(D[n]), section 2.1.
fn naive_root(entries: &[Vec<u8>]) -> Hash {
    match entries {
        [] => Hash::empty_tree(),
        [entry] => Hash::leaf(entry),
        _ => {
            let (left, right) = entries.split_at(naive_split(entries.len()));
            Hash::node(naive_root(left), naive_root(right))
        }
    }
}

/// PATH(m, D[n]), section 2.1.1.
fn naive_path(index: usize, entries: &[Vec<u8>]) -> Vec<Hash> {
    if entries.len() == 1 {
        return Vec::new();
    }
    let (left, right) = entries.split_at(naive_split(entries.len()));
    let (mut path, sibling) = if index < left.len() {
        (naive_path(index, left), right)
    } else {
        (naive_path(index - left.len(), right), left)
    };
    path.push(naive_root(sibling));
    path
}

/// SUBPROOF(m, D[n], b), section 2.1.2.
fn naive_subproof(old: usize, entries: &[Vec<u8>], whole: bool) -> Vec<Hash> {
    if old == entries.len() {
        return if whole { Vec::new() } else { vec![naive_root(entries)] };
    }
    let (left, right) = entries.split_at(naive_split(entries.len()));
    let (mut proof, sibling) = if old <= left.len() {
        (naive_subproof(old, left, whole), right)
    } else {
        (naive_subproof(old - left.len(), right, false), left)
    };
    proof.push(naive_root(sibling));
    proof
}

fn naive_split(size: usize) -> usize {
    let mut split = 1;
    while split * 2 < size {
        split *= 2;
    }
    split
}

fn entries(size: u64) -> Vec<Vec<u8>> {
    (0..size).map(|number| format!("entry {number}").into_bytes()).collect()
}

/// The files of a log of these entries, and its root.
fn published(entries: &[Vec<u8>]) -> (BTreeMap<String, Vec<u8>>, Hash) {
    let mut frontier = Frontier::new();
    let mut full = Vec::new();
    for entry in entries {
        frontier.append(entry.clone(), &mut full).unwrap();
    }
    full.extend(frontier.partial());
    (full.into_iter().map(|Resource { path, bytes }| (path, bytes)).collect(), frontier.root())
}

#[test]
fn roots_and_ranges_are_those_of_the_definition_at_every_size_around_a_tile() {
    let entries = entries(530);
    for size in (0..=40).chain(250..=262).chain(508..=530) {
        let (files, root) = published(&entries[..size]);
        let tiles = Tiles::new(&files, size as u64);
        assert_eq!(root, naive_root(&entries[..size]), "root of {size}");
        assert_eq!(tiles.hash_of(0..size as u64), Ok(root), "root of {size} from tiles");
    }
}

#[test]
fn a_tree_of_70_000_has_the_tiles_that_the_format_names() {
    let (files, root) = published(&entries(70_000));
    let count = |folder: &str| files.keys().filter(|path| path.starts_with(folder)).count();
    assert_eq!((count("tile/0/"), count("tile/1/"), count("tile/2/")), (274, 2, 1));
    assert_eq!((count("tile/entries/"), files.len()), (274, 551));
    for (path, width) in [("tile/0/272", 256), ("tile/0/273.p/112", 112), ("tile/1/000", 256)] {
        assert_eq!(files[path].len(), width * 32, "{path}");
    }
    for (path, width) in [("tile/1/001.p/17", 17), ("tile/2/000.p/1", 1)] {
        assert_eq!(files[path].len(), width * 32, "{path}");
    }
    assert_eq!(Tiles::new(&files, 70_000).hash_of(0..70_000), Ok(root));
    assert_eq!(Tiles::new(&files, 70_000).entry(69_999), Ok(b"entry 69999".to_vec()));
    let read = Frontier::read(&files, 70_000).unwrap();
    assert_eq!((read.root(), read.partial().len()), (root, 4));
}

#[test]
fn paths_are_groups_of_three_digits() {
    let check = |level, index, width, expected: &str| {
        assert_eq!(tile_path(level, index, width), expected);
    };
    check(0, 0, 256, "tile/0/000");
    check(0, 999, 256, "tile/0/999");
    check(1, 1000, 1, "tile/1/x001/000.p/1");
    check(4, 1_234_067, 256, "tile/4/x001/x234/067");
    check(63, 1_234_067, 255, "tile/63/x001/x234/067.p/255");
    assert_eq!(bundle_path(1_234_067, 8), "tile/entries/x001/x234/067.p/8");
}

#[test]
fn a_full_tile_stands_in_for_a_partial_one_that_is_gone() {
    let entries = entries(300);
    let (files, _) = published(&entries);
    let tiles = Tiles::new(&files, 200);
    assert!(!files.contains_key("tile/0/000.p/200"));
    assert_eq!(tiles.hash_of(0..200), Ok(naive_root(&entries[..200])));
    assert_eq!(tiles.entry(199), Ok(entries[199].clone()));
    assert_eq!(Frontier::read(&files, 200).unwrap().root(), naive_root(&entries[..200]));
}

#[test]
fn damaged_and_missing_files_are_named() {
    let check = |path: &str, change: fn(Option<Vec<u8>>) -> Option<Vec<u8>>, expected: &str| {
        let (mut files, _) = published(&entries(300));
        let changed = change(files.remove(path));
        files.extend(changed.map(|bytes| (path.to_owned(), bytes)));
        let tiles = Tiles::new(&files, 300);
        let fault = tiles.hash_of(0..300).and_then(|_| tiles.entry(299)).unwrap_err();
        assert_eq!(fault.code(), expected, "{path}");
        assert!(fault.text().en.contains(path) && fault.text().zh.contains(path), "{}", fault.text().en);
    };
    check("tile/0/001.p/44", |_| None, "missing");
    check("tile/1/000.p/1", |bytes| bytes.map(|bytes| bytes[1..].to_vec()), "damaged");
    check("tile/0/001.p/44", |bytes| bytes.map(|bytes| bytes[32..].to_vec()), "damaged");
    check("tile/entries/001.p/44", |bytes| bytes.map(|bytes| bytes[1..].to_vec()), "damaged");
    check("tile/entries/001.p/44", |bytes| bytes.map(|bytes| bytes[..bytes.len() - 11].to_vec()), "damaged");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_inclusion_proof_is_that_of_the_definition_and_proves_nothing_else(
        size in 1_u64..600, place in 0.0..1.0_f64, other in 0_u64..600, changed in any::<u8>(),
    ) {
        let index = (place * size as f64) as u64;
        let entries = entries(size);
        let (files, root) = published(&entries);
        let tiles = Tiles::new(&files, size);
        let proof = inclusion_proof(index, size, &mut |range| tiles.hash_of(range)).unwrap();
        prop_assert_eq!(&proof, &naive_path(index as usize, &entries));
        let leaf = Hash::leaf(&entries[index as usize]);
        prop_assert_eq!(verify_inclusion(leaf, index, size, &proof, root), Ok(()));
        if other != index {
            prop_assert!(verify_inclusion(leaf, other, size, &proof, root).is_err());
        }
        prop_assert!(verify_inclusion(Hash::leaf(b"another"), index, size, &proof, root).is_err());
        if !proof.is_empty() {
            let mut wrong = proof.clone();
            let place = usize::from(changed) % wrong.len();
            wrong[place] = Hash::leaf(&[changed]);
            prop_assert!(verify_inclusion(leaf, index, size, &wrong, root).is_err());
            prop_assert!(verify_inclusion(leaf, index, size, &proof[1..], root).is_err());
            prop_assert!(verify_inclusion(leaf, index, size, &proof[..proof.len() - 1], root).is_err());
        }
        let longer = [proof.as_slice(), &[root]].concat();
        prop_assert!(verify_inclusion(leaf, index, size, &longer, root).is_err());
    }

    #[test]
    fn every_consistency_proof_is_that_of_the_definition_and_a_changed_past_has_none(
        new in 1_u64..600, place in 0.0..1.0_f64, changed in any::<usize>(),
    ) {
        let old = 1 + (place * new as f64) as u64;
        let entries = entries(new);
        let (files, root) = published(&entries);
        let tiles = Tiles::new(&files, new);
        let proof = consistency_proof(old, new, &mut |range| tiles.hash_of(range)).unwrap();
        prop_assert_eq!(&proof, &naive_subproof(old as usize, &entries, true));
        let mut past = entries[..old as usize].to_vec();
        prop_assert_eq!(verify_consistency((old, naive_root(&past)), (new, root), &proof), Ok(()));
        past[changed % old as usize] = b"changed afterwards".to_vec();
        prop_assert!(verify_consistency((old, naive_root(&past)), (new, root), &proof).is_err());
    }

    #[test]
    fn appending_in_steps_gives_the_files_of_appending_at_once(sizes in prop::collection::vec(1_u64..300, 1..4)) {
        let entries = entries(sizes.iter().sum());
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut size = 0;
        for step in sizes {
            let mut frontier = Frontier::read(&files, size).unwrap();
            let mut resources = Vec::new();
            for entry in &entries[size as usize..(size + step) as usize] {
                frontier.append(entry.clone(), &mut resources).unwrap();
            }
            resources.extend(frontier.partial());
            files.extend(resources.into_iter().map(|resource| (resource.path, resource.bytes)));
            size += step;
        }
        let (at_once, _) = published(&entries);
        for (path, bytes) in at_once {
            prop_assert_eq!(files.get(&path), Some(&bytes), "{}", path);
        }
    }
}
