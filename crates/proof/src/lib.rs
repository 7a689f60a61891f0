//! The public log: a Merkle tree whose leaves are the decisions, postings, notices and figures of an office, with
//! signed tree heads, so that anyone can check that nothing published was changed, removed or put in afterwards.
//!
//! Formats are those of C2SP, which other programs read: `tlog-tiles` for the folder, `tlog-checkpoint` and
//! `signed-note` for its head and keys, `tlog-proof` for a receipt; hashes are those of RFC 6962 with SHA-256.
//!
//! What is personal is never in a leaf: a leaf carries a [`Salt`]ed commitment to it. Who holds the salt and the
//! content (the household, on its receipt) proves what was decided about it; once the salt is destroyed nobody
//! can, not even by trying all citizen numbers, and everything else of the log still verifies.
//!
//! - Publishing: [`SigningKey`], [`Leaf`], [`LockedFolder`], [`Log`].
//! - Receipts: [`Receipt`].
//! - Checking, with no more than a public key: [`verify_log`], [`verify_receipt`],
//!   [`verify_receipt_in_log`], [`verify_receipt_at_checkpoint`].
//!
//! Deliberately lacking: the clock and randomness (seeds and salts are given); the network, for a log is a folder
//! that any file server serves; witnesses' cosignatures, which are let through and not counted; small cells and
//! whatever else decides what may be published at all.

mod canonical;
mod checkpoint;
mod fault;
mod folder;
mod frontier;
mod hash;
mod key;
mod key_file;
mod leaf;
mod log;
mod note;
mod receipt;
mod resource;
mod tiles;
mod tree;
mod verify;

pub use canonical::{Object, canonical};
pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use fault::Fault;
pub use folder::{Folder, LockedFolder};
pub use frontier::Frontier;
pub use hash::Hash;
pub use key::{SigningKey, VerifierKey};
pub use key_file::{read_signing_key, read_verifier_key, write_signing_key};
pub use leaf::{Kind, Leaf, Opening, Salt};
pub use log::Log;
pub use receipt::Receipt;
pub use resource::{CHECKPOINT_PATH, Files, Resource, Source, bundle_path, tile_path};
pub use tiles::Tiles;
pub use tree::{consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};
pub use verify::{
    LogFacts, ReceiptFacts, verify_log, verify_receipt, verify_receipt_at_checkpoint, verify_receipt_in_log,
};
