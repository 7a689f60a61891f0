//! The stock verifier of the public log as Python wheels, in an environment of its own below `target`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{find, install, quiet};
use crate::root;

/// The oldest Python on which the verifier is used, Debian 12's. It is published for 3.12 and newer, and asks for nothing
/// that 3.11 lacks; that it accepts and refuses there as it has to is what the tests see.
const VERSION_MIN: (u32, u32) = (3, 11);

/// A Python that has what `tests/stock-verifier/requirements.txt` lists.
pub fn python(work: &Path) -> Result<PathBuf, String> {
    let requirements = root().join("tests").join("stock-verifier").join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements)
        .map_err(|error| format!("`{}`: {error}", requirements.display()))?;
    let folder = work.join("stock-python");
    let python = folder.join("bin/python3");
    // What was installed, written last: an environment that was left half made is made again.
    let installed = folder.join("requirements.txt");
    if python.exists() && std::fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    let make = |system: &Path| -> Result<(), String> {
        let _ = std::fs::remove_dir_all(&folder);
        quiet(Command::new(system).args(["-m", "venv"]).arg(&folder)).map(|_| ())
    };
    if new_enough().map_or_else(|| Err(String::new()), |system| make(&system)).is_err() {
        install(&["python3", "python3-venv"])?;
        make(&new_enough().ok_or_else(|| {
            let (major, minor) = VERSION_MIN;
            format!(
                "the stock verifier needs Python {major}.{minor} or newer and there is none\n\
                 hint: install one as `python{major}.{minor}` on the PATH"
            )
        })?)?;
    }
    println!("installing Python wheels: aics-tlog");
    quiet(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--ignore-requires-python", "--requirement"])
            .arg(&requirements),
    )
    .map_err(|error| format!("the stock verifier could not be had: {error}"))?;
    quiet(Command::new(&python).args(["-c", "import aics_tlog"]))?;
    std::fs::write(&installed, wanted).map_err(|error| format!("`{}`: {error}", installed.display()))?;
    Ok(python)
}

/// The Python of the PATH, one with its version in its name, or one that pyenv keeps.
fn new_enough() -> Option<PathBuf> {
    let named =
        ["python3", "python3.14", "python3.13", "python3.12", "python3.11"].into_iter().filter_map(find);
    let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let pyenv = pyenv.or_else(|| std::env::home_dir().map(|home| home.join(".pyenv")));
    let kept = pyenv.and_then(|folder| std::fs::read_dir(folder.join("versions")).ok());
    let kept = kept.into_iter().flatten().flatten().map(|version| version.path().join("bin/python3"));
    named.chain(kept).find(|python| {
        let (major, minor) = VERSION_MIN;
        let question = format!("import sys, venv; sys.exit(sys.version_info < ({major}, {minor}))");
        quiet(Command::new(python).args(["-c", &question])).is_ok()
    })
}
