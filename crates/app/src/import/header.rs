//! Which entity a sheet holds, and which column is which field. Where its header is, is for [`super::head`].

use model::normalise_header;
use pack::program::EntityId;

use super::ImportError;
use super::cell::Cell;
use super::schema::{EntityPlan, Reader, Schema, money_unit};

/// Rows that may stand above a header: titles, notes, dates.
pub const ROWS_ABOVE_MAX: usize = 40;

/// The columns of a recognised sheet.
#[derive(Clone, Debug)]
pub struct Header {
    pub entity: EntityId,
    /// Last row of the header, as a spreadsheet numbers it.
    pub row: u32,
    /// For each column of the sheet, the field it holds and the powers of ten of its unit.
    pub columns: Vec<Option<(usize, i8)>>,
    /// Headers as written less their line breaks, by column; of several rows the lowest.
    pub titles: Vec<String>,
}

/// The words over each column: of one row, or from the top down where a header has several.
#[derive(Clone, Debug, Default)]
pub struct Titles {
    pub levels: Vec<Vec<String>>,
}

impl Titles {
    fn lowest(&self) -> Vec<String> {
        self.levels.iter().map(|levels| levels.last().cloned().unwrap_or_default()).collect()
    }

    /// The field of a column: what all its words say together goes before what the lowest says.
    fn field_of(&self, entity: &EntityPlan, column: usize) -> Option<(usize, bool)> {
        let levels = &self.levels[column];
        for start in 0..levels.len().saturating_sub(1) {
            let all = entity.field_of(&levels[start..].concat());
            if let Some((field, true)) = all {
                return Some((field, true));
            }
        }
        entity.field_of(levels.last()?)
    }

    /// Powers of ten between the column's unit and yuan: the lowest words that name a unit say it.
    fn money_shift(&self, column: usize) -> i8 {
        self.levels[column].iter().rev().find_map(|title| money_unit(title)).unwrap_or(0)
    }
}

impl Header {
    /// How many columns are fields.
    pub fn matched(&self) -> usize {
        self.columns.iter().flatten().count()
    }

    /// Columns that the pack doesn't declare.
    pub fn dropped(&self) -> impl Iterator<Item = &str> {
        let unknown =
            |(column, title): (usize, &'_ String)| self.columns[column].is_none() && !title.is_empty();
        self.titles.iter().enumerate().filter(move |pair| unknown(*pair)).map(|(_, title)| title.as_str())
    }

    /// The column of a field.
    pub fn column_of(&self, field: usize) -> Option<usize> {
        self.columns.iter().position(|column| column.is_some_and(|(own, _)| own == field))
    }
}

/// Words around a sheet that may tell what it holds.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Sheet name and titles, normalised.
    near: String,
    /// The file's stem, normalised.
    stem: String,
    /// The entity, where it is known without words.
    target: Option<EntityId>,
}

impl Surroundings {
    pub fn new(stem: &str, sheet: &str, target: Option<EntityId>) -> Self {
        Self { near: normalise_header(sheet), stem: normalise_header(stem), target }
    }

    /// Whether the sheet may hold records of an entity.
    fn may_hold(&self, entity: &EntityPlan) -> bool {
        self.target.map_or(!entity.words.is_empty(), |target| target == entity.id)
    }

    /// A row above the header.
    pub fn add(&mut self, cells: &[Cell<'_>]) {
        for cell in cells.iter().filter(|cell| !cell.is_blank()) {
            self.near.push('\n');
            self.near.push_str(&normalise_header(&cell.to_string()));
        }
    }

    /// How strongly the words of an entity are met: the longest wins, and near ones before the file name.
    fn strength(&self, entity: &EntityPlan) -> usize {
        let met = |word: &String| {
            let long = word.chars().count();
            let near = long > 1 && self.near.contains(word.as_str());
            let name = self.stem == *word || (long > 1 && self.stem.contains(word.as_str()));
            match (near, name) {
                (true, _) => long * 2 + 1,
                (false, true) => long * 2,
                (false, false) => 0,
            }
        };
        entity.words.iter().map(met).max().unwrap_or(0)
    }
}

/// What a row looks like as a header.
struct Candidate {
    entity: usize,
    strength: usize,
    matched: usize,
    complete: bool,
}

/// Reads a row as a header, if it looks like one. An error says that it is the header of a sheet
/// that cannot be imported.
pub fn recognise(
    schema: &Schema<'_>,
    around: &Surroundings,
    file: &str,
    sheet: &str,
    row: u32,
    words: &Titles,
) -> Result<Option<Header>, ImportError> {
    let titles = words.lowest();
    let filled = titles.iter().filter(|title| !title.is_empty()).count();
    let candidates = schema.entities.iter().enumerate().filter(|(_, entity)| around.may_hold(entity)).map(
        |(index, entity)| {
            let fields = fields(entity, words);
            Candidate {
                entity: index,
                strength: around.strength(entity),
                matched: fields.len(),
                complete: missing(entity, &fields).next().is_none(),
            }
        },
    );
    let rank = |one: &Candidate| (one.complete && one.strength > 0, one.strength, one.complete, one.matched);
    // Offices add columns of their own, so a complete header may be a small part of its row.
    let enough = |one: &Candidate| {
        one.matched * 3 >= filled || (one.complete && (one.strength > 0 || one.matched >= 4))
    };
    let best = candidates.filter(|one| one.matched >= 2 && enough(one)).max_by_key(rank);
    let Some(best) = best else { return Ok(None) };
    let entity = &schema.entities[best.entity];
    if !best.complete {
        // Without any word for it, a row with a few familiar titles is no more than that.
        if best.strength == 0 && best.matched * 2 < filled {
            return Ok(None);
        }
        return Err(incomplete(entity, file, sheet, words));
    }
    let columns = columns(entity, file, sheet, words)?;
    Ok(Some(Header { entity: entity.id, row, columns, titles }))
}

/// The fields that the columns hold.
fn fields(entity: &EntityPlan, words: &Titles) -> Vec<usize> {
    (0..words.levels.len())
        .filter_map(|column| words.field_of(entity, column))
        .map(|(field, _)| field)
        .collect()
}

/// Of a sheet that holds nothing known, the entity that a row comes nearest to, with the headers it knows.
pub fn nearest(
    schema: &Schema<'_>,
    around: &Surroundings,
    cells: &[Cell<'_>],
) -> Option<(EntityId, Vec<String>)> {
    let titles: Vec<String> = cells.iter().map(title).filter(|title| !title.is_empty()).collect();
    let known = |entity: &EntityPlan| -> Vec<String> {
        titles.iter().filter(|title| entity.field_of(title).is_some()).cloned().collect()
    };
    schema
        .entities
        .iter()
        .filter(|entity| around.may_hold(entity))
        .map(|entity| (around.strength(entity), entity.id, known(entity)))
        .filter(|(_, _, known)| !known.is_empty())
        .max_by_key(|(strength, _, known)| (*strength, known.len()))
        .map(|(_, entity, known)| (entity, known))
}

/// A header as written, less its line breaks.
pub fn title(cell: &Cell<'_>) -> String {
    cell.to_string().replace(['\n', '\r'], "").trim().to_owned()
}

/// Required fields without a column, that nothing can supply.
fn missing<'e>(entity: &'e EntityPlan, found: &'e [usize]) -> impl Iterator<Item = usize> + 'e {
    let derived = move |field: usize| {
        let own_key = field == entity.key && entity.makes_key;
        let parent =
            entity.division && (entity.tree_edge().is_some_and(|edge| entity.edges[edge].via == field));
        own_key || parent
    };
    (0..entity.fields.len())
        .filter(move |field| entity.fields[*field].required && !found.contains(field) && !derived(*field))
}

fn columns(
    entity: &EntityPlan,
    file: &str,
    sheet: &str,
    words: &Titles,
) -> Result<Vec<Option<(usize, i8)>>, ImportError> {
    let titles = words.lowest();
    let mut taken: Vec<Option<(usize, bool)>> = vec![None; entity.fields.len()];
    let mut columns = vec![None; titles.len()];
    for (column, title) in titles.iter().enumerate() {
        let Some((field, exact)) = words.field_of(entity, column) else { continue };
        let shift = match entity.fields[field].reader {
            Reader::Number { money: true, .. } => words.money_shift(column),
            _ => 0,
        };
        match taken[field] {
            Some((_, true)) if !exact => continue,
            Some((first, false)) if exact => columns[first] = None,
            Some((first, _)) => {
                return Err(ImportError::ColumnRepeated {
                    file: file.into(),
                    sheet: sheet.into(),
                    first: titles[first].as_str().into(),
                    second: title.as_str().into(),
                    field: entity.fields[field].label.zh.as_str().into(),
                });
            }
            None => {}
        }
        taken[field] = Some((column, exact));
        columns[column] = Some((field, shift));
    }
    Ok(columns)
}

fn incomplete(entity: &EntityPlan, file: &str, sheet: &str, words: &Titles) -> ImportError {
    let (titles, fields) = (words.lowest(), fields(entity, words));
    let quote = |words: Vec<&str>| {
        words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ").into_boxed_str()
    };
    let label = |field: usize| entity.fields[field].label.zh.as_str();
    ImportError::ColumnMissing {
        file: file.into(),
        sheet: sheet.into(),
        missing: quote(missing(entity, &fields).map(label).collect()),
        found: quote(titles.iter().filter(|title| !title.is_empty()).map(String::as_str).collect()),
        expected: quote(
            (0..entity.fields.len()).filter(|field| entity.fields[*field].required).map(label).collect(),
        ),
    }
}

/// Whether a row below the header holds no record: a total, a note, or the header once more.
pub fn is_aside(header: &Header, cells: &[Cell<'_>]) -> bool {
    let mut filled = cells.iter().enumerate().filter(|(_, cell)| !cell.is_blank());
    let Some((column, Cell::Text(first))) = filled.next() else { return false };
    let alone = filled.next().is_none();
    let bare = |text: &str| text.chars().filter(|char| !char.is_whitespace()).collect::<String>();
    let starts_with_any = |words: &[&str]| words.iter().any(|word| first.trim_start().starts_with(word));
    // Most rows are told by their first character.
    if first.trim_start().starts_with(|char: char| char.is_ascii_alphanumeric()) {
        return matches!(first.trim(), "total" | "Total" | "TOTAL");
    }
    let normal = bare(first);
    let normal = normal.trim_end_matches([':', '：']);
    matches!(normal, "合计" | "总计" | "小计" | "共计" | "累计" | "本页小计" | "本页合计")
        || (alone
            && starts_with_any(&[
                "注",
                "备注",
                "说明",
                "填表",
                "填报",
                "制表",
                "审核",
                "单位负责人",
                "（注",
                "(注",
            ]))
        || header.titles.get(column).is_some_and(|title| *title == first.replace(['\n', '\r'], "").trim())
}
