//! One table as a sheet: a title that says what the rows are, totals and unknown counts as formulas above a frozen
//! header with filters, set up for printing.

use model::{Date, Lang};
use rust_xlsxwriter::{
    Color, ExcelDateTime, Format, FormatAlign, FormatBorder, Formula, Url, Worksheet, XlsxError,
};

/// Rows that a spreadsheet holds.
const ROWS_MAX: u32 = 1_048_576;

/// Where totals and numbers of unknown values stand.
const TOTALS: u32 = 3;
const UNKNOWN: u32 = 4;

/// A column of a table.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// Stands over this column and its neighbours of the same group.
    pub group: Option<String>,
    pub text: String,
    /// Decimals that are shown; none of texts.
    pub decimals: Option<u8>,
    /// Whether adding up the column means something.
    pub adds_up: bool,
    /// Letters of the longest value, about.
    pub width: f64,
}

impl Head {
    pub fn text(text: impl Into<String>, width: f64) -> Self {
        Self { group: None, text: text.into(), decimals: None, adds_up: false, width }
    }

    pub fn count(text: impl Into<String>) -> Self {
        Self { group: None, text: text.into(), decimals: Some(0), adds_up: true, width: 9.0 }
    }

    pub fn money(text: impl Into<String>) -> Self {
        Self { group: None, text: text.into(), decimals: Some(2), adds_up: true, width: 16.0 }
    }

    pub fn under(mut self, group: &str) -> Self {
        self.group = Some(group.to_owned());
        self
    }
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Number(f64),
    Date(Date),
    /// A result that is not known.
    Unknown,
    /// Said in grey: that nothing has been recorded, say.
    Aside(&'static str),
}

/// The looks of cells, alike in every sheet.
pub(super) struct Style {
    pub title: Format,
    pub aside: Format,
    pub head: Format,
    pub group: Format,
    pub link: Format,
    text: Format,
    date: Format,
    unknown: Format,
    label: Format,
}

impl Style {
    pub fn new() -> Self {
        let head = Format::new()
            .set_bold()
            .set_background_color(Color::RGB(0x00E8_EEF4))
            .set_border(FormatBorder::Thin)
            .set_text_wrap()
            .set_align(FormatAlign::Center)
            .set_align(FormatAlign::VerticalCenter);
        Self {
            title: Format::new().set_bold().set_font_size(14),
            aside: Format::new().set_font_color(Color::Gray),
            group: head.clone().set_background_color(Color::RGB(0x00D5_E0EA)),
            head,
            link: Format::new()
                .set_font_color(Color::RGB(0x001F_5FA8))
                .set_underline(rust_xlsxwriter::FormatUnderline::Single),
            text: Format::new().set_align(FormatAlign::Top),
            date: Format::new().set_num_format("yyyy-mm-dd").set_align(FormatAlign::Left),
            unknown: Format::new().set_italic().set_font_color(Color::RGB(0x00B0_5A00)),
            label: Format::new().set_bold(),
        }
    }

    /// Numbers with thousands apart.
    pub fn number(decimals: u8, bold: bool) -> Format {
        let pattern = match decimals {
            0 => "#,##0".to_owned(),
            decimals => format!("#,##0.{}", "0".repeat(usize::from(decimals))),
        };
        let format = Format::new().set_num_format(pattern);
        if bold { format.set_bold() } else { format }
    }
}

/// What a sheet is about.
pub(super) struct Title {
    /// Of the sheet's tab.
    pub name: String,
    pub title: String,
    /// What each row is.
    pub about: String,
    /// For the foot of every printed page.
    pub foot: String,
    /// Name of the sheet that leads to all others.
    pub index: String,
}

/// A sheet that is being filled.
pub(super) struct TableSheet<'a> {
    sheet: Worksheet,
    style: &'a Style,
    lang: Lang,
    heads: &'a [Head],
    numbers: Vec<Format>,
    first: u32,
    next: u32,
    sums: Vec<f64>,
    unknown: Vec<u64>,
    frozen: u16,
}

impl<'a> TableSheet<'a> {
    /// `frozen` columns stay where they are when the others are moved.
    pub fn new(
        title: &Title,
        heads: &'a [Head],
        frozen: u16,
        style: &'a Style,
        lang: Lang,
    ) -> Result<Self, XlsxError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(&title.name)?;
        sheet.write_with_format(0, 0, title.title.as_str(), &style.title)?;
        sheet.write_with_format(1, 0, title.about.as_str(), &style.aside)?;
        let back = Url::new(format!("internal:'{}'!A1", title.index)).set_text(match lang {
            Lang::Zh => "← 目录",
            Lang::En => "← contents",
        });
        sheet.write_url_with_format(2, 0, back, &style.link)?;
        let grouped = heads.iter().any(|head| head.group.is_some());
        let header = UNKNOWN + 1 + u32::from(grouped);
        if grouped {
            groups(&mut sheet, header - 1, heads, style)?;
        }
        for (column, head) in heads.iter().enumerate() {
            sheet.write_with_format(header, column as u16, head.text.as_str(), &style.head)?;
            sheet.set_column_width(column as u16, head.width.clamp(6.0, 48.0))?;
        }
        set_up_for_printing(&mut sheet, &title.foot, header);
        sheet.set_freeze_panes(header + 1, frozen)?;
        let numbers = heads.iter().map(|head| Style::number(head.decimals.unwrap_or(0), false)).collect();
        let (sums, unknown) = (vec![0.0; heads.len()], vec![0; heads.len()]);
        let first = header + 1;
        Ok(Self { sheet, style, lang, heads, numbers, first, next: first, sums, unknown, frozen })
    }

    pub fn is_full(&self) -> bool {
        self.next >= ROWS_MAX
    }

    pub fn rows(&self) -> u64 {
        u64::from(self.next - self.first)
    }

    /// Cells that are unknown.
    pub fn unknown(&self) -> u64 {
        self.unknown.iter().sum()
    }

    pub fn push(&mut self, cells: &[Cell]) -> Result<(), XlsxError> {
        for (column, cell) in cells.iter().enumerate() {
            let at = column as u16;
            match cell {
                Cell::Text(text) => {
                    self.sheet.write_string_with_format(self.next, at, text, &self.style.text)?;
                }
                Cell::Number(number) => {
                    self.sums[column] += number;
                    self.sheet.write_number_with_format(self.next, at, *number, &self.numbers[column])?;
                }
                Cell::Date(date) => {
                    let (year, month, day) = date.ymd();
                    // A spreadsheet has no dates before 1900.
                    let known = u16::try_from(year).ok().filter(|year| *year >= 1900);
                    let serial =
                        known.and_then(|year| ExcelDateTime::from_ymd(year, month as u8, day as u8).ok());
                    match serial {
                        Some(serial) => {
                            self.sheet.write_datetime_with_format(
                                self.next,
                                at,
                                &serial,
                                &self.style.date,
                            )?;
                        }
                        None => {
                            self.sheet.write_string(self.next, at, date.to_string())?;
                        }
                    }
                }
                Cell::Unknown => {
                    self.unknown[column] += 1;
                    self.sheet.write_string_with_format(
                        self.next,
                        at,
                        self.unknown_word(),
                        &self.style.unknown,
                    )?;
                }
                Cell::Aside(text) => {
                    self.sheet.write_string_with_format(self.next, at, *text, &self.style.aside)?;
                }
            }
        }
        self.next += 1;
        Ok(())
    }

    fn unknown_word(&self) -> &'static str {
        if self.lang == Lang::Zh { "未知" } else { "unknown" }
    }

    /// The sheet with its totals and filters.
    pub fn finish(mut self) -> Result<Worksheet, XlsxError> {
        let zh = self.lang == Lang::Zh;
        let label = &self.style.label;
        self.sheet.write_with_format(TOTALS, 0, if zh { "合计" } else { "total" }, label)?;
        self.sheet.write_with_format(UNKNOWN, 0, if zh { "未知" } else { "unknown" }, label)?;
        if self.next == self.first {
            return Ok(self.sheet);
        }
        let (first, last) = (self.first + 1, self.next);
        let rows =
            Format::new().set_bold().set_num_format(if zh { "#,##0\" 行\"" } else { "#,##0\" rows\"" });
        for (column, head) in self.heads.iter().enumerate() {
            let (at, letters) = (column as u16, letters(column));
            let range = format!("{letters}{first}:{letters}{last}");
            if head.adds_up {
                let sum =
                    Formula::new(format!("=SUBTOTAL(109,{range})")).set_result(rounded(self.sums[column]));
                let format = Style::number(head.decimals.unwrap_or(0), true);
                self.sheet.write_formula_with_format(TOTALS, at, sum, &format)?;
            } else if column == 1 {
                let count = Formula::new(format!("=SUBTOTAL(103,A{first}:A{last})"));
                let count = count.set_result((self.next - self.first).to_string());
                self.sheet.write_formula_with_format(TOTALS, at, count, &rows)?;
            }
            // Sheets of figures count the unknown in columns of their own.
            let counted = head.decimals.is_some() && head.group.is_none();
            if column > 0 && (self.unknown[column] > 0 || counted) {
                let count = Formula::new(format!("=COUNTIF({range},\"{}\")", self.unknown_word()));
                let count = count.set_result(self.unknown[column].to_string());
                self.sheet.write_formula_with_format(UNKNOWN, at, count, &self.style.unknown)?;
            }
        }
        let columns = self.heads.len() as u16;
        self.sheet.autofilter(self.first - 1, 0, self.next - 1, columns.max(1) - 1)?;
        self.sheet.set_selection(
            self.first,
            self.frozen.min(columns.max(1) - 1),
            self.first,
            self.frozen.min(columns.max(1) - 1),
        )?;
        Ok(self.sheet)
    }
}

/// Landscape on A4, as wide as a page, the header on every one.
pub(super) fn set_up_for_printing(sheet: &mut Worksheet, foot: &str, header: u32) {
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.4, 0.4, 0.6, 0.6, 0.3, 0.3);
    // An ampersand starts a code in the feet of pages.
    sheet.set_footer(format!("&L{}&R&P / &N", foot.replace('&', "&&")));
    // Rows beyond the sheet are the only error, and a header is not one.
    let _ = sheet.set_repeat_rows(header.saturating_sub(1), header);
}

/// The groups' titles, each over its columns.
fn groups(sheet: &mut Worksheet, row: u32, heads: &[Head], style: &Style) -> Result<(), XlsxError> {
    let mut start = 0;
    while start < heads.len() {
        let group = &heads[start].group;
        let alike = heads[start..].iter().take_while(|head| head.group == *group).count();
        let end = start + alike;
        if let Some(title) = group {
            if alike > 1 {
                sheet.merge_range(row, start as u16, row, (end - 1) as u16, title, &style.group)?;
            } else {
                sheet.write_with_format(row, start as u16, title.as_str(), &style.group)?;
            }
        }
        start = end;
    }
    sheet.set_row_height(row, 34)?;
    Ok(())
}

/// A sum without the dust of binary fractions.
fn rounded(sum: f64) -> String {
    ((sum * 10_000.0).round() / 10_000.0).to_string()
}

/// `A`, `Z`, `AA`.
fn letters(column: usize) -> String {
    let (rest, last) = (column / 26, char::from(b'A' + (column % 26) as u8));
    if rest == 0 { last.to_string() } else { format!("{}{last}", letters(rest - 1)) }
}

/// Letters of a sheet's name that a spreadsheet takes.
const NAME_MAX: usize = 31;

/// A name for a sheet that is like no other's: short enough, and cut where the words allow it.
pub(super) fn sheet_name(title: &str, taken: &mut Vec<String>) -> String {
    let clean: String =
        title.chars().map(|letter| if "[]:*?/\\'".contains(letter) { ' ' } else { letter }).collect();
    let whole = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut name = shortened(&whole, NAME_MAX);
    let mut number = 2;
    while name.is_empty() || taken.iter().any(|other| other.to_lowercase() == name.to_lowercase()) {
        let end = format!(" {number}");
        name = format!("{}{end}", shortened(&whole, NAME_MAX - end.len()));
        number += 1;
    }
    taken.push(name.clone());
    name
}

/// A title in so many letters: without what stands in brackets, then up to a stop, then up to a word.
fn shortened(title: &str, max: usize) -> String {
    let fits = |text: &str| text.encode_utf16().count() <= max;
    if fits(title) {
        return title.to_owned();
    }
    let mut depth = 0;
    let mut bare = String::new();
    for letter in title.chars() {
        match letter {
            '（' | '(' => depth += 1,
            '）' | ')' => depth -= 1,
            letter if depth == 0 => bare.push(letter),
            _ => {}
        }
    }
    let bare = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    if fits(&bare) && !bare.is_empty() {
        return bare;
    }
    let stop = bare.split(['，', '、', '；', ',', ';', ':', '：']).next().unwrap_or_default().trim();
    if fits(stop) && !stop.is_empty() {
        return stop.to_owned();
    }
    let mut cut = String::new();
    for word in stop.split_inclusive(' ') {
        if cut.encode_utf16().count() + word.trim_end().encode_utf16().count() + 1 > max {
            break;
        }
        cut.push_str(word);
    }
    if cut.trim().is_empty() {
        cut = stop.chars().take(max / 2).collect();
    }
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sheets_stay_readable() {
        let mut taken = vec![];
        let mut check = |title: &str, expected: &str| assert_eq!(sheet_name(title, &mut taken), expected);
        check("第7条", "第7条");
        check("住院费用明细（按病种排名的依据）", "住院费用明细（按病种排名的依据）");
        check("hospital stays, the basis of the ranking of diseases", "hospital stays");
        check("hospital stays, the basis of payments", "hospital stays 2");
        check("serious-illness insurance and medical assistance by person", "serious-illness insurance and…");
        check("households (all of them, with those that have moved away)", "households");
        check("a/b: [c]", "a b c");
        check("ARTICLE 7", "ARTICLE 7");
        check("article 7", "article 7 2");
        check(&"县".repeat(40), &format!("{}…", "县".repeat(15)));
    }

    #[test]
    fn columns_have_letters() {
        for (column, expected) in
            [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
        {
            assert_eq!(letters(column), expected, "{column}");
        }
    }
}
