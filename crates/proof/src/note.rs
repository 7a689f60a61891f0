//! Signed notes: a text, an empty line, and a line for each signature.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use model::Text;

use crate::{Fault, SigningKey, VerifierKey};

/// More than any note with the signatures of witnesses has, in bytes.
const NOTE_BYTES_MAX: usize = 1_000_000;
const DASH: &str = "— ";

/// Signs a text of whole lines.
pub(crate) fn sign(text: &str, key: &SigningKey) -> String {
    debug_assert!(text.ends_with('\n'), "a note is of whole lines");
    let signature = [key.verifier().id().as_slice(), &key.sign(text.as_bytes())].concat();
    format!("{text}\n{DASH}{} {}\n", key.name(), BASE64_STANDARD.encode(signature))
}

/// The text of a note that the key has signed. Signatures of other keys are let through unread, as the format
/// asks; every line that names this key has to verify.
pub(crate) fn open<'a>(note: &'a str, key: &VerifierKey) -> Result<&'a str, Fault> {
    let control = |character: char| character < ' ' && character != '\n';
    if note.len() > NOTE_BYTES_MAX || note.contains(control) {
        return Err(form(
            "最多一百万字节，除换行外没有控制字符",
            "at most a million bytes and no control characters",
        ));
    }
    let without_signatures = || form("正文、空行和签名行", "a text, an empty line and lines of signatures");
    let end = note.rfind("\n\n").ok_or_else(without_signatures)?;
    let (text, lines) = (&note[..=end], &note[end + 2..]);
    let lines = lines.strip_suffix('\n').ok_or_else(without_signatures)?;
    let mut signed = false;
    for line in lines.split('\n') {
        let malformed = || form("签名行 `— 名称 base64`", "lines of signatures `— name base64`");
        let (name, signature) =
            line.strip_prefix(DASH).and_then(|rest| rest.split_once(' ')).ok_or_else(malformed)?;
        crate::key::check_name(name).map_err(|_| malformed())?;
        let bytes = BASE64_STANDARD.decode(signature).map_err(|_| malformed())?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or_else(malformed)?;
        if name != key.name() || *id != key.id() {
            continue;
        }
        let verifies = signature.try_into().is_ok_and(|signature| key.verifies(text.as_bytes(), signature));
        if !verifies {
            return Err(Fault::Signature { key: key.name().to_owned() });
        }
        signed = true;
    }
    if signed { Ok(text) } else { Err(Fault::Unsigned { key: key.to_string() }) }
}

fn form(zh: &str, en: &str) -> Fault {
    Fault::Note { reason: Text::new(format!("应有{zh}"), format!("expected {en}")) }
}
