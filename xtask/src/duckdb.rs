//! DuckDB and openpyxl as Python wheels, in an environment of their own below `target`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{find, install, quiet};

/// DuckDB runs the printed script; openpyxl reads workbooks for the independent reference.
const WHEELS: [&str; 2] = ["duckdb==1.5.6", "openpyxl==3.1.5"];

/// A Python that has the wheels.
pub fn python(work: &Path) -> Result<PathBuf, String> {
    let folder = work.join("python");
    let python = folder.join("bin/python3");
    let ready = |python: &Path| quiet(Command::new(python).args(["-c", "import duckdb, openpyxl"])).is_ok();
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
    println!("installing Python wheels: {}", WHEELS.join(" "));
    quiet(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(WHEELS),
    )
    .map_err(|error| format!("the wheels could not be had: {error}"))?;
    if ready(&python) { Ok(python) } else { Err("the wheels do not load".to_owned()) }
}
