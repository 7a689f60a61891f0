//! Lists of divisions as text.

use std::str::FromStr;

use model::{DivisionCode, DivisionLevel, Text, text};

use crate::error::{Result, StoreError};

/// A division to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDivision {
    pub code: DivisionCode,
    /// The division right above; `None` only for a province.
    pub parent: Option<DivisionCode>,
    pub level: DivisionLevel,
    pub name: String,
}

/// Reads CSV with the header `code,parent,level,name`, one division a line, a parent before or after its
/// children. Levels are `province`, `prefecture`, `county`, `township` and `village`; cells are not quoted.
/// Error: `division-list`, with the line counted from 1.
pub fn read_division_list(csv: &str) -> Result<Vec<NewDivision>> {
    const HEADER: &str = "code,parent,level,name";
    let csv = csv.strip_prefix('\u{feff}').unwrap_or(csv);
    let mut lines = csv.lines().enumerate();
    let refuse =
        |line: usize, detail: Text| StoreError::DivisionList { line: line + 1, detail: Box::new(detail) };
    match lines.next() {
        Some((_, HEADER)) => {}
        other => {
            let found = other.map_or("", |(_, line)| line);
            let detail = text!(
                "`{found}` 不是表头 `{HEADER}`，请把表头放在最前",
                "`{found}` is not the header `{HEADER}`; put that in front"
            );
            return Err(refuse(0, detail));
        }
    }
    let mut divisions = Vec::new();
    for (number, line) in lines {
        if line.trim().is_empty() {
            continue;
        }
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let [code, parent, level, name] = cells[..] else {
            let count = cells.len();
            let detail = text!(
                "有 {count} 格，应为 4 格；请去掉名称中的逗号",
                "there are {count} cells instead of 4; remove commas inside names"
            );
            return Err(refuse(number, detail));
        };
        divisions.push(NewDivision {
            code: cell(code).map_err(|detail| refuse(number, detail))?,
            parent: match parent {
                "" => None,
                _ => Some(cell(parent).map_err(|detail| refuse(number, detail))?),
            },
            level: cell(level).map_err(|detail| refuse(number, detail))?,
            name: name.to_owned(),
        });
    }
    divisions.sort_by_key(|division| (division.level, division.code));
    Ok(divisions)
}

fn cell<T: FromStr>(cell: &str) -> std::result::Result<T, Text> {
    cell.parse()
        .map_err(|_| text!("`{cell}` 不是区划代码或级别", "`{cell}` is neither a division code nor a level"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_from_the_widest_level_down() {
        let csv = "\u{feff}code,parent,level,name\n5133,51,prefecture,甘孜\n51,,province,四川省\n";
        let list = read_division_list(csv).unwrap();
        assert_eq!(
            list.iter().map(|division| division.name.as_str()).collect::<Vec<_>>(),
            ["四川省", "甘孜"]
        );
        assert_eq!(list[1].parent, Some("51".parse().unwrap()));
    }

    #[test]
    fn faults_name_their_line() {
        let check = |csv: &str, line: usize, word: &str| match read_division_list(csv) {
            Err(StoreError::DivisionList { line: found, detail }) => {
                assert_eq!(found, line, "{csv}");
                assert!(detail.en.contains(word), "{detail:?}");
            }
            other => panic!("{csv}: {other:?}"),
        };
        check("", 1, "header");
        check("code,name\n", 1, "header");
        check("code,parent,level,name\n\n51,,province\n", 3, "3 cells");
        check("code,parent,level,name\n5x,,province,a\n", 2, "5x");
        check("code,parent,level,name\n51,,state,a\n", 2, "state");
    }
}
