//! DuckDB as a Python wheel, in an environment of its own below `target`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{find, install, quiet};

/// The version that the equivalence tests are written against.
const DUCKDB: &str = "duckdb==1.5.6";

/// A Python that can `import duckdb`.
pub fn python(work: &Path) -> Result<PathBuf, String> {
    let folder = work.join("python");
    let python = folder.join("bin/python3");
    let ready = |python: &Path| quiet(Command::new(python).args(["-c", "import duckdb"])).is_ok();
    if python.exists() && ready(&python) {
        return Ok(python);
    }
    let _ = std::fs::remove_dir_all(&folder);
    let make = || -> Result<(), String> {
        let system = find("python3").ok_or("there is no `python3`")?;
        quiet(Command::new(system).args(["-m", "venv"]).arg(&folder)).map(|_| ())
    };
    if make().is_err() {
        let _ = std::fs::remove_dir_all(&folder);
        install(&["python3", "python3-venv"])?;
        make()?;
    }
    println!("installing the Python wheel {DUCKDB}");
    quiet(Command::new(&python).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        DUCKDB,
    ]))
    .map_err(|error| format!("DuckDB could not be had: {error}"))?;
    if ready(&python) { Ok(python) } else { Err("the DuckDB wheel does not load".to_owned()) }
}
