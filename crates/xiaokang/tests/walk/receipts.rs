//! A verifier that is not ours accepts the receipts and the log of the walk, and refuses changed ones.
//!
//! `XIAOKANG_STOCK_PYTHON` names a Python that has what `tests/stock-verifier/requirements.txt` lists;
//! `cargo xtask test` provides it, and says in `XIAOKANG_STOCK_MISSING` why not.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xiaokang::demo::story;

use crate::stages::at;

/// What the verifier says of each thing: `accepted`, or `refused` and the check that failed.
fn verdicts(key: &str, what: &str, paths: &[&Path]) -> Vec<String> {
    let python = env::var_os("XIAOKANG_STOCK_PYTHON").unwrap_or_else(|| {
        let missing = env::var("XIAOKANG_STOCK_MISSING")
            .unwrap_or_else(|_| "run `cargo xtask test`, or set `XIAOKANG_STOCK_PYTHON`".to_owned());
        panic!("there is no stock verifier: {missing}")
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/stock-verifier/verify.py");
    let output = Command::new(python).arg(script).args([key.trim(), what]).args(paths).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some_and(|code| code < 2) && errors.is_empty(), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

fn receipts(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn a_stock_verifier_accepts_the_walks_receipts_and_refuses_changed_ones() {
    let (folder, mut teller) = at("paid");
    story::again(&mut teller).unwrap();
    story::publication(&mut teller).unwrap();
    let key = fs::read_to_string(folder.path().join("log.pub")).unwrap();
    let log = folder.path().join("log");
    let paths = receipts(&folder.path().join("receipts"));
    let all: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    assert!(
        all.len() > 3,
        "of the notice, the decision, the payment that came back and the one that arrived"
    );
    assert_eq!(verdicts(&key, "receipt", &all), vec!["accepted"; all.len()]);
    assert_eq!(verdicts(&key, "log", &[&log]), ["accepted"]);

    // Each line of the last receipt, changed in its last character.
    let text = fs::read_to_string(paths.last().unwrap()).unwrap();
    let changed = folder.path().join("changed");
    let lines: Vec<&str> = text.lines().collect();
    for place in (0..lines.len()).filter(|place| !lines[*place].is_empty()) {
        let mut bytes = text.clone().into_bytes();
        let end: usize = lines[..=place].iter().map(|line| line.len() + 1).sum();
        bytes[end - 2] ^= 1;
        fs::write(&changed, bytes).unwrap();
        let said = verdicts(&key, "receipt", &[&changed]);
        assert!(said[0].starts_with("refused"), "line {place} can be changed: {}", lines[place]);
    }
    // And the log itself, in each of its files.
    let tile = log.join("checkpoint");
    let honest = fs::read(&tile).unwrap();
    let mut other = honest.clone();
    other[honest.len() / 2] ^= 1;
    fs::write(&tile, other).unwrap();
    assert!(verdicts(&key, "log", &[&log])[0].starts_with("refused"));
}
