//! Files as streams of rows: xlsx, xls, ods, CSV and Parquet look alike from here on.

mod archive;
mod delimited;
mod kind;
mod parquet;
mod ranges;
mod rows;
mod unusable;
mod xlsx;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use model::Text;
use sha2::{Digest as _, Sha256};

use super::ImportError;
use super::digest::hex;
use kind::Kind;
use ranges::Book;
pub use rows::{Flow, RowSink};
use unusable::unreadable;
pub use xlsx::Merge;

/// A file to be read, of any of the kinds.
#[derive(Clone, Debug)]
pub struct Source {
    path: std::path::PathBuf,
    kind: Kind,
    /// File name without its folder, as reports call it.
    pub name: String,
    /// Names of the sheets that are shown; one with the file's stem for CSV and Parquet.
    pub sheets: Vec<String>,
    /// Names of the sheets that a person hid, which are not read.
    pub hidden: Vec<String>,
    /// Lower-case hexadecimal digest of the bytes.
    pub sha256: String,
    merges: HashMap<String, Vec<Merge>>,
    /// The cells of a file that is held in memory.
    book: Option<Arc<Book>>,
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
        let (kind, archive) = kind::of(path, &name, &head)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut source = Self {
            path: path.to_owned(),
            kind,
            name,
            sheets: vec![stem],
            hidden: Vec::new(),
            sha256,
            merges: HashMap::new(),
            book: None,
        };
        match kind {
            Kind::Xlsx => {
                let contents = xlsx::contents(path, &source.name, &archive)?;
                (source.sheets, source.hidden) = (contents.sheets, contents.hidden);
                source.merges = contents.merges;
            }
            Kind::Xls => source.hold(ranges::open_xls(path, &source.name)?),
            Kind::Ods => source.hold(ranges::open_ods(path, &source.name)?),
            Kind::Delimited | Kind::Parquet => {}
        }
        Ok(source)
    }

    fn hold(&mut self, book: Book) {
        self.sheets = book.sheets.iter().map(|sheet| sheet.name.clone()).collect();
        self.hidden.clone_from(&book.hidden);
        self.merges = book.sheets.iter().map(|sheet| (sheet.name.clone(), sheet.merges.clone())).collect();
        self.book = Some(Arc::new(book));
    }

    /// The file's stem, for recognising what it holds.
    pub fn stem(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// A row as a person finds it; the sheet is named where the file has several.
    pub fn place(&self, sheet: &str, row: u32) -> Text {
        let file = &self.name;
        if self.sheets.len() == 1 {
            return Text::new(format!("{file} 第 {row} 行"), format!("row {row} of {file}"));
        }
        Text::new(format!("{file} 的“{sheet}”第 {row} 行"), format!("row {row} of {file}, sheet `{sheet}`"))
    }

    /// Cells of a sheet that are one over several rows or columns, as far as the file says.
    pub fn merges(&self, sheet: &str) -> &[Merge] {
        self.merges.get(sheet).map_or(&[], Vec::as_slice)
    }

    /// Streams the rows of one sheet.
    pub fn read(&self, sheet: &str, sink: &mut RowSink<'_>) -> Result<(), ImportError> {
        match self.kind {
            Kind::Xlsx => xlsx::read(&self.path, &self.name, sheet, sink),
            Kind::Xls | Kind::Ods => {
                let sheets = self.book.iter().flat_map(|book| &book.sheets);
                sheets.filter(|own| own.name == sheet).try_for_each(|own| own.read(sink))
            }
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
            head.extend_from_slice(&buffer[..read.min(512)]);
        }
        hasher.update(&buffer[..read]);
    }
    Ok((head, hex(&hasher.finalize())))
}
