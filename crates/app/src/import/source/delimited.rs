//! CSV files: UTF-8 with or without its mark, or GB18030; commas, tabs or semicolons.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use encoding_rs::{CoderResult, Decoder, GB18030, UTF_8, UTF_16LE};
use model::Text;

use super::rows::{Flow, RowSink};
use super::unusable::unreadable;
use crate::import::ImportError;
use crate::import::cell::Cell;

const CHUNK: usize = 1 << 16;

/// Bytes of one row. A sheet's row has at most 16,384 cells, and hardly one of a thousand characters.
const ROW_MAX: u64 = 16 << 20;
const CELLS_MAX: usize = 16_384;

pub(super) fn read(path: &Path, name: &str, sink: &mut RowSink<'_>) -> Result<(), ImportError> {
    let failed = |error: &dyn std::fmt::Display| unreadable(name, error);
    let encoding = encoding_of(path).map_err(|error| failed(&error))?;
    let file = File::open(path).map_err(|error| failed(&error))?;
    let bounds = Rc::new(Bounds::default());
    let decoded = Utf8::new(BufReader::with_capacity(CHUNK, file), encoding, Rc::clone(&bounds));
    let mut text = BufReader::with_capacity(CHUNK, decoded);
    let delimiter = delimiter(text.fill_buf().map_err(|error| failed(&error))?);
    let mut lines =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text);
    let mut record = csv::StringRecord::new();
    let mut number = 0;
    let mut line = lines.position().line();
    // Cells borrow from the record of their row, so the vector is made anew for each.
    loop {
        match lines.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(_) if bounds.exceeded.get() => return Err(too_long(name, number + 1)),
            Err(error) => return Err(failed(&error)),
        }
        bounds.taken.set(bounds.given.get());
        let next = lines.position().line();
        number += 1 + blank_lines(&record, next - line);
        line = next;
        if record.len() > CELLS_MAX {
            return Err(too_long(name, number));
        }
        // Quotation marks come in pairs; one that is left open takes all rows after it into its cell.
        if bounds.finished.get() && bounds.quotes.get() % 2 == 1 && record.as_slice().contains('\n') {
            return Err(unclosed(name, number));
        }
        let cells: Vec<Cell<'_>> = record
            .iter()
            .map(|text| if text.is_empty() { Cell::Empty } else { Cell::Text(Cow::Borrowed(text)) })
            .collect();
        if sink(number, &cells)? == Flow::Stop {
            return Ok(());
        }
    }
}

/// What the reader of bytes and the reader of rows tell each other.
#[derive(Debug, Default)]
struct Bounds {
    /// Bytes that rows were read from, and how many of them when the last row was whole.
    given: std::cell::Cell<u64>,
    taken: std::cell::Cell<u64>,
    exceeded: std::cell::Cell<bool>,
    quotes: std::cell::Cell<usize>,
    finished: std::cell::Cell<bool>,
}

impl Bounds {
    /// Counts bytes, or fails where one row has had too many.
    fn give(&self, bytes: &[u8]) -> io::Result<()> {
        let given = self.given.get() + bytes.len() as u64;
        self.given.set(given);
        self.quotes.set(self.quotes.get() + memchr::memchr_iter(b'"', bytes).count());
        if given - self.taken.get() > ROW_MAX + CHUNK as u64 {
            self.exceeded.set(true);
            return Err(io::Error::other("a row is too long"));
        }
        Ok(())
    }
}

fn too_long(name: &str, row: u32) -> ImportError {
    faulty(
        name,
        row,
        "row-too-long",
        Text::new("的一行过长", ": a row is too long"),
        Text::new(
            "多半是引号没有成对，请检查该行及以后的引号",
            "most likely a quotation mark is not closed: look at those of this row and after it",
        ),
    )
}

fn unclosed(name: &str, row: u32) -> ImportError {
    faulty(
        name,
        row,
        "quote-unclosed",
        Text::new(
            "引号没有成对，其后各行都被并入一个单元格",
            ": a quotation mark is not closed, and takes all rows after it",
        ),
        Text::new("请补上或删去该引号", "close it or delete it"),
    )
}

fn faulty(name: &str, row: u32, code: &'static str, what: Text, mend: Text) -> ImportError {
    let place = Text::new(format!("“{name}”第 {row} 行"), format!("`{name}`, row {row}"));
    ImportError::DelimitedFaulty { place: Box::new(place), code, what: Box::new(what), mend: Box::new(mend) }
}

/// The parser skips blank lines, and a spreadsheet counts them: those among the `lines` that a record took.
fn blank_lines(record: &csv::StringRecord, lines: u64) -> u32 {
    if lines < 2 {
        return 0;
    }
    let own = 1 + record.as_slice().matches('\n').count();
    u32::try_from(lines.saturating_sub(own as u64)).unwrap_or(u32::MAX)
}

/// The separator that the first line has most of.
fn delimiter(head: &[u8]) -> u8 {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let count = |wanted: u8| line.matches(char::from(wanted)).count();
    [b'\t', b';']
        .into_iter()
        .filter(|other| count(*other) > count(b','))
        .max_by_key(|other| count(*other))
        .unwrap_or(b',')
}

/// UTF-8 if the whole file is valid as such, else GB18030, which Chinese spreadsheets write as "ANSI".
fn encoding_of(path: &Path) -> io::Result<&'static encoding_rs::Encoding> {
    let mut file = BufReader::with_capacity(CHUNK, File::open(path)?);
    if file.fill_buf()?.starts_with(&[0xff, 0xfe]) {
        return Ok(UTF_16LE);
    }
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let chunk = file.fill_buf()?;
        if chunk.is_empty() {
            return Ok(if rest.is_empty() { UTF_8 } else { GB18030 });
        }
        let length = chunk.len();
        rest.extend_from_slice(chunk);
        match std::str::from_utf8(&rest) {
            Ok(_) => rest.clear(),
            // A character may be cut by the end of the chunk.
            Err(error) if error.error_len().is_none() => {
                rest.drain(..error.valid_up_to());
            }
            Err(_) => return Ok(GB18030),
        }
        file.consume(length);
    }
}

/// Bytes of any encoding as UTF-8, every line ended by one line feed, so that lines can be counted.
struct Utf8<R> {
    inner: R,
    decoder: Decoder,
    /// A carriage return whose successor is still to come.
    pending: bool,
    last: u8,
    finished: bool,
    bounds: Rc<Bounds>,
}

impl<R: BufRead> Utf8<R> {
    fn new(inner: R, encoding: &'static encoding_rs::Encoding, bounds: Rc<Bounds>) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        Self { inner, decoder, pending: false, last: b'\n', finished: false, bounds }
    }

    /// Drops carriage returns before line feeds, in place; returns how many bytes are left.
    fn line_feeds(&mut self, bytes: &mut [u8]) -> usize {
        let mut kept = 0;
        for index in 0..bytes.len() {
            let byte = bytes[index];
            let next = bytes.get(index + 1).copied();
            if byte == b'\r' && next.is_none_or(|next| next == b'\n') {
                self.pending = next.is_none();
                continue;
            }
            bytes[kept] = byte;
            kept += 1;
        }
        kept
    }
}

impl<R: BufRead> Read for Utf8<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.finished && out.len() >= 16 {
            let input = self.inner.fill_buf()?;
            let last = input.is_empty();
            let start = usize::from(self.pending);
            let (result, read, written, _) = self.decoder.decode_to_utf8(input, &mut out[start..], last);
            self.inner.consume(read);
            self.finished = last && result == CoderResult::InputEmpty;
            // The carriage return held back stands in front again; alone at the end it ends a line.
            out[..start].fill(if written == 0 && self.finished { b'\n' } else { b'\r' });
            let mut length = start + written;
            if written > 0 {
                self.pending = false;
                if out[..length].contains(&b'\r') {
                    length = self.line_feeds(&mut out[..length]);
                }
            } else if !self.finished {
                continue;
            }
            self.last = out[..length].last().copied().unwrap_or(self.last);
            if self.finished && self.last != b'\n' {
                out[length] = b'\n';
                length += 1;
            }
            self.bounds.finished.set(self.finished);
            if length > 0 {
                self.bounds.give(&out[..length])?;
                return Ok(length);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, bytes).unwrap();
        let mut rows = Vec::new();
        read(&path, "x.csv", &mut |_, cells| {
            rows.push(cells.iter().map(ToString::to_string).collect());
            Ok(Flow::Continue)
        })
        .unwrap();
        rows
    }

    #[test]
    fn encodings_and_separators_are_found() {
        let text = "户编号,户主姓名\n1,\"彝,族\"\n";
        let expected =
            vec![vec!["户编号".to_owned(), "户主姓名".to_owned()], vec!["1".to_owned(), "彝,族".to_owned()]];
        assert_eq!(rows(text.as_bytes()), expected);
        assert_eq!(rows(format!("\u{feff}{text}").as_bytes()), expected);
        assert_eq!(rows(&GB18030.encode(text).0), expected);
        assert_eq!(rows("户编号\t户主姓名\n1\t彝,族\n".as_bytes()), expected);
    }

    #[test]
    fn rows_are_numbered_as_a_spreadsheet_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, "a,b\n\n1,\"x\ny\"\r\n\n\n2,z").unwrap();
        let mut numbers = Vec::new();
        read(&path, "x.csv", &mut |number, _| {
            numbers.push(number);
            Ok(Flow::Continue)
        })
        .unwrap();
        assert_eq!(numbers, [1, 3, 6]);
    }

    #[test]
    fn characters_cut_by_a_chunk_are_whole_again() {
        let text = format!("a,{}\n", "村".repeat(CHUNK));
        assert_eq!(rows(text.as_bytes())[0][1].chars().count(), CHUNK);
        assert_eq!(rows(&GB18030.encode(&text).0)[0][1].chars().count(), CHUNK);
    }
}
