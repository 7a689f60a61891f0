//! Receipts: the proof that one leaf is in the log, which its holder keeps and anyone checks without a network.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use model::Text;
use serde_json::Value;

use crate::canonical::{Object, canonical_envelope, read_canonical};
use crate::checkpoint::whole_number;
use crate::{CHECKPOINT_PATH, Fault, Hash, Leaf, Opening, SignedCheckpoint, Source, Tiles, VerifierKey};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// The longest path in a tree of at most 2⁶⁴ leaves.
const PROOF_LENGTH_MAX: usize = 64;

/// A receipt. As text it is a `tlog-proof@v1`, whose line `extra` holds the canonical JSON of an object with
/// `leaf` and, on the household's own copy, `opening`.
///
/// Nothing in it is to be believed before [`crate::verify_receipt`] has passed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    pub leaf: Leaf,
    /// What the commitment of the leaf hides. Without it a receipt proves the public part alone.
    pub opening: Option<Opening>,
    /// The place of the leaf in the log, from 0.
    pub index: u64,
    /// From the leaf's sibling up to the child of the root.
    pub proof: Vec<Hash>,
    /// The signed note of the checkpoint.
    pub note: String,
}

impl Receipt {
    /// The receipt for entry `index` of a published log. The log and the opening are checked.
    pub fn issue(
        source: &impl Source,
        key: &VerifierKey,
        index: u64,
        opening: Option<Opening>,
    ) -> Result<Self, Fault> {
        let SignedCheckpoint { checkpoint, note } = read_checkpoint(source, key)?
            .ok_or_else(|| Fault::Missing { path: CHECKPOINT_PATH.to_owned() })?;
        if index >= checkpoint.size {
            return Err(Fault::Inclusion { index, size: checkpoint.size });
        }
        let tiles = Tiles::new(source, checkpoint.size);
        let leaf = Leaf::from_bytes(&tiles.entry(index)?).map_err(|fault| fault.at(index))?;
        let proof = tiles.inclusion(index, &checkpoint)?;
        let receipt = Self { leaf, opening, index, proof, note };
        crate::verify::check(&receipt, key)?;
        Ok(receipt)
    }

    /// The receipt as it is handed out: lines of ASCII, but for the dash before signatures.
    pub fn to_text(&self) -> Result<String, Fault> {
        let mut extra = Object::from_iter([("leaf".to_owned(), Value::Object(self.leaf.to_object()))]);
        if let Some(opening) = &self.opening {
            extra.insert("opening".to_owned(), Value::Object(opening.to_object()));
        }
        let extra = BASE64_STANDARD.encode(canonical_envelope(&extra)?);
        let mut text = format!("{FIRST_LINE}\nextra {extra}\nindex {}\n", self.index);
        for hash in &self.proof {
            text.push_str(&format!("{hash}\n"));
        }
        text.push('\n');
        text.push_str(&self.note);
        Ok(text)
    }

    /// Reads a receipt; whether it is true is not checked here.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (head, note) = text.split_once("\n\n").ok_or_else(|| {
            form(1, "证明各行、一个空行和检查点", "lines of a proof, an empty line and a checkpoint")
        })?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            let expected = format!("`{FIRST_LINE}`");
            return Err(form(1, &expected, &expected));
        }
        let extra = lines.next().and_then(|line| line.strip_prefix("extra "));
        let (leaf, opening) = read_extra(extra.unwrap_or_default())?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(whole_number);
        let index = index.ok_or_else(|| form(3, "`index` 和序号", "`index` and a number"))?;
        let mut proof = Vec::new();
        for (place, line) in lines.enumerate() {
            let hash = line.parse().ok().filter(|_| place < PROOF_LENGTH_MAX);
            let expected = || form(4 + place, "base64 的哈希，至多 64 个", "a hash in base64, of at most 64");
            proof.push(hash.ok_or_else(expected)?);
        }
        Ok(Self { leaf, opening, index, proof, note: note.to_owned() })
    }
}

/// The checkpoint of a published log, checked; `None` if the log has none yet.
pub(crate) fn read_checkpoint(
    source: &impl Source,
    key: &VerifierKey,
) -> Result<Option<SignedCheckpoint>, Fault> {
    let Some(bytes) = source.read(CHECKPOINT_PATH)? else { return Ok(None) };
    let note = String::from_utf8(bytes)
        .map_err(|_| Fault::Note { reason: Text::new("应为 UTF-8 文本", "expected UTF-8 text") })?;
    SignedCheckpoint::open(&note, key).map(Some)
}

fn read_extra(text: &str) -> Result<(Leaf, Option<Opening>), Fault> {
    let refused =
        || form(2, "`extra` 和条目的规范 JSON（base64）", "`extra` and the leaf's canonical JSON in base64");
    let bytes = BASE64_STANDARD.decode(text).map_err(|_| refused())?;
    let mut extra = read_canonical(&bytes).ok_or_else(refused)?;
    let Some(Value::Object(leaf)) = extra.remove("leaf") else { return Err(refused()) };
    let leaf = Leaf::from_object(leaf)?;
    let opening = match extra.remove("opening") {
        None => None,
        Some(Value::Object(opening)) => Some(Opening::from_object(opening).ok_or_else(refused)?),
        Some(_) => return Err(refused()),
    };
    if extra.is_empty() { Ok((leaf, opening)) } else { Err(refused()) }
}

fn form(line: usize, zh: &str, en: &str) -> Fault {
    Fault::Receipt { line, expected: Text::new(zh, en) }
}
