//! Who saw personal data in full, when and why: written down before it is shown.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::{Moment, ReportError};
use crate::explain::StoredRun;

/// Somebody's wish to see personal data in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    pub actor: String,
    /// Why, in the actor's words.
    pub reason: String,
    pub at: Moment,
}

impl Disclosure {
    /// Where disclosures of a run are written down: beside its folder, which nothing changes.
    pub fn log_of(run: &Path) -> PathBuf {
        let run = run.canonicalize().unwrap_or_else(|_| run.to_owned());
        let name = run.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        run.with_file_name(format!("{name}.disclosed.jsonl"))
    }

    /// Adds a line to the log: which command shows what. What cannot be written down is not shown.
    ///
    /// # Errors
    /// A log that cannot be written.
    pub fn record(&self, run: &StoredRun, command: &str, shown: &Json) -> Result<(), ReportError> {
        let path = Self::log_of(&run.folder);
        let fault = |source| ReportError::Io { path: path.clone(), source };
        let line = json!({
            "at": self.at.to_string(),
            "actor": self.actor,
            "reason": self.reason,
            "what": format!("{command} --unmasked"),
            "shown": shown,
            "snapshot_digest": run.manifest.snapshot.digest,
            "pack_digest": run.manifest.pack.digest,
        });
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(fault)?;
        file.write_all(format!("{line}\n").as_bytes()).map_err(fault)?;
        file.sync_all().map_err(fault)
    }
}
