//! Running programs and saying what went wrong.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What is run at the moment, as the leader of a group of processes of its own.
static RUNNING: Mutex<Option<u32>> = Mutex::new(None);
/// An interrupt came: nothing new is begun.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt ends what is run, and not this program at once: it goes on to stop what it started.
pub fn stop_on_signals() -> Result<(), String> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|error| format!("signals: {error}"))?;
    std::thread::spawn(move || {
        for signal in &mut signals {
            INTERRUPTED.store(true, Ordering::SeqCst);
            let running = *RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(child) = running {
                // Programs that the tests started are of the same group.
                let _ =
                    Command::new("kill").args([&format!("-{signal}"), "--", &format!("-{child}")]).status();
            }
        }
    });
    Ok(())
}

/// Runs a program that writes to this terminal.
pub fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    if INTERRUPTED.load(Ordering::SeqCst) {
        return Err(format!("interrupted before `{name}`"));
    }
    let mut child = command
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("`{name}` cannot be started: {error}"))?;
    let running = |child: Option<u32>| *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = child;
    running(Some(child.id()));
    let status = child.wait();
    running(None);
    let status = status.map_err(|error| format!("`{name}`: {error}"))?;
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
    install_with("apt-get", packages)
}

fn install_with(program: &str, packages: &[&str]) -> Result<(), String> {
    let mut update = Command::new(program);
    update.arg("update");
    let mut install = Command::new(program);
    install
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "-y", "--no-install-recommends"])
        .args(packages);
    // Both are refused to anyone but root.
    quiet(&mut update).and_then(|_| quiet(&mut install)).map(|_| ()).map_err(|error| {
        format!("{error}\nhint: install {} by hand, or run this command as root", packages.join(" "))
    })
}

/// A program on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_may_not_install_is_told_what_to_install() {
        // `false` refuses the first step, as `apt-get update` does to others than root.
        let error = install_with("false", &["postgresql"]).expect_err("it is refused");
        assert!(error.contains("hint: install postgresql by hand"), "{error}");
    }

    #[test]
    fn what_a_failed_program_wrote_is_told() {
        let error =
            quiet(Command::new("sh").args(["-c", "echo out; echo why >&2; exit 3"])).expect_err("it fails");
        assert!(error.contains("why") && error.contains("exit status: 3"), "{error}");
    }
}
