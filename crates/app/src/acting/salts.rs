//! Salts of commitments, beside the registry and not in it: what only grows cannot forget, and a salt has to be
//! forgotten when what it hides is.
//!
//! A file of lines, each an id and a salt. A salt is on the disk before the transaction that uses it is committed;
//! one whose transaction came to nothing stands for nothing. It belongs into every backup of the registry.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use model::Digest;
use proof::Salt;

use super::ActingError;

const FILE: &str = "salts";

/// The salts of a registry.
pub struct Salts {
    path: PathBuf,
}

impl Salts {
    pub fn of(registry: &Path) -> Self {
        Self { path: registry.join(FILE) }
    }

    /// What a salt is called: it says nothing about the salt to whoever does not have it.
    pub fn id(salt: &[u8; Salt::LENGTH]) -> String {
        Digest::of_parts([b"salt id".as_slice(), salt]).to_string()[..32].to_owned()
    }

    /// Keeps salts, durably.
    pub fn keep(&self, salts: &[[u8; Salt::LENGTH]]) -> Result<(), ActingError> {
        if salts.is_empty() {
            return Ok(());
        }
        // A line that was cut off must not swallow the next one.
        let mut text = String::from("\n");
        for salt in salts {
            let hexadecimal: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
            text.push_str(&format!("{} {hexadecimal}\n", Self::id(salt)));
        }
        let write = || {
            let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(ActingError::io(&self.path))
    }

    /// A salt by its id; `None` if it was destroyed.
    pub fn find(&self, id: &str) -> Result<Option<[u8; Salt::LENGTH]>, ActingError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ActingError::io(&self.path)(error)),
        };
        let salts = text.lines().filter_map(|line| line.split_once(' '));
        // A line that was cut off has no salt of full length, and its transaction never happened.
        Ok(salts.filter(|(known, _)| *known == id).find_map(|(_, salt)| read(salt)))
    }
}

fn read(text: &str) -> Option<[u8; Salt::LENGTH]> {
    let digest: Digest = text.parse().ok()?;
    Some(*digest.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_are_found_by_their_ids_and_a_cut_line_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let salts = Salts::of(folder.path());
        assert_eq!(salts.find(&Salts::id(&[1; 32])).unwrap(), None);
        salts.keep(&[[1; 32], [2; 32]]).unwrap();
        assert_eq!(salts.find(&Salts::id(&[2; 32])).unwrap(), Some([2; 32]));
        assert_eq!(salts.find(&Salts::id(&[3; 32])).unwrap(), None);
        let whole = fs::read_to_string(folder.path().join(FILE)).unwrap();
        fs::write(folder.path().join(FILE), &whole[..whole.len() - 5]).unwrap();
        assert_eq!(salts.find(&Salts::id(&[1; 32])).unwrap(), Some([1; 32]));
        assert_eq!(salts.find(&Salts::id(&[2; 32])).unwrap(), None);
        salts.keep(&[[4; 32]]).unwrap();
        assert_eq!(salts.find(&Salts::id(&[4; 32])).unwrap(), Some([4; 32]));
    }
}
