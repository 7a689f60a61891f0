//! The public log: decisions, notices and postings published as a folder, receipts for those concerned, and what a
//! stranger checks with the public key alone.
//!
//! Deliberately lacking: where the folder is served, and what of a registry may be published as a figure.

use std::path::{Path, PathBuf};

use model::{RecordKey, Text};
use proof::{Checkpoint, Folder, LockedFolder, Log, Opening, Salt};
pub use proof::{Kind, Leaf, LogFacts, Receipt, ReceiptFacts, SignedCheckpoint, SigningKey, VerifierKey};
use serde::{Deserialize, Serialize};
use store::{Registry, View};

use crate::acting::{Acting, ActingError, Deed, LOG_STREAM, LogEntry, Randomness, Salts};
use pack::program::Program;

/// The stream of the heads that were signed, so that a log restored from an old copy is noticed.
const HEADS: &str = "log-heads";
const KEY_FILE: &str = "log.key";
/// Leaves that are read at once.
const PAGE: usize = 4_096;

/// A head as the registry remembers it.
#[derive(Serialize, Deserialize)]
struct Head {
    note: String,
}

/// The key that a registry's log is signed with; made from `seed` if there is none yet. It stands beside the
/// registry for its owner alone.
pub fn signing_key(registry: &Registry, seed: &[u8; 32]) -> Result<SigningKey, ActingError> {
    let path = key_path(registry);
    if !path.exists() {
        let name = format!("xiaokang.registry/{}", registry.id()?);
        proof::write_signing_key(&path, &SigningKey::from_seed(&name, seed)?)?;
    }
    Ok(proof::read_signing_key(&path)?)
}

fn key_path(registry: &Registry) -> PathBuf {
    registry.folder().join(KEY_FILE)
}

/// Publishes what was not published yet, and remembers the new head.
pub fn publish(
    registry: &mut Registry,
    program: &Program,
    acting: &Acting,
    folder: &Path,
    random: Randomness<'_>,
) -> Result<SignedCheckpoint, ActingError> {
    let key = signing_key(registry, &random())?;
    let known = last_head(registry.view(), key.verifier())?;
    let mut log = Log::open(LockedFolder::open(folder)?, key, known.as_ref())?;
    let mut head = log.head().cloned();
    loop {
        let first = log.size();
        let leaves = leaves(registry.view(), first)?;
        if leaves.is_empty() && head.is_some() {
            break;
        }
        head = Some(log.publish(first, &leaves)?);
        if leaves.len() < PAGE {
            break;
        }
    }
    let head = head.expect("the first round publishes if there is no head");
    if known.as_ref() != Some(&head.checkpoint) {
        let mut deed = Deed::begin(registry, program, acting, random)?;
        let length = deed.view().stream_length(HEADS)?;
        deed.append(HEADS, length, &[("head", Head { note: head.note.clone() })])?;
        deed.commit()?;
    }
    Ok(head)
}

/// What a receipt is wanted for.
pub struct Wanted<'a> {
    pub about: &'a RecordKey,
    pub kind: Option<Kind>,
}

/// Receipts with what the leaves hide, for who is concerned: of every leaf about a record that is published, the
/// oldest first.
pub fn receipts(
    registry: &Registry,
    folder: &Path,
    wanted: &Wanted<'_>,
    random: Randomness<'_>,
) -> Result<Vec<(Leaf, Receipt)>, ActingError> {
    let key = signing_key(registry, &random())?;
    let source = Folder::new(folder);
    let published = Log::open(LockedFolder::open(folder)?, key.clone(), None)?.size();
    let salts = Salts::of(registry.folder());
    let mut found = Vec::new();
    let mut index = 0;
    while index < published {
        let page = entries(registry.view(), index)?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            if index < published && entry.about.iter().any(|key| key == wanted.about.as_str()) {
                let leaf = Leaf::from_bytes(entry.leaf.as_bytes())?;
                if wanted.kind.is_none_or(|kind| kind == leaf.kind()) {
                    let opening = opening(&salts, &entry)?;
                    found.push((leaf, Receipt::issue(&source, key.verifier(), index, opening)?));
                }
            }
            index += 1;
        }
    }
    if found.is_empty() {
        let hint =
            Text::new("请先用 `xiaokang log publish` 发布", "publish with `xiaokang log publish` first");
        let zh = format!("公开日志中没有关于“{}”的记录", wanted.about);
        return Err(ActingError::unknown(zh, format!("nothing about `{}` is published", wanted.about), hint));
    }
    Ok(found)
}

/// What a receipt proves, checked with the public key, and with the log if its folder is given.
pub fn verify(text: &str, key: &str, folder: Option<&Path>) -> Result<ReceiptFacts, ActingError> {
    let key: VerifierKey = key.trim().parse()?;
    Ok(match folder {
        Some(folder) => proof::verify_receipt_in_log(text, &key, &Folder::new(folder))?,
        None => proof::verify_receipt(text, &key)?,
    })
}

/// Checks a whole log with the public key.
pub fn verify_log(folder: &Path, key: &str) -> Result<LogFacts, ActingError> {
    let key: VerifierKey = key.trim().parse()?;
    Ok(proof::verify_log(&Folder::new(folder), &key, None)?)
}

fn opening(salts: &Salts, entry: &LogEntry) -> Result<Option<Opening>, ActingError> {
    let (Some(content), Some(id)) = (&entry.content, &entry.salt) else { return Ok(None) };
    let salt = salts.find(id)?;
    Ok(salt.map(|salt| Opening { salt: Salt::new(salt), content: content.clone() }))
}

fn last_head(view: View<'_>, key: &VerifierKey) -> Result<Option<Checkpoint>, ActingError> {
    let length = view.stream_length(HEADS)?;
    let Some(last) = length.checked_sub(1) else { return Ok(None) };
    let events = view.stream(HEADS, last, 1)?;
    let Some(event) = events.first() else { return Ok(None) };
    let head: Head =
        serde_json::from_str(&event.payload).map_err(|error| ActingError::damaged(HEADS, error))?;
    Ok(Some(SignedCheckpoint::open(&head.note, key)?.checkpoint))
}

fn leaves(view: View<'_>, first: u64) -> Result<Vec<Leaf>, ActingError> {
    let entries = entries(view, first)?;
    entries.iter().map(|entry| Ok(Leaf::from_bytes(entry.leaf.as_bytes())?)).collect()
}

fn entries(view: View<'_>, first: u64) -> Result<Vec<LogEntry>, ActingError> {
    let events = view.stream(LOG_STREAM, first, PAGE)?;
    let read = |event: &store::Event| {
        serde_json::from_str(&event.payload).map_err(|error| ActingError::damaged(LOG_STREAM, error))
    };
    events.iter().map(read).collect()
}
