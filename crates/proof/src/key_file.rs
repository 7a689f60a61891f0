//! Files of keys. The private one is for its owner alone.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::{Fault, SigningKey, VerifierKey};

/// Writes a private key to a new file that only its owner reads and writes (mode 0600). A file that is there
/// already stays as it is and is an error: it may be the only copy of another key.
pub fn write_signing_key(path: &Path, key: &SigningKey) -> Result<(), Fault> {
    let failed = |error| Fault::file(path, error);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(key.expose().as_bytes()).map_err(failed)?;
    file.write_all(b"\n").map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// Reads a private key. A file that others than its owner may read or write is refused.
pub fn read_signing_key(path: &Path) -> Result<SigningKey, Fault> {
    let failed = |error| Fault::file(path, error);
    let file = File::open(path).map_err(failed)?;
    // The opened file is asked, not the path, which may be another file by then.
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Fault::KeyExposed { path: path.to_owned(), mode });
    }
    std::io::read_to_string(file).map_err(failed)?.parse()
}

/// Reads a public key.
pub fn read_verifier_key(path: &Path) -> Result<VerifierKey, Fault> {
    std::fs::read_to_string(path).map_err(|error| Fault::file(path, error))?.parse()
}
