//! Where the report workbook goes: never over a file that is imported, and whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::Text;

use super::ImportError;

/// The path to write to, `.xlsx` added where it has no ending. Refused before anything is read or written.
pub fn settle(path: &Path, inputs: &[PathBuf]) -> Result<PathBuf, ImportError> {
    let mut settled = path.to_owned();
    match path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).as_deref() {
        None => {
            settled.as_mut_os_string().push(".xlsx");
        }
        Some("xlsx") => {}
        Some(_) => {
            return Err(wrong(
                path,
                Text::new("不是 xlsx 文件", "is no xlsx file"),
                Text::new("请以 .xlsx 结尾", "end its name with .xlsx"),
            ));
        }
    }
    if settled.is_dir() {
        return Err(wrong(
            &settled,
            Text::new("是文件夹", "is a folder"),
            Text::new("请给出文件名", "name a file"),
        ));
    }
    let folder = folder(&settled);
    if !folder.is_dir() {
        return Err(wrong(
            &settled,
            Text::new("所在的文件夹不存在", "lies in no folder that is there"),
            Text::new("请先建立文件夹", "make the folder first"),
        ));
    }
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let wanted = real(&settled);
    match inputs.iter().find(|input| real(input) == wanted) {
        Some(input) => Err(ImportError::ReportOverInput { path: input.clone() }),
        None => Ok(settled),
    }
}

/// Writes a file beside the one that it replaces, and moves it there when it is whole.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder(path).join(format!(".{name}.part"));
    let moved = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if moved.is_err() {
        // What is left of it is of no use; that it may be there still is no second fault.
        let _ = fs::remove_file(&beside);
    }
    moved
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn wrong(path: &Path, what: Text, mend: Text) -> ImportError {
    ImportError::ReportPath { path: path.to_owned(), what: Box::new(what), mend: Box::new(mend) }
}
