//! What a file is, told from its bytes; its name decides only for text.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use memchr::memmem;
use model::Text;

use super::archive::{Archive, look_over};
use super::unusable::{protected, unreadable, unusable};
use crate::import::ImportError;

/// Files of the older programs are read whole; the largest sheet of theirs has 65,536 rows.
const OLE_MAX: u64 = 512 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Xlsx,
    Xls,
    Ods,
    Delimited,
    Parquet,
}

/// The kind of a file that begins with `head`, and what a zip file holds.
pub fn of(path: &Path, name: &str, head: &[u8]) -> Result<(Kind, Archive), ImportError> {
    let extension = path.extension().map(|text| text.to_string_lossy().to_lowercase());
    let extension = extension.as_deref().unwrap_or_default();
    let plain = |kind| Ok((kind, Archive::default()));
    let start = head.trim_ascii_start();
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    match head {
        [] => Err(unusable(
            name,
            "file-empty",
            Text::new("是空文件（0 字节）", "is empty (0 bytes)"),
            Text::new("请重新导出或复制", "export or copy it again"),
        )),
        [b'P', b'K', 3, 4, ..] => zipped(path, name),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => plain(compound(path, name, extension)?),
        [b'P', b'A', b'R', b'1', ..] => plain(Kind::Parquet),
        _ if head.starts_with(b"%PDF") => Err(foreign(name, "PDF 文档", "a PDF document")),
        _ if is_page(start) => Err(foreign(name, "网页或 XML 文件", "a web page or an XML file")),
        _ if matches!(extension, "csv" | "tsv" | "txt") => plain(Kind::Delimited),
        _ if extension == "et" => Err(foreign(name, "WPS 表格（.et）", "a WPS table (.et)")),
        _ => Err(ImportError::FileKindUnknown { file: name.to_owned() }),
    }
}

/// Systems export tables as pages and call them xls.
fn is_page(start: &[u8]) -> bool {
    let start = start[..start.len().min(64)].to_ascii_lowercase();
    ["<html", "<!doctype", "<?xml", "<table"].iter().any(|word| start.starts_with(word.as_bytes()))
}

fn zipped(path: &Path, name: &str) -> Result<(Kind, Archive), ImportError> {
    let archive = look_over(path, name)?;
    if archive.has("word/document.xml") {
        return Err(foreign(name, "Word 文档", "a Word document"));
    }
    if archive.has("ppt/presentation.xml") {
        return Err(foreign(name, "演示文稿", "a presentation"));
    }
    if archive.has("xl/workbook.bin") {
        return Err(foreign(name, "二进制工作簿（.xlsb）", "a binary workbook (.xlsb)"));
    }
    if archive.has("[Content_Types].xml") {
        return Ok((Kind::Xlsx, archive));
    }
    if archive.has("mimetype") && archive.has("content.xml") {
        return Ok((Kind::Ods, archive));
    }
    Err(unusable(
        name,
        "file-foreign",
        Text::new("是压缩包，不是表格", "is a zip archive, not a workbook"),
        Text::new("请解压后给出其中的表格", "unpack it and name the workbooks in it"),
    ))
}

/// What a compound file of an older program holds, by the names of its streams.
fn compound(path: &Path, name: &str, extension: &str) -> Result<Kind, ImportError> {
    let file = File::open(path).map_err(|error| unreadable(name, &error))?;
    let mut bytes = Vec::new();
    file.take(OLE_MAX).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    let has = |stream: &str| {
        let wide: Vec<u8> = stream.encode_utf16().flat_map(u16::to_le_bytes).collect();
        memmem::find(&bytes, &wide).is_some()
    };
    if has("EncryptedPackage") {
        return Err(protected(name));
    }
    if has("WordDocument") {
        return Err(foreign(name, "Word 文档", "a Word document"));
    }
    if has("Workbook") || has("Book") {
        return Ok(Kind::Xls);
    }
    if extension == "et" {
        return Err(foreign(name, "WPS 表格（.et）", "a WPS table (.et)"));
    }
    Err(foreign(name, "其他办公软件的文件", "a file of another office program"))
}

fn foreign(name: &str, zh: &str, en: &str) -> ImportError {
    unusable(
        name,
        "file-foreign",
        Text::new(format!("是{zh}，不是可读取的表格"), format!("is {en}, not a workbook that can be read")),
        Text::new(
            "请用表格软件打开，另存为 xlsx 或 csv",
            "open it in a spreadsheet program and save it as xlsx or csv",
        ),
    )
}
