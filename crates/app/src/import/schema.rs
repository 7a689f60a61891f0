//! The program as an import needs it: fields by position, headers by text, codes by spelling.

use std::collections::HashMap;

use model::{Text, normalise_header};
use pack::program::{
    Action, Blank, CodeList, ColumnId, ColumnKind, DataClass, Edge, EdgeId, Entity, EntityId, Format,
    Program, Type, Unit,
};

/// All entities of a program, in its order: ancestors first.
#[derive(Debug)]
pub struct Schema<'p> {
    pub program: &'p Program,
    pub entities: Vec<EntityPlan>,
    /// What people write where there is nothing to write, normalised.
    blank_marks: Vec<String>,
    /// Longer texts are no mark, however they are spaced.
    blank_mark_bytes_max: usize,
    /// Bytes with which a mark can begin, spaces and full-width signs included.
    blank_mark_starts: Box<[bool; 256]>,
}

/// An entity with its fields by position (order of declaration).
#[derive(Debug)]
pub struct EntityPlan {
    pub id: EntityId,
    pub name: String,
    pub label: Text,
    pub fields: Vec<FieldPlan>,
    /// Position of the key field.
    pub key: usize,
    /// Whether a key may be made from the required fields where a sheet has no column for it: only for
    /// events, which are identified by whom, where and when (one of these fields is a date), and only
    /// if nothing refers to the key.
    pub makes_key: bool,
    /// Whether records are divisions, whose parent can be told from their code.
    pub division: bool,
    pub edges: Vec<EdgePlan>,
    /// Normalised words by which a sheet is recognised.
    pub words: Vec<String>,
    headers: HashMap<String, usize>,
    loose: HashMap<String, usize>,
}

/// A field as a reader of cells.
#[derive(Debug)]
pub struct FieldPlan {
    pub column: ColumnId,
    pub label: Text,
    pub reader: Reader,
    pub required: bool,
    pub unique: bool,
    pub blank: Blank,
    pub unreadable: Action,
    pub pii: DataClass,
    /// Whether digits are a name here (keys, references, accounts) and losing one is losing it.
    pub digits_matter: bool,
    /// Whether it is the key, or refers to one.
    pub names_record: bool,
}

/// What a cell of the field becomes.
#[derive(Debug)]
pub enum Reader {
    Text,
    CitizenNumber,
    DisabilityCertificate,
    DivisionCode,
    /// `shift` powers of ten lie between the cell's unit and the field's: -2 for percent.
    Number {
        decimals: u8,
        shift: i8,
        money: bool,
        min: i64,
        max: i64,
    },
    Date,
    Bool,
    Code(CodePlan),
    /// Cells of floating fields are not imported.
    Index,
}

/// Spellings of a code list.
#[derive(Debug)]
pub struct CodePlan {
    /// Position in the list by normalised spelling.
    pub spellings: HashMap<String, i32>,
    pub codes: Vec<String>,
    pub labels: Vec<Text>,
}

/// An edge by positions of fields.
#[derive(Clone, Debug)]
pub struct EdgePlan {
    pub id: EdgeId,
    pub parent: EntityId,
    /// Position of the reference among the child's fields.
    pub via: usize,
    /// Position of what it matches among the parent's fields.
    pub on: usize,
    pub tree: bool,
    pub required: bool,
    /// Pairs of child's and parent's fields that agree where the reference fails.
    pub also: Vec<(usize, usize)>,
    pub key_prefix: Option<usize>,
}

impl<'p> Schema<'p> {
    pub fn new(program: &'p Program) -> Self {
        let entities = (0..program.entities.len()).map(|index| EntityPlan::new(program, index)).collect();
        let blank_marks: Vec<String> =
            program.info.blank_marks.iter().map(|mark| normalise_header(mark)).collect();
        let longest = blank_marks.iter().map(String::len).max().unwrap_or(0);
        let mut starts = Box::new([false; 256]);
        for mark in &blank_marks {
            let first = mark.as_bytes().first().copied().unwrap_or(b' ');
            let spaces = [b' ', b'\t', b'\n', b'\r', 0xc2, 0xe2, 0xe3, 0xef];
            for byte in [first, first.to_ascii_uppercase()].into_iter().chain(spaces) {
                starts[usize::from(byte)] = true;
            }
        }
        let blank_mark_bytes_max = longest * 3 + 8;
        Self { program, entities, blank_marks, blank_mark_bytes_max, blank_mark_starts: starts }
    }

    /// Whether a text stands for an empty cell.
    pub fn is_blank_mark(&self, text: &str) -> bool {
        // Asked of every text that is imported: nearly all are too long, or begin otherwise.
        let begins = text.as_bytes().first().is_some_and(|byte| self.blank_mark_starts[usize::from(*byte)]);
        if !begins || text.len() > self.blank_mark_bytes_max {
            return false;
        }
        let bare = text.trim();
        if bare.chars().any(|char| ('\u{ff01}'..='\u{ff5e}').contains(&char)) {
            return self.blank_marks.contains(&normalise_header(bare));
        }
        self.blank_marks.iter().any(|mark| mark.eq_ignore_ascii_case(bare))
    }

    pub fn entity(&self, id: EntityId) -> &EntityPlan {
        &self.entities[id.index()]
    }
}

impl EntityPlan {
    fn new(program: &Program, index: usize) -> Self {
        let entity = &program.entities[index];
        let id = EntityId(index as u32);
        let edges: Vec<EdgePlan> = (0..program.edges.len())
            .filter(|edge| program.edges[*edge].child == id && !program.is_derived(program.edges[*edge].via))
            .map(|edge| EdgePlan::new(program, EdgeId(edge as u32)))
            .collect();
        let key = position(entity, entity.key);
        let referred = program.edges.iter().any(|edge| edge.parent == id && edge.on == entity.key);
        let fields: Vec<FieldPlan> =
            entity.fields.iter().map(|column| FieldPlan::new(program, entity, *column)).collect();
        let (headers, loose) = headers(program, entity);
        Self {
            id,
            name: entity.name.clone(),
            label: entity.label.clone(),
            key,
            makes_key: !referred
                && fields.iter().any(|field| field.required && matches!(field.reader, Reader::Date)),
            fields,
            division: entity.division.is_some(),
            edges,
            words: entity.sheet.iter().map(|word| normalise_header(word)).collect(),
            headers,
            loose,
        }
    }

    /// The field that a header names: spelled as a label, alias or id, or like one but for the unit in
    /// brackets. The flag says that it was spelled exactly.
    pub fn field_of(&self, header: &str) -> Option<(usize, bool)> {
        let normal = normalise_header(header);
        if let Some(field) = self.headers.get(&normal) {
            return Some((*field, true));
        }
        self.loose.get(bare(&normal)).map(|field| (*field, false))
    }

    /// Whether some heading names the field: what follows from other facts is never read.
    pub fn is_read(&self, field: usize) -> bool {
        self.headers.values().any(|own| *own == field)
    }

    /// The edge to the parent in the tree.
    pub fn tree_edge(&self) -> Option<usize> {
        self.edges.iter().position(|edge| edge.tree)
    }
}

impl EdgePlan {
    fn new(program: &Program, id: EdgeId) -> Self {
        let edge: &Edge = &program.edges[id.index()];
        let child = &program.entities[edge.child.index()];
        let parent = &program.entities[edge.parent.index()];
        Self {
            id,
            parent: edge.parent,
            via: position(child, edge.via),
            on: position(parent, edge.on),
            tree: edge.tree,
            required: edge.required,
            also: edge
                .also
                .iter()
                .map(|(own, other)| (position(child, *own), position(parent, *other)))
                .collect(),
            key_prefix: edge.key_prefix.map(|length| length as usize),
        }
    }
}

impl FieldPlan {
    fn new(program: &Program, entity: &Entity, id: ColumnId) -> Self {
        let column = &program.columns[id.index()];
        let ColumnKind::Field(field) = &column.kind else {
            unreachable!("an entity's fields are columns of the field kind");
        };
        let names_record = entity.key == id
            || program.edges.iter().any(|edge| edge.via == id && matches!(column.ty, Type::Text));
        Self {
            column: id,
            label: column.label.clone(),
            reader: Reader::new(program, &column.ty, field.format, column.range),
            required: field.required,
            unique: field.unique,
            blank: field.blank,
            unreadable: field.unreadable,
            pii: program.class(id),
            digits_matter: names_record
                || matches!(field.pii, DataClass::Identity | DataClass::Account | DataClass::Contact),
            names_record,
        }
    }
}

impl Reader {
    fn new(program: &Program, ty: &Type, format: Format, range: Option<pack::program::Range>) -> Self {
        match (ty, format) {
            (Type::Text, Format::CitizenNumber) => Self::CitizenNumber,
            (Type::Text, Format::DisabilityCertificate) => Self::DisabilityCertificate,
            (Type::Text, Format::DivisionCode) => Self::DivisionCode,
            (Type::Text, _) => Self::Text,
            (Type::Bool, _) => Self::Bool,
            (Type::Date, _) => Self::Date,
            (Type::Index, _) => Self::Index,
            (Type::Code(list), _) => Self::Code(CodePlan::new(&program.lists[list.index()])),
            (Type::Number(number), format) => {
                // i64::MIN stands for unknown in staged columns.
                let bound = |value: Option<i128>, open: i64| {
                    value
                        .map_or(open, |value| value.clamp(-i128::from(i64::MAX), i128::from(i64::MAX)) as i64)
                };
                Self::Number {
                    decimals: number.decimals,
                    shift: if format == Format::Percent { -2 } else { 0 },
                    money: number.unit == Unit([("yuan".to_owned(), 1)].into()),
                    min: bound(range.map(|range| range.min), -i64::MAX),
                    max: bound(range.map(|range| range.max), i64::MAX),
                }
            }
        }
    }
}

impl CodePlan {
    fn new(list: &CodeList) -> Self {
        let mut spellings = HashMap::new();
        for (index, code) in list.codes.iter().enumerate() {
            let words = [&code.code, &code.label.zh, &code.label.en].into_iter().chain(&code.aliases);
            for word in words {
                spellings.entry(normalise_header(word)).or_insert(index as i32);
            }
        }
        Self {
            spellings,
            codes: list.codes.iter().map(|code| code.code.clone()).collect(),
            labels: list.codes.iter().map(|code| code.label.clone()).collect(),
        }
    }
}

fn position(entity: &Entity, column: ColumnId) -> usize {
    entity
        .fields
        .iter()
        .position(|field| *field == column)
        .expect("the compiler checks that it is a field of the entity")
}

/// Headers by exact and by bare spelling. Labels go before aliases, and ids come last.
fn headers(program: &Program, entity: &Entity) -> (HashMap<String, usize>, HashMap<String, usize>) {
    let mut exact = HashMap::new();
    let mut loose = HashMap::new();
    let mut add = |index: usize, word: &str| {
        let normal = normalise_header(word);
        loose.entry(bare(&normal).to_owned()).or_insert(index);
        exact.entry(normal).or_insert(index);
    };
    // What follows from other facts is never read, however a sheet calls it.
    let columns = || {
        let fields = entity.fields.iter().enumerate().filter(|(_, id)| !program.is_derived(**id));
        fields.map(|(index, id)| (index, &program.columns[id.index()]))
    };
    for (index, column) in columns() {
        add(index, &column.label.zh);
        add(index, &column.label.en);
    }
    for (index, column) in columns() {
        if let ColumnKind::Field(field) = &column.kind {
            field.aliases.iter().for_each(|alias| add(index, alias));
        }
    }
    for (index, column) in columns() {
        add(index, &column.name);
    }
    (exact, loose)
}

/// A normalised header without its unit or remark in brackets, and without marks for required columns.
fn bare(header: &str) -> &str {
    let header = header.trim_matches(['*', ':']);
    match header.rfind('(') {
        Some(start) if start > 0 && header.ends_with(')') => header[..start].trim_end_matches(['*', ':']),
        _ => header,
    }
}

/// Powers of ten between the unit that a header names in brackets, or alone, and the field's own (yuan).
pub fn money_unit(header: &str) -> Option<i8> {
    let normal = normalise_header(header);
    let unit = normal.rfind('(').map_or(normal.as_str(), |start| normal[start + 1..].trim_end_matches(')'));
    match unit.trim_start_matches("单位:") {
        "亿元" | "亿" => Some(8),
        "万元" | "万" => Some(4),
        "千元" => Some(3),
        "元" => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_in_headers_are_told_from_names() {
        assert_eq!(bare("工资性收入(元)"), "工资性收入");
        assert_eq!(bare("*姓名"), "姓名");
        assert_eq!(bare("(一)户编号"), "(一)户编号");
        assert_eq!(bare("乡(镇)"), "乡");
        assert_eq!(money_unit("总费用\n（万元）"), Some(4));
        assert_eq!(money_unit("总费用(元)"), Some(0));
        assert_eq!(money_unit("万元"), Some(4));
        assert_eq!(money_unit("总费用"), None);
    }
}
