//! How the allocator treats pages that are free.
//!
//! A run makes and drops columns of megabytes for every part; giving their pages back to the system and asking for as many
//! again takes a fifth of its time.

use crate::arguments::AssessOptions;

/// After how many milliseconds the allocator gives pages back.
pub const FOR_EVER: &str = "-1";
pub const ONE_SECOND: &str = "1000";
pub const AT_ONCE: &str = "10";

/// When pages are given back, and whether huge ones are used.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    pub milliseconds: &'static str,
    pub huge: &'static str,
}

/// For a run. Who gives a limit wants pages given back at once. What encodes results makes a buffer of a megabyte for
/// each column of each group and uses little of it: huge pages would clear twice that every time.
pub fn of_run(options: &AssessOptions) -> Keep {
    match options {
        options if options.memory.is_some() => Keep { milliseconds: AT_ONCE, huge: "0" },
        options if options.totals_only => Keep { milliseconds: FOR_EVER, huge: "1" },
        _ => Keep { milliseconds: ONE_SECOND, huge: "0" },
    }
}

/// The allocator gives pages back to the system as soon as they are free, and a run asks for as many again for its
/// next part; it is told to wait, for ever with `-1`. It takes its settings from the environment, and only when a
/// process starts: so this one starts again.
#[cfg(unix)]
pub fn keep_pages(keep: Keep) {
    use std::os::unix::process::CommandExt as _;
    const SETTING: &str = "MIMALLOC_PURGE_DELAY";
    const HUGE_PAGES: &str = "MIMALLOC_ALLOW_THP";
    if std::env::var_os(SETTING).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        // It only returns if it failed, and then the run is slower.
        let _ = std::process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(SETTING, keep.milliseconds)
            .env(HUGE_PAGES, std::env::var_os(HUGE_PAGES).unwrap_or_else(|| keep.huge.into()))
            .exec();
    }
}

#[cfg(not(unix))]
pub fn keep_pages(_: Keep) {}
