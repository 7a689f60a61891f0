//! Checkpoints: the head of a log at one size, signed.

use model::Text;

use crate::key::{SigningKey, VerifierKey};
use crate::{Fault, Hash, note};

/// The head of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log it is: the name of its key.
    pub origin: String,
    /// Entries.
    pub size: u64,
    pub root: Hash,
}

/// A checkpoint with the note that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    pub checkpoint: Checkpoint,
    pub note: String,
}

impl SignedCheckpoint {
    /// Signs the head of the log that this key is for. A log never signs two heads of which neither is the
    /// beginning of the other; [`crate::Log`] sees to it.
    pub(crate) fn sign(size: u64, root: Hash, key: &SigningKey) -> Self {
        let checkpoint = Checkpoint { origin: key.name().to_owned(), size, root };
        let text = format!("{}\n{size}\n{root}\n", checkpoint.origin);
        Self { note: note::sign(&text, key), checkpoint }
    }

    /// Reads a note and checks that the log of this key has signed it.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, Fault> {
        let text = note::open(note, key)?;
        let checkpoint = Checkpoint::read(text)?;
        if checkpoint.origin != key.name() {
            return Err(Fault::Origin { found: checkpoint.origin, expected: key.name().to_owned() });
        }
        Ok(Self { checkpoint, note: note.to_owned() })
    }
}

impl Checkpoint {
    /// The text of a note: origin, size, root, and lines that later forms may add.
    fn read(text: &str) -> Result<Self, Fault> {
        let refused = || Fault::Note {
            reason: Text::new(
                "正文应依次为来源、条数和 base64 的根哈希",
                "expected the lines origin, size and root hash in base64",
            ),
        };
        let mut lines = text.strip_suffix('\n').ok_or_else(refused)?.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or_else(refused);
        let (origin, size, root) = (line()?.to_owned(), line()?, line()?);
        let size = whole_number(size).ok_or_else(refused)?;
        let root = root.parse().map_err(|()| refused())?;
        if lines.any(str::is_empty) {
            return Err(refused());
        }
        Ok(Self { origin, size, root })
    }
}

/// A decimal number with no sign and no leading zeros.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_text_is_a_checkpoint_of_this_log_only_in_its_exact_form() {
        let key = SigningKey::from_seed("poverty.example/sichuan", &[7; 32]).unwrap();
        let root = Hash::empty_tree();
        let check = |text: &str, expected: Result<u64, &str>| {
            let opened = SignedCheckpoint::open(&note::sign(text, &key), key.verifier());
            let found = opened.as_ref().map(|opened| opened.checkpoint.size).map_err(Fault::code);
            assert_eq!(found, expected, "{text:?}");
        };
        let origin = key.name();
        check(&format!("{origin}\n3\n{root}\n"), Ok(3));
        check(&format!("{origin}\n18446744073709551615\n{root}\n"), Ok(u64::MAX));
        check(&format!("{origin}\n3\n{root}\na line of a later form\n"), Ok(3));
        check(&format!("other.example\n3\n{root}\n"), Err("origin"));
        check(&format!("{origin}\n18446744073709551616\n{root}\n"), Err("note-form"));
        check(&format!("{origin}\n03\n{root}\n"), Err("note-form"));
        check(&format!("{origin}\n+3\n{root}\n"), Err("note-form"));
        check(&format!("{origin}\n3\n{root}=\n"), Err("note-form"));
        check(&format!("{origin}\n3\nAAAA\n"), Err("note-form"));
        check(&format!("{origin}\n3\n"), Err("note-form"));
        check(&format!("\n3\n{root}\n"), Err("note-form"));
        check(&format!("{origin}\n3\n{root}\na line\n\nafter a gap\n"), Err("note-form"));
    }
}
