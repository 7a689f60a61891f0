//! DuckDB and openpyxl as Python wheels, in an environment of their own below `target`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{find, install, quiet};

/// DuckDB runs the printed script; openpyxl reads workbooks for the independent reference.
const WHEELS: [(&str, &str); 2] = [("duckdb", "1.5.6"), ("openpyxl", "3.1.5")];

/// Whether a Python has the wheels, in these versions and no others.
fn ready(python: &Path) -> bool {
    let code =
        WHEELS.map(|(wheel, version)| format!("import {wheel}; assert {wheel}.__version__ == '{version}'"));
    quiet(Command::new(python).args(["-c", &code.join("; ")])).is_ok()
}

/// The Python of the system, for what needs the standard library only: 3.11 or later, which reads TOML.
pub fn plain_python() -> Result<PathBuf, String> {
    let python = match find("python3") {
        Some(found) => found,
        None => {
            install(&["python3"])?;
            find("python3").ok_or("Python is installed, but there is no `python3` on the PATH")?
        }
    };
    quiet(Command::new(&python).args(["-c", "import tomllib"]))
        .map_err(|error| format!("`{}` is older than Python 3.11: {error}", python.display()))?;
    Ok(python)
}

/// A Python that has the wheels.
pub fn python(work: &Path) -> Result<PathBuf, String> {
    let folder = work.join("python");
    let python = folder.join("bin/python3");
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
    let wheels = WHEELS.map(|(wheel, version)| format!("{wheel}=={version}"));
    println!("installing Python wheels: {}", wheels.join(" "));
    quiet(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(&wheels),
    )
    .map_err(|error| format!("the wheels could not be had: {error}"))?;
    if ready(&python) {
        Ok(python)
    } else {
        Err("the wheels do not load, or are of other versions".to_owned())
    }
}
