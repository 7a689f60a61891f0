//! One run of the program as offices have it: optimised, and with the same bytes as the one that the tests run.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{cargo, process, root};

/// Builds both programs, has each make the same records and run over them, and compares every file of the two runs.
pub fn test() -> Result<(), String> {
    process::run(cargo().args(["build", "--release", "--bin", "xiaokang"]))?;
    process::run(cargo().args(["build", "--bin", "xiaokang"]))?;
    let work = root().join("target").join("xtask").join("release");
    let _ = std::fs::remove_dir_all(&work);
    std::fs::create_dir_all(&work).map_err(|error| format!("`{}`: {error}", work.display()))?;
    let runs = ["debug", "release"].map(|profile| run_of(profile, &work.join(profile)));
    let [tested, shipped] = runs;
    let (tested, shipped) = (tested?, shipped?);
    if tested.keys().ne(shipped.keys()) {
        return Err(format!("the runs have other files: {:?} and {:?}", tested.keys(), shipped.keys()));
    }
    let differing: Vec<&String> =
        tested.iter().filter(|(name, bytes)| shipped[*name] != **bytes).map(|(name, _)| name).collect();
    if !differing.is_empty() {
        return Err(format!("the optimised program gives other bytes in {differing:?}"));
    }
    println!("{} files of a run are the same from the optimised program", tested.len());
    Ok(())
}

/// The files of a run over made records, by name.
fn run_of(profile: &str, folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let program = root().join("target").join(profile).join("xiaokang");
    let pack = root().join("packs").join("sichuan-2015");
    let (records, out) = (folder.join("records"), folder.join("run"));
    let mut make = std::process::Command::new(&program);
    make.args(["synth", "--persons", "20000", "--seed", "7", "--threads", "1", "--pack"]).arg(&pack);
    process::run(make.arg("--out").arg(&records))?;
    let mut assess = std::process::Command::new(&program);
    assess.args(["assess", "--as-of", "2015-12-31", "--pack"]).arg(&pack).arg("--snapshot").arg(&records);
    let status = assess.arg("--out").arg(&out).stdout(std::process::Stdio::null()).status();
    let status = status.map_err(|error| format!("`{}`: {error}", program.display()))?;
    // 1 says that there are findings for a person.
    if !matches!(status.code(), Some(0 | 1)) {
        return Err(format!("`{}` assess: {status}", program.display()));
    }
    let entries = std::fs::read_dir(&out).map_err(|error| format!("`{}`: {error}", out.display()))?;
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.map_err(|error| error.to_string())?.path();
        let bytes = std::fs::read(&path).map_err(|error| format!("`{}`: {error}", path.display()))?;
        Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes))
    };
    entries.map(read).collect()
}
