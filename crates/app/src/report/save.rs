//! Putting a workbook in its place: whole or not at all, and never over what a run was made from.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use model::Text;
use rust_xlsxwriter::Workbook;

use super::ReportError;
use crate::explain::StoredRun;

/// Refuses a place that is no workbook's, or that holds what the run was made from.
pub(super) fn refuse_inputs(run: &StoredRun, path: &Path) -> Result<(), ReportError> {
    if path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("xlsx")) {
        return Err(ReportError::NotAWorkbook { path: path.to_owned() });
    }
    let over = |zh: &str, en: &str| ReportError::OverInput { path: path.to_owned(), why: Text::new(zh, en) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let inside = |of: &Path| match (folder.canonicalize(), of.canonicalize()) {
        (Ok(folder), Ok(of)) => folder.starts_with(of),
        _ => false,
    };
    if inside(&run.folder) || inside(&run.snapshot) {
        return Err(over(
            "在运行或其快照的文件夹内，那里不能改动",
            "lies in the run or its snapshot, which nothing changes",
        ));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if path.exists() && run.source_files().any(|file| file == name) {
        return Err(over(
            "与导入过的工作簿同名，写入会毁掉原件",
            "has the name of a workbook that was imported, which would be lost",
        ));
    }
    Ok(())
}

/// Writes the workbook beside its place and moves it there when it is whole and on the disk.
pub(super) fn whole(book: &mut Workbook, path: &Path) -> Result<(), ReportError> {
    let building = beside(path);
    let fault = |source: std::io::Error| ReportError::Io { path: path.to_owned(), source };
    let written = (|| {
        // In memory first: what is packed is a tenth of what has been gathered, and a full disk then says so plainly.
        let bytes = book.save_to_buffer()?;
        let mut file = BufWriter::new(File::create(&building).map_err(fault)?);
        file.write_all(&bytes).map_err(fault)?;
        file.into_inner().map_err(|error| fault(error.into_error()))?.sync_all().map_err(fault)?;
        fs::rename(&building, path).map_err(fault)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&building);
    }
    written
}

/// A name of one's own beside a place.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.building", std::process::id()))
}
