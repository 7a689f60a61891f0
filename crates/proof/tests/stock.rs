//! A verifier that is not ours, from PyPI, accepts our logs and receipts and refuses changed ones.
//!
//! `XIAOKANG_STOCK_PYTHON` names a Python that has what `tests/stock-verifier/requirements.txt` lists;
//! `cargo xtask test` provides it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proof::{Folder, Receipt};
use support::{key, leaves, log_in, opening};

/// What the verifier prints for each thing checked: `accepted` or `refused` and the check, without paths.
fn verifier(arguments: &[&Path]) -> Vec<String> {
    let python = std::env::var_os("XIAOKANG_STOCK_PYTHON").unwrap_or_else(|| {
        let missing = std::env::var("XIAOKANG_STOCK_MISSING").unwrap_or_else(|_| {
            "`XIAOKANG_STOCK_PYTHON` is not set: run `cargo xtask test`, or set it to a Python of 3.11 or newer with \
             the packages of `tests/stock-verifier/requirements.txt`"
                .to_owned()
        });
        panic!("there is no stock verifier: {missing}")
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/stock-verifier/verify.py");
    let mut command = Command::new(python);
    let output = command.arg(script).arg(key().verifier().to_string()).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some_and(|code| code < 2) && errors.is_empty(), "{command:?}: {errors}");
    let verdicts: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.split('\t').next().unwrap_or_default().to_owned())
        .collect();
    let accepted = verdicts.iter().all(|verdict| verdict == "accepted");
    assert_eq!(output.status.success(), accepted, "the exit code says what the lines say: {verdicts:?}");
    verdicts
}

fn check_receipts(folder: &Path, receipts: &[(String, &str)]) {
    let files: Vec<PathBuf> =
        (0..receipts.len()).map(|place| folder.join(format!("{place}.tlog-proof"))).collect();
    for (file, (text, _)) in files.iter().zip(receipts) {
        fs::write(file, text).unwrap();
    }
    let arguments: Vec<&Path> =
        std::iter::once(Path::new("receipt")).chain(files.iter().map(PathBuf::as_path)).collect();
    let verdicts = verifier(&arguments);
    assert_eq!(verdicts.len(), receipts.len());
    for (verdict, (text, expected)) in verdicts.iter().zip(receipts) {
        assert!(verdict.starts_with(expected), "expected `{expected}`, found `{verdict}` for\n{text}");
    }
}

fn issue(folder: &Path, index: u64) -> Receipt {
    Receipt::issue(&Folder::new(folder), key().verifier(), index, Some(opening(index))).unwrap()
}

#[test]
fn a_stock_verifier_accepts_our_log_at_every_size_and_its_growth() {
    for steps in [&[1, 2][..], &[3, 255, 256], &[257, 700, 66_000]] {
        let folder = tempfile::tempdir().unwrap();
        let older = folder.path().join("older");
        let mut log = log_in(folder.path(), steps[0]);
        assert_eq!(verifier(&[Path::new("log"), folder.path()]), ["accepted"]);
        for &size in &steps[1..] {
            fs::copy(folder.path().join("checkpoint"), &older).unwrap();
            let first = log.size();
            log.publish(first, &leaves(first..size)).unwrap();
            assert_eq!(verifier(&[Path::new("log"), folder.path(), &older]), ["accepted"], "{size} leaves");
        }
    }
}

#[test]
fn a_stock_verifier_refuses_a_changed_log() {
    let folder = tempfile::tempdir().unwrap();
    drop(log_in(folder.path(), 300));
    let check = |path: &str, expected: &str| {
        let path = folder.path().join(path);
        let honest = fs::read(&path).unwrap();
        let mut changed = honest.clone();
        changed[40] ^= 1;
        fs::write(&path, changed).unwrap();
        assert_eq!(verifier(&[Path::new("log"), folder.path()]), [expected], "{}", path.display());
        fs::write(&path, honest).unwrap();
    };
    check("checkpoint", "refused checkpoint");
    check("tile/0/000", "refused tiles");
    check("tile/0/001.p/44", "refused tiles");
    check("tile/entries/000", "refused tiles");
    assert_eq!(verifier(&[Path::new("log"), folder.path()]), ["accepted"]);

    // Another history of the same log, longer than the honest one.
    let other = tempfile::tempdir().unwrap();
    let files = proof::LockedFolder::open(other.path()).unwrap();
    proof::Log::open(files, key(), None).unwrap().publish(0, &leaves(1..400)).unwrap();
    let honest = folder.path().join("checkpoint");
    assert_eq!(verifier(&[Path::new("log"), other.path(), &honest]), ["refused consistency"]);
}

#[test]
fn a_stock_verifier_accepts_our_receipts_and_refuses_every_changed_one() {
    let folder = tempfile::tempdir().unwrap();
    drop(log_in(folder.path(), 300));
    let mut receipts: Vec<(String, &str)> = [0, 1, 255, 256, 298]
        .map(|index| (issue(folder.path(), index).to_text().unwrap(), "accepted"))
        .into_iter()
        .collect();
    let without = Receipt::issue(&Folder::new(folder.path()), key().verifier(), 2, None).unwrap();
    receipts.push((without.to_text().unwrap(), "accepted"));

    let honest = issue(folder.path(), 270);
    let mut amount = honest.clone();
    amount.opening.as_mut().unwrap().content["amount_fen"] = 999_999_999.into();
    let mut other = honest.clone();
    (other.leaf, other.opening) = (support::leaf(271), Some(opening(271)));
    let mut elsewhere = honest.clone();
    elsewhere.index += 1;
    let mut larger = honest.clone();
    larger.note = larger.note.replace("\n300\n", "\n301\n");
    for (changed, expected) in [
        (amount, "refused commitment"),
        (other, "refused inclusion"),
        (elsewhere, "refused inclusion"),
        (larger, "refused checkpoint"),
    ] {
        receipts.push((changed.to_text().unwrap(), expected));
    }
    let text = honest.to_text().unwrap();
    for place in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[place] ^= 1;
        receipts.extend(String::from_utf8(bytes).ok().map(|changed| (changed, "refused")));
    }
    check_receipts(folder.path(), &receipts);
}
