//! Running programs and saying what went wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs a program that writes to this terminal.
pub fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("`{name}` cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{name}` failed: {status}")) }
}

/// Runs a program and keeps its output for the error message.
pub fn quiet(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{name}` cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let tail: Vec<&str> = errors.lines().chain(text.lines()).collect();
    let tail = tail.iter().rev().take(12).rev().copied().collect::<Vec<_>>().join("\n  ");
    Err(format!("`{name}` failed: {}\n  {tail}", output.status))
}

/// Installs Debian packages, as root.
pub fn install(packages: &[&str]) -> Result<(), String> {
    println!("installing from Debian's packages: {}", packages.join(" "));
    let mut update = Command::new("apt-get");
    quiet(update.arg("update"))?;
    let mut install = Command::new("apt-get");
    install
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "-y", "--no-install-recommends"])
        .args(packages);
    quiet(&mut install).map(|_| ()).map_err(|error| {
        format!("{error}\nhint: install {} by hand, or run this command as root", packages.join(" "))
    })
}

/// A program on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| is_file(file))
}

fn is_file(path: &Path) -> bool {
    path.is_file()
}
