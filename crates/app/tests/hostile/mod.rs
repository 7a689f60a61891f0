//! Makes files that are not what they seem, small on disk and large when believed.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const TYPES: &str = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
const RELS: &str = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
    Target=\"xl/workbook.xml\"/></Relationships>";
const BOOK: &str = "<workbook xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>\
    <sheet name=\"户\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>";
const BOOK_RELS: &str = "<Relationships><Relationship Id=\"r1\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
    Target=\"worksheets/sheet1.xml\"/></Relationships>";

/// Name, beginning, filling with how often it is repeated, and end.
pub type Part<'p> = (&'p str, &'p str, (&'p [u8], u64), &'p str);

/// A zip file of the parts.
pub fn archive(path: &Path, parts: &[Part<'_>]) -> PathBuf {
    let mut zip = ZipWriter::new(BufWriter::new(File::create(path).unwrap()));
    for (name, start, (filling, times), end) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(start.as_bytes()).unwrap();
        for _ in 0..*times {
            zip.write_all(filling).unwrap();
        }
        zip.write_all(end.as_bytes()).unwrap();
    }
    zip.finish().unwrap().flush().unwrap();
    path.to_owned()
}

/// A workbook with one sheet and its texts.
pub fn workbook(
    path: &Path,
    sheet: (&str, (&[u8], u64), &str),
    strings: (&str, (&[u8], u64), &str),
) -> PathBuf {
    let none: (&[u8], u64) = (b"", 0);
    archive(
        path,
        &[
            ("[Content_Types].xml", TYPES, none, ""),
            ("_rels/.rels", RELS, none, ""),
            ("xl/workbook.xml", BOOK, none, ""),
            ("xl/_rels/workbook.xml.rels", BOOK_RELS, none, ""),
            ("xl/sharedStrings.xml", strings.0, strings.1, strings.2),
            ("xl/worksheets/sheet1.xml", sheet.0, sheet.1, sheet.2),
        ],
    )
}

/// A spreadsheet of LibreOffice, shown sheet first, then a hidden one.
pub fn ods(path: &Path, rows: &[&[&str]]) -> PathBuf {
    let cell = |text: &&str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let row = |cells: &&[&str]| {
        format!("<table:table-row>{}</table:table-row>", cells.iter().map(cell).collect::<String>())
    };
    let rows: String = rows.iter().map(row).collect();
    let content = format!(
        "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
         xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet>\
         <table:table table:name=\"户\">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    let none: (&[u8], u64) = (b"", 0);
    let manifest =
        "<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"/>";
    archive(
        path,
        &[
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet", none, ""),
            ("META-INF/manifest.xml", manifest, none, ""),
            ("content.xml", &content, none, ""),
        ],
    )
}

/// A compound file as far as anyone looks: the signature and the name of a stream.
pub fn compound(path: &Path, stream: &str) -> PathBuf {
    let mut bytes = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    bytes.resize(1024, 0);
    bytes.extend(stream.encode_utf16().flat_map(u16::to_le_bytes));
    bytes.resize(2048, 0);
    fs::write(path, bytes).unwrap();
    path.to_owned()
}

/// A workbook of Excel 97: one sheet of texts.
pub fn xls(path: &Path, rows: &[&[&str]]) -> PathBuf {
    let mut sheet = record(0x0809, &words(&[0x0600, 0x0010, 0, 0, 0, 0, 0, 0]));
    for (row, cells) in (0_u16..).zip(rows) {
        for (column, text) in (0_u16..).zip(*cells) {
            let units: Vec<u16> = text.encode_utf16().collect();
            let mut body = words(&[row, column, 0, units.len() as u16]);
            body.push(1);
            body.extend(words(&units));
            sheet.extend(record(0x0204, &body));
        }
    }
    sheet.extend(record(0x000a, &[]));
    let begin = record(0x0809, &words(&[0x0600, 0x0005, 0, 0, 0, 0, 0, 0]));
    let name: Vec<u16> = "户".encode_utf16().collect();
    let bound = |at: u32| {
        let mut body = at.to_le_bytes().to_vec();
        body.extend([0, 0, name.len() as u8, 1]);
        body.extend(words(&name));
        record(0x0085, &body)
    };
    let at = (begin.len() + bound(0).len() + record(0x000a, &[]).len()) as u32;
    let mut stream = [begin, bound(at), record(0x000a, &[]), sheet].concat();
    // Streams under 4,096 bytes lie elsewhere in a compound file; this one is to lie in sectors.
    stream.resize(stream.len().max(4096).next_multiple_of(512), 0);
    fs::write(path, in_sectors(&stream)).unwrap();
    path.to_owned()
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn record(kind: u16, body: &[u8]) -> Vec<u8> {
    [words(&[kind, body.len() as u16]).as_slice(), body].concat()
}

/// A compound file of version 3 with one stream: a table of sectors, the directory, the stream.
fn in_sectors(stream: &[u8]) -> Vec<u8> {
    const END: u32 = 0xffff_fffe;
    const FREE: u32 = 0xffff_ffff;
    let sectors = (stream.len() / 512) as u32;
    let mut header = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    header.resize(24, 0);
    header.extend(words(&[0x003e, 3, 0xfffe, 9, 6, 0, 0, 0]));
    for value in [0, 1, 1, 0, 4096, END, 0, END, 0, 0] {
        header.extend(value.to_le_bytes());
    }
    header.resize(512, 0xff);
    let mut table: Vec<u32> = vec![0xffff_fffd, END];
    table.extend((0..sectors).map(|sector| if sector + 1 == sectors { END } else { sector + 3 }));
    table.resize(128, FREE);
    let entry = |name: &str, kind: u8, child: u32, start: u32, size: u64| {
        let mut bytes: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = bytes.len() as u16 + 2;
        bytes.resize(64, 0);
        bytes.extend(length.to_le_bytes());
        bytes.extend([kind, 1]);
        for value in [FREE, FREE, child] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.resize(116, 0);
        bytes.extend(start.to_le_bytes());
        bytes.extend(size.to_le_bytes());
        bytes
    };
    let mut directory = entry("Root Entry", 5, 1, END, 0);
    directory.extend(entry("Workbook", 2, FREE, 2, stream.len() as u64));
    directory.resize(512, 0);
    let table: Vec<u8> = table.iter().flat_map(|next| next.to_le_bytes()).collect();
    [header.as_slice(), &table, &directory, stream].concat()
}
