//! Writing a bank's file of payments.

use encoding_rs::GBK;

use super::{
    Align, BankLayout, Batch, BatchStage, Column, Encoding, Field, FileCode, FileFault, FileLayout, Format,
    LineState, Newline, Payee, Payees, TotalsPlace,
};
use crate::{Date, Fen};

/// The bytes of a batch's file, dated on a day, or every fault in it. The same arguments give the same bytes.
///
/// Nothing is cut off, replaced or rounded. Each payee has to be the one who was committed to, and two lines that
/// the bank's return could not tell apart are refused before anything is paid.
pub fn render(
    batch: &Batch,
    layout: &BankLayout,
    payees: &Payees,
    on: Date,
) -> Result<Vec<u8>, Vec<FileFault>> {
    let whole = |code, value: &str| vec![FileFault::new(code, 0).value(value)];
    if layout.id != *batch.layout() {
        return Err(whole(FileCode::LayoutUnfit, layout.id.as_str()));
    }
    if let Some(problem) = layout.problems().first() {
        return Err(whole(FileCode::LayoutUnfit, &problem.to_string()));
    }
    if !matches!(batch.stage, BatchStage::Planned | BatchStage::Sent) {
        return Err(whole(FileCode::Unready, batch.stage.as_str()));
    }
    let file = &layout.payment;
    let mut page = Page { file, batch, on, bytes: Vec::new(), line: 0, faults: Vec::new() };
    page.faults.extend(ambiguous(batch, layout, payees));
    page.totals(TotalsPlace::First);
    if file.header {
        page.write(&file.columns, |column| column.title.clone());
    }
    for state in &batch.lines {
        match payees.get(&state.line.id) {
            Some(payee) if payee.commitment() == state.line.commitment => page.row(state, payee),
            Some(_) => page.fault(FileCode::PayeeChanged, state.line.id.as_str()),
            None => page.fault(FileCode::PayeeMissing, state.line.id.as_str()),
        }
    }
    page.totals(TotalsPlace::Last);
    if page.faults.is_empty() { Ok(page.bytes) } else { Err(page.faults) }
}

/// What a row of the return is matched by, `None` if it takes a payee who is not given.
pub(super) fn match_key(state: &LineState, payee: Option<&Payee>, fields: &[Field]) -> Option<Vec<String>> {
    let value = |field: &Field| match field {
        Field::Number => Some(state.number.to_string()),
        Field::Line => Some(state.line.id.to_string()),
        Field::Amount => Some(state.line.fen.to_string()),
        Field::Name => payee.map(|payee| payee.name.clone()),
        Field::Account => payee.map(|payee| payee.account.clone()),
        _ => None,
    };
    fields.iter().map(value).collect()
}

/// Text in an encoding, or the first character that it doesn't have.
pub(super) fn encode(text: &str, encoding: Encoding) -> Result<Vec<u8>, char> {
    match encoding {
        Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
        Encoding::Gbk => {
            let (bytes, _, has_faults) = GBK.encode(text);
            if !has_faults {
                return Ok(bytes.into_owned());
            }
            let absent = |char: &char| GBK.encode(char.encode_utf8(&mut [0; 4])).2;
            Err(text.chars().find(absent).unwrap_or(char::REPLACEMENT_CHARACTER))
        }
    }
}

pub(super) fn amount(fen: Fen, format: Option<Format>) -> String {
    match format {
        Some(Format::Fen) => fen.fen().to_string(),
        _ => fen.to_string(),
    }
}

pub(super) fn date(on: Date, format: Option<Format>) -> String {
    match format {
        Some(Format::Compact) => on.to_string().replace('-', ""),
        _ => on.to_string(),
    }
}

/// Whether a value may stand in a message.
pub(super) const fn is_quotable(field: Field) -> bool {
    !matches!(field, Field::Name | Field::Account)
}

fn ambiguous(batch: &Batch, layout: &BankLayout, payees: &Payees) -> Vec<FileFault> {
    let mut keys = std::collections::BTreeMap::new();
    let mut faults = Vec::new();
    for state in &batch.lines {
        let Some(key) = match_key(state, payees.get(&state.line.id), &layout.match_by) else { continue };
        if let Some(first) = keys.insert(key, &state.line.id) {
            let pair = format!("{first}, {}", state.line.id);
            faults.push(FileFault::new(FileCode::MatchAmbiguous, 0).value(pair));
        }
    }
    faults
}

/// A file on its way.
struct Page<'a> {
    file: &'a FileLayout,
    batch: &'a Batch,
    on: Date,
    bytes: Vec<u8>,
    /// The line last written, from 1.
    line: usize,
    faults: Vec<FileFault>,
}

impl Page<'_> {
    fn row(&mut self, state: &LineState, payee: &Payee) {
        let (batch, on) = (self.batch, self.on);
        self.write(&self.file.columns, |column| match column.field {
            Field::Number => state.number.to_string(),
            Field::Line => state.line.id.to_string(),
            Field::Name => payee.name.clone(),
            Field::Account => payee.account.clone(),
            Field::Amount => amount(state.line.fen, column.format),
            _ => common(batch, on, column),
        });
    }

    fn totals(&mut self, place: TotalsPlace) {
        let (batch, on) = (self.batch, self.on);
        let Some(totals) = self.file.totals.as_ref().filter(|totals| totals.place == place) else { return };
        self.write(&totals.columns, |column| match column.field {
            Field::Count => batch.lines.len().to_string(),
            Field::Sum => amount(batch.total(), column.format),
            _ => common(batch, on, column),
        });
    }

    fn write(&mut self, columns: &[Column], value: impl Fn(&Column) -> String) {
        self.line += 1;
        for (place, column) in columns.iter().enumerate() {
            if let (true, Some(delimiter)) = (place > 0, self.file.delimiter) {
                self.bytes.push(delimiter as u8);
            }
            match self.cell(column, &value(column)) {
                Ok(bytes) => self.bytes.extend(bytes),
                Err(fault) => self.faults.push(fault),
            }
        }
        self.bytes.extend_from_slice(match self.file.newline {
            Newline::Lf => b"\n",
            Newline::Crlf => b"\r\n",
        });
    }

    fn cell(&self, column: &Column, value: &str) -> Result<Vec<u8>, FileFault> {
        let fault = |code| FileFault::new(code, self.line).column(&column.title);
        let quoted = |fault: FileFault| if is_quotable(column.field) { fault.value(value) } else { fault };
        if value.chars().any(char::is_control) {
            return Err(fault(FileCode::Delimiter));
        }
        let text = match self.file.delimiter {
            Some(delimiter) if self.file.quotes && value.contains([delimiter, '"']) => {
                format!("\"{}\"", value.replace('"', "\"\""))
            }
            Some(delimiter) if value.contains(delimiter) => return Err(quoted(fault(FileCode::Delimiter))),
            _ => value.to_owned(),
        };
        // One character alone tells nothing about a person, and it is what has to be mended.
        let bytes = encode(&text, self.file.encoding)
            .map_err(|absent| fault(FileCode::NotEncodable).value(absent))?;
        match column.width.map(usize::from) {
            Some(width) if bytes.len() > width => {
                let fault = fault(FileCode::TooWide).value(bytes.len());
                Err(fault.expected(format_args!("≤ {width}")))
            }
            Some(width) => {
                let fill = vec![column.pad as u8; width - bytes.len()];
                Ok(match column.align {
                    Align::Left => [bytes, fill].concat(),
                    Align::Right => [fill, bytes].concat(),
                })
            }
            None => Ok(bytes),
        }
    }

    fn fault(&mut self, code: FileCode, value: &str) {
        self.line += 1;
        self.faults.push(FileFault::new(code, self.line).value(value));
    }
}

/// What is the same in every line.
fn common(batch: &Batch, on: Date, column: &Column) -> String {
    match column.field {
        Field::Batch => batch.id().to_string(),
        Field::Date => date(on, column.format),
        Field::Constant => column.text.clone().unwrap_or_default(),
        _ => String::new(),
    }
}
