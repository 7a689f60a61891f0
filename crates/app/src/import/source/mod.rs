//! Files as streams of rows: xlsx, CSV and Parquet look alike from here on.

mod delimited;
mod parquet;
mod xlsx;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::ImportError;
use super::cell::Cell;
use super::digest::hex;

/// What to do after a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Continue,
    /// Enough of this sheet was seen.
    Stop,
}

/// Receives the rows of one sheet in order. Rows that hold nothing may be left out; `number` counts
/// as a spreadsheet does, from 1. Cells beyond the last used one are left out.
pub type RowSink<'s> = dyn FnMut(u32, &[Cell<'_>]) -> Result<Flow, ImportError> + 's;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Xlsx,
    Delimited,
    Parquet,
}

/// A file to be read, of any of the kinds.
#[derive(Clone, Debug)]
pub struct Source {
    path: std::path::PathBuf,
    kind: Kind,
    /// File name without its folder, as reports call it.
    pub name: String,
    /// Names of the sheets; one with the file's stem for CSV and Parquet.
    pub sheets: Vec<String>,
    /// Lower-case hexadecimal digest of the bytes.
    pub sha256: String,
}

impl Source {
    /// Looks at the file and lists its sheets.
    pub fn open(path: &Path) -> Result<Self, ImportError> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let shown = || path.display().to_string();
        if !path.exists() {
            return Err(ImportError::FileMissing { path: shown() });
        }
        if path.is_dir() {
            return Err(ImportError::FileIsFolder { path: shown().trim_end_matches('/').to_owned() });
        }
        let (head, sha256) = digest(path).map_err(|error| unreadable(&name, &error))?;
        let extension = path.extension().map(|text| text.to_string_lossy().to_lowercase());
        let kind = match (head.as_slice(), extension.as_deref()) {
            ([b'P', b'K', 3, 4, ..], _) => Kind::Xlsx,
            ([b'P', b'A', b'R', b'1'], _) => Kind::Parquet,
            (_, Some("csv" | "tsv" | "txt")) => Kind::Delimited,
            _ => return Err(ImportError::FileKindUnknown { file: name }),
        };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let sheets = match kind {
            Kind::Xlsx => xlsx::sheets(path, &name)?,
            Kind::Delimited | Kind::Parquet => vec![stem],
        };
        Ok(Self { path: path.to_owned(), kind, name, sheets, sha256 })
    }

    /// The file's stem, for recognising what it holds.
    pub fn stem(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Streams the rows of one sheet.
    pub fn read(&self, sheet: &str, sink: &mut RowSink<'_>) -> Result<(), ImportError> {
        match self.kind {
            Kind::Xlsx => xlsx::read(&self.path, &self.name, sheet, sink),
            Kind::Delimited => delimited::read(&self.path, &self.name, sink),
            Kind::Parquet => parquet::read(&self.path, &self.name, sink),
        }
    }
}

/// The first bytes and the digest of a file.
fn digest(path: &Path) -> std::io::Result<(Vec<u8>, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut head = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        if head.is_empty() {
            head.extend_from_slice(&buffer[..read.min(4)]);
        }
        hasher.update(&buffer[..read]);
    }
    Ok((head, hex(&hasher.finalize())))
}

fn unreadable(file: &str, reason: &dyn std::fmt::Display) -> ImportError {
    ImportError::FileUnreadable { file: file.to_owned(), reason: reason.to_string() }
}
