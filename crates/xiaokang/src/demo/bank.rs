//! A bank that takes a file of payments and returns one, for the demo and for tests: it pays what it knows an account
//! for, and returns the rest.

use encoding_rs::GBK;
use model::Date;

/// A row that the bank has read.
struct Row {
    number: String,
    account: String,
    name: String,
    amount: String,
}

/// The return file for a file of payments of the sample's bank: rows whose number is among `refused` come back as an
/// unknown account.
pub fn answer(file: &[u8], on: Date, refused: &[&str]) -> Vec<u8> {
    let (text, _, _) = GBK.decode(file);
    let compact = on.to_string().replace('-', "");
    let mut lines = vec!["序号|账号|户名|金额|日期|状态|原因".to_owned()];
    // The first line is the header and the last one holds the sums.
    let rows = text.lines().skip(1).filter(|line| !line.starts_with("合计")).filter_map(read);
    for Row { number, account, name, amount } in rows {
        let (status, reason) =
            if refused.contains(&number.as_str()) { ("02", "账号户名不符") } else { ("00", "") };
        lines.push(format!("{number}|{account}|{name}|{amount}|{compact}|{status}|{reason}"));
    }
    let text = lines.join("\r\n") + "\r\n";
    GBK.encode(&text).0.into_owned()
}

fn read(line: &str) -> Option<Row> {
    let mut cells = line.split('|').map(str::to_owned);
    Some(Row { number: cells.next()?, account: cells.next()?, name: cells.next()?, amount: cells.next()? })
}
