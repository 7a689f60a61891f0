//! What lies in a zip file, looked over before anything parses it.
//!
//! Readers of workbooks believe what a file says of itself: how many strings it has, how large its parts are. So every
//! part that will be parsed is unpacked once here, without being kept, and a file is refused whose parts are larger
//! than any sheet that a person keeps.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use model::Text;
use zip::ZipArchive;

use super::unusable::{protected, unreadable, unusable};
use crate::import::ImportError;

const MIB: u64 = 1 << 20;
/// Parts of one file; a workbook of a hundred sheets has some three hundred.
const PARTS_MAX: usize = 10_000;
/// A sheet of a million rows and twenty columns takes about a gibibyte.
const SHEET_MAX: u64 = 3 << 30;
/// The texts of a workbook are held in memory.
const STRINGS_MAX: u64 = 512 * MIB;
/// An OpenDocument file is held in memory as a whole.
const CONTENT_MAX: u64 = 256 * MIB;
const OTHER_MAX: u64 = 64 * MIB;
const ALL_MAX: u64 = 6 << 30;
/// Text between two tags; a cell holds 32,767 characters.
const BETWEEN_TAGS_MAX: usize = MIB as usize;
/// Texts that a workbook may announce whatever its size: some programs count every cell.
const ANNOUNCED_MAX: u128 = 4_000_000;
/// Bytes kept of what follows a sheet's rows, where its merged cells are listed.
const TAIL_MAX: usize = 8 << 20;

/// The last bytes of a chunk stand in front of the next, so that a word cut in two is found.
const CARRY: usize = 16;

/// What was seen.
#[derive(Debug, Default)]
pub struct Archive {
    pub names: Vec<String>,
    /// Whether a sheet has cells merged over several rows.
    pub merges_rows: bool,
}

impl Archive {
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// Unpacks every part that is parsed later, and keeps none.
pub fn look_over(path: &Path, name: &str) -> Result<Archive, ImportError> {
    let file = File::open(path).map_err(|error| unreadable(name, &error))?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|_| damaged(name))?;
    if zip.len() > PARTS_MAX {
        return Err(too_large(name, "压缩包内的文件", "the number of its parts"));
    }
    let mut archive = Archive::default();
    let mut all = 0;
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(|_| damaged(name))?;
        let part = entry.name().map_err(|_| damaged(name))?.into_owned();
        let encrypted = entry.encrypted();
        drop(entry);
        if encrypted {
            return Err(protected(name));
        }
        let lower = part.to_lowercase();
        archive.names.push(part);
        if !matches!(lower.rsplit_once('.'), Some((_, "xml" | "rels"))) {
            continue;
        }
        let entry = zip.by_index(index).map_err(|_| damaged(name))?;
        let seen = scan(entry, &lower, name, ALL_MAX - all)?;
        all += seen.bytes;
        archive.merges_rows |= seen.merges_rows;
    }
    Ok(archive)
}

struct Seen {
    bytes: u64,
    merges_rows: bool,
}

fn scan(mut part: impl Read, lower: &str, name: &str, room: u64) -> Result<Seen, ImportError> {
    let strings = lower.ends_with("sharedstrings.xml");
    let (max, zh, en) = match lower {
        _ if strings => (STRINGS_MAX, "文字", "its texts"),
        _ if lower.contains("worksheets/") => (SHEET_MAX, "一张表", "a sheet"),
        "content.xml" => (CONTENT_MAX, "内容", "its content"),
        _ => (OTHER_MAX, "一个部分", "a part"),
    };
    let merged = Finder::new("mergeCells");
    let (mut bytes, mut since_tag) = (0_u64, 0_usize);
    let mut tail: Option<Vec<u8>> = None;
    let mut announced: Option<u128> = None;
    let mut buffer = vec![0; CARRY + (1 << 16)];
    let mut carried = 0;
    loop {
        let read = part.read(&mut buffer[carried..]).map_err(|_| damaged(name))?;
        if read == 0 {
            break;
        }
        let (start, end) = (carried, carried + read);
        let fresh = &buffer[start..end];
        if strings && bytes == 0 {
            announced = announced_strings(fresh);
        }
        bytes += read as u64;
        if bytes > max.min(room) {
            return Err(too_large(name, zh, en));
        }
        let first = memchr(b'<', fresh);
        since_tag += first.unwrap_or(read);
        if since_tag > BETWEEN_TAGS_MAX {
            return Err(too_large(name, "一个单元格", "a cell"));
        }
        if let Some(last) = memrchr(b'<', fresh) {
            since_tag = read - last;
        }
        match &mut tail {
            Some(tail) if tail.len() < TAIL_MAX => tail.extend_from_slice(fresh),
            Some(_) => {}
            None => tail = merged.find(&buffer[..end]).map(|at| buffer[at..end].to_vec()),
        }
        carried = end.min(CARRY);
        buffer.copy_within(end - carried..end, 0);
    }
    if announced.is_some_and(|count| count > (u128::from(bytes) / 5).max(ANNOUNCED_MAX)) {
        return Err(damaged(name));
    }
    Ok(Seen { bytes, merges_rows: tail.is_some_and(|tail| merges_rows(&tail)) })
}

/// How many texts a workbook says it has.
fn announced_strings(head: &[u8]) -> Option<u128> {
    let at = memchr::memmem::find(head, b"uniqueCount=")? + "uniqueCount=".len() + 1;
    let digits: Vec<u8> = head[at..].iter().copied().take_while(u8::is_ascii_digit).take(30).collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

/// Whether one of the listed ranges (`A3:A5`) covers several rows.
fn merges_rows(list: &[u8]) -> bool {
    let row =
        |cell: &str| cell.trim_start_matches(|char: char| char.is_ascii_alphabetic()).parse::<u32>().ok();
    let text = String::from_utf8_lossy(list);
    text.split("mergeCell ").skip(1).any(|rest| {
        let range = rest.split_once("ref=").and_then(|(_, rest)| rest.get(1..)).unwrap_or_default();
        let range = range.split(['"', '\'']).next().unwrap_or_default();
        range.split_once(':').is_some_and(|(start, end)| row(start) < row(end))
    })
}

pub fn damaged(name: &str) -> ImportError {
    unusable(
        name,
        "file-damaged",
        Text::new("文件不完整或已损坏", "is cut off or damaged"),
        Text::new(
            "请重新复制或下载，或用表格软件打开后另存为 xlsx",
            "copy or download it again, or open it in a spreadsheet program and save it as xlsx",
        ),
    )
}

fn too_large(name: &str, zh: &str, en: &str) -> ImportError {
    unusable(
        name,
        "file-too-large",
        Text::new(format!("{zh}大得超出了表格的限度"), format!("is beyond what a spreadsheet holds: {en}")),
        Text::new("请核对文件来源，或拆成几个文件", "check where the file comes from, or split it"),
    )
}
