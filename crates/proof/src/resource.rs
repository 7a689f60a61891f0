//! The files of a log by their paths, and the two small traits through which they are read and written.

use std::collections::BTreeMap;

use crate::Fault;

/// Where the signed head stands.
pub const CHECKPOINT_PATH: &str = "checkpoint";

/// Hashes of a full tile, and entries of a full bundle.
pub const TILE_WIDTH: u64 = 256;

/// A file of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Below the folder of the log, with `/` between its parts.
    pub path: String,
    pub bytes: Vec<u8>,
}

/// Where files of a log are read from.
pub trait Source {
    /// The bytes of a file; `None` if there is none.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Fault>;
}

/// Where a log is published to. One at a time may write.
pub trait Files: Source {
    /// Writes a file, in place of one of that name. Whatever interrupts it, a reader finds the old file or the
    /// new one, never a part; when it returns, the file outlasts a loss of power.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Fault>;

    /// Removes a folder with all that is in it; well if there is none.
    fn remove_folder(&self, path: &str) -> Result<(), Fault>;
}

/// A log in memory.
impl Source for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.get(path).cloned())
    }
}

/// The path of tile `index` at `level`, of `width` hashes (1 to 256).
pub fn tile_path(level: u8, index: u64, width: u64) -> String {
    format!("tile/{level}/{}", index_path(index, width))
}

/// The path of the bundle of entries `index`, of `width` entries (1 to 256).
pub fn bundle_path(index: u64, width: u64) -> String {
    format!("tile/entries/{}", index_path(index, width))
}

/// The folder of the partial forms of a full tile or bundle.
pub(crate) fn partial_folder(full_path: &str) -> String {
    format!("{full_path}.p")
}

/// How wide a tile is in a log of `size` leaves: 256 if it is full, 0 if it has nothing.
pub(crate) fn width_at(size: u64, level: u8, index: u64) -> u64 {
    let hashes = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
    hashes.saturating_sub(index.saturating_mul(TILE_WIDTH)).min(TILE_WIDTH)
}

/// Reads a tile or bundle in the form that a log of `size` leaves has; a full one stands in for a partial one,
/// which may be gone once the full one is there. `path_of` gives the path for a width.
pub(crate) fn read_widest(
    source: &impl Source,
    width: u64,
    path_of: impl Fn(u64) -> String,
) -> Result<(String, Vec<u8>), Fault> {
    for width in [width, TILE_WIDTH] {
        let path = path_of(width);
        if let Some(bytes) = source.read(&path)? {
            return Ok((path, bytes));
        }
    }
    Err(Fault::Missing { path: path_of(width) })
}

/// The entries of a bundle, each after its length in two bytes; `None` if the bytes are no bundle.
pub(crate) fn read_bundle(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry.to_vec());
        bytes = rest;
    }
    (bytes.is_empty() && entries.len() as u64 <= TILE_WIDTH).then_some(entries)
}

/// A bundle of entries, none of which is longer than 65,535 bytes.
pub(crate) fn write_bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length =
            u16::try_from(entry.len()).expect("the length of an entry was checked when it was appended");
        bytes.extend(length.to_be_bytes());
        bytes.extend(entry);
    }
    bytes
}

/// Groups of three digits, all but the last marked, so that no folder is named like a file.
fn index_path(index: u64, width: u64) -> String {
    assert!((1..=TILE_WIDTH).contains(&width), "a tile has 1 to 256 hashes, not {width}");
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE_WIDTH { format!("{path}.p/{width}") } else { path }
}
