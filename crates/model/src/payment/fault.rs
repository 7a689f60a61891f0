//! Faults of bank files: where, what, what would be right.

use std::fmt;

use crate::reason::reasons;
use crate::{Lang, Reason, Text};

reasons! {
    /// Why a bank's file cannot be written or read. Codes are stable; the words may be improved.
    FileCode {
        NotEncodable "not-encodable" { "含有该编码没有的字" "a character does not exist in the file's encoding" }
            hint { "请按银行登记的姓名用字填写" "write the name as the bank has it" }
        NotDecodable "not-decodable" { "不是该编码的文字" "the bytes are not text in the file's encoding" }
            hint { "请核对文件编码，勿用表格软件另存" "check the encoding; do not save the file again in a spreadsheet" }
        TooWide "too-wide" { "超过列宽" "wider than its column" }
            hint { "不会截断；请核对内容或布局" "nothing is cut off; check the value or the layout" }
        Delimiter "delimiter" { "含有分隔符、引号或换行" "the value holds a delimiter, a quote or a line break" }
            hint { "请改正姓名或账号" "correct the name or the account" }
        CellCount "cell-count" { "列数不对" "the line has another number of columns" }
            hint { "请核对是否为该银行的回盘文件" "check that it is the return file of this bank" }
        LineWidth "line-width" { "行宽不对" "the line has another width" }
            hint { "请核对是否为该银行的回盘文件" "check that it is the return file of this bank" }
        HeaderDiffers "header-differs" { "表头不符" "the header differs" }
            hint { "请核对是否为该银行的回盘文件" "check that it is the return file of this bank" }
        ConstantDiffers "constant-differs" { "固定内容不符" "a constant differs" }
            hint { "请核对是否为该银行的回盘文件" "check that it is the return file of this bank" }
        NotAnAmount "not-an-amount" { "不是金额" "not an amount to the fen" }
            hint { "金额不得四舍五入；请向银行核对" "amounts are not rounded; ask the bank" }
        NotADate "not-a-date" { "不是日期" "not a date in the declared form" }
            hint { "请向银行核对" "ask the bank" }
        NotANumber "not-a-number" { "不是序号" "not a whole number" }
            hint { "请向银行核对" "ask the bank" }
        TotalsDiffer "totals-differ" { "合计与明细不符" "the totals differ from the rows" }
            hint { "文件可能不完整；请重新下载" "the file may be cut short; fetch it again" }
        TotalsMissing "totals-missing" { "缺少合计行或表头" "the line of totals or the header is missing" }
            hint { "文件可能不完整；请重新下载" "the file may be cut short; fetch it again" }
        PayeeMissing "payee-missing" { "缺少收款人信息" "the payee of the line is not given" }
            hint { "请补登收款账户" "register the account of the payee" }
        PayeeChanged "payee-changed" { "收款人与审批时不同" "the payee is not the one who was approved" }
            hint { "收款人变更须重新审批" "a change of the payee has to be approved" }
        MatchAmbiguous "match-ambiguous" { "两行付款按匹配列无法区分" "two lines cannot be told apart by the columns that the bank returns" }
            hint { "请分两批支付" "pay them in two batches" }
        Unready "unready" { "该批次不能出盘" "the batch has no file at this stage" }
            hint { "请核对批次状态" "check the stage of the batch" }
        LayoutUnfit "layout-unfit" { "布局声明有误或不是该批次的布局" "the layout is faulty, or not that of the batch" }
            hint { "请修正布局声明" "correct the declaration of the layout" }
    }
}

/// A fault at a place of a file. Names and account numbers are never quoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileFault {
    pub code: FileCode,
    /// The line of the file, from 1; 0 for the file as a whole.
    pub line: usize,
    /// The title of the column.
    pub column: Option<String>,
    pub value: Option<String>,
    pub expected: Option<String>,
}

impl FileFault {
    pub(super) const fn new(code: FileCode, line: usize) -> Self {
        Self { code, line, column: None, value: None, expected: None }
    }

    pub(super) fn column(mut self, title: &str) -> Self {
        self.column = Some(title.to_owned());
        self
    }

    pub(super) fn value(mut self, value: impl fmt::Display) -> Self {
        self.value = Some(value.to_string());
        self
    }

    pub(super) fn expected(mut self, expected: impl fmt::Display) -> Self {
        self.expected = Some(expected.to_string());
        self
    }

    /// `` line 3, column `amount`: not an amount to the fen: `12.345` ``.
    pub fn message(&self) -> Text {
        Text { zh: self.message_in(Lang::Zh), en: self.message_in(Lang::En) }
    }

    pub fn message_in(&self, lang: Lang) -> String {
        let zh = lang == Lang::Zh;
        let mut message = match (self.line, zh) {
            (0, _) => String::new(),
            (line, true) => format!("第 {line} 行"),
            (line, false) => format!("line {line}"),
        };
        if let Some(title) = &self.column {
            message.push_str(&if zh { format!("“{title}”列") } else { format!(", column `{title}`") });
        }
        let colon = if zh { "：" } else { ": " };
        if !message.is_empty() {
            message.push_str(colon);
        }
        message.push_str(self.code.title().get(lang));
        if let Some(value) = &self.value {
            message.extend([colon, "`", value, "`"]);
        }
        if let Some(expected) = &self.expected {
            message.extend([if zh { "；应为 `" } else { "; expected `" }, expected, "`"]);
        }
        message
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message_in(Lang::En))
    }
}

impl std::error::Error for FileFault {}
