//! The public vectors of transparency-dev/merkle: every proof is accepted or refused as they say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proof::{Hash, verify_consistency, verify_inclusion};
use serde_json::Value;

/// The vectors of a folder, with their paths for messages.
fn vectors(kind: &str) -> Vec<(PathBuf, Value)> {
    fn collect(folder: &Path, found: &mut Vec<(PathBuf, Value)>) {
        for entry in std::fs::read_dir(folder).expect("the vectors are in the repository") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                let text = std::fs::read(&path).expect("the vector can be read");
                found.push((path, serde_json::from_slice(&text).expect("the vector is JSON")));
            }
        }
    }
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(kind), &mut found);
    found
}

fn bytes(value: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().expect("hashes are strings")).expect("hashes are base64")
}

/// A hash of another length than 32 bytes is refused before any proof is looked at.
fn hash(value: &Value) -> Option<Hash> {
    Some(Hash::new(bytes(value).try_into().ok()?))
}

/// Roots that a case says do not matter are a few words instead of a hash; they stand for the hash of the words.
fn root(value: &Value) -> Option<Hash> {
    match bytes(value).as_slice() {
        [] => None,
        words if words.starts_with(b"don't care") => Some(Hash::of(&[words])),
        _ => hash(value),
    }
}

fn proof(value: &Value) -> Option<Vec<Hash>> {
    value.as_array().map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

fn number(vector: &Value, name: &str) -> u64 {
    vector[name].as_u64().unwrap_or_else(|| panic!("`{name}` is missing"))
}

fn check(kind: &str, accepts: impl Fn(&Value) -> Option<bool>) {
    let vectors = vectors(kind);
    assert_eq!(vectors.len(), 98, "all vectors of {kind} are here");
    let mut accepted = 0;
    for (path, vector) in vectors {
        let expected = !vector["wantErr"].as_bool().expect("`wantErr` says what to expect");
        assert_eq!(accepts(&vector).unwrap_or(false), expected, "{}", path.display());
        accepted += usize::from(expected);
    }
    assert!(accepted > 0, "some vectors of {kind} are to be accepted");
}

#[test]
fn inclusion_proofs_are_judged_as_the_public_vectors_say() {
    check("inclusion", |vector| {
        let (leaf, root) = (hash(&vector["leafHash"])?, root(&vector["root"])?);
        let (index, size) = (number(vector, "leafIdx"), number(vector, "treeSize"));
        Some(verify_inclusion(leaf, index, size, &proof(&vector["proof"])?, root).is_ok())
    });
}

#[test]
fn consistency_proofs_are_judged_as_the_public_vectors_say() {
    check("consistency", |vector| {
        let old = (number(vector, "size1"), root(&vector["root1"])?);
        let new = (number(vector, "size2"), root(&vector["root2"])?);
        Some(verify_consistency(old, new, &proof(&vector["proof"])?).is_ok())
    });
}
