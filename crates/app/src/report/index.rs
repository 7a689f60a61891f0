//! The sheets that come first: what there is, with links, and the totals.

use evaluate::explain::unit_text;
use model::Lang;
use pack::program::NumberType;
use rust_xlsxwriter::{Format, Url, Worksheet, XlsxError};

use super::sheet::{Style, set_up_for_printing};
use super::{Entry, ReportError, Section, Writer};
use crate::totals::{figures, warning};

impl Writer<'_> {
    /// Every sheet by section, with a link, its rows and what is unknown in it.
    pub(super) fn index(&mut self) -> Result<Worksheet, ReportError> {
        let mut sheet = self.front_sheet(0)?;
        let mut row = self.introduction(&mut sheet)?;
        let heads = [
            self.say("工作表", "sheet"),
            self.say("内容", "what it shows"),
            self.say("行数", "rows"),
            self.say("未知", "unknown"),
        ];
        for (column, text) in heads.iter().enumerate() {
            sheet.write_with_format(row, column as u16, *text, &self.style.head)?;
        }
        set_up_for_printing(&mut sheet, &format!("{}", self.run.as_of), row);
        sheet.set_freeze_panes(row + 1, 0)?;
        row += 1;
        self.link(&mut sheet, row, &self.front[1].clone())?;
        sheet.write(
            row,
            1,
            self.say("合计数，及各有多少条未知", "totals, with how many records are unknown for each"),
        )?;
        row += 1;
        for section in [Section::Payments, Section::Reports, Section::Articles, Section::Lists] {
            let entries: Vec<&Entry> = self.entries.iter().filter(|entry| entry.section == section).collect();
            if entries.is_empty() {
                continue;
            }
            sheet.write_with_format(row, 0, self.section(section), &Format::new().set_bold())?;
            row += 1;
            for entry in entries {
                self.link(&mut sheet, row, &entry.sheet)?;
                sheet.write(row, 1, entry.title.as_str())?;
                sheet.write_with_format(row, 2, entry.rows as f64, &Style::number(0, false))?;
                sheet.write_with_format(row, 3, entry.unknown as f64, &Style::number(0, false))?;
                row += 1;
            }
        }
        if !self.empty.is_empty() {
            let text = self.say(
                "没有登记任何记录、因而没有生成的报表",
                "reports of which nothing is recorded, and which are left out",
            );
            sheet.write_with_format(row, 0, text, &Format::new().set_bold())?;
            row += 1;
            for title in &self.empty {
                sheet.write_with_format(row, 1, title.as_str(), &self.style.aside)?;
                row += 1;
            }
        }
        for (column, width) in [(0, 30.0), (1, 80.0), (2, 10.0), (3, 10.0)] {
            sheet.set_column_width(column, width)?;
        }
        Ok(sheet)
    }

    /// The totals with how many records are unknown for each.
    pub(super) fn overview(&mut self) -> Result<Worksheet, ReportError> {
        let mut sheet = self.front_sheet(1)?;
        let back =
            Url::new(format!("internal:'{}'!A1", self.front[0])).set_text(self.say("← 目录", "← contents"));
        sheet.write_url_with_format(2, 0, back, &self.style.link)?;
        let mut row = self.introduction(&mut sheet)?.max(3);
        let heads = [
            self.say("指标", "figure"),
            self.say("数值", "value"),
            self.say("单位", "unit"),
            self.say("未知数", "unknown"),
            self.say("对象数", "of"),
            self.say("说明", "remark"),
        ];
        for (column, text) in heads.iter().enumerate() {
            sheet.write_with_format(row, column as u16, *text, &self.style.head)?;
        }
        set_up_for_printing(&mut sheet, &format!("{}", self.run.as_of), row);
        sheet.set_freeze_panes(row + 1, 1)?;
        for figure in figures(self.program, &self.run.manifest) {
            row += 1;
            let money = figure.is_money(self.program);
            sheet.write(row, 0, figure.total.title.get(self.lang))?;
            let value = if money { figure.value as f64 / 100.0 } else { figure.value as f64 };
            sheet.write_with_format(row, 1, value, &Style::number(if money { 2 } else { 0 }, false))?;
            let unit = if money {
                unit_text(self.program, &NumberType::money().unit, self.lang)
            } else {
                self.entity_label(figure.total.entity)
            };
            sheet.write(row, 2, unit)?;
            sheet.write_with_format(row, 3, figure.unknown as f64, &Style::number(0, false))?;
            sheet.write_with_format(row, 4, figure.subjects as f64, &Style::number(0, false))?;
            if figure.is_unreliable(self.program) {
                sheet.write(
                    row,
                    5,
                    self.say("已知的太少，不能作为结论", "too few are known to rely on it"),
                )?;
            }
        }
        for (column, width) in [(0, 46.0), (1, 22.0), (2, 10.0), (3, 10.0), (4, 10.0), (5, 34.0)] {
            sheet.set_column_width(column, width)?;
        }
        Ok(sheet)
    }

    fn front_sheet(&self, which: usize) -> Result<Worksheet, XlsxError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(&self.front[which])?;
        let title = format!("{} · {}", self.program.info.title.get(self.lang), self.front[which]);
        sheet.write_with_format(0, 0, title, &self.style.title)?;
        let digest = self.run.manifest.snapshot.digest.get(..12).unwrap_or_default();
        let about = match self.lang {
            Lang::Zh => format!(
                "截至 {} · 政策包 {} {} · 数据快照 {digest}",
                self.run.as_of, self.program.info.id, self.program.info.version
            ),
            Lang::En => format!(
                "as of {} · pack {} {} · snapshot {digest}",
                self.run.as_of, self.program.info.id, self.program.info.version
            ),
        };
        sheet.write_with_format(1, 0, about, &self.style.aside)?;
        Ok(sheet)
    }

    /// What is to be said before any figure; the first row that is free.
    fn introduction(&self, sheet: &mut Worksheet) -> Result<u32, ReportError> {
        let mut row = 3;
        if let Some(warning) = warning(self.program, &self.run.manifest, Some(self.run))? {
            let loud = Format::new().set_bold().set_font_color(rust_xlsxwriter::Color::RGB(0x00B0_1E00));
            for line in warning.to_text(self.lang).lines() {
                sheet.write_with_format(row, 0, line, &loud)?;
                row += 1;
            }
            row += 1;
        }
        Ok(row)
    }

    fn link(&self, sheet: &mut Worksheet, row: u32, name: &str) -> Result<(), XlsxError> {
        let link = Url::new(format!("internal:'{name}'!A1")).set_text(name);
        sheet.write_url_with_format(row, 0, link, &self.style.link)?;
        Ok(())
    }

    fn section(&self, section: Section) -> &'static str {
        match section {
            Section::Articles => self.say("各条数据（按乡镇、村）", "figures of each article, by division"),
            Section::Lists => self.say("各条名单", "names of each article"),
            Section::Reports => self.say("报表", "reports"),
            Section::Payments => self.say("发放", "payments"),
        }
    }
}
