//! Keys and references: which row is which record, and to which it belongs.

use std::collections::{HashMap, HashSet};

use model::access::mask;
use model::{DivisionCode, RefusalCode, Text};
use pack::program::{ColumnId, EntityId};
use sha2::{Digest as _, Sha256};
use store::View;

use super::ImportError;
use super::digest::hex;
use super::fault::{RowFault, Severity, with_hint};
use super::index::RowIndex;
use super::schema::{EdgePlan, EntityPlan, Schema};
use super::source::Source;
use super::stage::{State, Table, repeated_key};

/// How many texts a registry is asked for at once.
pub const LOOKUP_BATCH: usize = 1000;
/// Records that are read in the time of one look-up.
const LOOKUP_COST: u64 = 8;

/// Tables of an import by entity.
pub type Tables = Vec<Option<Table>>;

/// What a row's reference comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// The reference is unknown.
    Unsaid,
    /// Nothing has it.
    Missing,
    /// A row of this import.
    Row(u32),
    /// A record that was in the registry before.
    Registered,
}

/// The parents of a table's rows along one edge.
#[derive(Debug)]
pub struct EdgeLinks {
    pub plan: EdgePlan,
    pub parents: Vec<Parent>,
    /// Rows whose reference is wrong but whose key says where they belong.
    pub strays: HashMap<u32, u32>,
}

/// Links of all tables, by entity, in the order of the entity's edges.
#[derive(Debug)]
pub struct Links(pub Vec<Vec<EdgeLinks>>);

impl Links {
    pub fn of(&self, entity: EntityId) -> &[EdgeLinks] {
        &self.0[entity.index()]
    }
}

/// Gives rows without a key one made of what identifies them, and refuses repeated keys.
pub fn settle_keys(schema: &Schema<'_>, tables: &mut Tables, sources: &[Source]) {
    for (entity, table) in schema.entities.iter().zip(tables) {
        let Some(table) = table else { continue };
        let made = table.columns[entity.key].is_none();
        if made {
            make_keys(entity, table);
        }
        let mut clashes = Vec::new();
        RowIndex::new(table, entity.key, |first, row| clashes.push((first, row)));
        for (first, row) in clashes {
            let first = table.place(first as usize, row as usize, sources);
            let fault =
                if made { repeated_row(row, entity, &first) } else { repeated_key(row, entity, &first) };
            table.blame(fault);
            table.states[row as usize] = State::Repeated;
        }
    }
}

/// A digest of the required fields: the same stay has the same key whatever file it is in.
fn make_keys(entity: &EntityPlan, table: &mut Table) {
    let identifying: Vec<usize> = (0..entity.fields.len())
        .filter(|field| entity.fields[*field].required && *field != entity.key)
        .collect();
    let mut keys = super::column::Column::for_reader(&entity.fields[entity.key].reader);
    for row in 0..table.len() {
        let mut hasher = Sha256::new();
        let mut complete = true;
        for field in &identifying {
            let value = table.columns[*field]
                .as_ref()
                .and_then(|column| column.value(&entity.fields[*field].reader, row));
            complete &= value.is_some();
            hasher.update(format!("{value:?}\u{1f}"));
        }
        let digest = hasher.finalize();
        let key = hex(&digest[..10]);
        keys.push_text(if complete { &key } else { "" });
    }
    table.columns[entity.key] = Some(keys);
}

fn repeated_row(row: u32, entity: &EntityPlan, first: &Text) -> RowFault {
    let identifying =
        entity.fields.iter().enumerate().filter(|(index, field)| field.required && *index != entity.key);
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    let mut at = entity.key;
    for (index, field) in identifying {
        at = if zh.is_empty() { index } else { at };
        zh.push(field.label.zh.as_str());
        en.push(field.label.en.as_str());
    }
    let message = Text::new(
        format!("与{}是同一条记录（{}均相同）。请删除其中一行", first.zh, zh.join("、")),
        format!("the same record as {} (equal {}): delete one of them", first.en, en.join(", ")),
    );
    RowFault { field: at, message, ..repeated_key(row, entity, first) }
}

/// Finds every row's parents among the rows of the import and in the registry.
pub fn link(schema: &Schema<'_>, tables: &mut Tables, view: &View<'_>) -> Result<Links, ImportError> {
    for entity in &schema.entities {
        derive_parent_codes(entity, tables, view)?;
    }
    let mut all = Vec::with_capacity(schema.entities.len());
    for entity in &schema.entities {
        let mut links = Vec::new();
        if let Some(table) = &tables[entity.id.index()] {
            for plan in &entity.edges {
                links.push(link_edge(schema, tables, table, entity, plan, view)?);
            }
        }
        all.push(links);
    }
    Ok(Links(all))
}

/// A sheet of divisions may leave out the division above: the code says it, where the registry doesn't.
fn derive_parent_codes(entity: &EntityPlan, tables: &mut Tables, view: &View<'_>) -> Result<(), ImportError> {
    let Some(edge) = entity.tree_edge().map(|edge| &entity.edges[edge]).filter(|_| entity.division) else {
        return Ok(());
    };
    let Some(table) = tables[entity.id.index()].as_mut().filter(|table| table.columns[edge.via].is_none())
    else {
        return Ok(());
    };
    let keys: Vec<String> = (0..table.len()).map(|row| table.text(entity.key, row).to_owned()).collect();
    let known =
        registered(view, entity.id, entity.fields[entity.key].column, keys.iter().map(String::as_str))?;
    let mut codes = super::column::Column::for_reader(&entity.fields[edge.via].reader);
    for key in &keys {
        let above = key.parse::<DivisionCode>().ok().and_then(DivisionCode::parent);
        match above.filter(|_| !known.contains(key.as_str())) {
            Some(code) => codes.push_text(&code.to_string()),
            None => codes.push_unknown(),
        }
    }
    table.columns[edge.via] = Some(codes);
    Ok(())
}

/// Refuses rows about divisions that are not there: a list of facts about divisions makes none.
pub fn refuse_unknown_divisions(
    schema: &Schema<'_>,
    tables: &mut Tables,
    view: &View<'_>,
) -> Result<(), ImportError> {
    for entity in schema.entities.iter().filter(|entity| entity.division) {
        let Some(table) = &mut tables[entity.id.index()] else { continue };
        let keys = |row: usize| table.text(entity.key, row);
        let column = entity.fields[entity.key].column;
        let known = registered(view, entity.id, column, (0..table.len()).map(keys))?;
        let unknown: Vec<usize> =
            (0..table.len()).filter(|row| !keys(*row).is_empty() && !known.contains(keys(*row))).collect();
        for row in unknown {
            let code = table.text(entity.key, row).to_owned();
            let message = Text::new(
                format!("区划表中没有编码为 {code} 的{}", entity.label.zh),
                format!("the list of divisions has no {} `{code}`", entity.label.en),
            );
            table.blame(RowFault {
                row: row as u32,
                field: entity.key,
                code: RefusalCode::ParentNotFound.as_str().to_owned(),
                severity: Severity::Refused,
                message,
                value: Some(code),
                raw: String::new(),
                taken: true,
            });
        }
    }
    Ok(())
}

fn link_edge(
    schema: &Schema<'_>,
    tables: &Tables,
    table: &Table,
    entity: &EntityPlan,
    plan: &EdgePlan,
    view: &View<'_>,
) -> Result<EdgeLinks, ImportError> {
    let above = tables[plan.parent.index()].as_ref();
    let index = above.map(|above| (above, RowIndex::new(above, plan.on, |_, _| {})));
    let mut parents: Vec<Parent> = (0..table.len())
        .map(|row| match (table.text(plan.via, row), &index) {
            ("", _) => Parent::Unsaid,
            (text, Some((above, index))) => {
                index.get(above, plan.on, text).map_or(Parent::Missing, Parent::Row)
            }
            (_, None) => Parent::Missing,
        })
        .collect();
    let missing = |parents: &[Parent]| -> Vec<usize> {
        (0..parents.len()).filter(|row| parents[*row] == Parent::Missing).collect()
    };
    let unresolved = missing(&parents);
    let column = schema.entity(plan.parent).fields[plan.on].column;
    let texts = unresolved.iter().map(|row| table.text(plan.via, *row));
    let known = registered(view, plan.parent, column, texts)?;
    for row in unresolved {
        if known.contains(table.text(plan.via, row)) {
            parents[row] = Parent::Registered;
        }
    }
    let strays = match (plan.key_prefix, &index) {
        (Some(length), Some((above, index))) => missing(&parents)
            .into_iter()
            .filter_map(|row| {
                let prefix = table.text(entity.key, row).get(..length)?;
                Some((row as u32, index.get(above, plan.on, prefix)?))
            })
            .collect(),
        _ => HashMap::new(),
    };
    Ok(EdgeLinks { plan: plan.clone(), parents, strays })
}

/// Those of the texts that a record of the registry has in the column.
pub fn registered<'t>(
    view: &View<'_>,
    entity: EntityId,
    column: ColumnId,
    texts: impl Iterator<Item = &'t str>,
) -> Result<HashSet<&'t str>, ImportError> {
    let wanted: HashSet<&str> = texts.filter(|text| !text.is_empty()).collect();
    let mut known = HashSet::new();
    if wanted.is_empty() || view.count(entity)? == 0 {
        return Ok(known);
    }
    if reads_all(view, entity, wanted.len())? {
        view.scan(entity, &[column], |row| {
            known.extend(row.text(0).and_then(|text| wanted.get(text).copied()));
            Ok(())
        })?;
        return Ok(known);
    }
    let wanted: Vec<&str> = wanted.into_iter().collect();
    for batch in wanted.chunks(LOOKUP_BATCH) {
        let found = view.lookup(entity, column, batch)?;
        known.extend(batch.iter().zip(found).filter(|(_, key)| key.is_some()).map(|(text, _)| *text));
    }
    Ok(known)
}

/// Whether so many look-ups cost more than reading the entity from end to end.
pub fn reads_all(view: &View<'_>, entity: EntityId, lookups: usize) -> Result<bool, ImportError> {
    Ok(lookups as u64 * LOOKUP_COST > view.count(entity)?)
}

/// Fault of a row whose parent nothing has.
pub fn parent_missing(
    schema: &Schema<'_>,
    entity: &EntityPlan,
    links: &EdgeLinks,
    row: u32,
    value: &str,
    belongs: Option<&str>,
) -> RowFault {
    let plan = &links.plan;
    let field = &entity.fields[plan.via];
    let above = schema.entity(plan.parent);
    let shown = mask(value, field.pii);
    let hint = match belongs {
        Some(belongs) => Text::new(
            format!("按本行编号应属 {belongs}，请改正"),
            format!("by this row's own number it belongs to `{belongs}`: correct it"),
        ),
        None => RefusalCode::ParentNotFound.hint(),
    };
    let message = Text::new(
        format!("“{}” {shown} 没有对应的{}", field.label.zh, above.label.zh),
        format!("no {} has the {} `{shown}`", above.label.en, field.label.en),
    );
    let name = &schema.program.edges[plan.id.index()].name;
    RowFault {
        row,
        field: plan.via,
        code: format!("{}-not-found", name.replace('_', "-")),
        severity: if plan.required { Severity::Refused } else { Severity::Warning },
        message: with_hint(&message, &hint),
        value: Some(shown),
        raw: String::new(),
        taken: true,
    }
}
